//! Takes requests apart: what the path names, and the body.

use std::{str::FromStr, time::Duration};

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::ids::{ParticipantId, RoomId, ServiceId, StreamId};

/// The largest body, in bytes. A room with all its views is a few KiB.
pub(super) const MAX_BODY_BYTES: usize = 512 * 1024;

/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What a path names. An id that cannot be one is not found.
pub(in crate::admin) struct Named(Vec<(String, String)>);

impl Named {
    pub(in crate::admin) fn room(&self) -> Result<RoomId, Problem> {
        self.parsed("room").ok_or_else(Problem::no_room)
    }

    pub(super) fn participant(&self) -> Result<ParticipantId, Problem> {
        self.parsed("participant").ok_or_else(Problem::no_participant)
    }

    pub(super) fn stream(&self) -> Result<StreamId, Problem> {
        self.parsed("stream").ok_or_else(Problem::no_stream)
    }

    pub(super) fn service(&self) -> Result<ServiceId, Problem> {
        self.parsed("service").ok_or_else(Problem::no_service)
    }

    pub(super) fn view(&self) -> Result<&str, Problem> {
        self.text("view").ok_or_else(Problem::no_view)
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // It fails for paths that are not UTF-8 once decoded, which name nothing.
        let named = RawPathParams::from_request_parts(parts, state).await;
        let named = named.map_err(|_| Problem::no_resource())?;
        Ok(Self(named.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

/// A body, which must be JSON whatever its `Content-Type` says.
pub(super) struct Body(Value);

impl Body {
    /// As it is.
    pub(super) fn into_value(self) -> Value {
        self.0
    }

    /// As something of this form.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Problem> {
        serde_json::from_value(self.0)
            .map_err(|error| Problem::bad_request(format!("Invalid request body: {error}")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let reading = to_bytes(request.into_body(), MAX_BODY_BYTES);
        let bytes = tokio::time::timeout(BODY_PATIENCE, reading).await;
        let bytes = bytes.map_err(|_| Problem::too_slow())?.map_err(|_| Problem::too_large())?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::bad_request(format!("Failed to parse JSON body: {error}")))?;
        Ok(Self(value))
    }
}
