//! What packagers and players are answered.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::live::{access::Denial, fault::Fault, stage::Miss};

/// An upload was taken in.
#[derive(Serialize)]
pub(super) struct Taken {
    /// Milliseconds from when it was sent, by the sender's clock, to when all of it was here.
    pub(super) delay: u64,
}

/// A request was not served.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not readable as a request.
    Malformed(String),
    /// There cannot be such an address.
    NowhereAtAll,
    /// Its sender may not.
    Denied(Denial),
    /// Its body is too large.
    TooLarge(String),
    /// Its body did not arrive.
    Slow,
    /// An upload is not taken.
    Upload(Fault),
    /// A player does not get something.
    Playback(Miss),
}

#[derive(Serialize)]
struct Told {
    msg: String,
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Upload(fault)
    }
}

impl From<Miss> for Refusal {
    fn from(miss: Miss) -> Self {
        Self::Playback(miss)
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Upload(Fault::Malformed(_)) => StatusCode::BAD_REQUEST,
            Self::Playback(Miss::TooFar) => StatusCode::BAD_REQUEST,
            Self::Denied(Denial::Unknown(_)) => StatusCode::UNAUTHORIZED,
            Self::Denied(Denial::Forbidden(_)) => StatusCode::FORBIDDEN,
            Self::NowhereAtAll | Self::Upload(Fault::Unknown(_)) | Self::Playback(Miss::Absent) => {
                StatusCode::NOT_FOUND
            }
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Upload(Fault::Order(_)) => StatusCode::CONFLICT,
            Self::TooLarge(_) | Self::Upload(Fault::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Upload(Fault::Unfit(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Denied(Denial::Unavailable)
            | Self::Upload(Fault::Full(_))
            | Self::Playback(Miss::Overdue) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let msg = match self {
            Self::Malformed(msg) | Self::TooLarge(msg) => msg,
            Self::NowhereAtAll => "there cannot be such a broadcast".into(),
            Self::Denied(denial) => denial.to_string(),
            Self::Slow => "the body took too long".into(),
            Self::Upload(fault) => fault.to_string(),
            Self::Playback(miss) => miss.to_string(),
        };
        let mut response = (status, Json(Told { msg })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
