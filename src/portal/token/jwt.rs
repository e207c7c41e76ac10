//! JWTs (RFC 7519), signed by HS256.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{Admission, MAX_NAME_BYTES, MAX_PICTURE_BYTES, TokenError};
use crate::{
    config::Secret,
    ids::{RoomId, ServiceId},
    store::{IssuedToken, ServiceKey, Store, object_id},
};

/// How long a JWT of the server's own is valid: as long as OWT's tokens.
pub const JWT_LIFETIME: Duration = crate::store::TOKEN_LIFETIME;

/// The longest `jti`, in bytes.
const MAX_JTI_BYTES: usize = 256;

/// The latest expiry that is told apart, the end of the year 9999.
const LATEST_SECS: u64 = 253_402_300_799;

#[derive(Serialize)]
struct Issued<'t> {
    room: &'t str,
    user: &'t str,
    role: &'t str,
    exp: u64,
    jti: String,
}

#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    room: String,
    user: String,
    role: String,
    exp: f64,
    jti: String,
    nbf: Option<f64>,
    name: Option<String>,
    picture: Option<String>,
}

/// Signs claims, which are texts, flags and numbers, by HS256; the key is the bytes of its text.
pub(in crate::portal) fn sign(claims: &impl Serialize, key: &str) -> Secret {
    let key = EncodingKey::from_secret(key.as_bytes());
    let text = encode(&Header::new(Algorithm::HS256), claims, &key)
        .expect("texts, flags and numbers are JSON, and any bytes are an HMAC key");
    text.into()
}

pub(super) fn issue(key: &str, token: &IssuedToken, now: SystemTime) -> Secret {
    let expires = (now + JWT_LIFETIME).duration_since(UNIX_EPOCH).unwrap_or_default();
    let claims = Issued {
        room: token.room.as_str(),
        user: &token.user,
        role: &token.role,
        exp: expires.as_secs(),
        jti: object_id(now),
    };
    sign(&claims, key)
}

pub(super) async fn admit(
    store: &Store,
    token: &str,
    now: SystemTime,
) -> Result<Admission, TokenError> {
    let header = header(token)?;
    // RFC 7515, 4.1.11: what a header calls critical must be understood, and nothing is here.
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(TokenError::Signature);
    }
    let (claims, service) = match header.kid.as_deref() {
        None => (verify(token, store.token_key().reveal())?, None),
        Some(kid) => {
            let id: ServiceId = kid.parse().map_err(|_| TokenError::Signature)?;
            let service = store.service(&id).await?.ok_or(TokenError::Signature)?;
            (verify(token, service.key.reveal())?, Some(service))
        }
    };
    let (admission, expires) = check(&claims, now)?;
    // Two services may choose the same text.
    let use_id = format!("{}/{}", header.kid.unwrap_or_default(), claims.jti);
    let first = store.use_jwt(use_id, expires, now).await?;
    if !first {
        return Err(TokenError::Unknown);
    }
    match service {
        Some(service) if !may_admit(store, &service, &admission.room).await? => {
            Err(TokenError::ForeignRoom(admission.room))
        }
        Some(_) | None => Ok(admission),
    }
}

/// Whether a service may let people into a room. A room that is not kept is no service's.
async fn may_admit(store: &Store, service: &ServiceKey, room: &RoomId) -> Result<bool, TokenError> {
    let kept = store.kept_room(room).await?;
    Ok(kept.is_none_or(|kept| kept.is_open_to(&service.id, service.is_super)))
}

fn verify(token: &str, key: &str) -> Result<Claims, TokenError> {
    let mut validation = Validation::new(Algorithm::HS256);
    // The library reads the clock itself; `check` is handed the time. An audience is none of ours.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match decode(token, &DecodingKey::from_secret(key.as_bytes()), &validation) {
        Ok(token) => Ok(token.claims),
        Err(error) => Err(refusal(error.into_kind())),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the library's errors may grow")]
fn refusal(kind: ErrorKind) -> TokenError {
    match kind {
        ErrorKind::Json(error) => TokenError::Malformed(format!("Invalid JWT: {error}")),
        ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => no_jwt(),
        _ => TokenError::Signature,
    }
}

/// Reads the header by hand: the library's own fails alike for an unknown algorithm and for none
/// at all.
fn header(token: &str) -> Result<JoseHeader, TokenError> {
    let (first, _) = token.split_once('.').ok_or_else(no_jwt)?;
    let json = URL_SAFE_NO_PAD.decode(first).map_err(|_| no_jwt())?;
    serde_json::from_slice(&json)
        .map_err(|error| TokenError::Malformed(format!("Invalid JWT: {error}")))
}

fn no_jwt() -> TokenError {
    TokenError::Malformed("Invalid JWT: not three parts of base64 JSON".into())
}

fn check(claims: &Claims, now: SystemTime) -> Result<(Admission, SystemTime), TokenError> {
    let now_secs = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    // Written so that a time which is no number does not pass either.
    let valid = claims.exp > now_secs;
    if !valid {
        return Err(TokenError::Expired);
    }
    if claims.nbf.is_some_and(|start| start > now_secs) {
        return Err(TokenError::Malformed("Invalid JWT: not valid yet".into()));
    }
    within("user", &claims.user, 1, MAX_NAME_BYTES)?;
    within("role", &claims.role, 1, MAX_NAME_BYTES)?;
    within("jti", &claims.jti, 1, MAX_JTI_BYTES)?;
    let name = claims.name.as_deref().unwrap_or_default();
    within("name", name, 0, MAX_NAME_BYTES)?;
    let picture = claims.picture.as_deref().unwrap_or_default();
    within("picture", picture, 0, MAX_PICTURE_BYTES)?;
    let room: RoomId = claims
        .room
        .parse()
        .map_err(|error| TokenError::Malformed(format!("Invalid JWT: room: {error}")))?;
    let admission = Admission {
        room,
        user: claims.user.as_str().into(),
        role: claims.role.as_str().into(),
        name: claims.name.as_deref().map(Into::into),
        picture: claims.picture.as_deref().map(Into::into),
    };
    // The store counts whole seconds and forgets at the end of the last one.
    let expires_secs = (claims.exp.ceil() as u64).min(LATEST_SECS);
    Ok((admission, UNIX_EPOCH + Duration::from_secs(expires_secs)))
}

fn within(what: &str, text: &str, least: usize, most: usize) -> Result<(), TokenError> {
    if (least..=most).contains(&text.len()) {
        return Ok(());
    }
    Err(TokenError::Malformed(format!("Invalid JWT: {what} has {} bytes", text.len())))
}
