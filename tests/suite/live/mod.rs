//! Live broadcasts, from the upload to the player.

mod client;
mod conformance;
mod hostile;
mod origin;
