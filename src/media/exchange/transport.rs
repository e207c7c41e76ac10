//! What the tables of an [`Exchange`](super::Exchange) hold.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    formats::{AudioFormat, Mids, Offerer, TrackKind, VideoFormat},
    ids::{RoomId, SessionId, StreamId, TransportId},
    media::{
        OutputId, Source,
        forward::{
            clock::PublisherClock, incoming::IncomingTrack, loudness::Loudness,
            outgoing::OutgoingTrack,
        },
        negotiation::{AgreedTrack, Codec, Want},
        outbox::Path,
        session::{
            dtls::Dtls,
            ice::Credentials,
            srtp::{Opener, Sealer},
        },
        worker::RoomKey,
    },
};

use super::{
    simulcast::{Following, LayerPlace},
    tapping::Tap,
};

/// How long a connected peer may be silent (RFC 7675, 5.1).
pub(super) const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Addresses that a peer may have at once: its interfaces, seen through translations. A further
/// one replaces the oldest.
pub(super) const MAX_PATHS: usize = 8;

/// After this time without a check by the path in use, a check by another one is reason enough to
/// change over: a translation on the way may have changed without the peer's knowing. Browsers
/// check at least every 2.5 s.
pub(super) const PATH_SILENCE: Duration = Duration::from_secs(3);

/// A path by which the peer proved itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProvedPath {
    pub(super) path: Path,
    /// When it did last.
    pub(super) at: Instant,
}

/// What the negotiation told about the peer.
pub(super) struct Remote {
    pub(super) ufrag: Arc<str>,
    pub(super) password: Arc<str>,
    pub(super) fingerprint: [u8; 32],
    /// What was agreed on, for the next offer to be measured by.
    pub(super) settled: Vec<Settled>,
    /// Names of m-lines whose sessions have ended, the oldest first.
    pub(super) retired: Vec<Arc<str>>,
}

/// A track as it was asked for and agreed on.
pub(super) struct Settled {
    pub(super) session: SessionId,
    pub(super) want: Want,
    pub(super) track: AgreedTrack,
}

/// A peer connection.
pub(super) struct Transport {
    pub(super) room: RoomKey,
    /// For the log.
    pub(super) room_id: RoomId,
    pub(super) id: TransportId,
    pub(super) sessions: Vec<SessionId>,
    pub(super) local: Credentials,
    /// Which end makes the offers.
    pub(super) offerer: Offerer,
    /// What this end has offered and waits for the answer to.
    pub(super) offered: Option<Vec<Want>>,
    pub(super) remote: Option<Remote>,
    pub(super) dtls: Dtls,
    pub(super) sealer: Option<Sealer>,
    pub(super) opener: Option<Opener>,
    /// Where the peer is sent to.
    pub(super) path: Option<Path>,
    /// Where it may come from, oldest first.
    pub(super) paths: Vec<ProvedPath>,
    /// Keys of the tracks.
    pub(super) incoming: Vec<usize>,
    pub(super) outgoing: Vec<usize>,
    /// Under which this end reports.
    pub(super) own_ssrc: u32,
    /// The peer's clock, when it publishes.
    pub(super) clock: PublisherClock,
    /// Full intra requests so far, which are numbered.
    pub(super) intra_requests: u8,
    /// When it is given up unless the peer shows up: offers, checks, goes on checking.
    pub(super) deadline: Instant,
    pub(super) next_report: Option<Instant>,
    /// The deadline that is set, see [`Timers`](crate::media::timers::Timers).
    pub(super) scheduled: Option<Instant>,
}

impl Transport {
    /// Whether ICE and DTLS are up.
    pub(super) fn is_connected(&self) -> bool {
        self.sealer.is_some()
    }

    /// Whether the peer has long said nothing by the path that it is sent to.
    pub(super) fn path_is_silent(&self, now: Instant) -> bool {
        let proved = self.paths.iter().find(|proved| Some(proved.path) == self.path);
        proved.is_none_or(|proved| now.saturating_duration_since(proved.at) > PATH_SILENCE)
    }
}

/// An incoming track in the tables.
pub(super) struct Published {
    pub(super) track: IncomingTrack,
    pub(super) origin: Origin,
    /// Which layer of a simulcast it is, if it is one.
    pub(super) layer: Option<LayerPlace>,
    /// How loud its packets say that it is.
    pub(super) loudness: Loudness,
    /// The copy that the room's mixing agent gets.
    pub(super) tap: Option<Tap>,
    /// Whether the agent gets this layer from its next key frame on, and another one until then.
    pub(super) tap_joins: bool,
    /// Keys of outgoing tracks that are fed from here from the next packet on, or the next key
    /// frame.
    pub(super) joining: Vec<usize>,
}

/// Who sends an incoming track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A publisher.
    Peer { transport: usize, stream: StreamId },
    /// The room's mixing agent.
    Agent { room: RoomKey, output: OutputId },
}

impl Published {
    pub(super) fn new(track: IncomingTrack, origin: Origin) -> Self {
        Self {
            track,
            origin,
            layer: None,
            loudness: Loudness::default(),
            tap: None,
            tap_joins: false,
            joining: Vec::new(),
        }
    }

    /// The publisher's transport.
    pub(super) fn transport(&self) -> Option<usize> {
        match self.origin {
            Origin::Peer { transport, .. } => Some(transport),
            Origin::Agent { .. } => None,
        }
    }

    /// Whether anybody gets it.
    pub(super) fn is_wanted(&self) -> bool {
        let has_followers = !self.track.subscribers.is_empty() || !self.joining.is_empty();
        has_followers || self.tap.is_some() || self.tap_joins
    }

    /// Wishes for no key frame any more if nobody gets it.
    pub(super) fn settle_wishes(&mut self) {
        if !self.is_wanted() {
            self.track.key_frames.satisfied();
        }
    }
}

/// An outgoing track in the tables.
pub(super) struct Subscribed {
    pub(super) track: OutgoingTrack,
    pub(super) transport: usize,
    pub(super) kind: TrackKind,
    pub(super) codec: Codec,
    /// Key of the incoming track, while it exists.
    pub(super) source: Option<usize>,
    /// Key of the incoming track that is to take its place.
    pub(super) next_source: Option<usize>,
    /// The simulcast whose layers these are, if they are layers.
    pub(super) following: Option<Following>,
    /// Whether the subscriber wants its packets.
    pub(super) active: bool,
}

/// What a session is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// It receives.
    Publication { audio: Option<Arc<[AudioFormat]>>, video: Option<Arc<[VideoFormat]>> },
    /// It sends.
    Subscription { audio: Option<Source<AudioFormat>>, video: Option<Source<VideoFormat>> },
}

/// A publication or subscription.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) transport: usize,
    pub(super) purpose: Purpose,
    /// Where the client's offers have its tracks, if the client says so.
    pub(super) mids: Mids,
    /// Keys of its incoming tracks, when it is a publication.
    pub(super) incoming: Vec<usize>,
    /// Keys of its outgoing tracks, when it is a subscription.
    pub(super) outgoing: Vec<usize>,
    /// What was agreed on.
    pub(super) audio: Option<AudioFormat>,
    pub(super) video: Option<VideoFormat>,
}
