//! A transport's coming up and going down.

use std::time::Instant;

use super::{
    Exchange,
    transport::{CONSENT_TIMEOUT, Origin, Transport},
};
use crate::{
    ids::SessionId,
    media::{
        Event,
        outbox::Path,
        session::{
            dtls::{DtlsEvent, Keys},
            rtcp::{Compound, REPORT_INTERVAL},
            srtp,
        },
        worker::RoomKey,
    },
};

impl Exchange {
    pub(super) fn handle_dtls_datagram(
        &mut self,
        path: Path,
        datagram: &[u8],
        now: Instant,
    ) -> Option<()> {
        let key = self.transport_at(path)?;
        let transport = self.transports.get_mut(key)?;
        let outcome = transport.dtls.handle(datagram, now);
        self.send_dtls(key);
        match outcome {
            Ok(events) => {
                for event in events {
                    match event {
                        DtlsEvent::Connected(keys) => self.handle_connected(key, &keys, now),
                        DtlsEvent::Closed => {
                            self.fail_transport(key, "The peer closed the connection.", now);
                        }
                    }
                }
            }
            Err(error) => self.fail_transport(key, &error.to_string(), now),
        }
        if let Some(due) = self.transports.get(key).and_then(|transport| transport.dtls.next_due())
        {
            self.schedule(key, due);
        }
        Some(())
    }

    /// Begins the handshake with a peer that can be reached, if that is this end's part.
    pub(super) fn begin_dtls(&mut self, key: usize, now: Instant) {
        match self.transports[key].dtls.begin(now) {
            Ok(false) => {}
            Ok(true) => {
                self.send_dtls(key);
                if let Some(due) = self.transports[key].dtls.next_due() {
                    self.schedule(key, due);
                }
            }
            Err(error) => self.fail_transport(key, &error.to_string(), now),
        }
    }

    fn handle_connected(&mut self, key: usize, keys: &Keys, now: Instant) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        let (room, id) = (transport.room_id.clone(), transport.id.clone());
        let expected = transport.remote.as_ref().map(|remote| remote.fingerprint);
        if expected != Some(keys.peer_fingerprint) {
            tracing::warn!(%room, transport = %id, "the certificate is not the one in the SDP");
            self.fail_transport(key, "DTLS fingerprint does not match the SDP.", now);
            return;
        }
        let crypto = self.identity.provider.crypto();
        match srtp::both_ways(keys.role, keys.profile, keys.material.as_ref(), crypto) {
            Ok((sealer, opener)) => {
                transport.sealer = Some(sealer);
                transport.opener = Some(opener);
            }
            Err(error) => {
                self.fail_transport(key, &error.to_string(), now);
                return;
            }
        }
        tracing::debug!(%room, transport = %id, profile = ?keys.profile, "connected");
        transport.deadline = now + CONSENT_TIMEOUT;
        let report = now + REPORT_INTERVAL;
        transport.next_report = Some(report);
        let (room, sessions) = (transport.room, transport.sessions.clone());
        self.schedule(key, report);
        for session in sessions {
            self.begin(room, session, now);
        }
    }

    /// Lets the media of a session flow whose transport is up, if the session was negotiated.
    pub(super) fn begin(&mut self, room: RoomKey, id: SessionId, now: Instant) {
        let session = self.rooms.get(&room).and_then(|room| room.sessions.get(&id));
        let Some(session) = session else { return };
        let (audio, video, outgoing) = (session.audio, session.video, session.outgoing.clone());
        if audio.is_none() && video.is_none() {
            return;
        }
        self.emit(room, Event::SessionReady { session: id, audio, video });
        for track in outgoing {
            self.attach(track);
            self.want_key_frame_for(track, now);
        }
    }

    /// Ends one session of a transport, or the transport if it has no other, and tells the room.
    pub(super) fn fail_session(&mut self, key: usize, id: &SessionId, reason: &str, now: Instant) {
        let Some(transport) = self.transports.get(key) else { return };
        if transport.sessions.iter().all(|session| session == id) {
            return self.fail_transport(key, reason, now);
        }
        let room = transport.room;
        self.close_session(room, id, now);
        self.emit(room, Event::SessionFailed { session: id.clone(), reason: reason.into() });
    }

    /// Lets an outgoing track have its source's packets.
    pub(super) fn attach(&mut self, key: usize) {
        let Some(source) = self.outgoing.get(key).and_then(|subscribed| subscribed.source) else {
            return;
        };
        let Some(published) = self.incoming.get_mut(source) else { return };
        published.track.subscribers.push(key);
    }

    /// Ends a transport and tells the room that its sessions failed.
    pub(super) fn fail_transport(&mut self, key: usize, reason: &str, now: Instant) {
        let Some(transport) = self.remove_transport(key, now) else { return };
        let Transport { room, room_id, id, sessions, .. } = transport;
        tracing::info!(room = %room_id, transport = %id, reason, "transport failed");
        for session in sessions {
            self.emit(room, Event::SessionFailed { session, reason: reason.into() });
        }
    }

    /// Ends a session, and its transport with the last one.
    pub(super) fn close_session(&mut self, room: RoomKey, id: &SessionId, now: Instant) {
        let session = self.rooms.get_mut(&room).and_then(|room| room.sessions.remove(id));
        let Some(session) = session else { return };
        let Some(transport) = self.transports.get_mut(session.transport) else { return };
        transport.sessions.retain(|other| other != id);
        if let Some(remote) = &mut transport.remote {
            remote.retire(id);
        }
        tracing::debug!(room = %transport.room_id, session = %id, "session closed");
        if transport.sessions.is_empty() {
            self.remove_transport(session.transport, now);
        } else {
            for track in session.incoming {
                self.remove_incoming(track);
            }
            for track in session.outgoing {
                self.remove_outgoing(track);
            }
        }
    }

    /// Takes a transport, its sessions and its tracks out of the tables, and says goodbye.
    pub(super) fn remove_transport(&mut self, key: usize, now: Instant) -> Option<Transport> {
        if !self.transports.contains(key) {
            return None;
        }
        self.say_goodbye(key, now);
        let transport = self.transports.remove(key);
        for path in &transport.paths {
            self.by_path.remove(&path.path);
        }
        self.by_ufrag.remove(&transport.local.ufrag);
        for track in &transport.incoming {
            self.remove_incoming(*track);
        }
        for track in &transport.outgoing {
            self.remove_outgoing(*track);
        }
        if let Some(room) = self.rooms.get_mut(&transport.room) {
            room.transports.remove(&transport.id);
            for session in &transport.sessions {
                room.sessions.remove(session);
            }
        }
        if self.current == Some(key) {
            self.current = None;
        }
        Some(transport)
    }

    fn say_goodbye(&mut self, key: usize, now: Instant) {
        let transport = &mut self.transports[key];
        let sources: Vec<u32> = transport
            .outgoing
            .iter()
            .filter_map(|track| Some(self.outgoing.get(*track)?.track.ssrc))
            .collect();
        let sender = transport.own_ssrc;
        transport.dtls.close(now);
        if !sources.is_empty() {
            self.send_rtcp(key, &Compound::receiver(sender, &[]).goodbye(sources));
        }
        self.send_dtls(key);
        self.transports[key].dtls.end();
    }

    pub(super) fn remove_incoming(&mut self, key: usize) {
        let Some(published) = self.incoming.try_remove(key) else { return };
        self.pending.retain(|other| *other != key);
        for subscriber in published.track.subscribers {
            if let Some(subscribed) = self.outgoing.get_mut(subscriber) {
                subscribed.source = None;
            }
        }
        for subscriber in published.joining {
            if let Some(subscribed) = self.outgoing.get_mut(subscriber) {
                subscribed.next_source = None;
            }
        }
        if let Some(tap) = &published.tap {
            self.forget_tap(tap);
        }
        if let Some(place) = published.layer {
            self.forget_layers(place);
        }
        match published.origin {
            Origin::Peer { transport, .. } => {
                if let Some(transport) = self.transports.get_mut(transport) {
                    transport.incoming.retain(|other| *other != key);
                }
            }
            Origin::Agent { room, output } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.outputs.remove(&output);
                }
            }
        }
    }

    fn remove_outgoing(&mut self, key: usize) {
        self.unfollow(key);
        self.detach(key);
        let Some(subscribed) = self.outgoing.try_remove(key) else { return };
        if let Some(transport) = self.transports.get_mut(subscribed.transport) {
            transport.outgoing.retain(|other| *other != key);
        }
    }

    /// Lets an outgoing track have nothing of its source any more, nor of one that was to follow.
    pub(super) fn detach(&mut self, key: usize) {
        let Some(subscribed) = self.outgoing.get_mut(key) else { return };
        let sources = [subscribed.source, subscribed.next_source.take()];
        for source in sources.into_iter().flatten() {
            let Some(published) = self.incoming.get_mut(source) else { continue };
            published.track.subscribers.retain(|other| *other != key);
            published.joining.retain(|other| *other != key);
            published.settle_wishes();
        }
    }
}
