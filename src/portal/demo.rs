//! What the demo page asks for: the room that needs no token, and a token for it.

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
use crate::ids::RoomId;

/// The role that the demo page's visitors have.
const DEMO_ROLE: &str = "presenter";

/// The longest name a visitor may have, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The largest request, in bytes.
const MAX_BODY_BYTES: usize = 4096;

#[derive(Clone)]
struct Demo {
    room: Option<RoomId>,
    tokens: Tokens,
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

/// `GET /demo/config` and `POST /demo/token`; `room` is `None` when there is no demo room.
pub fn router(room: Option<RoomId>, tokens: Tokens) -> Router {
    Router::new()
        .route("/demo/config", get(config))
        .route("/demo/token", post(token))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Demo { room, tokens }))
}

async fn config(State(demo): State<Arc<Demo>>) -> Json<Offer> {
    let room = demo.room.as_ref().map(ToString::to_string);
    Json(Offer { enabled: room.is_some(), room })
}

async fn token(State(demo): State<Arc<Demo>>, Json(wish): Json<Wish>) -> Response {
    let Some(room) = demo.room.as_ref().filter(|room| room.as_str() == wish.room) else {
        return (StatusCode::FORBIDDEN, "only the demo room is open without a token\n")
            .into_response();
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
