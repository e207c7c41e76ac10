//! What publications and subscriptions have in common: ids, transports, reports of the media side.

use std::sync::Arc;

use super::{
    AgreedMedia, Effect, Negotiation, Notification, Rejection, Reply, Room, offer::Negotiating,
    telling::Asker, view::View,
};
use crate::{
    formats::Offerer,
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

/// Why a subscription ends whose stream is gone, in OWT's words.
pub(super) const SOURCE_STREAM_LOSS: &str = "Source stream loss";

/// Why a session fails whose ends agreed on none of its tracks, in OWT's words.
pub(super) const NO_VALID_TRACKS: &str = "No valid tracks in stream";

/// A peer connection that carries sessions of one participant.
#[derive(Debug)]
pub(super) struct Transport {
    /// Whose.
    pub(super) owner: ParticipantId,
    /// How many sessions it carries, at least one.
    pub(super) sessions: u32,
    /// Whose offers it is negotiated by.
    pub(super) negotiating: Negotiating,
}

impl Room {
    /// Whether a session can have this id and this transport. A transport that does not exist is
    /// made; somebody else's is refused in words that do not confirm that it exists. One that is
    /// negotiated by an offer of this server's carries no other session.
    pub(super) fn check_new_session(
        &self,
        owner: &ParticipantId,
        session: &SessionId,
        transport: &TransportId,
        offerer: Offerer,
    ) -> Result<(), Rejection> {
        let taken = self.publications.contains(session)
            || self.subscriptions.contains(session)
            || self.view(&StreamId::from(session)).is_some();
        if taken {
            return Err(Rejection::SessionExists);
        }
        match self.transports.get(transport) {
            Some(known) if known.owner != *owner => Err(Rejection::NoSuchSession),
            Some(Transport { negotiating: Negotiating::ByClient, .. })
                if offerer == Offerer::Client =>
            {
                Ok(())
            }
            Some(_) => Err(Rejection::TransportInUse),
            None => Ok(()),
        }
    }

    /// Puts one more session on a transport.
    pub(super) fn attach(
        &mut self,
        transport: &TransportId,
        owner: &ParticipantId,
        negotiating: Negotiating,
    ) {
        let fresh = || Transport { owner: owner.clone(), sessions: 0, negotiating };
        self.transports.entry(transport.clone()).or_insert_with(fresh).sessions += 1;
    }

    /// Takes a session off its transport, which is gone with the last one.
    pub(super) fn detach(&mut self, transport: &TransportId) {
        let Some(known) = self.transports.get_mut(transport) else { return };
        known.sessions -= 1;
        if known.sessions == 0 {
            if let Negotiating::ByServer { session, .. } = &known.negotiating {
                self.offers.end(session);
            }
            self.transports.remove(transport);
        }
    }

    /// The view of that mixed stream.
    pub(super) fn view(&self, stream: &StreamId) -> Option<&View> {
        self.views.iter().find(|view| view.stream.id == *stream)
    }

    /// Hands a negotiation message on to the asker's own transport.
    pub(super) fn negotiate(
        &mut self,
        asker: &Asker,
        transport: TransportId,
        payload: Negotiation,
    ) -> Result<(), Rejection> {
        let known = self.transports.get(&transport).ok_or(Rejection::NoSuchSession)?;
        if known.owner != asker.from {
            return Err(Rejection::NoSuchSession);
        }
        self.admit_negotiation(&transport, &payload)?;
        self.grant(asker, Reply::Done);
        self.perform(Effect::Negotiate { transport, payload });
        Ok(())
    }

    /// Hands the media side's answer on to whoever offered.
    pub(super) fn pass_answer(&mut self, transport: TransportId, sdp: Arc<str>) {
        let Some(known) = self.transports.get(&transport) else { return };
        let owner = known.owner.clone();
        self.tell(&owner, Notification::Answer { transport, sdp });
    }

    /// A session's media can flow. Said twice, it counts once.
    pub(super) fn session_ready(&mut self, session: &SessionId, agreed: AgreedMedia) {
        self.publication_ready(session, agreed);
        self.subscription_ready(session, agreed);
    }

    /// A session's media is gone, and the media side has forgotten it.
    pub(super) fn session_failed(&mut self, session: &SessionId, reason: Arc<str>) {
        if self.publications.contains(session) {
            self.publication_failed(session, reason);
        } else {
            self.subscription_failed(session, reason);
        }
    }
}
