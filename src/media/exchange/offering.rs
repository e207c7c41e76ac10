//! Subscriptions whose offer this end makes: one offer, one answer.

use std::time::Instant;

use super::{
    Exchange,
    negotiate::Plan,
    transport::{Purpose, Remote},
};
use crate::{
    formats::Offerer,
    ids::{SessionId, TransportId},
    media::{
        Event,
        negotiation::{self, DtlsRole, Want},
        worker::RoomKey,
    },
};

impl Exchange {
    /// Makes a session on a transport of its own, and its offer.
    pub(super) fn open_offered(
        &mut self,
        room: RoomKey,
        id: SessionId,
        transport: &TransportId,
        purpose: Purpose,
        now: Instant,
    ) {
        if self.transport_of(room, transport).is_some() {
            let reason = "The transport carries another session.".into();
            self.emit(room, Event::SessionFailed { session: id, reason });
            return;
        }
        self.open_session(room, id.clone(), transport, purpose, now);
        // If the media plane is full, there is none, and the room has heard of it.
        let Some(key) = self.transport_of(room, transport) else { return };
        self.current = Some(key);
        self.transports[key].offerer = Offerer::Server;
        self.make_offer(key, &id, now);
    }

    fn make_offer(&mut self, key: usize, session: &SessionId, now: Instant) {
        let Some(plans) = self.plan(key, session) else {
            return self.fail_transport(key, "The stream is no longer there.", now);
        };
        let wants: Vec<Want> = plans.into_iter().map(|plan| plan.want).collect();
        let transport = &self.transports[key];
        let (room, id) = (transport.room, transport.id.clone());
        let sdp = negotiation::offer(&self.local(key, &transport.local), &wants);
        self.transports[key].offered = Some(wants);
        self.emit(room, Event::Offered { transport: id, sdp: sdp.into() });
    }

    /// Takes the answer to the offer of this end, or fails the session. The session's sources are
    /// looked up anew: other tracks may have taken the place of those that were offered.
    pub(super) fn handle_answer(&mut self, key: usize, sdp: &str, now: Instant) {
        let transport = &mut self.transports[key];
        let Some(offered) = transport.offered.take() else { return };
        let Some(session) = transport.sessions.first().cloned() else { return };
        let Some(plans) = self.plan(key, &session) else {
            return self.fail_transport(key, "The stream is no longer there.", now);
        };
        let acceptance = match negotiation::accept(sdp, &offered) {
            Ok(acceptance) => acceptance,
            Err(error) => {
                let transport = &self.transports[key];
                let (room, id) = (&transport.room_id, &transport.id);
                tracing::info!(%room, transport = %id, %error, "answer refused");
                return self.fail_transport(key, &error.to_string(), now);
            }
        };
        let plans = plans.into_iter().zip(offered).map(|(plan, want)| Plan { want, ..plan });
        let accepted = plans.zip(acceptance.tracks);
        let (plans, tracks): (Vec<_>, Vec<_>) =
            accepted.filter_map(|(plan, track)| Some((plan, track?))).unzip();
        let settled = self.make_tracks(key, plans, &tracks, now);
        if acceptance.peer_role == DtlsRole::Server {
            self.transports[key].dtls.be_client();
        }
        let remote = Remote {
            ufrag: acceptance.remote_ufrag,
            password: acceptance.remote_password,
            fingerprint: acceptance.remote_fingerprint,
            settled,
            retired: Vec::new(),
        };
        self.expect_peer(key, remote, now);
    }
}
