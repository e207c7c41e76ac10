//! The real agent process, driven over its socket with RTP that GStreamer made, its output decoded
//! by GStreamer and probed.

mod harness;
mod media;
mod probe;

mod audio;
mod codecs;
mod commands;
mod hostile;
mod latency;
mod layouts;
mod packages;
mod protocol;
mod screenshots;
mod sync;
mod video;
