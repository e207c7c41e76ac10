//! The front doors: client connections of every dialect.

pub mod demo;
pub mod doorway;
mod flag;
pub mod listener;
pub mod owt;
pub mod pages;
pub mod ticket;
pub mod tls;
pub mod token;

pub use self::doorway::{Doorway, DoorwaySettings};
