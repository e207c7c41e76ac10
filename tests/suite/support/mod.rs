//! What several tests need.

pub(crate) mod certificate;
pub(crate) mod crossing;
pub(crate) mod gst_launch;
pub(crate) mod guest;
pub(crate) mod hostile;
pub(crate) mod http;
pub(crate) mod media_peer;
pub(crate) mod protoo;
pub(crate) mod samples;
pub(crate) mod server;
pub(crate) mod shape;
pub(crate) mod signals;
pub(crate) mod socketio;
pub(crate) mod transcript;
