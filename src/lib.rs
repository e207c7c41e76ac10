//! Portico, a Socket.io-compatible MCU portal server.

pub mod admin;
pub mod cli;
pub mod config;
pub mod driver;
pub mod formats;
pub mod ids;
pub mod live;
pub mod media;
pub mod mixing;
pub mod portal;
pub mod room;
pub mod server;
pub mod store;
