//! What several tests need.

pub(crate) mod media_peer;
