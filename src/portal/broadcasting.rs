//! Who may broadcast and who may watch, by the portal's tokens.
//!
//! A packager shows the same token with each upload, and a token is used up by its first use. So
//! its first use opens a session, which lasts as long as it is used. A token that a client of the
//! `signals` door is connected by opens one too, though it is used up: in a `p2m` room whoever
//! broadcasts has no other.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    signals::Passes,
    token::{Admission, Grants, TokenDigest, TokenError, Tokens},
};
use crate::{
    ids::RoomId,
    live::{Address, Authorizer, Denial, Verdict},
};

/// How long a session lasts in which nothing is asked for.
const SESSION_IDLE: Duration = Duration::from_secs(600);

/// Sessions at once; with more, whoever comes is told to come later.
const MAX_SESSIONS: usize = 100_000;

/// Tokens as keys to broadcasts.
pub struct TokenAuthorizer {
    tokens: Tokens,
    grants: Grants,
    passes: Passes,
    sessions: Mutex<HashMap<TokenDigest, Session>>,
}

#[derive(Debug, Clone)]
struct Session {
    address: Address,
    purpose: Purpose,
    room: RoomId,
    last_used: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Upload,
    Play,
}

impl TokenAuthorizer {
    /// Lets in who has a token of these, or one that passes at present.
    pub fn new(tokens: Tokens, grants: Grants, passes: Passes) -> Self {
        Self { tokens, grants, passes, sessions: Mutex::default() }
    }

    /// Goes on with a session, or opens one with an unused token.
    async fn decide(
        &self,
        address: &Address,
        purpose: Purpose,
        token: Option<&str>,
    ) -> Result<(), Denial> {
        let Some(token) = token else {
            let what = "a token is missing: Authorization: Bearer, or ?token=";
            return Err(Denial::Unknown(what.into()));
        };
        let digest = TokenDigest::of(token);
        if let Some(session) = self.sessions().get_mut(&digest) {
            if session.address != *address || session.purpose != purpose {
                return Err(Denial::Unknown("the token is used for something else".into()));
            }
            session.last_used = Instant::now();
            return Ok(());
        }
        self.make_room()?;
        let admission = match self.passes.present(&digest) {
            Some(admission) => admission,
            None => self.tokens.admit(token).await.map_err(denial)?,
        };
        match purpose {
            Purpose::Upload => self.check_publisher(address, &admission).await?,
            Purpose::Play => self.check_viewer(address, &admission)?,
        }
        let (address, room, last_used) = (address.clone(), admission.room, Instant::now());
        self.sessions().insert(digest, Session { address, purpose, room, last_used });
        Ok(())
    }

    async fn check_publisher(
        &self,
        address: &Address,
        admission: &Admission,
    ) -> Result<(), Denial> {
        if admission.user != address.user {
            return Err(Denial::Forbidden("the token is another user's".into()));
        }
        match self.grants.may_publish(&admission.room, &admission.role).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Denial::Forbidden("the token's role publishes nothing".into())),
            Err(error) => {
                tracing::error!(%error, "cannot look up a role");
                Err(Denial::Unavailable)
            }
        }
    }

    fn check_viewer(&self, address: &Address, admission: &Admission) -> Result<(), Denial> {
        let sessions = self.sessions();
        let mut uploads = sessions.values().filter(|session| session.purpose == Purpose::Upload);
        let same =
            uploads.any(|upload| upload.address == *address && upload.room == admission.room);
        let what = "the token is of another room";
        same.then_some(()).ok_or_else(|| Denial::Forbidden(what.into()))
    }

    fn make_room(&self) -> Result<(), Denial> {
        let mut sessions = self.sessions();
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| session.last_used.elapsed() < SESSION_IDLE);
        }
        if sessions.len() >= MAX_SESSIONS { Err(Denial::Unavailable) } else { Ok(()) }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<TokenDigest, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorizer for TokenAuthorizer {
    fn upload<'a>(&'a self, address: &'a Address, credential: Option<&'a str>) -> Verdict<'a> {
        Box::pin(self.decide(address, Purpose::Upload, credential))
    }

    fn play<'a>(&'a self, address: &'a Address, credential: Option<&'a str>) -> Verdict<'a> {
        Box::pin(self.decide(address, Purpose::Play, credential))
    }
}

fn denial(error: TokenError) -> Denial {
    match error {
        TokenError::Unavailable(error) => {
            tracing::error!(%error, "cannot check a token");
            Denial::Unavailable
        }
        TokenError::Malformed(_)
        | TokenError::Signature
        | TokenError::Unknown
        | TokenError::Expired
        | TokenError::ForeignRoom(_) => Denial::Unknown(format!("the token is refused: {error}")),
    }
}
