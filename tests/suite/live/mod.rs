//! Live broadcasts, from the upload to the player.

mod client;
mod conformance;
mod hostile;
mod mp4;
mod origin;
mod packager;
mod watching;
