//! LiveKit: an access token is a JWT with a `video` grant.

use std::time::SystemTime;

use serde::Serialize;

use super::{Admission, Guest, TOKEN_LIFETIME, seconds};
use crate::{config::LiveKit, portal::token::jwt};

#[derive(Serialize)]
struct Claims<'c> {
    iss: &'c str,
    sub: &'c str,
    nbf: u64,
    exp: u64,
    video: Grant<'c>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Grant<'c> {
    room: &'c str,
    room_join: bool,
    can_publish: bool,
    can_subscribe: bool,
}

pub(super) fn admit(livekit: &LiveKit, guest: Guest<'_>, now: SystemTime) -> Option<Admission> {
    if livekit.url.is_empty() {
        return None;
    }
    let claims = Claims {
        iss: &livekit.api_key,
        sub: guest.user,
        nbf: seconds(now),
        exp: seconds(now + TOKEN_LIFETIME),
        video: Grant {
            room: guest.room.as_str(),
            room_join: true,
            can_publish: guest.publishes,
            can_subscribe: true,
        },
    };
    Some(Admission::LiveKit {
        url: livekit.url.clone(),
        token: jwt::sign(&claims, livekit.api_secret.reveal()),
    })
}
