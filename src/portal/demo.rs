//! What the demo page asks for: the room that needs no token, a token for it, and what its visitors
//! may do to the mix there.

mod mixing;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::token::Tokens;
use crate::{driver::Registry, ids::RoomId};

/// The role that the demo page's visitors have.
const DEMO_ROLE: &str = "presenter";

/// The longest name a visitor may have, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The largest request, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

#[derive(Clone)]
struct Demo {
    room: Option<RoomId>,
    tokens: Tokens,
    registry: Registry,
}

#[derive(Serialize)]
struct Offer {
    enabled: bool,
    room: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    user: String,
    room: String,
}

#[derive(Serialize)]
struct Granted<'a> {
    token: &'a str,
}

/// The routes below `/demo/`; `room` is `None` when there is no demo room.
pub fn router(room: Option<RoomId>, tokens: Tokens, registry: Registry) -> Router {
    Router::new()
        .route("/demo/config", get(config))
        .route("/demo/token", post(token))
        .route("/demo/layout", post(mixing::layout))
        .route("/demo/mix", post(mixing::mix))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Demo { room, tokens, registry }))
}

async fn config(State(demo): State<Arc<Demo>>) -> Json<Offer> {
    let room = demo.room.as_ref().map(ToString::to_string);
    Json(Offer { enabled: room.is_some(), room })
}

async fn token(State(demo): State<Arc<Demo>>, Json(wish): Json<Wish>) -> Response {
    let room = match demo.open_room(&wish.room) {
        Ok(room) => room,
        Err(refusal) => return refusal.into_response(),
    };
    let user = wish.user.trim();
    if user.is_empty() || user.chars().count() > MAX_NAME_CHARS {
        return (StatusCode::BAD_REQUEST, "a name has 1 to 64 characters\n").into_response();
    }
    match demo.tokens.issue(room, user, DEMO_ROLE, None).await {
        Ok(token) => Json(Granted { token: token.reveal() }).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot issue a token for the demo room");
            (StatusCode::INTERNAL_SERVER_ERROR, "the token could not be issued\n").into_response()
        }
    }
}

impl Demo {
    /// The demo room, if that is the room that is meant.
    fn open_room(&self, named: &str) -> Result<&RoomId, (StatusCode, &'static str)> {
        let room = self.room.as_ref().filter(|room| room.as_str() == named);
        room.ok_or((StatusCode::FORBIDDEN, "only the demo room is open without a token\n"))
    }
}
