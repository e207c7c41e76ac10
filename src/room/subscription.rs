//! A subscription as its room keeps it.

use super::{AgreedMedia, SubscribeMedia, SubscribeVideo};
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
    /// What it wishes of the picture, if it takes any.
    pub(super) wish: Option<SubscribeVideo>,
    /// What its ends agreed on, once its media flows.
    pub(super) agreed: Option<AgreedMedia>,
}

impl Subscription {
    /// A subscription that waits for its negotiation.
    pub(super) fn new(owner: ParticipantId, transport: TransportId, media: SubscribeMedia) -> Self {
        Self {
            owner,
            transport,
            audio: media.audio.map(|audio| audio.from),
            video: media.video.as_ref().map(|video| video.from.clone()),
            wish: media.video,
            agreed: None,
        }
    }

    /// Notes what its ends agreed on. It takes nothing else any more: a client may want less than
    /// it is offered.
    pub(super) fn agree(&mut self, agreed: AgreedMedia) {
        self.agreed = Some(agreed);
        if agreed.audio.is_none() {
            self.audio = None;
        }
        if agreed.video.is_none() {
            self.video = None;
        }
    }

    /// What it takes of which stream, sound first.
    pub(super) fn sources(&self) -> impl Iterator<Item = (TrackKind, &StreamId)> {
        let audio = self.audio.iter().map(|from| (TrackKind::Audio, from));
        audio.chain(self.video.iter().map(|from| (TrackKind::Video, from)))
    }

    /// The stream that it takes this kind of.
    pub(super) fn from(&self, kind: TrackKind) -> Option<&StreamId> {
        match kind {
            TrackKind::Audio => self.audio.as_ref(),
            TrackKind::Video => self.video.as_ref(),
        }
    }

    /// Whether it takes anything from a stream.
    pub(super) fn takes_from(&self, stream: &StreamId) -> bool {
        self.sources().any(|(_, from)| from == stream)
    }
}
