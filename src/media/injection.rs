//! What a mixing agent gives to the media plane: tracks that no transport brings.
//!
//! An output of the agent is a track that subscriptions are fed from like from a published one. A
//! new agent takes the place of a dead one without the subscribers' noticing: their sequence
//! numbers, times and SSRCs go on.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    handle::Link,
    negotiation::Codec,
    worker::{Order, RoomKey},
};
use crate::{
    formats::{AudioFormat, LayerChoice, VideoFormat},
    ids::StreamId,
};

/// An injected track of a room: one encoding of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputId(pub u32);

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where a subscription's track comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source<F> {
    /// A published stream, as it is; of one that has layers this one, for which another one stands
    /// in while it does not flow.
    Published(StreamId, LayerChoice),
    /// One of these injected tracks, whichever the client can decode: the first if it can, else
    /// the one that it prefers. [`Event::Chosen`](super::Event::Chosen) tells which.
    Injected(Arc<[Choice<F>]>),
    /// A published stream, as it is and in its largest layer, if the client can decode it; else one
    /// of these injected tracks, as above.
    Either(StreamId, Arc<[Choice<F>]>),
}

/// An injected track that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<F> {
    /// The track, made when it is first chosen.
    pub output: OutputId,
    /// What it is encoded as.
    pub format: F,
}

/// An injected track that is asked for by its whole description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// Sound.
    Audio(Choice<AudioFormat>),
    /// Picture.
    Video(Choice<VideoFormat>),
}

impl Encoded {
    /// The track.
    pub fn output(&self) -> OutputId {
        match self {
            Self::Audio(choice) => choice.output,
            Self::Video(choice) => choice.output,
        }
    }

    pub(crate) fn codec(&self) -> Codec {
        match self {
            Self::Audio(choice) => Codec::Audio(choice.format),
            Self::Video(choice) => Codec::Video(choice.format),
        }
    }
}

/// A packet of an injected track.
#[derive(Debug, Clone)]
pub struct InjectedPacket {
    /// The track.
    pub output: OutputId,
    /// When its sound or picture was composed, on the clock that all tracks of an agent share.
    pub composed: Duration,
    /// The RTP packet.
    pub packet: Bytes,
}

/// The way of an agent's packets to its room's worker.
#[derive(Clone)]
pub struct Injector {
    link: Arc<Link>,
    room: RoomKey,
    agent: u64,
}

impl Injector {
    pub(crate) fn new(link: Arc<Link>, room: RoomKey, agent: u64) -> Self {
        Self { link, room, agent }
    }

    /// Hands packets over, without waiting: a worker that is so far behind that its orders pile up
    /// loses them.
    pub fn inject(&self, packets: Vec<InjectedPacket>) {
        self.link.offer(Order::Inject { key: self.room, agent: self.agent, packets });
    }
}
