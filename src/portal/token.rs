//! Tokens that admit participants, each once.
//!
//! Two kinds, at every door: OWT's, a base64 JSON text whose record is in the store, and JWTs, which
//! a back end signs itself. A JWT says room, user and role in its claims; it is signed with HS256 by
//! the server's own key or, where its header names a service (`kid`), by that service's key, as the
//! bytes of the key's text, and then it admits into no room of another service. A token admits only
//! after its use is on the disk.

mod grant;
mod json;
pub(super) mod jwt;
mod owt;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

pub(super) use self::json::parse_base64_json;
pub use self::{
    grant::{Grant, GrantError, Grants},
    jwt::JWT_LIFETIME,
};
use crate::{
    config::Secret,
    ids::{RoomId, ServiceId, TokenId},
    store::{self, IssuedToken, Store, StoreError, TokenUse},
};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// The longest user name, display name and role in a token, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// The longest picture URL in a token, in bytes.
pub const MAX_PICTURE_BYTES: usize = 2048;

/// What a token is remembered by, so that nobody can read it out of the memory: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        let digest = digest(&SHA256, token.as_bytes());
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Whom a token admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Into which room.
    pub room: RoomId,
    /// As which user.
    pub user: Arc<str>,
    /// In which role; whether the room has it is the room's affair.
    pub role: Arc<str>,
    /// What the user is called, if the token says.
    pub name: Option<Arc<str>>,
    /// Where the user's picture is, if the token says.
    pub picture: Option<Arc<str>>,
}

/// Why a token does not admit, in OWT's words.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It does not read as a token; says what its reader saw.
    #[error("{0}")]
    Malformed(String),
    /// Nobody who may sign has signed it.
    #[error("Invalid token signature")]
    Signature,
    /// It was used before, or never issued.
    #[error("Unknown")]
    Unknown,
    /// It came too late.
    #[error("Expired")]
    Expired,
    /// It is for a room of another service than the one that signed it. Doors say what they say of
    /// a room that does not exist.
    #[error("Joining room failed")]
    ForeignRoom(RoomId),
    /// The store failed, which is no participant's business.
    #[error("Joining room failed")]
    Unavailable(#[from] StoreError),
}

/// Why a token is not issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A name is missing.
    #[error("the {what} is empty")]
    Empty {
        /// Which.
        what: &'static str,
    },
    /// A name is too long.
    #[error("the {what} is longer than {MAX_NAME_BYTES} bytes")]
    TooLong {
        /// Which.
        what: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Issues tokens and lets their bearers in.
#[derive(Debug, Clone)]
pub struct Tokens {
    store: Store,
    host: Arc<str>,
    secure: bool,
}

impl Tokens {
    /// Tokens that send their bearers to `host` (a host and port), by TLS if `secure`.
    pub fn new(store: Store, host: impl Into<Arc<str>>, secure: bool) -> Self {
        Self { store, host: host.into(), secure }
    }

    /// Issues a token of OWT's kind for a user in a role; `service` is who asked for it, none if an
    /// operator did. Valid for [`store::TOKEN_LIFETIME`].
    ///
    /// # Errors
    /// When a name is empty or too long, or the store fails.
    pub async fn issue(
        &self,
        room: &RoomId,
        user: &str,
        role: &str,
        service: Option<ServiceId>,
    ) -> Result<Secret, IssueError> {
        let token =
            IssuedToken { room: room.clone(), user: user.into(), role: role.into(), service };
        self.issue_at(token, SystemTime::now()).await
    }

    /// Issues a JWT of the server's own, valid for [`JWT_LIFETIME`].
    ///
    /// # Errors
    /// When a name is empty or too long.
    pub fn issue_jwt(&self, room: &RoomId, user: &str, role: &str) -> Result<Secret, IssueError> {
        let token = &IssuedToken {
            room: room.clone(),
            user: user.into(),
            role: role.into(),
            service: None,
        };
        check_names(token)?;
        Ok(jwt::issue(self.store.token_key().reveal(), token, SystemTime::now()))
    }

    /// Uses a token of either kind up.
    ///
    /// # Errors
    /// When it does not admit.
    pub async fn admit(&self, token: &str) -> Result<Admission, TokenError> {
        self.admit_at(token, SystemTime::now()).await
    }

    async fn issue_at(&self, token: IssuedToken, now: SystemTime) -> Result<Secret, IssueError> {
        check_names(&token)?;
        let id = store::object_id(now);
        let text = owt::write(self.store.token_key(), &id, &self.host, self.secure);
        let id: TokenId = id.parse().expect("hex digits are an id");
        self.store.add_token(id, token, now).await?;
        Ok(text)
    }

    async fn admit_at(&self, token: &str, now: SystemTime) -> Result<Admission, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed(format!("longer than {MAX_TOKEN_BYTES} bytes")));
        }
        // OWT's alphabet has no dot, and a JWT has two.
        if token.contains('.') {
            return jwt::admit(&self.store, token, now).await;
        }
        let id = owt::read(self.store.token_key(), token)?;
        match self.store.use_token(id, now).await? {
            TokenUse::Admitted(token) => Ok(Admission {
                room: token.room,
                user: token.user.into(),
                role: token.role.into(),
                name: None,
                picture: None,
            }),
            TokenUse::Unknown => Err(TokenError::Unknown),
            TokenUse::Expired => Err(TokenError::Expired),
        }
    }
}

fn check_names(token: &IssuedToken) -> Result<(), IssueError> {
    for (what, name) in [("user", &token.user), ("role", &token.role)] {
        if name.is_empty() {
            return Err(IssueError::Empty { what });
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(IssueError::TooLong { what });
        }
    }
    Ok(())
}
