//! Offers on a transport that already is negotiated: ICE restarts, and sessions that come and go on
//! one peer connection.

use std::{sync::Arc, time::Instant};

use super::{
    Exchange,
    negotiate::{Plan, owner_of},
    transport::{Remote, Settled},
};
use crate::{
    ids::SessionId,
    media::{
        Event,
        negotiation::{
            AgreedCodec, AgreedTrack, Agreement, ExtensionIds, Feedback, NegotiationError, Want,
        },
        session::ice::Credentials,
    },
};

/// Names of ended m-lines that a transport remembers. An offer has fewer lines than this.
const MAX_RETIRED: usize = 256;

impl Remote {
    /// What was agreed on and still stands, by the names that the m-lines got.
    fn wants(&self) -> Vec<Want> {
        let named = |it: &Settled| Want { mid: Some(it.track.mid.clone()), ..it.want.clone() };
        self.settled.iter().map(named).collect()
    }

    /// Forgets what a session has settled. Later offers may still contain its m-lines.
    pub(super) fn retire(&mut self, session: &SessionId) {
        let ended = self.settled.extract_if(.., |it| it.session == *session);
        let mids: Vec<Arc<str>> = ended.map(|it| it.track.mid).collect();
        self.retired.extend(mids);
        let surplus = self.retired.len().saturating_sub(MAX_RETIRED);
        self.retired.drain(..surplus);
    }

    fn has_settled(&self, session: &SessionId) -> bool {
        self.settled.iter().any(|it| it.session == *session)
    }
}

impl Exchange {
    /// Sessions of a transport that still wait for their offer.
    fn waiting_sessions(&self, key: usize) -> Vec<SessionId> {
        let Some(transport) = self.transports.get(key) else { return Vec::new() };
        let is_settled = |session: &&SessionId| {
            transport.remote.as_ref().is_some_and(|remote| remote.has_settled(session))
        };
        transport.sessions.iter().filter(|session| !is_settled(session)).cloned().collect()
    }

    /// A later offer. What was agreed on before must be in it unchanged; what it has beyond that is
    /// for the sessions that wait, the oldest first.
    pub(super) fn handle_later_offer(&mut self, key: usize, sdp: &str, now: Instant) {
        let mut plans = Vec::new();
        for session in self.waiting_sessions(key) {
            match self.plan(key, &session) {
                Some(plan) => plans.push((session, plan)),
                None => self.fail_session(key, &session, "The stream is no longer there.", now),
            }
        }
        if !self.transports.contains(key) {
            return;
        }
        let remote = self.transports[key].remote.as_ref();
        let settled = remote.map_or(0, |remote| remote.settled.len());
        loop {
            let fresh: Vec<&Plan> = plans.iter().flat_map(|(_, plan)| plan).collect();
            match self.attempt(key, sdp, &fresh) {
                Ok((local, agreement)) => {
                    let plans = plans.into_iter().flat_map(|(_, plan)| plan).collect();
                    return self.settle_later(key, local, plans, agreement, now);
                }
                // The offer may be older than a session, which then waits on.
                Err(Refused::Error(NegotiationError::Missing { want, .. }))
                    if plans.len() > 1 && want >= settled =>
                {
                    let lengths = plans.iter().map(|(_, plan)| plan.len());
                    plans.remove(owner_of(want - settled, lengths));
                }
                Err(refused) => {
                    let transport = &self.transports[key];
                    let (room, id) = (&transport.room_id, &transport.id);
                    tracing::warn!(%room, transport = %id, %refused, "a later offer was refused");
                    for (session, _) in plans {
                        self.fail_session(key, &session, &refused.to_string(), now);
                    }
                    return;
                }
            }
        }
    }

    /// Tries to agree, with fresh credentials if the peer has some.
    fn attempt(
        &self,
        key: usize,
        sdp: &str,
        fresh: &[&Plan],
    ) -> Result<(Credentials, Agreement), Refused> {
        let transport = &self.transports[key];
        let Some(remote) = &transport.remote else { return Err(Refused::Changed) };
        let mut wants = remote.wants();
        wants.extend(fresh.iter().map(|plan| plan.want.clone()));
        let answer = |local: &Credentials| self.answer(key, sdp, local, &wants, &remote.retired);
        let mut agreement = answer(&transport.local)?;
        let mut local = transport.local.clone();
        let peer = (&agreement.remote_ufrag, &agreement.remote_password);
        if peer != (&remote.ufrag, &remote.password) {
            local = Credentials::draw(&*self.identity.provider).map_err(|_| Refused::Changed)?;
            agreement = answer(&local)?;
        }
        if is_same(&agreement, &remote.settled, &remote.fingerprint) {
            Ok((local, agreement))
        } else {
            Err(Refused::Changed)
        }
    }

    /// Takes over what a later offer agreed on, and lets the new sessions begin.
    fn settle_later(
        &mut self,
        key: usize,
        local: Credentials,
        plans: Vec<Plan>,
        agreement: Agreement,
        now: Instant,
    ) {
        let transport = &mut self.transports[key];
        self.by_ufrag.remove(&transport.local.ufrag);
        self.by_ufrag.insert(local.ufrag.clone(), key);
        transport.local = local;
        let Some(remote) = &mut transport.remote else { return };
        remote.ufrag = agreement.remote_ufrag;
        remote.password = agreement.remote_password;
        let before = remote.settled.len();
        let (room, id) = (transport.room, transport.id.clone());
        tracing::debug!(room = %transport.room_id, transport = %id, "later offer answered");
        let settled = self.make_tracks(key, plans, &agreement.tracks[before..], now);
        let mut sessions: Vec<SessionId> = settled.iter().map(|it| it.session.clone()).collect();
        sessions.dedup();
        let transport = &mut self.transports[key];
        let is_connected = transport.is_connected();
        if let Some(remote) = &mut transport.remote {
            remote.settled.extend(settled);
        }
        self.emit(room, Event::Answered { transport: id, sdp: agreement.sdp.into() });
        if is_connected {
            for session in sessions {
                self.begin(room, session, now);
            }
        }
    }
}

/// Why a later offer is not answered.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Error(#[from] NegotiationError),
    #[error("The offer changes what was agreed on.")]
    Changed,
}

/// What packets depend on.
fn essence(track: &AgreedTrack) -> (&str, &AgreedCodec, u8, Option<u8>, ExtensionIds, Feedback) {
    let AgreedTrack { mid, codec, payload_type, rtx_payload_type, extensions, feedback, .. } =
        track;
    (mid, codec, *payload_type, *rtx_payload_type, *extensions, *feedback)
}

/// Whether a later agreement leaves everything as it is that packets depend on.
fn is_same(agreement: &Agreement, settled: &[Settled], fingerprint: &[u8; 32]) -> bool {
    agreement.remote_fingerprint == *fingerprint
        && agreement.tracks.len() >= settled.len()
        && agreement
            .tracks
            .iter()
            .zip(settled)
            .all(|(now, before)| essence(now) == essence(&before.track))
}
