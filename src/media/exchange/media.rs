//! RTP: from publishers in, to subscribers out.

use std::time::Instant;

use super::{Exchange, transport::Published};
use crate::media::{
    Event,
    forward::{
        incoming::{IncomingTrack, Taken},
        rtp::Header,
    },
    outbox::Path,
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
        if let Some(resolution) = measured {
            let (stream, room) = (published.stream.clone(), transport.room);
            self.emit(room, Event::Measured { stream, resolution });
        }
        if broken {
            self.restart_subscribers(track_key, now);
        }
        if let Some(due) = due {
            self.schedule(key, due);
        }
        if !self.pending.contains(&track_key) {
            self.pending.push(track_key);
        }
        if is_full {
            self.fan_out(track_key);
        }
        Some(())
    }

    /// Forwards everything that waits.
    pub(crate) fn forward_pending(&mut self) {
        self.current = None;
        while let Some(track) = self.pending.pop() {
            self.fan_out(track);
        }
        if self.outbox.is_full() {
            self.outbox.flush(&self.sockets, &mut self.tally);
        }
    }

    /// Sends a track's waiting packets to its subscribers: one subscriber after the other, so that
    /// the packets of each lie side by side and leave as one train.
    fn fan_out(&mut self, key: usize) {
        let Some(published) = self.incoming.get_mut(key) else { return };
        let pending = published.track.take_pending();
        let track = &published.track;
        let subscribers = if track.active { track.subscribers.as_slice() } else { &[] };
        for subscriber in subscribers {
            let Some(subscribed) = self.outgoing.get_mut(*subscriber) else { continue };
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

/// Finds a packet's track: by its SSRC, else by what the SDP said of it (RFC 8843, 9.2): the
/// `mid`, or a payload type that only one track has.
fn identify(
    keys: &[usize],
    tracks: &slab::Slab<Published>,
    header: &Header,
    packet: &[u8],
    now: Instant,
) -> Option<(usize, Role)> {
    let all = || keys.iter().filter_map(|key| Some((*key, &tracks.get(*key)?.track)));
    let role = |track: &IncomingTrack| {
        if header.payload_type == track.agreed.payload_type {
            Some(Role::Media)
        } else if Some(header.payload_type) == track.agreed.rtx_payload_type {
            Some(Role::Retransmission)
        } else {
            None
        }
    };
    let known = all().find(|(_, track)| {
        track.ssrc() == Some(header.ssrc) || track.rtx_ssrc == Some(header.ssrc)
    });
    if let Some((key, track)) = known {
        return role(track).map(|role| (key, role));
    }
    let fits = |(_, track): &(usize, &IncomingTrack)| {
        let extensions = &track.agreed.extensions;
        let value = |id: Option<u8>| header.elements.value(packet, id?);
        let mid_differs =
            value(extensions.mid).is_some_and(|mid| mid != track.agreed.mid.as_bytes());
        let layer = match role(track) {
            Some(Role::Media) => value(extensions.rid),
            Some(Role::Retransmission) => value(extensions.repaired_rid),
            None => return false,
        };
        // Of a simulcast, the layer that the publisher named first is the stream.
        let first = track.agreed.rids.first().map(|rid| rid.as_bytes());
        let other_layer = layer.is_some_and(|layer| first.is_some_and(|first| first != layer));
        !mid_differs && !other_layer
    };
    let announced = all().find(|(_, track)| track.agreed.remote_ssrc == Some(header.ssrc));
    let (key, track) = match announced {
        Some(found) => found,
        None => {
            let mut fitting = all().filter(fits);
            let found = fitting.next()?;
            let says_mid = found.1.agreed.extensions.mid;
            let is_named = says_mid.is_some_and(|id| header.elements.value(packet, id).is_some());
            if !is_named && fitting.next().is_some() {
                return None;
            }
            found
        }
    };
    let role = role(track)?;
    let admitted = match role {
        Role::Media => track.admits(header.ssrc, now),
        Role::Retransmission => track.agreed.remote_rtx_ssrc.is_none_or(|ssrc| ssrc == header.ssrc),
    };
    admitted.then_some((key, role))
}
