//! What operators and machines ask of the server itself.

pub mod health;
