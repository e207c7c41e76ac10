//! The media plane between real WebRTC peers, without rooms and doors.

mod connecting;
mod feeding;
mod forwarding;
mod injecting;
mod keyframes;
mod levels;
mod loss;
mod offering;
mod relay;
mod reports;
mod simulcast;
mod stage;
