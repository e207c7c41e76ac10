//! Views from end to end: real pictures and tones in, mixed by a real agent, decoded and probed.

mod gst;
mod stage;
mod transcoding;
mod unavailable;
mod views;
