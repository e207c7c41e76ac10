//! What the world reports to a room: media sessions, connections, administrators.

use std::{sync::Arc, time::Duration};

use super::{FormerParticipant, MixerCapabilities};
use crate::{
    formats::{AudioFormat, Resolution, VideoFormat},
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

/// A report, never answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The media side answered an offer.
    Answered {
        /// The transport whose offer it was.
        transport: TransportId,
        /// A complete SDP answer, all candidates inside.
        sdp: Arc<str>,
    },
    /// The media side made the offer that it was to make.
    Offered {
        /// The transport.
        transport: TransportId,
        /// A complete SDP offer, all candidates inside.
        sdp: Arc<str>,
    },
    /// A session's media can flow.
    SessionReady {
        /// The session.
        session: SessionId,
        /// The formats agreed on.
        media: AgreedMedia,
    },
    /// A session could not be negotiated or connected, or its peer is gone.
    SessionFailed {
        /// The session.
        session: SessionId,
        /// Why, in OWT's words where it has some.
        reason: Arc<str>,
    },
    /// A stream's picture comes in several layers; told before its session is ready.
    Layered {
        /// The forward stream.
        stream: StreamId,
        /// The layers' names, in the publisher's order.
        rids: Arc<[Arc<str>]>,
    },
    /// A video's real size became known.
    Measured {
        /// The forward stream.
        stream: StreamId,
        /// The layer's name, if there are layers.
        layer: Option<Arc<str>>,
        /// Its size.
        resolution: Resolution,
    },
    /// The mixer runs and makes every view as it was last said to be.
    MixerUp {
        /// What it can encode.
        capabilities: MixerCapabilities,
    },
    /// There is a mixer which does not run at present. It will: views can be subscribed to, and
    /// what is subscribed waits.
    MixerDown,
    /// There is no mixer, and there will be none before the next [`Event::MixerUp`] or
    /// [`Event::MixerDown`].
    MixerGone,
    /// A view cannot be mixed, for as long as no mixer comes up.
    ViewFailed {
        /// The mixed stream.
        view: StreamId,
        /// Why.
        reason: Arc<str>,
    },
    /// The mixer hears what all views mix, and says who is the loudest; or no longer.
    MixerListens {
        /// Whether it does.
        listens: bool,
    },
    /// The mixer finds another input the loudest of a view. Of a view whose inputs all have levels
    /// of their own that does not matter: see [`Event::Level`].
    Loudest {
        /// The mixed stream.
        view: StreamId,
        /// The input.
        stream: StreamId,
    },
    /// How loud a stream is, by its publisher's word; told again at least once a second while it is
    /// not silent.
    ///
    /// Who speaks in a view is chosen by these levels when all of its inputs that sound have told
    /// one, or when no mixer listens. Otherwise the mixer chooses, which hears everybody.
    Level {
        /// The forward stream.
        stream: StreamId,
        /// From -127, nothing, to 0, the loudest; in dBov.
        decibels: i8,
    },
    /// The participant's signaling connection is gone.
    ConnectionLost {
        /// Whose.
        participant: ParticipantId,
        /// How long its place is kept; with zero it leaves at once.
        keep: Duration,
    },
    /// A participant that was away is connected again.
    Resumed {
        /// Who.
        participant: ParticipantId,
    },
    /// A process before this one knew these participants. Given to a fresh room only.
    Restored {
        /// They, by age.
        participants: Vec<FormerParticipant>,
    },
    /// An administrator, or a bound that was overrun, removes a participant.
    Drop {
        /// Whom.
        participant: ParticipantId,
    },
}

/// The formats that a session's two ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgreedMedia {
    /// Sound, if any.
    pub audio: Option<AudioFormat>,
    /// Picture, if any.
    pub video: Option<VideoFormat>,
}
