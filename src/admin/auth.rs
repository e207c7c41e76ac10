//! MAuth: how back ends sign requests to the management REST.
//!
//! The header is `Authorization: MAuth realm=…,mauth_signature_method=HMAC_SHA256,
//! mauth_serviceid=…,mauth_cnonce=…,mauth_timestamp=…,mauth_signature=…`, with
//! `mauth_username` (base64) and `mauth_role` where the service speaks for a user. What is signed
//! is `timestamp,cnonce`, or `timestamp,cnonce,username,role`: neither path nor body, so a header
//! that is seen can be used again unless [`Authenticator`] is strict.

mod replay;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use self::replay::{Novelty, Seen};
use crate::{
    config::Secret,
    ids::ServiceId,
    store::{SigningKey, Store, StoreError},
};

/// The longest header that is looked at, in bytes.
const MAX_HEADER_BYTES: usize = 4096;

/// What precedes every name: `MAuth ` before the first, `mauth_` before the others. OWT cuts six
/// characters off without looking at them.
const PREFIX_CHARS: usize = 6;

/// User names come with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The service.
    pub service: ServiceId,
    /// Whether it manages services and everybody's rooms.
    pub is_super: bool,
    /// The user and the role that it speaks for, if it says.
    pub speaks_for: Option<(String, String)>,
}

/// Why a request is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It is not signed as it should be, by a service that there is, in time, for the first time.
    #[error("not signed by a service")]
    Refused,
    /// Too many requests were signed within the window to tell a new one from an old one.
    #[error("too many requests within the window for timestamps")]
    Overrun,
    /// The services cannot be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells who signed a request.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    strict: Option<Arc<Strict>>,
}

struct Strict {
    window: Duration,
    seen: Mutex<Seen>,
}

impl Authenticator {
    /// An authenticator that takes a header as often as it comes.
    pub fn new(store: Store) -> Self {
        Self { store, strict: None }
    }

    /// An authenticator that takes a header once, and only if its timestamp is no further than
    /// `window` from now.
    pub fn strict(store: Store, window: Duration) -> Self {
        let strict = Strict { window, seen: Mutex::default() };
        Self { store, strict: Some(Arc::new(strict)) }
    }

    /// Who signed this header.
    ///
    /// # Errors
    /// When nobody did who may, or the store fails.
    pub async fn verify(&self, header: &str, now: SystemTime) -> Result<Caller, AuthError> {
        let signed = parse(header).ok_or(AuthError::Refused)?;
        let id: ServiceId = signed.service.parse().map_err(|_| AuthError::Refused)?;
        let service = self.store.service(&id).await?.ok_or(AuthError::Refused)?;
        let key = SigningKey::from_text(service.key.reveal());
        if !key.verify(&signed.message(), &signed.signature) {
            return Err(AuthError::Refused);
        }
        let speaks_for = signed.speaks_for()?;
        if let Some(strict) = &self.strict {
            strict.check(&signed, now)?;
        }
        Ok(Caller { service: id, is_super: service.is_super, speaks_for })
    }

    /// Who has this id and this key, for clients that cannot sign (HTTP basic authentication).
    ///
    /// # Errors
    /// When there is no such service or the key is another one, or the store fails.
    pub async fn verify_key(&self, id: &str, key: &Secret) -> Result<Caller, AuthError> {
        let id: ServiceId = id.parse().map_err(|_| AuthError::Refused)?;
        let service = self.store.service(&id).await?.ok_or(AuthError::Refused)?;
        let (expected, given) = (service.key.reveal().as_bytes(), key.reveal().as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(expected, given)
            .map_err(|_| AuthError::Refused)?;
        Ok(Caller { service: id, is_super: service.is_super, speaks_for: None })
    }
}

impl Strict {
    fn check(&self, signed: &Signed, now: SystemTime) -> Result<(), AuthError> {
        let timestamp = signed.timestamp.parse().map_err(|_| AuthError::Refused)?;
        let signed_at = UNIX_EPOCH.checked_add(Duration::from_millis(timestamp));
        let signed_at = signed_at.ok_or(AuthError::Refused)?;
        let apart = now.duration_since(signed_at).unwrap_or_else(|error| error.duration());
        if apart > self.window {
            return Err(AuthError::Refused);
        }
        // A timestamp is never lost sight of before it is out of the window.
        let expires = signed_at + self.window;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.note(&signed.service, &signed.message(), expires, now) {
            Novelty::New => Ok(()),
            Novelty::Known => Err(AuthError::Refused),
            Novelty::Full => Err(AuthError::Overrun),
        }
    }
}

/// A header's parts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Signed {
    service: String,
    cnonce: String,
    timestamp: String,
    signature: String,
    username: Option<String>,
    role: Option<String>,
}

impl Signed {
    fn message(&self) -> String {
        let Self { timestamp, cnonce, .. } = self;
        match (&self.username, &self.role) {
            (Some(username), Some(role)) => format!("{timestamp},{cnonce},{username},{role}"),
            (Some(_), None) | (None, _) => format!("{timestamp},{cnonce}"),
        }
    }

    /// The user, whose name is in base64, and the role; only both together mean anything.
    fn speaks_for(&self) -> Result<Option<(String, String)>, AuthError> {
        let Some((username, role)) = self.username.as_ref().zip(self.role.as_ref()) else {
            return Ok(None);
        };
        let name = LENIENT.decode(username).map_err(|_| AuthError::Refused)?;
        let name = String::from_utf8(name).map_err(|_| AuthError::Refused)?;
        Ok(Some((name, role.clone())))
    }
}

/// Takes a header apart as OWT does: at commas, without regard for quotes or spaces, then at equal
/// signs. `None` if it is no MAuth header or lacks a part.
fn parse(header: &str) -> Option<Signed> {
    if header.len() > MAX_HEADER_BYTES || !header.starts_with("MAuth ") {
        return None;
    }
    let mut signed = Signed::default();
    let mut method = "";
    for part in header.split(',') {
        let (name, written) = part.split_once('=').unwrap_or((part, ""));
        let name = name.char_indices().nth(PREFIX_CHARS).map_or("", |(start, _)| &name[start..]);
        match name {
            "signature_method" => method = written,
            "serviceid" => signed.service = value(written),
            "cnonce" => signed.cnonce = value(written),
            "timestamp" => signed.timestamp = value(written),
            "signature" => signed.signature = value(written),
            "username" => signed.username = Some(value(written)),
            "role" => signed.role = Some(value(written)),
            _ => {}
        }
    }
    let needed = [&signed.service, &signed.cnonce, &signed.timestamp, &signed.signature];
    let complete = needed.iter().all(|part| !part.is_empty()) && method == "HMAC_SHA256";
    complete.then_some(signed)
}

/// OWT loses the equal signs inside a value, but not those at its end (base64's padding).
fn value(written: &str) -> String {
    let inside = written.trim_end_matches('=');
    inside.replace('=', "") + &written[inside.len()..]
}
