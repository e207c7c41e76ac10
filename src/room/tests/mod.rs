//! Conversations with a room. Each lists exactly all outputs, in order.

mod administering;
mod away;
mod broadcast;
mod closing;
mod control;
mod floor;
mod idle;
mod joining;
mod levels;
mod managing;
mod mirror;
mod mixed_subscriptions;
mod mixer;
mod mixing;
mod offering;
mod presence;
mod publishing;
mod scenario;
mod sessions;
mod simulcast;
mod subscribing;
mod subscription_control;
mod text;
mod transcoding;
mod walk;
mod words;
