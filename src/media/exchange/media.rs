//! RTP: from publishers in, to subscribers out.

use std::time::Instant;

use slab::Slab;

use super::{
    Exchange,
    tapping::copy_to_feed,
    transport::{Origin, Published},
};
use crate::{
    ids::StreamId,
    media::{
        Event,
        forward::{
            incoming::{IncomingTrack, Taken},
            loudness::level_of,
            rtp::Header,
        },
        negotiation::AgreedTrack,
        outbox::Path,
        worker::RoomKey,
    },
};

/// What a packet is to a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Media,
    Retransmission,
}

impl Exchange {
    pub(super) fn handle_rtp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        now: Instant,
    ) -> Option<()> {
        let key = self.transport_at(path)?;
        let header = Header::parse(datagram)?;
        let transport = self.transports.get_mut(key)?;
        let packet = transport.opener.as_mut()?.open_rtp(datagram, &header)?;
        let (track_key, role) =
            identify(&transport.incoming, &self.incoming, &header, packet, now)?;
        let published = self.incoming.get_mut(track_key)?;
        let track = &mut published.track;
        let taken = match role {
            Role::Media => track.take(&header, packet, now)?,
            Role::Retransmission => {
                track.rtx_ssrc = Some(header.ssrc);
                track.repair(&header, packet)?
            }
        };
        let (due, is_full) = (track.next_due(now), track.is_full());
        let Taken { measured, broken } = taken;
        let layer = published.layer.filter(|_| header.payload_end(packet) > Some(header.len));
        let decibels = (role == Role::Media).then(|| hear(published, &header, packet, now));
        let room = transport.room;
        if let Some(resolution) = measured {
            self.tell_of(room, track_key, |stream, agreed| {
                let layer = agreed.rids.first().cloned();
                Event::Measured { stream, layer, resolution }
            });
        }
        if let Some(decibels) = decibels.flatten() {
            self.tell_of(room, track_key, |stream, _| Event::Level { stream, decibels });
        }
        if let Some(layer) = layer.filter(|_| role == Role::Media) {
            self.layer_arrived(layer, measured, now);
        }
        if broken {
            self.restart_subscribers(track_key, now);
        }
        if let Some(due) = due {
            self.schedule(key, due);
        }
        self.enqueue(track_key, is_full);
        Some(())
    }

    /// Tells a room something of a publisher's track.
    fn tell_of(
        &self,
        room: RoomKey,
        key: usize,
        event: impl FnOnce(StreamId, &AgreedTrack) -> Event,
    ) {
        let Some(Published { track, origin, .. }) = self.incoming.get(key) else { return };
        if let Origin::Peer { stream, .. } = origin {
            self.emit(room, event(stream.clone(), &track.agreed));
        }
    }

    /// Notes that a track has packets to forward; at once if it can take no more.
    pub(super) fn enqueue(&mut self, key: usize, is_full: bool) {
        if !self.pending.contains(&key) {
            self.pending.push(key);
        }
        if is_full {
            self.fan_out(key);
        }
    }

    /// Forwards everything that waits.
    pub(crate) fn forward_pending(&mut self) {
        while let Some(track) = self.pending.pop() {
            self.fan_out(track);
        }
        self.current = None;
        if self.outbox.is_full() {
            self.outbox.flush(&self.sockets, &mut self.tally);
        }
    }

    /// Sends a track's waiting packets to its subscribers: one subscriber after the other, so that
    /// the packets of each lie side by side and leave as one train.
    fn fan_out(&mut self, key: usize) {
        self.admit_joining(key);
        let Some(published) = self.incoming.get_mut(key) else { return };
        self.current = published.transport();
        let pending = published.track.take_pending();
        if published.track.active {
            let rooms = &mut self.rooms;
            copy_to_feed(rooms, published, &pending, self.arrival - self.epoch, &mut self.fed);
        }
        let track = &published.track;
        let subscribers = if track.active { track.subscribers.as_slice() } else { &[] };
        for subscriber in subscribers {
            let Some(subscribed) = self.outgoing.get_mut(*subscriber).filter(|it| it.active) else {
                continue;
            };
            self.current = Some(subscribed.transport);
            let Some(transport) = self.transports.get_mut(subscribed.transport) else { continue };
            let (Some(path), Some(sealer)) = (transport.path, transport.sealer.as_mut()) else {
                continue;
            };
            for slot in pending.iter().filter_map(|index| track.ring().get(*index)) {
                let start = self.outbox.begin();
                let buffer = self.outbox.buffer();
                let Some(written) = subscribed.track.forward(slot, self.stamp, buffer) else {
                    continue;
                };
                if sealer.seal_rtp(buffer, start, &written).is_ok() {
                    self.outbox.commit(path, start);
                } else {
                    self.outbox.abandon(start);
                }
            }
            if self.outbox.is_full() {
                self.outbox.flush(&self.sockets, &mut self.tally);
            }
        }
        if let Some(published) = self.incoming.get_mut(key) {
            published.track.forwarded(pending);
        }
    }

    /// Sends a subscriber again what it misses.
    pub(super) fn repeat(&mut self, key: usize, sequences: &[u16], now: Instant) {
        let Some(subscribed) = self.outgoing.get_mut(key) else { return };
        let source = subscribed.source.and_then(|source| self.incoming.get(source));
        let Some(Published { track: source, .. }) = source else { return };
        let Some(transport) = self.transports.get_mut(subscribed.transport) else { return };
        let (Some(path), Some(sealer)) = (transport.path, transport.sealer.as_mut()) else {
            return;
        };
        for sequence in sequences {
            let index = subscribed.track.repeatable(*sequence, now);
            let Some(slot) = index.and_then(|index| source.ring().get(index)) else { continue };
            let start = self.outbox.begin();
            let buffer = self.outbox.buffer();
            let Some(written) = subscribed.track.repeat(slot, self.stamp, buffer) else { continue };
            if sealer.seal_rtp(buffer, start, &written).is_ok() {
                self.outbox.commit(path, start);
            } else {
                self.outbox.abandon(start);
            }
        }
    }
}

/// Takes in what a packet of a track that flows says of its loudness; the level, if the room is to
/// know of it.
fn hear(published: &mut Published, header: &Header, packet: &[u8], now: Instant) -> Option<i8> {
    let track = &published.track;
    let id = track.agreed.extensions.audio_level.filter(|_| track.active)?;
    published.loudness.hear(level_of(header, packet, id)?, now)
}

/// Finds a packet's track: by its SSRC, else by what the SDP said of it (RFC 8843, 9.2): the
/// `mid`, or a payload type that only one track has.
fn identify(
    keys: &[usize],
    tracks: &Slab<Published>,
    header: &Header,
    packet: &[u8],
    now: Instant,
) -> Option<(usize, Role)> {
    let all = || keys.iter().filter_map(|key| Some((*key, &tracks.get(*key)?.track)));
    let is_known = |(_, track): &(usize, &IncomingTrack)| {
        track.ssrc() == Some(header.ssrc) || track.rtx_ssrc == Some(header.ssrc)
    };
    if let Some((key, track)) = all().find(is_known) {
        return Some((key, role(track, header)?));
    }
    let announced = all().find(|(_, track)| track.agreed.remote_ssrc == Some(header.ssrc));
    let (key, track) = match announced {
        Some(found) => found,
        None => {
            let fits = |(_, track): &(usize, &IncomingTrack)| fit(track, header, packet);
            let fitting = || all().filter_map(|found| Some((fits(&found)?, found)));
            let best = fitting().map(|(fit, _)| fit).max()?;
            let mut likely = fitting().filter(|(fit, _)| *fit == best);
            let (_, found) = likely.next()?;
            likely.next().is_none().then_some(found)?
        }
    };
    let role = role(track, header)?;
    let is_admitted = match role {
        Role::Media => track.admits(header.ssrc, now),
        Role::Retransmission => track.agreed.remote_rtx_ssrc.is_none_or(|ssrc| ssrc == header.ssrc),
    };
    is_admitted.then_some((key, role))
}

/// What a packet of this payload type is to a track.
fn role(track: &IncomingTrack, header: &Header) -> Option<Role> {
    if header.payload_type == track.agreed.payload_type {
        Some(Role::Media)
    } else if Some(header.payload_type) == track.agreed.rtx_payload_type {
        Some(Role::Retransmission)
    } else {
        None
    }
}

/// How much of what a packet says of itself speaks for its being a track's: it names the m-line,
/// the layer, or both. `None` when something speaks against it.
fn fit(track: &IncomingTrack, header: &Header, packet: &[u8]) -> Option<u8> {
    let AgreedTrack { extensions, mid, rids, .. } = &track.agreed;
    let value = |id: Option<u8>| header.elements.value(packet, id?);
    let layer = match role(track, header)? {
        Role::Media => value(extensions.rid),
        Role::Retransmission => value(extensions.repaired_rid),
    };
    let mut fit = 0;
    let named = [(value(extensions.mid), Some(mid)), (layer, rids.first())];
    for (said, own) in named.into_iter().filter_map(|(said, own)| Some((said?, own?))) {
        if said != own.as_bytes() {
            return None;
        }
        fit += 1;
    }
    Some(fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        formats::TrackKind,
        media::{
            forward::{incoming::tests::agreed, rtp::tests::packet},
            negotiation::ExtensionIds,
        },
    };

    const SSRC: u32 = 0x1234_5678;

    /// Two pictures with the same payload types, told apart by `mid` alone.
    fn pictures(change: impl Fn(usize, &mut AgreedTrack)) -> Slab<Published> {
        let mut tracks = Slab::new();
        for number in 0..2 {
            let mut agreed = agreed(TrackKind::Video);
            agreed.mid = number.to_string().into();
            agreed.extensions = ExtensionIds {
                mid: Some(4),
                rid: Some(10),
                repaired_rid: Some(11),
                ..ExtensionIds::default()
            };
            change(number, &mut agreed);
            let track = IncomingTrack::new(agreed, Instant::now());
            let stream = "stream".parse().expect("valid");
            tracks.insert(Published::new(track, Origin::Peer { transport: 0, stream }));
        }
        tracks
    }

    fn found(
        tracks: &Slab<Published>,
        payload_type: u8,
        elements: &[(u8, &[u8])],
    ) -> Option<(usize, Role)> {
        let mut bytes = packet(1, 1, elements, b"payload");
        bytes[1] = payload_type;
        let header = Header::parse(&bytes).expect("well formed");
        identify(&[0, 1], tracks, &header, &bytes, Instant::now())
    }

    #[test]
    fn a_track_that_was_paused_or_agreed_on_no_levels_is_not_listened_to() {
        let track = |audio_level| {
            let mut agreed = agreed(TrackKind::Audio);
            agreed.extensions.audio_level = audio_level;
            let track = IncomingTrack::new(agreed, Instant::now());
            let stream = "stream".parse().expect("valid");
            Published::new(track, Origin::Peer { transport: 0, stream })
        };
        let bytes = packet(1, 1, &[(1, &[30])], b"payload");
        let header = Header::parse(&bytes).expect("well formed");
        let mut with_levels = track(Some(1));
        with_levels.track.active = false;
        assert_eq!(hear(&mut with_levels, &header, &bytes, Instant::now()), None);
        with_levels.track.active = true;
        assert_eq!(hear(&mut with_levels, &header, &bytes, Instant::now()), Some(-30));
        assert_eq!(hear(&mut track(None), &header, &bytes, Instant::now()), None);
    }

    #[test]
    fn the_mid_tells_and_without_it_nothing_is_guessed() {
        let tracks = pictures(|_, _| {});
        assert_eq!(found(&tracks, 96, &[(4, b"1")]), Some((1, Role::Media)));
        assert_eq!(found(&tracks, 97, &[(4, b"1")]), Some((1, Role::Retransmission)));
        assert_eq!(found(&tracks, 96, &[(4, b"7")]), None);
        assert_eq!(found(&tracks, 96, &[]), None, "either would fit");
        assert_eq!(found(&tracks, 98, &[(4, b"1")]), None);
    }

    #[test]
    fn a_payload_type_of_one_track_alone_is_enough() {
        let tracks = pictures(|number, agreed| agreed.payload_type += 10 * number as u8);
        assert_eq!(found(&tracks, 106, &[]), Some((1, Role::Media)));
    }

    #[test]
    fn an_announced_ssrc_is_enough_and_excludes_others() {
        let tracks = pictures(|number, agreed| {
            agreed.remote_ssrc = Some(SSRC + 1 - number as u32);
        });
        assert_eq!(found(&tracks, 96, &[]), Some((1, Role::Media)));
        assert_eq!(found(&tracks, 96, &[(4, b"0")]), Some((1, Role::Media)));
        let others = pictures(|_, agreed| agreed.remote_ssrc = Some(7));
        assert_eq!(found(&others, 96, &[(4, b"0")]), None);
    }

    #[test]
    fn a_layer_is_named_by_the_packet_or_not_known() {
        let tracks = pictures(|number, agreed| {
            agreed.mid = "0".into();
            agreed.rids = vec![["f", "q"][number].into()];
        });
        assert_eq!(found(&tracks, 96, &[(4, b"0"), (10, b"f")]), Some((0, Role::Media)));
        assert_eq!(found(&tracks, 96, &[(4, b"0"), (10, b"q")]), Some((1, Role::Media)));
        assert_eq!(found(&tracks, 97, &[(4, b"0"), (11, b"q")]), Some((1, Role::Retransmission)));
        assert_eq!(found(&tracks, 96, &[(10, b"q")]), Some((1, Role::Media)), "without a mid");
        assert_eq!(found(&tracks, 96, &[(4, b"0")]), None, "either would fit");
        assert_eq!(found(&tracks, 96, &[(4, b"0"), (10, b"h")]), None);
        assert_eq!(found(&tracks, 97, &[(4, b"0"), (10, b"q")]), None, "that is no repair");
    }

    #[test]
    fn layers_of_one_name_are_told_apart_by_the_mid() {
        let tracks = pictures(|_, agreed| agreed.rids = vec!["f".into()]);
        assert_eq!(found(&tracks, 96, &[(4, b"1"), (10, b"f")]), Some((1, Role::Media)));
        assert_eq!(found(&tracks, 96, &[(10, b"f")]), None);
    }
}
