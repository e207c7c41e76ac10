//! The forwarding of RTP, as pure parts: no sockets, no clock, no keys.
//!
//! A packet's way: [`rtp`] reads its header, [`incoming`] puts it into its track's order (dropping
//! duplicates, unwrapping retransmissions, noting gaps, spotting key frames), and one [`outgoing`]
//! per subscriber writes it again under the subscriber's own numbers. A simulcast is a track for each
//! layer; [`layers`] says which of them a subscriber gets. [`loudness`] follows what publishers say of
//! their sound.

pub(crate) mod budget;
pub(crate) mod clock;
pub(crate) mod gaps;
pub(crate) mod incoming;
pub(crate) mod keyframes;
pub(crate) mod layers;
pub(crate) mod loudness;
pub(crate) mod outgoing;
pub(crate) mod padding;
pub(crate) mod pictures;
pub(crate) mod reception;
pub(crate) mod rewrite;
pub(crate) mod ring;
pub(crate) mod rtp;
pub(crate) mod sequence;
