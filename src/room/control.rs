//! Pausing and resuming streams for everybody.

use std::sync::Arc;

use super::{
    Effect, Notification, Rejection, Reply, Room, StreamUpdate, TrackStatus,
    publication::PublicationState, telling::Asker,
};
use crate::{formats::TrackSelection, ids::StreamId};

impl Room {
    /// Pauses or resumes tracks of one's own stream. A publication that still connects is no
    /// stream yet.
    pub(super) fn set_status(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        tracks: TrackSelection,
        status: TrackStatus,
    ) -> Result<(), Rejection> {
        let publication = self.own_publication(&asker.from, stream)?;
        publication.stream().ok_or(Rejection::NoSuchStream)?.check_tracks(tracks)?;
        self.grant(asker, Reply::Done);
        self.apply_status(stream, tracks, status);
        Ok(())
    }

    /// Pauses or resumes tracks that are there and tells everybody, the owner too, audio first. A
    /// track that already is as wanted is announced all the same, as OWT does. Then views follow.
    pub(super) fn apply_status(
        &mut self,
        stream: &StreamId,
        tracks: TrackSelection,
        status: TrackStatus,
    ) {
        let publication = self.publications.get_mut(stream.as_str());
        let Some(PublicationState::Live(info)) = publication.map(|it| &mut it.state) else {
            return;
        };
        let info = Arc::make_mut(info);
        for kind in tracks.kinds() {
            info.set_status(*kind, status);
        }
        self.floor.touch();
        for &kind in tracks.kinds() {
            let active = status == TrackStatus::Active;
            self.perform(Effect::SetTrackActive { stream: stream.clone(), kind, active });
            let update = StreamUpdate::Status { kind, status };
            self.announce_stream(Notification::StreamUpdated { stream: stream.clone(), update });
            self.pass_status(stream, kind, status);
        }
        self.settle_all();
    }
}
