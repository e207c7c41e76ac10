//! 100ms: an app token is a JWT that names a room and a role of its template.

use std::time::SystemTime;

use serde::Serialize;

use super::{Admission, Guest, TOKEN_LIFETIME, seconds};
use crate::{config::HundredMs, portal::token::jwt, store::object_id};

#[derive(Serialize)]
struct Claims<'c> {
    access_key: &'c str,
    room_id: &'c str,
    user_id: &'c str,
    role: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

pub(super) fn admit(settings: &HundredMs, guest: Guest<'_>, now: SystemTime) -> Option<Admission> {
    if settings.access_key.is_empty() {
        return None;
    }
    let (_, room_id) = settings.rooms.iter().find(|(ours, _)| ours == guest.room.as_str())?;
    let role = if guest.publishes { "host" } else { "guest" };
    let claims = Claims {
        access_key: &settings.access_key,
        room_id,
        user_id: guest.user,
        role,
        kind: "app",
        version: 2,
        jti: object_id(now),
        iat: seconds(now),
        nbf: seconds(now),
        exp: seconds(now + TOKEN_LIFETIME),
    };
    let token = jwt::sign(&claims, settings.secret.reveal());
    Some(Admission::HundredMs { room_id: room_id.clone(), role, token })
}
