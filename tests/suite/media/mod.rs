//! The media plane between real WebRTC peers, without rooms and doors.

mod connecting;
mod forwarding;
mod keyframes;
mod loss;
mod relay;
mod reports;
mod stage;
