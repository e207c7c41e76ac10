//! Other people's programs against the server: each released socket.io client, and Chromium.

mod chromium;
pub(crate) mod node;
mod offered;
mod socketio;
mod types;
mod vendored;
