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

/// The tokens that brought somebody in. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Passes(Arc<Mutex<HashMap<TokenDigest, Known>>>);

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
        if let Some(admission) = self.come_back(digest, grace) {
            return Ok(Visit { passes: self.clone(), digest, admission });
        }
        let admission = tokens.admit(token).await?;
        let known = Known { admission: admission.clone(), connections: 1, left: Instant::now() };
        self.known().insert(digest, known);
        Ok(Visit { passes: self.clone(), digest, admission })
    }

    /// What the bearer of a token may do that has a connection at present: whoever broadcasts in a
    /// room of this dialect uploads with the token that its signaling runs by.
    pub fn present(&self, digest: &TokenDigest) -> Option<Admission> {
        let all = self.known();
        let known = all.get(digest).filter(|known| known.connections > 0);
        known.map(|known| known.admission.clone())
    }

    /// The admission of a token that is remembered, which has one more connection now. Others are
    /// forgotten in time, so that no more are known than were used within the grace.
    fn come_back(&self, digest: TokenDigest, grace: Duration) -> Option<Admission> {
        let mut all = self.known();
        let now = Instant::now();
        all.retain(|_, known| known.connections > 0 || now < known.left + grace);
        let known = all.get_mut(&digest)?;
        known.connections += 1;
        Some(known.admission.clone())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TokenDigest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(known) = self.passes.known().get_mut(&self.digest) {
            known.connections = known.connections.saturating_sub(1);
            known.left = Instant::now();
        }
    }
}
