//! Error codes: those of the family of servers that speak this dialect, and three of this one.
//!
//! | code | meaning |
//! |---|---|
//! | -1 | the peer's id |
//! | -2 | the room: unknown, or not the one that is meant |
//! | -3 | the stream (`mid`): unknown, or somebody else's |
//! | -4 | the subscription (`sid`): unknown, or somebody else's |
//! | -5 | the `jsep` is no offer |
//! | -6 | the SDP cannot be read |
//! | -7 | the `minfo` is malformed or disagrees with the offer |
//! | -8 | publishing failed |
//! | -9 | subscribing failed |
//! | -10 | the media node (`sfuid`) is unknown |
//! | -12 | the media node did not answer |
//! | -13 | the directory of rooms failed |
//! | -14 | anything else: an unknown method |
//! | -15 | not in a room |
//! | -16 | the token was refused |
//! | -17 | too large, or too many |
//!
//! The family's -11 (no directory) cannot happen here.

use std::borrow::Cow;

use crate::{
    driver::JoinError,
    portal::offer::OfferError,
    room::{Rejection, Unsatisfied},
};

/// See the module's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Room = -2,
    Stream = -3,
    Subscription = -4,
    Jsep = -5,
    Sdp = -6,
    MediaInfo = -7,
    Publish = -8,
    Subscribe = -9,
    Node = -10,
    NodeFailed = -12,
    DirectoryFailed = -13,
    Unknown = -14,
    NotJoined = -15,
    Token = -16,
    Limit = -17,
}

/// A refused request in this door's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// For a person to read.
    pub(super) reason: Cow<'static, str>,
}

/// What kind of session a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    /// `publish`, `unpublish`, or a `trickle` for a publication.
    Publication,
    /// `subscribe`, `unsubscribe`, or a `trickle` for a subscription.
    Subscription,
}

impl SessionKind {
    /// The code of a session that does not come about.
    pub(super) fn failed(self) -> Code {
        match self {
            Self::Publication => Code::Publish,
            Self::Subscription => Code::Subscribe,
        }
    }

    /// The code of a session that is not there, or is somebody else's.
    fn unknown(self) -> Code {
        match self {
            Self::Publication => Code::Stream,
            Self::Subscription => Code::Subscription,
        }
    }
}

impl Refusal {
    pub(super) fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The request needs a room to be in.
    pub(super) fn not_joined() -> Self {
        Self::new(Code::NotJoined, "join a room first")
    }

    /// A room's rejection of a request, about a session or not.
    pub(super) fn of(rejection: &Rejection, about: Option<SessionKind>) -> Self {
        let failed = about.map_or(Code::Unknown, SessionKind::failed);
        let code = match rejection {
            Rejection::NotJoined => Code::NotJoined,
            Rejection::InvalidRole => Code::Token,
            Rejection::RoomFull
            | Rejection::TooManyInputs
            | Rejection::FloorFull
            | Rejection::TooManySubscriptions
            | Rejection::TextTooLong => Code::Limit,
            Rejection::NoSuchStream
            | Rejection::StreamIsMixed
            | Rejection::AudioUnsatisfied(Unsatisfied::Stream)
            | Rejection::VideoUnsatisfied(Unsatisfied::Stream) => Code::Stream,
            Rejection::NoSuchSubscription => Code::Subscription,
            Rejection::NoSuchSession => about.map_or(Code::Unknown, SessionKind::unknown),
            Rejection::Unauthorized
            | Rejection::AudioForbidden
            | Rejection::VideoForbidden
            | Rejection::NothingRequested
            | Rejection::SessionExists
            | Rejection::TransportInUse
            | Rejection::UnexpectedNegotiation
            | Rejection::StreamNotReady
            | Rejection::SubscriptionNotReady
            | Rejection::AudioUnsatisfied(_)
            | Rejection::VideoUnsatisfied(_) => failed,
            Rejection::NoSuchRoom | Rejection::RoomExists => Code::Room,
            Rejection::AlreadyJoined
            | Rejection::WrongKind
            | Rejection::HasFloor
            | Rejection::NoSuchMember
            | Rejection::NoAudioTrack
            | Rejection::NoVideoTrack
            | Rejection::NoSuchView
            | Rejection::NothingToMix
            | Rejection::NotInView
            | Rejection::NoSuchRegion
            | Rejection::NotMixedStream
            | Rejection::InvalidLayout(_)
            | Rejection::NotSubscribed(_)
            | Rejection::NothingToUpdate(_)
            | Rejection::NoBandwidthEstimate
            | Rejection::NoSuchReceiver(_) => Code::Unknown,
        };
        Self::new(code, rejection.to_string())
    }

    /// The same, for ending a session: what is somebody else's is as good as unknown.
    pub(super) fn of_ending(rejection: &Rejection, kind: SessionKind) -> Self {
        if *rejection == Rejection::Unauthorized {
            return Self::new(kind.unknown(), rejection.to_string());
        }
        Self::of(rejection, Some(kind))
    }
}

impl From<OfferError> for Refusal {
    fn from(error: OfferError) -> Self {
        let code = match error {
            OfferError::TooLong => Code::Limit,
            OfferError::Unreadable => Code::Sdp,
        };
        Self::new(code, error.to_string())
    }
}

impl From<&JoinError> for Refusal {
    fn from(error: &JoinError) -> Self {
        match error {
            JoinError::UnknownRoom(_) => Self::new(Code::Room, "there is no such room"),
            JoinError::TooManyRooms(_) => Self::new(Code::Limit, "there are too many rooms"),
            // The cause is the operator's concern, who finds it in the log.
            JoinError::Store(_) => Self::new(Code::DirectoryFailed, "the directory failed"),
        }
    }
}
