//! Copies of published tracks for the room's mixing agent.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use portico_mixer_protocol::{HEADER_BYTES, Header, Kind};

use super::{Exchange, Room, transport::Published};
use crate::{
    formats::{LayerChoice, TrackKind},
    ids::StreamId,
    media::{
        ClockClaim, Fed, Feed,
        forward::{
            clock::{Correspondence, Ntp},
            incoming::IncomingTrack,
            outgoing::OutgoingTrack,
            ring::Slot,
        },
        negotiation::{AgreedTrack, ExtensionIds},
        worker::RoomKey,
    },
};

/// Tracks that a room's agent may get: far more than a machine can decode.
const MAX_TAPS: usize = 1024;

/// What a room's agent gets.
pub(super) struct Feeding {
    feed: Feed,
    /// What this turn brought.
    turn: Fed,
    /// Keys of the tapped tracks, by their numbers.
    taps: HashMap<u32, usize>,
    /// Packets were lost, and more would be.
    is_jammed: bool,
}

/// A tapped track's copy: a subscriber's track without a subscriber.
pub(super) struct Tap {
    room: RoomKey,
    input: u32,
    track: OutgoingTrack,
    /// The sender's last claim about its clock that the agent was told.
    told: Option<Ntp>,
}

impl Tap {
    /// Begins anew with the next packet that a decoder can start with.
    pub(super) fn restart(&mut self) {
        self.track.restart();
    }

    /// Begins anew with another layer of the same picture.
    pub(super) fn switch(&mut self, before: &IncomingTrack, next: &IncomingTrack) {
        self.track.switch(&next.agreed.extensions, next.ahead_of(before));
        self.told = None;
    }

    /// Whose it is, and its number.
    pub(super) fn name(&self) -> (RoomKey, u32) {
        (self.room, self.input)
    }

    /// Appends a packet with its frame's header.
    fn copy(&mut self, slot: &Slot, arrival: Duration, packets: &mut Vec<u8>) {
        let start = packets.len();
        packets.extend_from_slice(&[0; HEADER_BYTES]);
        let written = self.track.forward(slot, [0; 3], packets);
        let payload_bytes = packets.len() - start - HEADER_BYTES;
        if written.is_none() || payload_bytes == 0 {
            packets.truncate(start);
            return;
        }
        let header = Header { kind: Kind::Rtp, number: self.input, time: arrival, payload_bytes };
        packets[start..start + HEADER_BYTES].copy_from_slice(&header.write());
    }

    /// The sender's claim about its clock, if the agent does not know it.
    fn claim(&mut self, claim: Correspondence) -> Option<ClockClaim> {
        let rtp = self.track.time_of(claim.rtp)?;
        let is_news = self.told.replace(claim.ntp) != Some(claim.ntp);
        is_news.then(|| {
            let sender_time = claim.ntp.since_epoch();
            ClockClaim { input: self.input, rtp, sender_time }
        })
    }
}

/// Copies the packets of a tapped track that wait for their forwarding.
pub(super) fn copy_to_feed(
    rooms: &mut HashMap<RoomKey, Room>,
    published: &mut Published,
    pending: &[u64],
    arrival: Duration,
    fed: &mut Vec<RoomKey>,
) {
    let Published { track, tap: Some(tap), .. } = published else { return };
    let feeding = rooms.get_mut(&tap.room).and_then(|room| room.feeding.as_mut());
    let Some(feeding) = feeding.filter(|feeding| !feeding.is_jammed) else { return };
    if feeding.turn.is_empty() {
        fed.push(tap.room);
    }
    for slot in pending.iter().filter_map(|index| track.ring().get(*index)) {
        tap.copy(slot, arrival, &mut feeding.turn.packets);
    }
    let claim = track.correspondence().and_then(|claim| tap.claim(claim));
    feeding.turn.claims.extend(claim);
}

impl Exchange {
    /// Replaces a room's feed, or ends it.
    pub(super) fn open_feed(&mut self, key: RoomKey, feed: Option<Feed>) {
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let (turn, taps) = (Fed::default(), HashMap::new());
        let fresh = feed.map(|feed| Feeding { feed, turn, taps, is_jammed: false });
        let before = std::mem::replace(&mut room.feeding, fresh);
        for track in before.into_iter().flat_map(|feeding| feeding.taps.into_values()) {
            self.drop_tap(track);
        }
        self.fed.retain(|other| *other != key);
    }

    /// Copies a track from its next packet on, or its next key frame.
    pub(super) fn tap(
        &mut self,
        key: RoomKey,
        (input, payload_type): (u32, u8),
        (stream, kind): (&StreamId, TrackKind),
        layer: &LayerChoice,
        now: Instant,
    ) {
        let Some(any) = self.published(key, stream, kind) else { return };
        let room = self.rooms.get(&key).and_then(|room| room.feeding.as_ref());
        if room.is_none_or(|feeding| feeding.taps.len() >= MAX_TAPS) {
            return;
        }
        for track in self.siblings(any) {
            let tap = self.incoming.get(track).and_then(|published| published.tap.as_ref());
            if let Some((_, before)) = tap.map(Tap::name) {
                self.untap(key, before);
            }
        }
        let track = self.tap_layer(any, layer, now);
        self.note_tap(key, input, track);
        let Some(published) = self.incoming.get_mut(track) else { return };
        let agreed = AgreedTrack {
            payload_type,
            rtx_payload_type: None,
            extensions: ExtensionIds::default(),
            ..published.track.agreed.clone()
        };
        let extensions = published.track.agreed.extensions;
        let is_video = kind == TrackKind::Video;
        let track_of_tap = OutgoingTrack::new(&agreed, &extensions, input, 0, is_video);
        published.tap = Some(Tap { room: key, input, track: track_of_tap, told: None });
        self.want_key_frame(track, now);
    }

    /// Changes which layer of a picture is copied.
    pub(super) fn set_tap_layer(
        &mut self,
        key: RoomKey,
        input: u32,
        layer: &LayerChoice,
        now: Instant,
    ) {
        let feeding = self.rooms.get(&key).and_then(|room| room.feeding.as_ref());
        let track = feeding.and_then(|feeding| feeding.taps.get(&input)).copied();
        if let Some(track) = track {
            self.tap_layer(track, layer, now);
            self.look_at(track, now);
        }
    }

    /// Remembers which track an input is a copy of.
    pub(super) fn note_tap(&mut self, key: RoomKey, input: u32, track: usize) {
        let feeding = self.rooms.get_mut(&key).and_then(|room| room.feeding.as_mut());
        if let Some(feeding) = feeding {
            feeding.taps.insert(input, track);
        }
    }

    /// Copies a track no longer.
    pub(super) fn untap(&mut self, key: RoomKey, input: u32) {
        let feeding = self.rooms.get_mut(&key).and_then(|room| room.feeding.as_mut());
        if let Some(track) = feeding.and_then(|feeding| feeding.taps.remove(&input)) {
            self.drop_tap(track);
        }
    }

    /// Asks the publisher of a tapped picture for a key frame.
    pub(super) fn want_tapped_key_frame(&mut self, key: RoomKey, input: u32, now: Instant) {
        let feeding = self.rooms.get(&key).and_then(|room| room.feeding.as_ref());
        if let Some(track) = feeding.and_then(|feeding| feeding.taps.get(&input)) {
            self.want_key_frame(*track, now);
        }
    }

    /// Hands over what this turn brought for mixing agents.
    pub(super) fn hand_over(&mut self) {
        if self.fed.is_empty() {
            return;
        }
        let mut jammed = Vec::new();
        for key in std::mem::take(&mut self.fed) {
            let feeding = self.rooms.get_mut(&key).and_then(|room| room.feeding.as_mut());
            let Some(feeding) = feeding else { continue };
            if feeding.is_jammed {
                if !feeding.feed.has_room() {
                    jammed.push(key);
                    continue;
                }
                feeding.is_jammed = false;
                let taps: Vec<usize> = feeding.taps.values().copied().collect();
                self.resume_taps(&taps);
            } else if !feeding.turn.is_empty() && !feeding.feed.give(&mut feeding.turn) {
                feeding.is_jammed = true;
                jammed.push(key);
                if let Some(room) = self.rooms.get(&key) {
                    tracing::warn!(room = %room.id, "the mixing agent takes in less than it gets");
                }
            }
        }
        self.fed = jammed;
    }

    fn resume_taps(&mut self, tracks: &[usize]) {
        let now = Instant::now();
        for track in tracks {
            if let Some(tap) = self.incoming.get_mut(*track).and_then(|it| it.tap.as_mut()) {
                tap.restart();
            }
            self.want_key_frame(*track, now);
        }
    }

    fn drop_tap(&mut self, track: usize) {
        self.untap_layers(track);
        for track in self.siblings(track) {
            let Some(published) = self.incoming.get_mut(track) else { continue };
            published.tap = None;
            published.tap_joins = false;
            published.settle_wishes();
        }
    }

    /// Forgets that a track was tapped, which is no more.
    pub(super) fn forget_tap(&mut self, tap: &Tap) {
        let feeding = self.rooms.get_mut(&tap.room).and_then(|room| room.feeding.as_mut());
        if let Some(feeding) = feeding {
            feeding.taps.remove(&tap.input);
        }
    }
}
