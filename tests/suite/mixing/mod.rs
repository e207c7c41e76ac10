//! Views from end to end: real pictures and tones in, mixed by a real agent, decoded and probed.

mod changes;
mod clip;
mod grids;
mod gst;
mod meeting;
mod scene;
mod stage;
mod unavailable;
mod views;
mod watcher;
