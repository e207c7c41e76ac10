//! A subscription as its room keeps it.

use super::SubscribeMedia;
use crate::{
    formats::TrackKind,
    ids::{ParticipantId, StreamId, TransportId},
};

/// Somebody's subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Whose.
    pub(super) owner: ParticipantId,
    /// The peer connection that carries it.
    pub(super) transport: TransportId,
    /// The stream whose sound it takes, if any.
    pub(super) audio: Option<StreamId>,
    /// The stream whose picture it takes, if any.
    pub(super) video: Option<StreamId>,
    /// Whether its media flows already.
    pub(super) ready: bool,
}

impl Subscription {
    /// A subscription that waits for its negotiation.
    pub(super) fn new(owner: ParticipantId, transport: TransportId, media: SubscribeMedia) -> Self {
        Self {
            owner,
            transport,
            audio: media.audio.map(|audio| audio.from),
            video: media.video.map(|video| video.from),
            ready: false,
        }
    }

    /// What it takes of which stream, sound first.
    pub(super) fn sources(&self) -> impl Iterator<Item = (TrackKind, &StreamId)> {
        let audio = self.audio.iter().map(|from| (TrackKind::Audio, from));
        audio.chain(self.video.iter().map(|from| (TrackKind::Video, from)))
    }

    /// Whether it takes anything from a stream.
    pub(super) fn takes_from(&self, stream: &StreamId) -> bool {
        self.sources().any(|(_, from)| from == stream)
    }
}
