//! The media plane: WebRTC sessions and packet forwarding on worker threads of its own.
//!
//! Packets never leave a worker. The rest of the server speaks to it through [`Media`] (a handle)
//! with [`Command`]s and hears [`Event`]s; both are few and small. A room lives on one worker.

mod addresses;
mod counters;
mod exchange;
mod forward;
mod handle;
mod negotiation;
mod outbox;
mod session;
mod socket;
mod timers;
mod worker;

use std::{net::IpAddr, sync::Arc};

pub use self::{
    addresses::default_addresses,
    counters::Statistics,
    handle::{Media, RoomMedia, StartError},
};

use crate::{
    formats::{AudioFormat, Resolution, TrackKind, VideoFormat},
    ids::{SessionId, StreamId, TransportId},
};

/// An order to the media plane, for one room.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make a session that receives; its stream bears the session's id.
    OpenPublication {
        /// The session.
        session: SessionId,
        /// Its peer connection, made if it does not exist.
        transport: TransportId,
        /// Acceptable audio formats, best first, if audio is to be published.
        audio: Option<Arc<[AudioFormat]>>,
        /// Acceptable video formats, best first, if video is to be published.
        video: Option<Arc<[VideoFormat]>>,
    },
    /// Make a session that sends.
    OpenSubscription {
        /// The session.
        session: SessionId,
        /// Its peer connection, made if it does not exist.
        transport: TransportId,
        /// The stream whose audio is sent.
        audio: Option<StreamId>,
        /// The stream whose video is sent.
        video: Option<StreamId>,
    },
    /// The client's SDP offer; answered by [`Event::Answered`] or [`Event::SessionFailed`].
    Offer {
        /// The transport.
        transport: TransportId,
        /// The offer.
        sdp: Arc<str>,
    },
    /// A remote candidate (`candidate:...`). An ICE-lite server only ever answers, so a candidate
    /// tells it nothing it needs; it is accepted and counted.
    Candidate {
        /// The transport.
        transport: TransportId,
        /// The candidate line.
        candidate: Arc<str>,
    },
    /// Take a subscription's tracks from other streams, under the same SSRCs and without a gap in
    /// their numbers. The codecs must be those agreed on. An absent kind stays as it is.
    SwitchSubscription {
        /// The session.
        session: SessionId,
        /// The stream whose audio is sent from now on.
        audio: Option<StreamId>,
        /// The stream whose video is sent from now on.
        video: Option<StreamId>,
    },
    /// Stop or resume the sending of a subscribed track to its one subscriber.
    SetSubscriptionActive {
        /// The session.
        session: SessionId,
        /// Which track.
        kind: TrackKind,
        /// Resume, or stop.
        active: bool,
    },
    /// End a session, and its transport when it was the last one there.
    CloseSession {
        /// The session.
        session: SessionId,
    },
    /// Stop or resume the forwarding of a published track.
    SetTrackActive {
        /// The stream.
        stream: StreamId,
        /// Which track.
        kind: TrackKind,
        /// Resume, or stop.
        active: bool,
    },
}

/// A report of the media plane about one room.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An offer was accepted.
    Answered {
        /// The transport.
        transport: TransportId,
        /// The complete answer: every candidate and the end-of-candidates mark inside.
        sdp: Arc<str>,
    },
    /// A session's ICE and DTLS are up and its media can flow.
    SessionReady {
        /// The session.
        session: SessionId,
        /// The audio format agreed on.
        audio: Option<AudioFormat>,
        /// The video format agreed on.
        video: Option<VideoFormat>,
    },
    /// A session could not come up or broke down; it no longer exists.
    SessionFailed {
        /// The session.
        session: SessionId,
        /// Why, in OWT's words where it has some.
        reason: Arc<str>,
    },
    /// A published video's real size became known or changed.
    Measured {
        /// The stream.
        stream: StreamId,
        /// Its size.
        resolution: Resolution,
    },
}

/// Where a room's media events go. Called on a worker thread, so it must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// How the media plane is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Each worker binds one socket per address.
    pub addresses: Vec<ListenAddress>,
    /// The UDP port of the first worker; the next ones count up. `0` lets the system choose.
    pub udp_port: u16,
    /// Number of worker threads, at least one.
    pub workers: usize,
}

/// An address the media plane listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// What the sockets are bound to.
    pub bind: IpAddr,
    /// What candidates say instead, behind a 1:1 NAT.
    pub announce: Option<IpAddr>,
}
