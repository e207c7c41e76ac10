//! What the world reports to a room: media sessions, connections, administrators.

use std::sync::Arc;

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
    /// A video's real size became known.
    Measured {
        /// The forward stream.
        stream: StreamId,
        /// Its size.
        resolution: Resolution,
    },
    /// The participant's signaling connection is gone.
    ConnectionLost {
        /// Whose.
        participant: ParticipantId,
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
