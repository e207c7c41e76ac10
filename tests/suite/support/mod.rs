//! What several tests need.

pub(crate) mod guest;
pub(crate) mod media_peer;
pub(crate) mod server;
pub(crate) mod socketio;
