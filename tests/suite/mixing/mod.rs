//! Views from end to end: real pictures and tones in, mixed by a real agent, decoded and probed.

mod broadcasts;
mod changes;
mod clip;
mod deaths;
mod grids;
mod gst;
mod hostile;
mod meeting;
mod protoo;
mod remote;
mod scene;
mod signals;
mod simulcast;
mod snapshots;
mod stage;
mod switching;
mod transcoding;
mod unavailable;
mod views;
mod watcher;
mod webrtcbin;
