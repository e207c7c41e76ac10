//! Simulcasts: tracks that show the same in several sizes, of which everybody gets one.
//!
//! Each layer is a track like any other, with losses, reports and key frames of its own. Whoever
//! takes the picture follows the simulcast: which layer that means is looked at again whenever one
//! begins, stops or changes its size. A change waits for a key frame of the new layer, and until
//! then the old one flows.

use std::time::{Duration, Instant};

use super::{
    Exchange,
    transport::{Origin, Published, Transport},
};
use crate::{
    formats::{LayerChoice, Resolution},
    ids::{SessionId, StreamId},
    media::{
        Event,
        forward::{
            incoming::IncomingTrack,
            layers::{Layers, Wish},
        },
        negotiation::AgreedTrack,
    },
};

/// How often it is looked whether a layer has stopped.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// A picture in layers.
pub(super) struct Simulcast {
    /// Keys of the layers' tracks, in the publisher's order.
    tracks: Vec<usize>,
    layers: Layers,
    /// Keys of the outgoing tracks that get one of them.
    followers: Vec<usize>,
    /// Which layer the room's mixing agent wants, if it gets any.
    tap: Option<Wish>,
    next_look: Instant,
}

/// Which layer of which simulcast a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerPlace {
    simulcast: usize,
    number: usize,
}

/// Which layer of which simulcast an outgoing track follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Following {
    simulcast: usize,
    wish: Wish,
}

impl Exchange {
    /// Makes the tracks of a publication's m-line: one, or one for each layer.
    pub(super) fn add_incoming(
        &mut self,
        key: usize,
        session: &SessionId,
        agreed: &AgreedTrack,
        now: Instant,
    ) -> Vec<usize> {
        let stream: StreamId = session.into();
        let mut add = |agreed: AgreedTrack| {
            let track = IncomingTrack::new(agreed, now);
            let origin = Origin::Peer { transport: key, stream: stream.clone() };
            self.incoming.insert(Published::new(track, origin))
        };
        if agreed.rids.is_empty() {
            let track = add(agreed.clone());
            self.transports[key].incoming.push(track);
            return vec![track];
        }
        let layers = agreed.rids.iter();
        let layers = layers.map(|rid| AgreedTrack { rids: vec![rid.clone()], ..agreed.clone() });
        let tracks: Vec<usize> = layers.map(&mut add).collect();
        let simulcast = self.simulcasts.insert(Simulcast {
            tracks: tracks.clone(),
            layers: Layers::new(tracks.len()),
            followers: Vec::new(),
            tap: None,
            next_look: now,
        });
        for (number, track) in tracks.iter().enumerate() {
            self.incoming[*track].layer = Some(LayerPlace { simulcast, number });
        }
        let transport = &mut self.transports[key];
        transport.incoming.extend(&tracks);
        let (room, rids) = (transport.room, agreed.rids.as_slice().into());
        self.emit(room, Event::Layered { stream, rids });
        tracks
    }

    /// Notes that a packet of a layer came, which tells its size if it is another one than before.
    pub(super) fn layer_arrived(
        &mut self,
        place: LayerPlace,
        measured: Option<Resolution>,
        now: Instant,
    ) {
        let Some(simulcast) = self.simulcasts.get_mut(place.simulcast) else { return };
        let began = simulcast.layers.arrived(place.number, now);
        if let Some(size) = measured {
            simulcast.layers.measured(place.number, size);
        }
        if began || measured.is_some() || now >= simulcast.next_look {
            simulcast.next_look = now + LOOK_INTERVAL;
            self.look(place.simulcast, now);
        }
    }

    /// Has an outgoing track follow the simulcast that a track is a layer of; which layer that
    /// means now. A track that is no layer means itself.
    pub(super) fn follow(
        &mut self,
        outgoing: usize,
        track: usize,
        choice: &LayerChoice,
        now: Instant,
    ) -> usize {
        let place = self.place_of(track);
        let wish = place.map(|place| self.wish(place, choice));
        let following = place
            .zip(wish)
            .map(|(LayerPlace { simulcast, .. }, wish)| Following { simulcast, wish });
        self.unfollow(outgoing);
        let Some(Following { simulcast: key, wish }) = following else { return track };
        let Some(subscribed) = self.outgoing.get_mut(outgoing) else { return track };
        subscribed.following = following;
        let simulcast = &mut self.simulcasts[key];
        simulcast.followers.push(outgoing);
        simulcast.tracks[simulcast.layers.choose(wish, now)]
    }

    /// Has an outgoing track follow no simulcast.
    pub(super) fn unfollow(&mut self, outgoing: usize) {
        let following = self.outgoing.get_mut(outgoing).and_then(|it| it.following.take());
        let simulcast = following.and_then(|it| self.simulcasts.get_mut(it.simulcast));
        if let Some(simulcast) = simulcast {
            simulcast.followers.retain(|other| *other != outgoing);
        }
    }

    /// Has an outgoing track that follows the simulcast of a track already follow another layer of
    /// it. Whether it does follow that simulcast.
    pub(super) fn choose_layer(
        &mut self,
        outgoing: usize,
        track: usize,
        choice: &LayerChoice,
        now: Instant,
    ) -> bool {
        let place = self.place_of(track);
        let following = self.outgoing.get(outgoing).and_then(|it| it.following);
        let (Some(place), Some(following)) = (place, following) else { return false };
        if place.simulcast != following.simulcast {
            return false;
        }
        let wish = self.wish(place, choice);
        if let Some(subscribed) = self.outgoing.get_mut(outgoing) {
            subscribed.following = Some(Following { wish, ..following });
        }
        self.look(place.simulcast, now);
        true
    }

    /// Notes which layer of a track's simulcast the room's mixing agent is to get; which that is
    /// now. A track that is no layer means itself.
    pub(super) fn tap_layer(&mut self, track: usize, choice: &LayerChoice, now: Instant) -> usize {
        let place = self.place_of(track);
        let Some(place) = place else { return track };
        let wish = self.wish(place, choice);
        let Some(simulcast) = self.simulcasts.get_mut(place.simulcast) else { return track };
        simulcast.tap = Some(wish);
        simulcast.tracks[simulcast.layers.choose(wish, now)]
    }

    /// The tracks that show the same as this one, itself included.
    pub(super) fn siblings(&self, track: usize) -> Vec<usize> {
        let place = self.place_of(track);
        let simulcast = place.and_then(|place| self.simulcasts.get(place.simulcast));
        simulcast.map_or_else(|| vec![track], |simulcast| simulcast.tracks.clone())
    }

    /// The mixing agent gets none of a track's simulcast any more.
    pub(super) fn untap_layers(&mut self, track: usize) {
        let place = self.place_of(track);
        let simulcast = place.and_then(|place| self.simulcasts.get_mut(place.simulcast));
        if let Some(simulcast) = simulcast {
            simulcast.tap = None;
        }
    }

    fn wish(&self, place: LayerPlace, choice: &LayerChoice) -> Wish {
        match choice {
            LayerChoice::Largest => Wish::Largest,
            LayerChoice::Covering(size) => Wish::Covering(*size),
            LayerChoice::Filling(size) => Wish::Filling(*size),
            LayerChoice::Named(rid) => {
                let tracks = self.simulcasts.get(place.simulcast).map(|it| it.tracks.as_slice());
                let is_named = |track: &usize| {
                    self.incoming.get(*track).is_some_and(|it| it.track.agreed.rids.contains(rid))
                };
                let named = tracks.and_then(|tracks| tracks.iter().position(is_named));
                named.map_or(Wish::Largest, Wish::Named)
            }
        }
    }

    /// Looks at the simulcast that a track is a layer of.
    pub(super) fn look_at(&mut self, track: usize, now: Instant) {
        let place = self.place_of(track);
        if let Some(place) = place {
            self.look(place.simulcast, now);
        }
    }

    /// Has everybody get the layer that is right for them.
    fn look(&mut self, key: usize, now: Instant) {
        let Some(simulcast) = self.simulcasts.get(key) else { return };
        for at in 0..simulcast.followers.len() {
            // Nobody begins or ends to follow meanwhile.
            let Some(simulcast) = self.simulcasts.get(key) else { return };
            let follower = simulcast.followers[at];
            let Some(subscribed) = self.outgoing.get_mut(follower) else { continue };
            let Some(following) = subscribed.following else { continue };
            let target = simulcast.tracks[simulcast.layers.choose(following.wish, now)];
            let transport = self.transports.get(subscribed.transport);
            if !transport.is_some_and(Transport::is_connected) {
                subscribed.source = Some(target);
            } else if subscribed.next_source.or(subscribed.source) != Some(target) {
                self.join_later(follower, target, now);
            }
        }
        let Some(simulcast) = self.simulcasts.get(key) else { return };
        let Some(wish) = simulcast.tap else { return };
        let target = simulcast.layers.choose(wish, now);
        let mut awaited = None;
        for (number, track) in simulcast.tracks.iter().enumerate() {
            let Some(published) = self.incoming.get_mut(*track) else { continue };
            let joins = number == target && published.tap.is_none();
            if joins && !published.tap_joins {
                awaited = Some(*track);
            }
            published.tap_joins = joins;
            published.settle_wishes();
        }
        if let Some(track) = awaited {
            self.want_key_frame(track, now);
        }
    }

    /// Gives the mixing agent a layer, which has a key frame, instead of the one before.
    pub(super) fn move_tap(&mut self, to: usize) {
        let place = self.place_of(to);
        let simulcast = place.and_then(|place| self.simulcasts.get(place.simulcast));
        let Some(simulcast) = simulcast else { return };
        let is_tapped =
            |track: &&usize| self.incoming.get(**track).is_some_and(|it| it.tap.is_some());
        let Some(from) = simulcast.tracks.iter().find(is_tapped).copied() else { return };
        let Some((before, next)) = self.incoming.get2_mut(from, to) else { return };
        next.tap_joins = false;
        let Some(mut tap) = before.tap.take() else { return };
        tap.switch(&before.track, &next.track);
        before.settle_wishes();
        let (room, input) = tap.name();
        next.tap = Some(tap);
        self.note_tap(room, input, to);
    }

    /// Forgets a simulcast with the first of its layers that ends; they end together.
    pub(super) fn forget_layers(&mut self, place: LayerPlace) {
        let Some(simulcast) = self.simulcasts.try_remove(place.simulcast) else { return };
        for track in simulcast.tracks {
            if let Some(published) = self.incoming.get_mut(track) {
                published.layer = None;
                published.tap_joins = false;
            }
        }
        for follower in simulcast.followers {
            if let Some(subscribed) = self.outgoing.get_mut(follower) {
                subscribed.following = None;
            }
        }
    }

    /// Which layer a track is, if any.
    fn place_of(&self, track: usize) -> Option<LayerPlace> {
        self.incoming.get(track)?.layer
    }

    /// Whether two tracks are layers of one simulcast.
    pub(super) fn are_layers(&self, one: usize, other: usize) -> bool {
        let simulcast = |track: usize| Some(self.place_of(track)?.simulcast);
        simulcast(one).is_some() && simulcast(one) == simulcast(other)
    }
}
