//! The origin by HTTP, below `/live`.

mod file;
mod playing;
mod reply;
mod uploading;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::Query,
    http::{HeaderMap, header},
    routing::{get, post},
};
use tokio::sync::Semaphore;

use super::{access::Authorizer, origin::Live};

/// Uploads whose bodies are read at once; more wait. Each takes memory for a piece and its base64.
const MAX_UPLOADS_AT_ONCE: usize = 32;

/// What every request needs.
#[derive(Clone)]
struct Http {
    live: Live,
    authorizer: Arc<dyn Authorizer>,
    uploads: Arc<Semaphore>,
}

type Members = Query<HashMap<String, String>>;

/// The routes below `/live`.
pub fn router(live: Live, authorizer: Arc<dyn Authorizer>) -> Router {
    let uploads = Arc::new(Semaphore::new(MAX_UPLOADS_AT_ONCE));
    Router::new()
        .route("/live/{user}/{stream}", post(uploading::signal).delete(uploading::end))
        .route("/live/{user}/{stream}/playlist.m3u8", get(playing::multivariant))
        .route(
            "/live/{user}/{stream}/{kind}/{track}/{file}",
            get(playing::file).put(uploading::file),
        )
        .with_state(Http { live, authorizer, uploads })
}

/// `Authorization: Bearer`, else `?token=`.
fn credential<'r>(headers: &'r HeaderMap, members: &'r HashMap<String, String>) -> Option<&'r str> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim())
    });
    bearer.or(members.get("token").map(String::as_str)).filter(|token| !token.is_empty())
}
