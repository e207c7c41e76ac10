//! Changes of a subscription that is up, without its peer's being asked: other sources under the
//! same SSRC, and pauses.

use std::time::Instant;

use super::{Exchange, transport::Purpose};
use crate::{
    formats::TrackKind,
    ids::{SessionId, StreamId},
    media::{negotiation::ExtensionIds, worker::RoomKey},
};

impl Exchange {
    /// Takes a subscription's tracks from other streams from now on. Whoever orders this knows
    /// that their codecs are those that were agreed on. A kind without a stream stays as it is.
    pub(super) fn switch_subscription(
        &mut self,
        room: RoomKey,
        id: &SessionId,
        streams: [Option<StreamId>; 2],
        now: Instant,
    ) {
        let session = self.rooms.get_mut(&room).and_then(|room| room.sessions.get_mut(id));
        let Some(session) = session else { return };
        let Purpose::Subscription { audio, video } = &mut session.purpose else { return };
        let outgoing = session.outgoing.clone();
        for (kind, wanted, stream) in
            [(TrackKind::Audio, &streams[0], audio), (TrackKind::Video, &streams[1], video)]
        {
            if let (Some(wanted), Some(stream)) = (wanted, stream) {
                tracing::debug!(session = %id, ?kind, from = %stream, to = %wanted, "switched");
                stream.clone_from(wanted);
            }
        }
        let [audio, video] = streams;
        for (kind, stream) in [(TrackKind::Audio, audio), (TrackKind::Video, video)] {
            let of_kind = |key: &&usize| self.outgoing.get(**key).is_some_and(|it| it.kind == kind);
            let track = outgoing.iter().find(of_kind).copied();
            if let (Some(track), Some(stream)) = (track, stream) {
                let source = self.source(room, &stream, kind);
                self.switch_track(track, source, now);
            }
        }
    }

    fn switch_track(&mut self, key: usize, source: Option<usize>, now: Instant) {
        let Some(subscribed) = self.outgoing.get(key).filter(|it| it.source != source) else {
            return;
        };
        let transport = subscribed.transport;
        self.detach(key);
        let published = source.and_then(|source| self.incoming.get(source));
        let extensions =
            published.map_or_else(ExtensionIds::default, |it| it.track.agreed.extensions);
        if let Some(subscribed) = self.outgoing.get_mut(key) {
            subscribed.source = source;
            subscribed.track.switch(&extensions);
        }
        if self.transports.get(transport).is_some_and(|transport| transport.is_connected()) {
            self.attach(key, now);
        }
    }

    /// Stops or resumes the sending of a subscription's track to its peer.
    pub(super) fn set_subscription_active(
        &mut self,
        room: RoomKey,
        id: &SessionId,
        kind: TrackKind,
        active: bool,
        now: Instant,
    ) {
        let session = self.rooms.get(&room).and_then(|room| room.sessions.get(id));
        let Some(session) = session else { return };
        for key in session.outgoing.clone() {
            let Some(subscribed) = self.outgoing.get_mut(key) else { continue };
            if subscribed.kind != kind || subscribed.active == active {
                continue;
            }
            subscribed.active = active;
            if active {
                subscribed.track.restart();
                self.want_key_frame_for(key, now);
            }
        }
    }

    /// Asks a track's source for a picture to start with, if the track is one that shows it.
    pub(super) fn want_key_frame_for(&mut self, key: usize, now: Instant) {
        let Some(subscribed) = self.outgoing.get(key).filter(|it| it.active) else { return };
        let source = subscribed.source.and_then(|source| self.incoming.get_mut(source));
        let Some(published) = source.filter(|it| it.track.active && it.track.is_video()) else {
            return;
        };
        published.track.key_frames.want();
        let publisher = published.transport;
        self.serve_publisher(publisher, now);
    }
}
