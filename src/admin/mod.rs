//! What operators and machines ask of the server itself.

pub mod auth;
pub mod dashboard;
pub mod desk;
pub mod health;
pub mod metrics;
pub mod rest;
pub mod socket;

use axum::Router;

use self::{
    auth::Authenticator,
    rest::{Management, Parts},
};
use crate::{
    config::Config, driver::Registry, ids::RoomId, portal::pages, portal::token::Tokens,
    store::Store,
};

/// The management REST, the dashboard and the metrics.
pub fn router(
    config: &Config,
    store: Store,
    registry: Registry,
    tokens: Tokens,
    demo_room: Option<RoomId>,
) -> Router {
    let authenticator = if config.rest.strict {
        Authenticator::strict(store.clone(), config.rest.timestamp_window)
    } else {
        Authenticator::new(store.clone())
    };
    let metrics = metrics::router(registry.clone(), authenticator.clone());
    let rooms = config.rooms.clone();
    let management =
        Management::from(Parts { authenticator, store, registry, tokens, rooms, demo_room });
    Router::new()
        .merge(rest::router(&management))
        .merge(dashboard::router(&management))
        .merge(metrics)
        .merge(pages::admin())
}
