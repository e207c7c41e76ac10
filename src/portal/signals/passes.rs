//! What visitors may do, by their tokens. A token is used up by its first connection; so that a
//! client can connect again with the same address when its connection is lost, a token is
//! remembered for as long as a session that it brought in can be in its room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::decode::Session;
use crate::{
    ids::RoomId,
    portal::{
        signals::refusal::Refusal,
        token::{Admission, TokenDigest, TokenError, Tokens},
    },
};

/// The role of everybody where no token says one.
const OPEN_ROLE: &str = "presenter";

/// What a visitor may do.
#[derive(Debug)]
pub(super) enum Pass {
    /// Enter any room as anybody.
    Open,
    /// Enter the room of its token as the token's user.
    Admitted(Visit),
    /// Enter no room, as if there were none.
    Nowhere,
}

impl Pass {
    /// The admission of a session to a room.
    pub(super) fn admission(&self, room: &RoomId, session: &Session) -> Result<Admission, Refusal> {
        match self {
            Self::Open => {
                let (user, role) = (Arc::clone(&session.user), OPEN_ROLE.into());
                Ok(Admission { room: room.clone(), user, role, name: None, picture: None })
            }
            Self::Nowhere => Err(Refusal::no_room()),
            Self::Admitted(visit) if visit.admission.user != session.user => {
                Err(Refusal::invalid("ss.userId is not the token's"))
            }
            Self::Admitted(visit) if visit.admission.room != *room => Err(Refusal::no_room()),
            Self::Admitted(visit) => Ok(visit.admission.clone()),
        }
    }
}

/// With fewer tokens than this, none is looked for whose grace is over.
const MIN_SWEPT: usize = 1024;

/// The tokens that brought somebody in. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Passes(Arc<Mutex<Tally>>);

#[derive(Debug)]
struct Tally {
    known: HashMap<TokenDigest, Known>,
    /// With how many those are forgotten whose grace is over. It doubles with what is left, so
    /// that many who come at once do not each look through all the others.
    sweep_at: usize,
}

#[derive(Debug)]
struct Known {
    admission: Admission,
    /// How many connections it has.
    connections: usize,
    /// When the last of them ended.
    left: Instant,
}

/// A connection by a token. The token is remembered from when the last one of it is dropped.
#[derive(Debug)]
pub(super) struct Visit {
    passes: Passes,
    digest: TokenDigest,
    admission: Admission,
}

impl Passes {
    /// Takes a visitor in whose token is good, or was and is remembered for `grace`.
    pub(super) async fn admit(
        &self,
        tokens: &Tokens,
        token: &str,
        grace: Duration,
    ) -> Result<Visit, TokenError> {
        let digest = TokenDigest::of(token);
        let back = self.tally().come_back(&digest, Instant::now(), grace);
        if let Some(admission) = back {
            return Ok(Visit { passes: self.clone(), digest, admission });
        }
        let admission = tokens.admit(token).await?;
        let known = Known { admission: admission.clone(), connections: 1, left: Instant::now() };
        self.tally().known.insert(digest, known);
        Ok(Visit { passes: self.clone(), digest, admission })
    }

    /// What the bearer of a token may do that has a connection at present: whoever broadcasts in a
    /// room of this dialect uploads with the token that its signaling runs by.
    pub fn present(&self, digest: &TokenDigest) -> Option<Admission> {
        let tally = self.tally();
        let known = tally.known.get(digest).filter(|known| known.connections > 0);
        known.map(|known| known.admission.clone())
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self { known: HashMap::new(), sweep_at: MIN_SWEPT }
    }
}

impl Tally {
    /// The admission of a token that is remembered, which has one more connection now. Others are
    /// forgotten in time: at most twice as many are known as were used within the grace before
    /// the last sweep, or [`MIN_SWEPT`].
    fn come_back(
        &mut self,
        digest: &TokenDigest,
        now: Instant,
        grace: Duration,
    ) -> Option<Admission> {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, known| known.is_remembered(now, grace));
            self.sweep_at = (2 * self.known.len()).max(MIN_SWEPT);
        }
        let known = self.known.get_mut(digest).filter(|it| it.is_remembered(now, grace))?;
        known.connections += 1;
        Some(known.admission.clone())
    }
}

impl Known {
    fn is_remembered(&self, now: Instant, grace: Duration) -> bool {
        self.connections > 0 || now < self.left + grace
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(known) = self.passes.tally().known.get_mut(&self.digest) {
            known.connections = known.connections.saturating_sub(1);
            known.left = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);
    const MOMENT: Duration = Duration::from_millis(1);

    fn digest(number: usize) -> TokenDigest {
        TokenDigest::of(&number.to_string())
    }

    /// Knows tokens of which each has so many connections.
    fn tally(connections: &[usize], left: Instant) -> Tally {
        let admission = Admission {
            room: "room".parse().expect("an id"),
            user: "ann".into(),
            role: OPEN_ROLE.into(),
            name: None,
            picture: None,
        };
        let known = |connections| Known { admission: admission.clone(), connections, left };
        let known = connections.iter().enumerate().map(|(number, it)| (digest(number), known(*it)));
        Tally { known: known.collect(), ..Tally::default() }
    }

    #[test]
    fn a_token_is_remembered_for_its_grace_or_while_it_has_a_connection() {
        let left = Instant::now();
        let comes_back = |connections, after| {
            tally(&[connections], left).come_back(&digest(0), left + after, GRACE).is_some()
        };
        assert!(comes_back(0, GRACE - MOMENT));
        assert!(!comes_back(0, GRACE));
        assert!(comes_back(1, GRACE));
    }

    #[test]
    fn many_tokens_are_looked_through_when_they_have_doubled() {
        let left = Instant::now();
        let over = left + GRACE;
        let nobody = digest(usize::MAX);
        let mut few = tally(&[0; MIN_SWEPT - 1], left);
        assert_eq!(few.come_back(&nobody, over, GRACE), None);
        assert_eq!(few.known.len(), MIN_SWEPT - 1);

        let mut connections = [1; 2 * MIN_SWEPT];
        connections[0] = 0;
        let mut many = tally(&connections, left);
        assert_eq!(many.come_back(&nobody, over, GRACE), None);
        assert_eq!(many.known.len(), 2 * MIN_SWEPT - 1, "one's grace is over");
        assert_eq!(many.sweep_at, 2 * many.known.len());
        for known in many.known.values_mut() {
            known.connections = 0;
        }
        assert_eq!(many.come_back(&nobody, over, GRACE), None);
        assert_eq!(many.known.len(), 2 * MIN_SWEPT - 1, "too few came since");
        many.sweep_at = many.known.len();
        assert_eq!(many.come_back(&nobody, over, GRACE), None);
        assert_eq!((many.known.len(), many.sweep_at), (0, MIN_SWEPT));
    }
}
