//! Live broadcasts, from the upload to the player.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod conformance;
mod hostile;
mod mp4;
mod origin;
mod packager;
mod watching;
