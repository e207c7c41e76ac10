//! Offers that the media side makes for subscriptions, and their answers.

use std::{
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
    /// The offer waits for its answer.
    Offered,
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

impl Room {
    /// Hands the media side's offer on to the subscriber, who has some time to answer.
    pub(super) fn pass_offer(&mut self, now: Instant, transport: TransportId, sdp: Arc<str>) {
        let Some(known) = self.transports.get_mut(&transport) else { return };
        let Negotiating::ByServer { session, stage } = &mut known.negotiating else { return };
        if *stage != Stage::Making {
            return;
        }
        *stage = Stage::Offered;
        self.offers.begin(session, now + OFFER_TIMEOUT);
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
        let Negotiating::ByServer { session, stage } = &mut known.negotiating else {
            return Ok(());
        };
        match (payload, *stage) {
            (Negotiation::Candidate(_) | Negotiation::RemovedCandidates(_), _) => Ok(()),
            (Negotiation::Answer(_), Stage::Offered) => {
                *stage = Stage::Answered;
                self.offers.end(session);
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
