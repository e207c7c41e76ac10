//! What operators and machines ask of the server itself.

pub mod desk;
pub mod health;
pub mod socket;
