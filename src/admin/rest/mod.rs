//! The management REST: OWT's v1 and v1.1, for back ends and for the dashboard.
//!
//! Every request is signed (see [`auth`](super::auth)) and every answer has OWT's headers. What
//! there is stands in one table, of which the router and the OpenAPI document are made.

mod edit;
mod endpoints;
mod openapi;
mod participants;
mod patch;
mod problem;
mod reading;
mod rooms;
mod services;
mod streams;
mod tokens;
mod views;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};

pub(super) use self::{
    participants::describe_all as describe_participants, problem::Problem, reading::Named,
};
use super::auth::{Authenticator, Caller};
use crate::{
    config,
    driver::Registry,
    ids::RoomId,
    portal::token::Tokens,
    store::{KeptRoom, RoomRecord, Store},
};

/// What the management REST works on.
#[derive(Clone)]
pub struct Management(Arc<Parts>);

/// What a [`Management`] is made of.
pub struct Parts {
    /// Who signs.
    pub authenticator: Authenticator,
    /// Where rooms and services are kept.
    pub store: Store,
    /// The running rooms.
    pub registry: Registry,
    /// Who issues tokens.
    pub tokens: Tokens,
    /// What a new room is like, and how many there may be.
    pub rooms: config::Rooms,
    /// The room that needs no record.
    pub demo_room: Option<RoomId>,
}

impl From<Parts> for Management {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

/// Which form a stream's description has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// As protocol 1.0 has it: `media.video.format`.
    V1,
    /// As protocol 1.1 has it: `media.video.original`.
    V1_1,
}

/// The whole REST, below `/v1`, `/v1.1` and `/services`.
pub fn router(management: &Management) -> Router {
    let services = endpoints::services(management);
    let versioned = |version| {
        let routes = endpoints::rooms(management).layer(Extension(version));
        signed(management, routes.fallback(missing))
    };
    let document = openapi::document();
    let document = get(|| async move { ([(header::CONTENT_TYPE, "application/json")], document) });
    Router::new()
        .nest("/v1", versioned(Version::V1))
        .nest("/v1.1", versioned(Version::V1_1))
        .merge(signed(management, services))
        .route("/v1.1/openapi.json", document)
        .layer(middleware::from_fn(dress))
}

async fn missing() -> Problem {
    Problem::no_resource()
}

/// Lets only signed requests through.
pub(super) fn signed(management: &Management, routes: Router) -> Router {
    routes
        .method_not_allowed_fallback(|| async { Problem::no_method() })
        .layer(middleware::from_fn_with_state(management.clone(), authenticate))
}

async fn authenticate(
    State(management): State<Management>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(header::AUTHORIZATION);
    let header = header.and_then(|header| header.to_str().ok()).ok_or_else(Problem::not_signed)?;
    let caller = management.0.authenticator.verify(header, SystemTime::now()).await?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Gives every answer OWT's headers, and answers `OPTIONS` itself.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS, DELETE, PATCH, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "origin, authorization, content-type"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=1024000; includeSubDomain"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Answers hold tokens and keys.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Management {
    /// The running rooms.
    pub(super) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// A room that the caller may see. Nobody learns whether somebody else's exists.
    pub(super) async fn room(&self, caller: &Caller, id: &RoomId) -> Result<RoomRecord, Problem> {
        match self.0.store.kept_room(id).await? {
            Some(kept) if may_see(caller, &kept) => Ok(kept.record),
            Some(_) => Err(Problem::no_room()),
            None if self.exists_unkept(id) => Ok(self.0.registry.record(id).await?),
            None => Err(Problem::no_room()),
        }
    }

    /// All rooms that the caller may see, by id.
    pub(super) async fn visible_rooms(&self, caller: &Caller) -> Result<Vec<RoomRecord>, Problem> {
        let mut records = BTreeMap::new();
        let mut hidden = Vec::new();
        for kept in self.0.store.kept_rooms().await? {
            if may_see(caller, &kept) {
                records.insert(kept.record.id.clone(), kept.record);
            } else {
                hidden.push(kept.record.id);
            }
        }
        let running = self.0.registry.loads().into_keys();
        for id in running.chain(self.0.demo_room.clone()) {
            if !records.contains_key(&id) && !hidden.contains(&id) {
                let record = RoomRecord::with_defaults(id.clone(), id.as_str(), &self.0.rooms);
                records.insert(id, record);
            }
        }
        Ok(records.into_values().collect())
    }

    /// Whether a room exists that the store knows nothing of: the demo room, and those that
    /// joining made, for as long as they run.
    fn exists_unkept(&self, id: &RoomId) -> bool {
        self.0.demo_room.as_ref() == Some(id) || self.0.registry.running(id).is_some()
    }
}

fn may_see(caller: &Caller, kept: &KeptRoom) -> bool {
    kept.is_open_to(&caller.service, caller.is_super)
}
