//! Offers that the media side makes for subscriptions, and their answers.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Effect, Negotiation, Notification, Rejection, Room};
use crate::{
    formats::Offerer,
    ids::{SessionId, TransportId},
};

/// How long an offer waits for its answer: a client on a slow network answers in seconds.
pub const OFFER_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a subscription ends whose offer was not answered.
const UNANSWERED: &str = "The offer was not answered in time.";

/// Whose offers a transport is negotiated by, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Negotiating {
    /// The client's, any number of them.
    ByClient,
    /// One of this server's, for this session and no other.
    ByServer {
        /// The session.
        session: SessionId,
        /// How far it is.
        stage: Stage,
    },
}

/// How far the negotiation by this server's offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The offer is being made.
    Making,
    /// The offer waits for its answer until then.
    Offered {
        /// When the session ends.
        until: Instant,
    },
    /// The media side has the answer.
    Answered,
}

impl Negotiating {
    /// The negotiation of a fresh transport.
    pub(super) fn new(offerer: Offerer, session: &SessionId) -> Self {
        match offerer {
            Offerer::Client => Self::ByClient,
            Offerer::Server => Self::ByServer { session: session.clone(), stage: Stage::Making },
        }
    }
}

/// Which offers wait for their answers, the oldest first.
#[derive(Debug, Default)]
pub(super) struct OpenOffers(BTreeSet<(Instant, SessionId)>);

impl OpenOffers {
    /// When the next one is given up.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(until, _)| *until)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Instant, SessionId)> {
        self.0.iter()
    }

    /// Waits no longer for the answer of a transport, if it does.
    pub(super) fn close(&mut self, negotiating: &Negotiating) {
        if let Negotiating::ByServer { session, stage: Stage::Offered { until } } = negotiating {
            self.0.remove(&(*until, session.clone()));
        }
    }

    fn due(&self, now: Instant) -> Option<SessionId> {
        let (until, session) = self.0.first()?;
        (*until <= now).then(|| session.clone())
    }
}

impl Room {
    /// Hands the media side's offer on to the subscriber, who has some time to answer.
    pub(super) fn pass_offer(&mut self, now: Instant, transport: TransportId, sdp: Arc<str>) {
        let Some(known) = self.transports.get_mut(&transport) else { return };
        let Negotiating::ByServer { session, stage } = &mut known.negotiating else { return };
        if *stage != Stage::Making {
            return;
        }
        let until = now + OFFER_TIMEOUT;
        *stage = Stage::Offered { until };
        self.offers.0.insert((until, session.clone()));
        let owner = known.owner.clone();
        self.tell(&owner, Notification::Offer { transport, sdp });
    }

    /// Takes note of a negotiation message if it is due on a transport; an answer is due once. What
    /// a client says where it makes the offers is left to the media side.
    pub(super) fn admit_negotiation(
        &mut self,
        transport: &TransportId,
        payload: &Negotiation,
    ) -> Result<(), Rejection> {
        let known = self.transports.get_mut(transport).ok_or(Rejection::NoSuchSession)?;
        let Negotiating::ByServer { stage, .. } = &known.negotiating else { return Ok(()) };
        match (payload, stage) {
            (Negotiation::Candidate(_) | Negotiation::RemovedCandidates(_), _) => Ok(()),
            (Negotiation::Answer(_), Stage::Offered { .. }) => {
                self.offers.close(&known.negotiating);
                if let Negotiating::ByServer { stage, .. } = &mut known.negotiating {
                    *stage = Stage::Answered;
                }
                Ok(())
            }
            (Negotiation::Answer(_), Stage::Making | Stage::Answered)
            | (Negotiation::Offer(_) | Negotiation::Names { .. }, _) => {
                Err(Rejection::UnexpectedNegotiation)
            }
        }
    }

    /// Ends the subscriptions whose offers were not answered in time.
    pub(super) fn give_up_offers(&mut self, now: Instant) {
        while let Some(session) = self.offers.due(now) {
            self.perform(Effect::CloseSession { session: session.clone() });
            self.subscription_failed(&session, UNANSWERED.into());
        }
    }
}
