//! The media plane: WebRTC sessions and packet forwarding on worker threads of its own.
//!
//! Packets never leave a worker. The rest of the server speaks to it through [`Media`] (a handle)
//! with [`Command`]s and hears [`Event`]s; both are few and small. A room lives on one worker.

mod addresses;
mod counters;
mod exchange;
mod feed;
mod forward;
mod handle;
mod injection;
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
    feed::{ClockClaim, Fed, Feed, MAX_FEED_BYTES},
    handle::{Media, RoomMedia, StartError},
    injection::{Choice, Encoded, InjectedPacket, Injector, OutputId, Source},
};

use crate::{
    formats::{AudioFormat, LayerChoice, Mids, Offerer, Resolution, TrackKind, VideoFormat},
    ids::{SessionId, StreamId, TransportId},
};

/// An order to the media plane, for one room.
#[derive(Debug, Clone)]
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
    /// Make a session that sends. If this end makes the offer, that is done at once:
    /// [`Event::Offered`] or [`Event::SessionFailed`] follows.
    OpenSubscription {
        /// The session.
        session: SessionId,
        /// Its peer connection, made if it does not exist. It must not if this end makes the
        /// offer, and carries no other session then.
        transport: TransportId,
        /// Which end makes the offer.
        offerer: Offerer,
        /// Where the sound comes from, if any is sent.
        audio: Option<Source<AudioFormat>>,
        /// Where the picture comes from, if any is sent.
        video: Option<Source<VideoFormat>>,
    },
    /// Look for a session's tracks in these m-lines of the client's offers, and nowhere else.
    NameTracks {
        /// The session's peer connection.
        transport: TransportId,
        /// The session.
        session: SessionId,
        /// The m-lines.
        mids: Mids,
    },
    /// Forget an injected track that nothing is fed from any more.
    CloseOutput {
        /// The track.
        output: OutputId,
    },
    /// From now on, tapped packets go here; an earlier feed and all its taps end.
    OpenFeed {
        /// The way to the agent.
        feed: Feed,
    },
    /// Nothing is tapped any more.
    CloseFeed,
    /// Copy a published track into the feed, under fresh sequence numbers and times without gaps
    /// or jumps beside those that its publisher leaves. Nothing happens if it is not there.
    Tap {
        /// What the copies bear: a number that no track had before on this feed.
        input: u32,
        /// The stream.
        stream: StreamId,
        /// Which track.
        kind: TrackKind,
        /// The payload type that the copies bear.
        payload_type: u8,
        /// Which layer, if the track has layers.
        layer: LayerChoice,
    },
    /// Copy another layer of a tapped picture from its next key frame on, under the same number
    /// and without a gap.
    SetTapLayer {
        /// The number of the copy.
        input: u32,
        /// Which layer.
        layer: LayerChoice,
    },
    /// Copy a track no longer.
    Untap {
        /// Its number.
        input: u32,
    },
    /// Ask the publisher of a tapped picture for a key frame, as soon as it may be asked again.
    RequestKeyFrame {
        /// Its number.
        input: u32,
    },
    /// The client's SDP offer; answered by [`Event::Answered`] or [`Event::SessionFailed`].
    /// Ignored where this end makes the offer.
    Offer {
        /// The transport.
        transport: TransportId,
        /// The offer.
        sdp: Arc<str>,
    },
    /// The client's SDP answer to [`Event::Offered`]; unless that fails the session, it begins.
    /// Ignored where no offer waits for an answer.
    Answer {
        /// The transport.
        transport: TransportId,
        /// The answer.
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
    /// Take a subscription's tracks from other sources, under the same SSRCs and without a gap in
    /// their numbers. Published tracks must have the codecs that were agreed on; of several sources
    /// that with the codec is taken. An injected one, which [`Event::Chosen`] tells, is taken from
    /// its next packet or key frame on. An absent kind stays as it is.
    SwitchSubscription {
        /// The session.
        session: SessionId,
        /// Where the sound comes from, if that changes.
        audio: Option<Source<AudioFormat>>,
        /// Where the picture comes from, if that changes.
        video: Option<Source<VideoFormat>>,
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
    /// An offer was made for a subscription that asked for one.
    Offered {
        /// The transport.
        transport: TransportId,
        /// The complete offer: every candidate and the end-of-candidates mark inside.
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
    /// Of the injected tracks that a subscription's track may be fed from, this is the one.
    Chosen {
        /// The subscription.
        session: SessionId,
        /// The track.
        output: Encoded,
    },
    /// A subscriber of an injected picture cannot go on without a key frame; told at most every
    /// 200 ms.
    KeyFrameWanted {
        /// The track.
        output: OutputId,
    },
    /// A stream's picture comes in several layers (RFC 8853); told before its session is ready.
    Layered {
        /// The stream.
        stream: StreamId,
        /// Their names, in the publisher's order.
        rids: Arc<[Arc<str>]>,
    },
    /// A published video's real size became known or changed.
    Measured {
        /// The stream.
        stream: StreamId,
        /// The name of the layer, if it has layers.
        layer: Option<Arc<str>>,
        /// Its size.
        resolution: Resolution,
    },
    /// How loud a published sound is, smoothed, as its publisher says (RFC 6464). The first level
    /// of a stream is told, then changes, at most three times a second, silence (below -50) once,
    /// and anything louder at least once a second: a sound of which no more is heard has stopped,
    /// or was paused.
    Level {
        /// The stream.
        stream: StreamId,
        /// From -127, nothing, to 0, the loudest; in dBov.
        decibels: i8,
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
