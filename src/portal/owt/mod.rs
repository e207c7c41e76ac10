//! The `owt` door: OWT's Client-Portal protocol over socket.io.

mod client;
mod connection;
mod decode;
mod decode_control;
mod decode_tracks;
mod encode;
mod encode_tracks;
mod login;
mod message;
mod message_media;
mod protocol;
mod refusal;
mod schema;
mod socket;
mod track_id;

pub use self::{encode::stream_value, socket::open};
