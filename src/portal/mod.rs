//! The front doors: client connections of every dialect.

pub mod owt;
pub mod ticket;
pub mod token;
