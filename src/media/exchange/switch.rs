//! Changes of a subscription that is up, without its peer's being asked: other sources under the
//! same SSRC, and pauses.

use std::time::Instant;

use super::{
    Exchange,
    transport::{Purpose, Transport},
};
use crate::{
    formats::{AudioFormat, LayerChoice, TrackKind, VideoFormat},
    ids::SessionId,
    media::{Choice, Encoded, Event, Source, negotiation::ExtensionIds, worker::RoomKey},
};

/// The kind that is switched, where to, and what an injected choice of it is called.
type Wanted<'s, F> = (TrackKind, Option<&'s Source<F>>, fn(Choice<F>) -> Encoded);

impl Exchange {
    /// Takes a subscription's tracks from other sources from now on; from an injected one as soon
    /// as it has something. Whoever orders this knows that published tracks have the codecs that
    /// were agreed on. A kind without a source stays as it is.
    pub(super) fn switch_subscription(
        &mut self,
        room: RoomKey,
        id: &SessionId,
        audio: Option<Source<AudioFormat>>,
        video: Option<Source<VideoFormat>>,
        now: Instant,
    ) {
        self.switch_kind(room, id, (TrackKind::Audio, audio.as_ref(), Encoded::Audio), now);
        self.switch_kind(room, id, (TrackKind::Video, video.as_ref(), Encoded::Video), now);
        let session = self.rooms.get_mut(&room).and_then(|room| room.sessions.get_mut(id));
        let Some(session) = session else { return };
        if let Purpose::Subscription { audio: old_audio, video: old_video } = &mut session.purpose {
            *old_audio = audio.or(old_audio.take());
            *old_video = video.or(old_video.take());
        }
    }

    fn switch_kind<F: Copy>(
        &mut self,
        room: RoomKey,
        id: &SessionId,
        (kind, to, encoded): Wanted<'_, F>,
        now: Instant,
    ) {
        let session = self.rooms.get(&room).and_then(|room| room.sessions.get(id));
        let of_kind = |key: &&usize| self.outgoing.get(**key).is_some_and(|it| it.kind == kind);
        let track = session.and_then(|it| it.outgoing.iter().find(of_kind)).copied();
        let (Some(track), Some(to)) = (track, to) else { return };
        let agreed = self.outgoing.get(track).map(|it| it.codec);
        let choices = match to {
            Source::Published(stream, choice) => {
                tracing::debug!(session = %id, ?kind, to = %stream, ?choice, "switched");
                let source = self.published(room, stream, kind);
                return self.switch_to_published(track, source, choice, now);
            }
            Source::Injected(choices) => choices,
            Source::Either(stream, choices) => {
                let source = self.published(room, stream, kind);
                let published = source.and_then(|source| self.incoming.get(source));
                if published.map(|it| it.track.agreed.codec.codec) == agreed {
                    tracing::debug!(session = %id, ?kind, to = %stream, "switched");
                    return self.switch_to_published(track, source, &LayerChoice::Largest, now);
                }
                choices
            }
        };
        let mut choices = choices.iter().copied().map(encoded);
        let Some(output) = choices.find(|it| Some(it.codec()) == agreed) else { return };
        tracing::debug!(session = %id, ?kind, to = %output.output(), "switched");
        self.emit(room, Event::Chosen { session: id.clone(), output });
        if let Some(source) = self.output(room, output, now) {
            self.unfollow(track);
            self.join_later(track, source, now);
        }
    }

    /// Feeds a track from a published one. Another layer of what it shows already comes as soon as
    /// that has something.
    fn switch_to_published(
        &mut self,
        key: usize,
        source: Option<usize>,
        choice: &LayerChoice,
        now: Instant,
    ) {
        let Some(track) = source else {
            self.unfollow(key);
            self.switch_track(key, None);
            return;
        };
        if !self.choose_layer(key, track, choice, now) {
            let source = self.follow(key, track, choice, now);
            self.switch_track(key, Some(source));
            self.want_key_frame_for(key, now);
        }
    }

    fn switch_track(&mut self, key: usize, source: Option<usize>) {
        let Some(subscribed) = self.outgoing.get(key) else { return };
        if subscribed.source == source && subscribed.next_source.is_none() {
            return;
        }
        let before = subscribed.source.zip(source);
        let before = before.filter(|(before, source)| self.are_layers(*before, *source));
        let ahead = before.and_then(|(before, source)| {
            let (before, source) = (self.incoming.get(before)?, self.incoming.get(source)?);
            source.track.ahead_of(&before.track)
        });
        let transport = subscribed.transport;
        self.detach(key);
        let published = source.and_then(|source| self.incoming.get(source));
        let extensions =
            published.map_or_else(ExtensionIds::default, |it| it.track.agreed.extensions);
        if let Some(subscribed) = self.outgoing.get_mut(key) {
            subscribed.source = source;
            subscribed.track.switch(&extensions, ahead);
        }
        if self.transports.get(transport).is_some_and(Transport::is_connected) {
            self.attach(key);
        }
    }

    /// Has a track be fed from a source once that has something, and from its present one until
    /// then.
    pub(super) fn join_later(&mut self, key: usize, source: usize, now: Instant) {
        let Some(subscribed) = self.outgoing.get_mut(key) else { return };
        let next = Some(source).filter(|source| subscribed.source != Some(*source));
        let before = std::mem::replace(&mut subscribed.next_source, next);
        if let Some(before) = before.and_then(|before| self.incoming.get_mut(before)) {
            before.joining.retain(|other| *other != key);
            before.settle_wishes();
        }
        if let Some(next) = next.and_then(|next| self.incoming.get_mut(next)) {
            next.joining.push(key);
            self.want_key_frame(source, now);
        }
    }

    /// Lets the tracks that wait for it be fed from a source that has something now.
    pub(super) fn admit_joining(&mut self, source: usize) {
        let Some(published) = self.incoming.get_mut(source) else { return };
        let is_awaited = published.tap_joins || !published.joining.is_empty();
        if !is_awaited || !published.track.can_be_joined() {
            return;
        }
        let tap_joins = published.tap_joins;
        for key in std::mem::take(&mut published.joining) {
            self.switch_track(key, Some(source));
        }
        if tap_joins {
            self.move_tap(source);
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
        if let Some(source) = subscribed.source {
            self.want_key_frame(source, now);
        }
    }
}
