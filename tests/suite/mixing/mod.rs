//! Views from end to end: real pictures and tones in, mixed by a real agent, decoded and probed.

mod gst;
mod protoo;
mod stage;
mod unavailable;
mod views;
