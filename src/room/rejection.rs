//! Why a request is refused. The participant's fault, always: each door has one table that turns
//! these into its own words.

use super::LayoutFault;
use crate::{formats::TrackKind, ids::ParticipantId};

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The participant is not in the room.
    #[error("not in the room")]
    NotJoined,
    /// The participant is already in the room.
    #[error("already in the room")]
    AlreadyJoined,
    /// The room was to be made and is there.
    #[error("the room exists")]
    RoomExists,
    /// The room has ended.
    #[error("there is no such room")]
    NoSuchRoom,
    /// It makes no sense in this kind of room.
    #[error("this is another kind of room")]
    WrongKind,
    /// The participant has the floor already.
    #[error("a publisher already")]
    HasFloor,
    /// As many have the floor as may.
    #[error("the room has as many publishers as it admits")]
    FloorFull,
    /// Nobody in the room is meant.
    #[error("not in the room")]
    NoSuchMember,
    /// The room has as many participants as it admits.
    #[error("the room is full")]
    RoomFull,
    /// The room defines no such role.
    #[error("the room has no such role")]
    InvalidRole,
    /// The role does not permit it, or the thing belongs to somebody else.
    #[error("not permitted")]
    Unauthorized,
    /// The room has as many forward streams as it admits, or the participant as it may have.
    #[error("too many streams")]
    TooManyInputs,
    /// The participant has as many subscriptions as it may have.
    #[error("too many subscriptions")]
    TooManySubscriptions,
    /// A session of that id exists.
    #[error("the session exists")]
    SessionExists,
    /// The room takes no sound.
    #[error("the room takes no audio")]
    AudioForbidden,
    /// The room takes no picture.
    #[error("the room takes no video")]
    VideoForbidden,
    /// Neither sound nor picture was asked for.
    #[error("neither audio nor video")]
    NothingRequested,
    /// There is no such publication or stream.
    #[error("no such stream")]
    NoSuchStream,
    /// There is no such subscription.
    #[error("no such subscription")]
    NoSuchSubscription,
    /// There is no such session or transport.
    #[error("no such session")]
    NoSuchSession,
    /// The transport is one that carries a single session, or is to become one.
    #[error("the transport carries another session")]
    TransportInUse,
    /// An offer where this server makes the offers, or an answer that no offer waits for.
    #[error("no such negotiation message is due")]
    UnexpectedNegotiation,
    /// The wanted sound does not fit the stream.
    #[error("the audio source cannot serve this: {0:?}")]
    AudioUnsatisfied(Unsatisfied),
    /// The wanted picture does not fit the stream.
    #[error("the video source cannot serve this: {0:?}")]
    VideoUnsatisfied(Unsatisfied),
    /// The stream lacks the track that was to be paused or resumed.
    #[error("no such audio track")]
    NoAudioTrack,
    /// The stream lacks the track that was to be paused or resumed.
    #[error("no such video track")]
    NoVideoTrack,
    /// The stream's publication still connects.
    #[error("the stream is not ready")]
    StreamNotReady,
    /// The room has no view of that label.
    #[error("no such view")]
    NoSuchView,
    /// The stream has neither sound nor picture that the view mixes.
    #[error("nothing to mix")]
    NothingToMix,
    /// The view does not show the stream.
    #[error("not in the view")]
    NotInView,
    /// No region of that name or place shows anything.
    #[error("no such region")]
    NoSuchRegion,
    /// A mixed stream, where only forward streams will do.
    #[error("the stream is mixed")]
    StreamIsMixed,
    /// A forward stream, where only mixed streams will do.
    #[error("the stream is not mixed")]
    NotMixedStream,
    /// The layout cannot be a view's.
    #[error("invalid layout: {0}")]
    InvalidLayout(LayoutFault),
    /// The subscription lacks the track that was to be paused or resumed.
    #[error("the subscription has no {0:?}")]
    NotSubscribed(TrackKind),
    /// The subscription lacks the track that was to be updated.
    #[error("the subscription has no {0:?} to update")]
    NothingToUpdate(TrackKind),
    /// The subscription that was to be updated still connects.
    #[error("the subscription is not ready")]
    SubscriptionNotReady,
    /// No estimate of the subscriber's bandwidth is made.
    #[error("there is no estimate of the bandwidth")]
    NoBandwidthEstimate,
    /// The receiver of a text is not in the room.
    #[error("no such participant: {0}")]
    NoSuchReceiver(ParticipantId),
    /// The text is longer than the protocol allows.
    #[error("the text is too long")]
    TextTooLong,
}

/// In which way a stream cannot serve a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsatisfied {
    /// There is no such stream, or it has no such track.
    Stream,
    /// The format.
    Format,
    /// The size.
    Resolution,
    /// The frame rate.
    Framerate,
    /// The bit rate.
    Bitrate,
    /// The key frame interval.
    KeyFrameInterval,
    /// The simulcast layer.
    SimulcastRid,
    /// The stream is mixed and its mixer does not run.
    MixerNotReady,
}
