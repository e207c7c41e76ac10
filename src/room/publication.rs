//! A publication as its room keeps it.
//!
//! ```text
//! publish ──► Connecting ──session ready──► Live (its stream is announced)
//!                 └────── session failed, unpublish, owner gone ──────┴──► gone
//! ```

use std::sync::Arc;

use super::{InputTrack, PublishMedia, StreamInfo, ViewInput, level::Level};
use crate::{
    formats::Resolution,
    ids::{ParticipantId, TransportId},
};

/// Somebody's publication.
#[derive(Debug)]
pub(super) struct Publication {
    /// Whose.
    pub(super) owner: ParticipantId,
    /// The peer connection that carries it.
    pub(super) transport: TransportId,
    /// How far it is.
    pub(super) state: PublicationState,
    /// How loud it was last said to be; absent if that was never said.
    pub(super) level: Option<Level>,
}

/// How far a publication is.
#[derive(Debug)]
pub(super) enum PublicationState {
    /// Its media session is being negotiated; nobody else knows of it.
    Connecting {
        /// What was asked for.
        media: PublishMedia,
        /// The owner's own JSON object, as text.
        attributes: Arc<str>,
        /// The layers of its picture, in the publisher's order; none if it has no layers.
        layers: Vec<Layer>,
    },
    /// It is a stream that everybody knows.
    Live(Arc<StreamInfo>),
}

/// A simulcast layer of a publication that connects.
#[derive(Debug)]
pub(super) struct Layer {
    /// Its name.
    pub(super) rid: Arc<str>,
    /// Its real size, once known.
    pub(super) resolution: Option<Resolution>,
}

impl Publication {
    /// The stream, once it is announced.
    pub(super) fn stream(&self) -> Option<&Arc<StreamInfo>> {
        match &self.state {
            PublicationState::Connecting { .. } => None,
            PublicationState::Live(stream) => Some(stream),
        }
    }

    /// The input that it is to a view with sound, picture or both; `None` if it is no stream yet
    /// or has none of these. `user` is its owner's account.
    pub(super) fn input(&self, user: &Arc<str>, audio: bool, video: bool) -> Option<ViewInput> {
        let stream = self.stream()?;
        let audio = stream.audio.as_ref().filter(|_| audio);
        let video = stream.video.as_ref().filter(|_| video);
        let audio = audio.map(|track| InputTrack { format: track.format, status: track.status });
        let video = video.and_then(|track| {
            let encoding = track.original.first()?;
            Some(InputTrack { format: encoding.format, status: track.status })
        });
        if audio.is_none() && video.is_none() {
            return None;
        }
        Some(ViewInput {
            stream: stream.id.clone(),
            owner: self.owner.clone(),
            user: Arc::clone(user),
            audio,
            video,
        })
    }

    /// Whether it has, or asks for, sound and picture.
    pub(super) fn kinds(&self) -> (bool, bool) {
        match &self.state {
            PublicationState::Connecting { media, .. } => {
                (media.audio.is_some(), media.video.is_some())
            }
            PublicationState::Live(stream) => (stream.audio.is_some(), stream.video.is_some()),
        }
    }
}
