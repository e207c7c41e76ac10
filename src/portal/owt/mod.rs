//! The `owt` door: OWT's Client-Portal protocol over socket.io.

mod connection;
mod decode;
mod encode;
mod login;
mod message;
mod refusal;
mod schema;
mod socket;

pub use self::{encode::stream_value, socket::open};
