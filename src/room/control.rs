//! Pausing and resuming one's own stream for everybody.

use std::sync::Arc;

use super::{
    Effect, Notification, Rejection, Reply, Room, StreamUpdate, TrackStatus,
    publication::PublicationState, telling::Asker,
};
use crate::{
    formats::{TrackKind, TrackSelection},
    ids::StreamId,
};

impl Room {
    /// Pauses or resumes tracks and tells everybody, the owner too, audio first. A track that
    /// already is as wanted is announced all the same, as OWT does. A publication that still
    /// connects is no stream yet.
    pub(super) fn set_status(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        tracks: TrackSelection,
        status: TrackStatus,
    ) -> Result<(), Rejection> {
        let publication = self.own_publication(&asker.from, stream)?;
        let PublicationState::Live(info) = &mut publication.state else {
            return Err(Rejection::NoSuchStream);
        };
        for kind in tracks.kinds() {
            if !info.has(*kind) {
                return Err(lacking(*kind));
            }
        }
        let info = Arc::make_mut(info);
        for kind in tracks.kinds() {
            info.set_status(*kind, status);
        }

        self.grant(asker, Reply::Done);
        for &kind in tracks.kinds() {
            let active = status == TrackStatus::Active;
            self.perform(Effect::SetTrackActive { stream: stream.clone(), kind, active });
            let update = StreamUpdate::Status { kind, status };
            self.announce_stream(Notification::StreamUpdated { stream: stream.clone(), update });
        }
        Ok(())
    }
}

fn lacking(kind: TrackKind) -> Rejection {
    match kind {
        TrackKind::Audio => Rejection::NoAudioTrack,
        TrackKind::Video => Rejection::NoVideoTrack,
    }
}
