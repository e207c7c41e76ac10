//! The `owt` door from outside.

mod hostile;
mod media;
mod races;
mod reconnection;
mod restart;
mod simulcast;
mod speaking;
mod strictness;
mod subscription_control;
mod tokens;
mod transcript;
mod transports;
