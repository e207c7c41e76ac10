//! The one table from refused requests to what the `owt` door answers.
//!
//! Descriptions are the texts of OWT's own server wherever it has one, because applications match
//! on them. OWT has no codes on its socket; the document wants one, so Portico uses the families
//! of OWT's management REST:
//!
//! | code | meaning |
//! |---|---|
//! | 1001 | there is no such session |
//! | 1003 | there is no such room |
//! | 1004 | there is no such stream, subscription, view or region |
//! | 1005 | there is no such participant |
//! | 1101 | the token, ticket or client was not accepted |
//! | 1102 | not permitted |
//! | 1201 | the request is malformed, or out of place |
//! | 1202 | the stream cannot serve this |
//! | 1203 | a limit is reached |
//! | 2001 | the server failed |

use std::borrow::Cow;

use super::track_id::word;
use crate::{
    driver::JoinError,
    portal::{ComeBackError, token::TokenError},
    room::{LayoutFault, Rejection, Unsatisfied},
};

/// A refused request in this door's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// See the module's table.
    pub(super) code: u16,
    /// For a person to read and for old applications to match on.
    pub(super) description: Cow<'static, str>,
}

const NO_SESSION: u16 = 1001;
const NO_ROOM: u16 = 1003;
const NO_STREAM: u16 = 1004;
const NO_PARTICIPANT: u16 = 1005;
const NOT_ACCEPTED: u16 = 1101;
const NOT_PERMITTED: u16 = 1102;
const MALFORMED: u16 = 1201;
const NOT_SERVED: u16 = 1202;
const LIMIT: u16 = 1203;
const SERVER_FAILED: u16 = 2001;

impl Refusal {
    /// The request is malformed; `description` says where.
    pub(super) fn malformed(description: impl Into<Cow<'static, str>>) -> Self {
        Self { code: MALFORMED, description: description.into() }
    }

    /// The token or the client was not accepted.
    pub(super) fn not_accepted(description: impl Into<Cow<'static, str>>) -> Self {
        Self { code: NOT_ACCEPTED, description: description.into() }
    }

    /// The request comes before a login or after a logout.
    pub(super) fn illegal() -> Self {
        Self::malformed("Illegal request")
    }

    /// The transport named in a `soac` of protocol 1.2 is not the participant's.
    pub(super) fn no_transport(id: &str) -> Self {
        Self { code: NO_SESSION, description: format!("Transport {id} does NOT exist").into() }
    }

    /// The session named in a `soac` is not the participant's.
    pub(super) fn no_session(id: &str) -> Self {
        Self { code: NO_SESSION, description: format!("Session {id} does NOT exist").into() }
    }
}

impl From<&TokenError> for Refusal {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::ForeignRoom(room) => Self::from(&JoinError::UnknownRoom(room.clone())),
            TokenError::Malformed(_)
            | TokenError::Signature
            | TokenError::Unknown
            | TokenError::Expired
            | TokenError::Unavailable(_) => Self::not_accepted(error.to_string()),
        }
    }
}

impl From<&JoinError> for Refusal {
    fn from(error: &JoinError) -> Self {
        let code = match error {
            JoinError::UnknownRoom(_) => NO_ROOM,
            JoinError::TooManyRooms(_) => LIMIT,
            JoinError::Store(_) => SERVER_FAILED,
        };
        Self { code, description: "Joining room failed".into() }
    }
}

impl From<&ComeBackError> for Refusal {
    fn from(error: &ComeBackError) -> Self {
        match error {
            ComeBackError::Ticket(_) | ComeBackError::NoSeat | ComeBackError::Retired => {
                Self::not_accepted(error.to_string())
            }
            ComeBackError::Store(_) => {
                Self { code: SERVER_FAILED, description: "Reconnecting failed".into() }
            }
        }
    }
}

impl From<&Rejection> for Refusal {
    fn from(rejection: &Rejection) -> Self {
        let (code, description): (u16, Cow<'static, str>) = match rejection {
            Rejection::NotJoined => return Self::illegal(),
            Rejection::AlreadyJoined => (MALFORMED, "Participant already in room".into()),
            Rejection::RoomFull => (LIMIT, "Room is full".into()),
            Rejection::FloorFull => (LIMIT, "Too many publishers".into()),
            Rejection::RoomExists => (MALFORMED, "Room exists".into()),
            Rejection::NoSuchRoom => (NOT_ACCEPTED, "Room does NOT exist".into()),
            Rejection::WrongKind => (NOT_PERMITTED, "Not in this kind of room".into()),
            Rejection::HasFloor => (MALFORMED, "Participant is a publisher already".into()),
            Rejection::NoSuchMember => (NO_PARTICIPANT, "Target participant does NOT exist".into()),
            Rejection::InvalidRole => (NOT_ACCEPTED, "Invalid role".into()),
            Rejection::Unauthorized => (NOT_PERMITTED, "unauthorized".into()),
            Rejection::TooManyInputs => (LIMIT, "Too many inputs".into()),
            Rejection::TooManySubscriptions => (LIMIT, "Too many subscriptions".into()),
            Rejection::SessionExists => (MALFORMED, "Stream exists".into()),
            // Spelt as OWT spells it.
            Rejection::AudioForbidden => (NOT_PERMITTED, "Audio is forbiden".into()),
            Rejection::VideoForbidden => (NOT_PERMITTED, "Video is forbiden".into()),
            Rejection::NothingRequested => (MALFORMED, "Bad subscription request".into()),
            Rejection::NoSuchStream => (NO_STREAM, "Stream does NOT exist".into()),
            Rejection::NoSuchSubscription => (NO_STREAM, "Subscription does NOT exist".into()),
            Rejection::NoSuchSession => (NO_SESSION, "Session does NOT exist".into()),
            Rejection::TransportInUse => (MALFORMED, "Transport is in use".into()),
            Rejection::UnexpectedNegotiation => (MALFORMED, "Unexpected SDP".into()),
            Rejection::AudioUnsatisfied(why) => (NOT_SERVED, unsatisfied("audio", *why).into()),
            Rejection::VideoUnsatisfied(why) => (NOT_SERVED, unsatisfied("video", *why).into()),
            Rejection::NoAudioTrack => (NOT_SERVED, "Stream does NOT contain audio track".into()),
            Rejection::NoVideoTrack => (NOT_SERVED, "Stream does NOT contain video track".into()),
            Rejection::StreamNotReady => (MALFORMED, "Stream is NOT ready".into()),
            Rejection::NoSuchView => (NO_STREAM, "Invalid view".into()),
            Rejection::NothingToMix => (NOT_SERVED, "No audio or video to mix".into()),
            Rejection::NotInView => (NOT_SERVED, "Invalid input stream_id.".into()),
            Rejection::NoSuchRegion => (NO_STREAM, "Invalid region_id.".into()),
            Rejection::StreamIsMixed => (MALFORMED, "Stream is Mixed".into()),
            Rejection::NotMixedStream => (MALFORMED, "Not mixed stream".into()),
            Rejection::InvalidLayout(fault) => (MALFORMED, invalid_layout(*fault).into()),
            Rejection::NotSubscribed(kind) => {
                let what = format!("Subscription does NOT contain {} track", word(*kind));
                (NOT_SERVED, what.into())
            }
            Rejection::NothingToUpdate(kind) => {
                let what = format!("Target subscription does NOT have {} to update", word(*kind));
                (NOT_SERVED, what.into())
            }
            Rejection::SubscriptionNotReady => (NOT_SERVED, "Update subscription failed".into()),
            Rejection::NoBandwidthEstimate => {
                (NOT_SERVED, "Bandwidth estimate is not available".into())
            }
            Rejection::NoSuchReceiver(id) => {
                (NO_PARTICIPANT, format!("Target participant does NOT exist: {id}").into())
            }
            Rejection::TextTooLong => (MALFORMED, "Message is too long".into()),
        };
        Self { code, description }
    }
}

fn invalid_layout(fault: LayoutFault) -> &'static str {
    match fault {
        LayoutFault::Region => "Invalid region",
        LayoutFault::StreamHole => "Stream ID hole is not allowed",
        LayoutFault::DuplicateStream => "Stream ID duplicates",
        LayoutFault::InputStream => "Invalid input stream id",
    }
}

/// There is no space behind the colon in OWT's text.
fn unsatisfied(kind: &str, why: Unsatisfied) -> String {
    let what = match why {
        Unsatisfied::Stream => {
            return format!("Target {kind} stream does NOT satisfy:Requested {kind} stream");
        }
        Unsatisfied::Format => "Format is not acceptable",
        Unsatisfied::Resolution => "Resolution is not acceptable",
        Unsatisfied::Framerate => "Framerate is not acceptable",
        Unsatisfied::Bitrate => "Bitrate is not acceptable",
        Unsatisfied::KeyFrameInterval => "KeyFrameInterval is not acceptable",
        Unsatisfied::SimulcastRid => "Simulcast RID is not acceptable",
        Unsatisfied::MixerNotReady => {
            return format!(
                "{} mixer is NOT ready.",
                if kind == "audio" { "Audio" } else { "Video" }
            );
        }
    };
    format!("Target {kind} stream does NOT satisfy:{what}")
}
