//! What the REST answers when it does not do what it is asked for.
//!
//! Codes and texts are OWT's. Where OWT's server says 500 for whatever goes wrong in a room, the
//! status here says whose fault it is.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    admin::auth::AuthError,
    driver::JoinError,
    portal::token::IssueError,
    room::{LayoutFault, Rejection},
    store::{StoreError, room_record::BadRecord},
};

/// An answer that is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: u16,
    pub(super) message: Cow<'static, str>,
}

/// OWT's challenge, which stands in the body.
const CHALLENGE: &str = r#"WWW-Authenticate: MAuth realm="http://marte3.dit.upm.es""#;

/// The same where HTTP wants it.
const CHALLENGE_HEADER: HeaderValue =
    HeaderValue::from_static(r#"MAuth realm="http://marte3.dit.upm.es""#);

const NOT_FOUND: u16 = 1001;
const NO_SERVICE: u16 = 1002;
const NO_ROOM: u16 = 1003;
const NO_STREAM: u16 = 1004;
const NO_PARTICIPANT: u16 = 1005;
const NOT_SIGNED: u16 = 1101;
const NOT_PERMITTED: u16 = 1102;
const BAD_REQUEST: u16 = 1201;
const NOT_DONE: u16 = 1301;
const FAILED: u16 = 2001;

type Text = Cow<'static, str>;

impl Problem {
    fn new(status: StatusCode, code: u16, message: impl Into<Text>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn not_signed() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, NOT_SIGNED, CHALLENGE)
    }

    pub(super) fn not_permitted(message: impl Into<Text>) -> Self {
        Self::new(StatusCode::FORBIDDEN, NOT_PERMITTED, message)
    }

    pub(super) fn bad_request(message: impl Into<Text>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BAD_REQUEST, message)
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, BAD_REQUEST, "Request body is too large")
    }

    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, BAD_REQUEST, "Request body did not arrive in time")
    }

    pub(super) fn no_resource() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, "Resource not found")
    }

    pub(super) fn no_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, BAD_REQUEST, "Method not allowed")
    }

    pub(super) fn no_service() -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_SERVICE, "Service not found")
    }

    pub(super) fn no_room() -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_ROOM, "Room not found")
    }

    pub(super) fn no_stream() -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_STREAM, "Stream not found")
    }

    pub(super) fn no_view() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, "View not found")
    }

    pub(super) fn no_participant() -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_PARTICIPANT, "Participant not found")
    }

    /// What Portico does not do; `what` names it.
    pub(super) fn not_implemented(what: &str) -> Self {
        let message = format!("Portico does not do this yet: {what}");
        Self::new(StatusCode::NOT_IMPLEMENTED, NOT_DONE, message)
    }

    /// What cannot be had now.
    pub(super) fn unavailable(message: impl Into<Text>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, NOT_DONE, message)
    }

    fn failed(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %what, "a management request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, FAILED, "The server failed; see its log")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let body = Json(json!({"error": {"code": code, "message": message}}));
        let mut response = (status, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE_HEADER);
        }
        response
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused => Self::not_signed(),
            AuthError::Overrun => Self::unavailable(error.to_string()),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Full { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, NOT_DONE, error.to_string())
            }
            StoreError::Closed => Self::unavailable("The server is shutting down"),
            StoreError::InUse { .. }
            | StoreError::Directory { .. }
            | StoreError::Newer { .. }
            | StoreError::Database(_)
            | StoreError::Damaged { .. } => Self::failed(&error),
        }
    }
}

impl From<BadRecord> for Problem {
    fn from(error: BadRecord) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::UnknownRoom(_) => Self::no_room(),
            JoinError::TooManyRooms(_) => Self::unavailable(error.to_string()),
            JoinError::Store(error) => error.into(),
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Empty { .. } => Self::bad_request("Name or role not valid"),
            IssueError::TooLong { .. } => Self::bad_request(error.to_string()),
            IssueError::Store(error) => error.into(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotJoined | Rejection::NoSuchReceiver(_) | Rejection::NoSuchMember => {
                Self::no_participant()
            }
            Rejection::NoSuchStream | Rejection::StreamNotReady => Self::no_stream(),
            Rejection::NoAudioTrack => Self::bad_request("Stream does NOT contain audio track"),
            Rejection::NoVideoTrack => Self::bad_request("Stream does NOT contain video track"),
            Rejection::NoSuchView => Self::bad_request("Invalid view"),
            Rejection::NothingToMix => Self::bad_request("No audio or video to mix"),
            Rejection::NotInView => Self::bad_request("Invalid input stream_id."),
            Rejection::NoSuchRegion => Self::bad_request("Invalid region_id."),
            Rejection::StreamIsMixed => Self::bad_request("Stream is Mixed"),
            Rejection::NotMixedStream => Self::bad_request("Not mixed stream"),
            Rejection::InvalidLayout(fault) => Self::bad_request(match fault {
                LayoutFault::Region => "Invalid region",
                LayoutFault::StreamHole => "Stream ID hole is not allowed",
                LayoutFault::DuplicateStream => "Stream ID duplicates",
                LayoutFault::InputStream => "Invalid input stream id",
            }),
            Rejection::Unauthorized => Self::not_permitted("Permission denied"),
            Rejection::AlreadyJoined
            | Rejection::RoomExists
            | Rejection::NoSuchRoom
            | Rejection::WrongKind
            | Rejection::HasFloor
            | Rejection::FloorFull
            | Rejection::RoomFull
            | Rejection::InvalidRole
            | Rejection::TooManyInputs
            | Rejection::TooManySubscriptions
            | Rejection::SessionExists
            | Rejection::AudioForbidden
            | Rejection::VideoForbidden
            | Rejection::NothingRequested
            | Rejection::NoSuchSubscription
            | Rejection::NoSuchSession
            | Rejection::TransportInUse
            | Rejection::UnexpectedNegotiation
            | Rejection::AudioUnsatisfied(_)
            | Rejection::VideoUnsatisfied(_)
            | Rejection::NotSubscribed(_)
            | Rejection::NothingToUpdate(_)
            | Rejection::SubscriptionNotReady
            | Rejection::NoBandwidthEstimate
            | Rejection::TextTooLong => Self::bad_request(rejection.to_string()),
        }
    }
}
