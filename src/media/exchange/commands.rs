//! What rooms order.

use std::time::{Duration, Instant};

use super::{
    Exchange, MAX_TRANSPORTS,
    transport::{Purpose, Session, Transport},
};
use crate::{
    formats::{Mids, Offerer, TrackKind},
    ids::{SessionId, StreamId, TransportId},
    media::{
        Command, Event,
        forward::clock::PublisherClock,
        session::{dtls::Dtls, ice::Credentials},
        worker::RoomKey,
    },
};

/// How long a session waits for its offer, or for the answer to the offer of this end. Rooms are less
/// patient with the latter.
const OFFER_TIMEOUT: Duration = Duration::from_secs(60);

impl Exchange {
    /// Obeys a room's command.
    pub(crate) fn obey(&mut self, room: RoomKey, command: Command, now: Instant) {
        if !self.rooms.contains_key(&room) {
            return;
        }
        match command {
            Command::OpenPublication { session, transport, audio, video } => {
                let purpose = Purpose::Publication { audio, video };
                self.open_session(room, session, &transport, purpose, now);
            }
            Command::OpenSubscription { session, transport, offerer, audio, video } => {
                let purpose = Purpose::Subscription { audio, video };
                match offerer {
                    Offerer::Client => self.open_session(room, session, &transport, purpose, now),
                    Offerer::Server => self.open_offered(room, session, &transport, purpose, now),
                }
            }
            Command::NameTracks { transport, session, mids } => {
                self.name_tracks(room, &transport, &session, mids);
            }
            Command::Offer { transport, sdp } => {
                if let Some(key) = self.transport_of(room, &transport) {
                    self.current = Some(key);
                    self.handle_offer(key, &sdp, now);
                }
            }
            Command::Answer { transport, sdp } => {
                if let Some(key) = self.transport_of(room, &transport) {
                    self.current = Some(key);
                    self.handle_answer(key, &sdp, now);
                }
            }
            Command::Candidate { transport, candidate } => {
                // The peer's checks come from its candidates and tell more than their names do.
                tracing::trace!(%transport, bytes = candidate.len(), "remote candidate");
            }
            Command::SwitchSubscription { session, audio, video } => {
                self.switch_subscription(room, &session, audio, video, now);
            }
            Command::SetSubscriptionActive { session, kind, active } => {
                self.set_subscription_active(room, &session, kind, active, now);
            }
            Command::CloseSession { session } => self.close_session(room, &session, now),
            Command::SetTrackActive { stream, kind, active } => {
                self.set_active(room, &stream, kind, active, now);
            }
            Command::CloseOutput { output } => self.close_output(room, output),
            Command::OpenFeed { feed } => self.open_feed(room, Some(feed)),
            Command::CloseFeed => self.open_feed(room, None),
            Command::Tap { input, stream, kind, payload_type, layer } => {
                self.tap(room, (input, payload_type), (&stream, kind), &layer, now);
            }
            Command::SetTapLayer { input, layer } => {
                self.set_tap_layer(room, input, &layer, now);
            }
            Command::Untap { input } => self.untap(room, input),
            Command::RequestKeyFrame { input } => self.want_tapped_key_frame(room, input, now),
        }
    }

    pub(super) fn transport_of(&self, room: RoomKey, id: &TransportId) -> Option<usize> {
        self.rooms.get(&room)?.transports.get(id).copied()
    }

    pub(super) fn open_session(
        &mut self,
        room: RoomKey,
        id: SessionId,
        transport: &TransportId,
        purpose: Purpose,
        now: Instant,
    ) {
        let key = match self.transport_of(room, transport) {
            Some(key) => Some(key),
            None => self.open_transport(room, transport, now),
        };
        let Some(key) = key else {
            let reason = "The media plane is full.".into();
            self.emit(room, Event::SessionFailed { session: id, reason });
            return;
        };
        let session = Session {
            transport: key,
            purpose,
            mids: Mids::default(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            audio: None,
            video: None,
        };
        let Some(room) = self.rooms.get_mut(&room) else { return };
        tracing::debug!(room = %room.id, %transport, session = %id, "session opened");
        room.sessions.insert(id.clone(), session);
        self.transports[key].sessions.push(id);
    }

    /// Notes where a session's tracks are to be found, if it is one of that transport.
    fn name_tracks(&mut self, room: RoomKey, transport: &TransportId, id: &SessionId, mids: Mids) {
        let key = self.transport_of(room, transport);
        let session = self.rooms.get_mut(&room).and_then(|room| room.sessions.get_mut(id));
        if let Some(session) = session.filter(|session| Some(session.transport) == key) {
            session.mids = mids;
        }
    }

    fn open_transport(&mut self, key: RoomKey, id: &TransportId, now: Instant) -> Option<usize> {
        let room = self.rooms.get_mut(&key)?;
        if self.transports.len() >= MAX_TRANSPORTS {
            tracing::warn!(room = %room.id, transport = %id, "too many transports");
            return None;
        }
        let provider = &*self.identity.provider;
        let local = Credentials::draw(provider).ok()?;
        let mut own_ssrc = [0; 4];
        provider.random().fill(&mut own_ssrc).ok()?;
        let deadline = now + OFFER_TIMEOUT;
        let transport = self.transports.insert(Transport {
            room: key,
            room_id: room.id.clone(),
            id: id.clone(),
            sessions: Vec::new(),
            local: local.clone(),
            offerer: Offerer::Client,
            offered: None,
            remote: None,
            dtls: Dtls::new(self.identity.clone()),
            sealer: None,
            opener: None,
            path: None,
            paths: Vec::new(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            own_ssrc: u32::from_be_bytes(own_ssrc),
            clock: PublisherClock::default(),
            intra_requests: 0,
            deadline,
            next_report: None,
            scheduled: None,
        });
        room.transports.insert(id.clone(), transport);
        self.by_ufrag.insert(local.ufrag, transport);
        self.schedule(transport, deadline);
        Some(transport)
    }

    fn set_active(
        &mut self,
        room: RoomKey,
        stream: &StreamId,
        kind: TrackKind,
        active: bool,
        now: Instant,
    ) {
        let Some(room) = self.rooms.get(&room) else { return };
        let Some(session) = room.sessions.get(stream.as_str()) else { return };
        for key in session.incoming.clone() {
            let Some(published) = self.incoming.get_mut(key) else { continue };
            let track = &mut published.track;
            if track.agreed.kind != kind || track.active == active {
                continue;
            }
            track.active = active;
            if active {
                self.restart_subscribers(key, now);
            } else {
                track.key_frames.satisfied();
            }
        }
    }

    /// Lets the subscribers of a track begin anew with its next packet, or key frame.
    pub(super) fn restart_subscribers(&mut self, key: usize, now: Instant) {
        let Some(published) = self.incoming.get_mut(key) else { return };
        for subscriber in &published.track.subscribers {
            if let Some(subscribed) = self.outgoing.get_mut(*subscriber) {
                subscribed.track.restart();
            }
        }
        if let Some(tap) = &mut published.tap {
            tap.restart();
        }
        self.want_key_frame(key, now);
    }

    /// Asks whoever sends a track for a key frame, if it is a picture that somebody gets.
    pub(super) fn want_key_frame(&mut self, key: usize, now: Instant) {
        let Some(published) = self.incoming.get_mut(key) else { return };
        let track = &published.track;
        if !track.is_video() || !track.active || !published.is_wanted() {
            return;
        }
        published.track.key_frames.want();
        match published.transport() {
            Some(transport) => self.serve_publisher(transport, now),
            None => self.serve_agent(key, now),
        }
    }
}
