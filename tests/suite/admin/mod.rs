//! The management interface from outside.

pub(crate) mod client;
mod dashboard;
mod demo;
mod golden;
mod hostile;
mod metrics;
mod participants;
mod rooms;
mod services;
mod signing;
mod streams;
mod tokens;
