//! The front doors: client connections of every dialect.

pub mod broadcasting;
mod candidate;
mod comeback;
pub mod demo;
pub mod doorway;
pub mod engines;
mod flag;
pub mod listener;
mod offer;
pub mod origin;
pub mod owt;
pub mod pages;
pub mod protoo;
pub mod signals;
pub mod ticket;
pub mod tls;
pub mod token;
mod websocket;

pub use self::{
    comeback::{ComeBack, ComeBackError},
    doorway::{Doorway, DoorwaySettings},
};
