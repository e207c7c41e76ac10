//! Error codes: those of the dialect.
//!
//! | code | meaning |
//! |---|---|
//! | 500 | the server failed |
//! | 2001 | the signal is malformed, or nobody may say it |
//! | 2002 | the signal makes no sense in this kind of room, or the room is of another kind |
//! | 4001 | there is no such room, or the session is not in it |
//! | 4002 | whoever is to be promoted or refused is not in the room |
//! | 4003 | the other side of a call, or of a candidate, is not there |
//! | 4022 | the room to be made exists |
//! | 4023 | a publisher already |
//! | 4024 | whoever is to be watched or answered is not there |
//! | 4051 | not permitted, or as many as may be |

use std::borrow::Cow;

use super::message::Kind;
use crate::{
    driver::JoinError,
    portal::offer::OfferError,
    room::{Rejection, Unsatisfied},
};

/// See the module's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Internal = 500,
    Invalid = 2001,
    Unsupported = 2002,
    NoRoom = 4001,
    NoMember = 4002,
    NoRecipient = 4003,
    RoomExists = 4022,
    PublisherAlready = 4023,
    UserLeft = 4024,
    NotPermitted = 4051,
}

/// A refused signal in this door's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// For a person to read.
    pub(super) msg: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(code: Code, msg: impl Into<Cow<'static, str>>) -> Self {
        Self { code, msg: msg.into() }
    }

    pub(super) fn invalid(msg: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Invalid, msg)
    }

    /// The session is not in the room, at least not by this connection. Whether there is such a
    /// room or such a session is not told.
    pub(super) fn no_room() -> Self {
        Self::new(Code::NoRoom, "the room does not exist, or this session is not in it")
    }

    /// The signal makes no sense in this kind of room.
    pub(super) fn unsupported() -> Self {
        Self::new(Code::Unsupported, "not in this kind of room")
    }

    /// Whoever is to be watched or answered is not there.
    pub(super) fn left() -> Self {
        Self::new(Code::UserLeft, "nobody of that id publishes")
    }

    /// The other side is not there.
    pub(super) fn no_recipient() -> Self {
        Self::new(Code::NoRecipient, "nobody of that id is there")
    }

    /// The media side did not answer.
    pub(super) fn no_answer() -> Self {
        Self::new(Code::Internal, "the media side did not answer")
    }

    /// A room's rejection of a signal.
    pub(super) fn of(rejection: &Rejection, kind: Kind) -> Self {
        let code = match rejection {
            Rejection::NotJoined | Rejection::NoSuchRoom => return Self::no_room(),
            // As for a malformed one, so that nobody learns whose sessions there are.
            Rejection::AlreadyJoined => return Self::invalid(SESSION_ID),
            Rejection::RoomExists => Code::RoomExists,
            Rejection::WrongKind => Code::Unsupported,
            Rejection::HasFloor => Code::PublisherAlready,
            Rejection::NoSuchMember => {
                if !matches!(kind, Kind::PublishAccept | Kind::PublishReject) {
                    return Self::no_recipient();
                }
                Code::NoMember
            }
            Rejection::NoSuchStream
            | Rejection::AudioUnsatisfied(Unsatisfied::Stream)
            | Rejection::VideoUnsatisfied(Unsatisfied::Stream) => return Self::left(),
            Rejection::Unauthorized
            | Rejection::FloorFull
            | Rejection::RoomFull
            | Rejection::InvalidRole
            | Rejection::TooManyInputs
            | Rejection::TooManySubscriptions
            | Rejection::AudioForbidden
            | Rejection::VideoForbidden => Code::NotPermitted,
            Rejection::AudioUnsatisfied(Unsatisfied::MixerNotReady)
            | Rejection::VideoUnsatisfied(Unsatisfied::MixerNotReady) => Code::Internal,
            Rejection::SessionExists
            | Rejection::TransportInUse
            | Rejection::UnexpectedNegotiation
            | Rejection::NothingRequested
            | Rejection::NoSuchSubscription
            | Rejection::NoSuchSession
            | Rejection::AudioUnsatisfied(_)
            | Rejection::VideoUnsatisfied(_)
            | Rejection::NoAudioTrack
            | Rejection::NoVideoTrack
            | Rejection::StreamNotReady
            | Rejection::NoSuchView
            | Rejection::NothingToMix
            | Rejection::NotInView
            | Rejection::NoSuchRegion
            | Rejection::StreamIsMixed
            | Rejection::NotMixedStream
            | Rejection::InvalidLayout(_)
            | Rejection::NotSubscribed(_)
            | Rejection::NothingToUpdate(_)
            | Rejection::SubscriptionNotReady
            | Rejection::NoBandwidthEstimate
            | Rejection::NoSuchReceiver(_)
            | Rejection::TextTooLong => Code::Invalid,
        };
        Self::new(code, rejection.to_string())
    }
}

/// What is wrong with a session id, or with one that is somebody else's.
pub(super) const SESSION_ID: &str = "ss.sessionId cannot be used";

impl From<&JoinError> for Refusal {
    fn from(error: &JoinError) -> Self {
        match error {
            JoinError::UnknownRoom(_) => Self::no_room(),
            JoinError::TooManyRooms(_) => Self::new(Code::Internal, "there are too many rooms"),
            // The cause is the operator's concern, who finds it in the log.
            JoinError::Store(_) => Self::new(Code::Internal, "the directory failed"),
        }
    }
}

impl From<OfferError> for Refusal {
    fn from(error: OfferError) -> Self {
        Self::invalid(error.to_string())
    }
}
