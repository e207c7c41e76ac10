//! Tokens that admit once: those issued here, and the ids of those that others signed.

use std::time::{Duration, SystemTime};

use redb::{ReadableTable as _, ReadableTableMetadata as _, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    schema::{self, JWT_EXPIRIES, TOKEN_AGES, TOKENS, USED_JWTS, since_epoch, unix_millis},
};
use crate::ids::{RoomId, ServiceId, TokenId};

/// How long an issued token admits, as in OWT.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 60);

/// How long a token is remembered, so that a late one is told from one that never was.
const TOKEN_KEPT: Duration = Duration::from_secs(3600);

/// Tokens that wait to be used.
pub const MAX_TOKENS: u64 = 200_000;

/// Ids of used JWTs that have not expired.
pub const MAX_USED_JWTS: u64 = 1_000_000;

/// Forgotten entries per request, so that no request pays for all the others.
const MAX_PURGED: usize = 64;

/// Whom a token admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// Into which room.
    pub room: RoomId,
    /// As which user.
    pub user: String,
    /// In which role.
    pub role: String,
    /// Which service asked for it; none if an operator did.
    pub service: Option<ServiceId>,
}

/// What became of the attempt to use a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenUse {
    /// It admits, and never again.
    Admitted(IssuedToken),
    /// There is none, or it was used.
    Unknown,
    /// It is too old.
    Expired,
}

/// The form in which a token is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    room: String,
    user: String,
    role: String,
    service: Option<String>,
    created_ms: u64,
}

impl Record {
    fn into_issued(self) -> Result<IssuedToken, StoreError> {
        let damaged = |error| StoreError::Damaged {
            table: "tokens",
            error: std::sync::Arc::new(serde::de::Error::custom(error)),
        };
        Ok(IssuedToken {
            room: self.room.parse().map_err(damaged)?,
            user: self.user,
            role: self.role,
            service: self.service.map(|id| id.parse().map_err(damaged)).transpose()?,
        })
    }
}

impl Store {
    /// Remembers a token until it is used.
    ///
    /// # Errors
    /// When [`MAX_TOKENS`] wait, or the store fails.
    pub async fn add_token(
        &self,
        id: TokenId,
        token: IssuedToken,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let record = Record {
            room: token.room.to_string(),
            user: token.user,
            role: token.role,
            service: token.service.map(|id| id.to_string()),
            created_ms: unix_millis(now),
        };
        self.write(move |transaction| {
            purge_tokens(transaction, now)?;
            let mut tokens = transaction.open_table(TOKENS)?;
            if tokens.len()? >= MAX_TOKENS {
                return Err(StoreError::Full { what: "unused tokens", bound: MAX_TOKENS });
            }
            tokens.insert(id.as_str(), schema::json(&record).as_str())?;
            let mut ages = transaction.open_table(TOKEN_AGES)?;
            ages.insert((record.created_ms, id.as_str()), ())?;
            Ok(())
        })
        .await
    }

    /// Uses a token. When this returns [`TokenUse::Admitted`], its use is on the disk.
    ///
    /// # Errors
    /// When the store fails; the token is then as it was.
    pub async fn use_token(&self, id: TokenId, now: SystemTime) -> Result<TokenUse, StoreError> {
        self.write(move |transaction| {
            let mut tokens = transaction.open_table(TOKENS)?;
            let record: Option<Record> = schema::record(&tokens, "tokens", id.as_str())?;
            let Some(record) = record else { return Ok(TokenUse::Unknown) };
            let created_ms = record.created_ms;
            let age_ms = unix_millis(now).saturating_sub(created_ms);
            if u128::from(age_ms) > TOKEN_LIFETIME.as_millis() {
                return Ok(TokenUse::Expired);
            }
            let token = record.into_issued()?;
            tokens.remove(id.as_str())?;
            transaction.open_table(TOKEN_AGES)?.remove((created_ms, id.as_str()))?;
            Ok(TokenUse::Admitted(token))
        })
        .await
    }

    /// Uses the id of a JWT that is valid until `expires`; says whether this is its first use. When
    /// this returns, the use is on the disk.
    ///
    /// # Errors
    /// When [`MAX_USED_JWTS`] have not expired yet, or the store fails.
    pub async fn use_jwt(
        &self,
        id: String,
        expires: SystemTime,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            purge_jwts(transaction, now)?;
            let mut used = transaction.open_table(USED_JWTS)?;
            if used.get(id.as_str())?.is_some() {
                return Ok(false);
            }
            if used.len()? >= MAX_USED_JWTS {
                return Err(StoreError::Full { what: "used JWTs", bound: MAX_USED_JWTS });
            }
            let expires = since_epoch(expires).as_secs();
            used.insert(id.as_str(), expires)?;
            transaction.open_table(JWT_EXPIRIES)?.insert((expires, id.as_str()), ())?;
            Ok(true)
        })
        .await
    }
}

fn purge_tokens(transaction: &WriteTransaction, now: SystemTime) -> Result<(), StoreError> {
    let kept_ms = TOKEN_KEPT.as_millis().try_into().unwrap_or(u64::MAX);
    let mut ages = transaction.open_table(TOKEN_AGES)?;
    let mut tokens = transaction.open_table(TOKENS)?;
    for (created, id) in oldest(&ages, unix_millis(now).saturating_sub(kept_ms))? {
        ages.remove((created, id.as_str()))?;
        tokens.remove(id.as_str())?;
    }
    Ok(())
}

fn purge_jwts(transaction: &WriteTransaction, now: SystemTime) -> Result<(), StoreError> {
    let mut expiries = transaction.open_table(JWT_EXPIRIES)?;
    let mut used = transaction.open_table(USED_JWTS)?;
    for (expiry, id) in oldest(&expiries, since_epoch(now).as_secs())? {
        expiries.remove((expiry, id.as_str()))?;
        used.remove(id.as_str())?;
    }
    Ok(())
}

/// A few entries from before a time.
fn oldest(
    table: &Table<'_, (u64, &'static str), ()>,
    before: u64,
) -> Result<Vec<(u64, String)>, StoreError> {
    let entries = table.range(..(before, ""))?.take(MAX_PURGED);
    entries
        .map(|entry| {
            let (key, _) = entry?;
            let (time, id) = key.value();
            Ok((time, id.to_owned()))
        })
        .collect()
}
