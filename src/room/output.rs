//! What a room wants done: answers, notifications, and effects on media and connections.

use std::sync::Arc;

use super::{
    AudioFeed, DesiredView, FloorView, Managed, Negotiation, PublisherInfo, Rejection, VideoFeed,
    stream::{StreamInfo, StreamUpdate},
};
use crate::{
    formats::{AudioFormat, Offerer, TrackKind, VideoFormat},
    ids::{ParticipantId, RoomId, SessionId, StreamId, TransportId},
};

/// Tells a request's answer from others of the same participant; chosen by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One thing to do. Outputs are performed in the order in which the room yields them.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Answer a request.
    Reply {
        /// Who asked.
        to: ParticipantId,
        /// Which request.
        request: RequestId,
        /// Granted, or refused and why.
        result: Result<Reply, Rejection>,
    },
    /// Tell a participant something.
    Notify {
        /// Whom.
        to: ParticipantId,
        /// What; shared between all who are told the same.
        notification: Arc<Notification>,
    },
    /// Answer an administrator's order.
    Managed {
        /// Which order.
        request: RequestId,
        /// Carried out, or refused and why.
        result: Result<Managed, Rejection>,
    },
    /// Change something outside.
    Effect(Effect),
}

/// A granted request's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// One is in; this is the room as one finds it.
    Joined(Box<Joined>),
    /// Done, and nothing more to say.
    Done,
    /// A publication or subscription was accepted and waits for its negotiation.
    SessionOpened {
        /// The session.
        session: SessionId,
        /// The peer connection that carries it.
        transport: TransportId,
    },
    /// Who publishes, the owner first.
    Publishers(Arc<[PublisherInfo]>),
    /// Where a view shows a stream.
    Region {
        /// The region's id.
        region: Arc<str>,
    },
    /// The room as it is.
    Described(Box<RoomInfo>),
}

/// What a newcomer learns.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Oneself.
    pub participant: ParticipantInfo,
    /// What one's role permits.
    pub permission: Permission,
    /// The room.
    pub room: RoomInfo,
    /// What those learn who know the floor.
    pub floor: Option<FloorView>,
}

/// A participant as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantInfo {
    /// Its id.
    pub id: ParticipantId,
    /// Its account.
    pub user: Arc<str>,
    /// Its role.
    pub role: Arc<str>,
    /// The account's name made unique among those present, for dialects that know each other by
    /// name: whoever comes while a name is taken is called `<user>~2`, `~3` and so on until it
    /// leaves.
    pub handle: Arc<str>,
}

/// What a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// What it may publish.
    pub publish: MediaPermission,
    /// What it may subscribe to.
    pub subscribe: MediaPermission,
}

/// Permission by kind of track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPermission {
    /// Sound.
    pub audio: bool,
    /// Picture.
    pub video: bool,
}

/// A room as a newcomer finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomInfo {
    /// Its id.
    pub id: RoomId,
    /// The labels of its views.
    pub views: Vec<Arc<str>>,
    /// Streams that can be subscribed to: mixed ones first, then forward ones by age.
    pub streams: Vec<Arc<StreamInfo>>,
    /// Everybody in it, the newcomer included, by age.
    pub participants: Vec<ParticipantInfo>,
}

/// Something a participant is told without having asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Notification {
    /// Somebody else came.
    ParticipantJoined(ParticipantInfo),
    /// Somebody else left.
    ParticipantLeft(ParticipantInfo),
    /// A text arrived.
    Text {
        /// The sender.
        from: ParticipantInfo,
        /// To everybody, or to the receiver alone.
        audience: Audience,
        /// The text.
        message: Arc<str>,
    },
    /// Somebody else sent something to all others.
    Broadcast {
        /// The sender.
        from: ParticipantInfo,
        /// Any JSON, as text that the room does not look into.
        data: Arc<str>,
    },
    /// A stream can be subscribed to.
    StreamAdded(Arc<StreamInfo>),
    /// A stream changed.
    StreamUpdated {
        /// Which.
        stream: StreamId,
        /// How.
        update: StreamUpdate,
    },
    /// A stream is gone.
    StreamRemoved {
        /// Which.
        stream: StreamId,
        /// Its owner's [`ParticipantInfo::handle`].
        owner_handle: Arc<str>,
    },
    /// The answer to an offer of one's own.
    Answer {
        /// The transport whose offer it was; in OWT 1.1 it has the text of its only session.
        transport: TransportId,
        /// A complete SDP answer.
        sdp: Arc<str>,
    },
    /// An offer to be answered, for a subscription that asked for one
    /// ([`Offerer::Server`]).
    Offer {
        /// The subscription's transport.
        transport: TransportId,
        /// A complete SDP offer.
        sdp: Arc<str>,
    },
    /// One's own session is up.
    SessionReady {
        /// The session.
        session: SessionId,
        /// Its transport.
        transport: TransportId,
    },
    /// One's own session ended without one's asking.
    SessionFailed {
        /// The session.
        session: SessionId,
        /// Its transport.
        transport: TransportId,
        /// Why, in OWT's words where it has some.
        reason: Arc<str>,
    },
    /// Others publish than before, or with other tracks. Told to those who know the floor.
    Publishers(Arc<[PublisherInfo]>),
    /// Somebody else sent something for oneself. Told to those who know the floor.
    Relayed {
        /// What it sent, which the room did not look into.
        message: Arc<str>,
    },
    /// One was taken out of the room by a publisher and may come in again. Told to those who know
    /// the floor.
    Kicked {
        /// What the publisher sent.
        message: Arc<str>,
    },
    /// One gave no sign of life for too long and is in the room no longer.
    Expired,
    /// One was removed from the room; the connection is closed next.
    Dropped,
}

/// Whom a text was meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    All,
    /// The receiver alone.
    Me,
}

/// A change outside the room.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Make a media session that receives from its participant. No more than the listed formats
    /// may be agreed on; an absent kind must not be in the offer.
    OpenPublication {
        /// The session, which is also the stream's name in the media plane.
        session: SessionId,
        /// Its peer connection.
        transport: TransportId,
        /// Acceptable audio formats, if audio is published.
        audio: Option<Arc<[AudioFormat]>>,
        /// Acceptable video formats, if video is published.
        video: Option<Arc<[VideoFormat]>>,
    },
    /// Make a media session that sends to its participant.
    OpenSubscription {
        /// The session.
        session: SessionId,
        /// Its peer connection.
        transport: TransportId,
        /// Which end makes the offer.
        offerer: Offerer,
        /// Whose sound, if wanted.
        audio: Option<AudioFeed>,
        /// Whose picture, if wanted.
        video: Option<VideoFeed>,
    },
    /// Hand a negotiation message to a transport.
    Negotiate {
        /// The transport.
        transport: TransportId,
        /// The message.
        payload: Negotiation,
    },
    /// Take a subscription's tracks from other streams, in the formats that were agreed on. An
    /// absent kind stays as it is.
    SwitchSubscription {
        /// The session.
        session: SessionId,
        /// Whose sound, if it changes.
        audio: Option<AudioFeed>,
        /// Whose picture, if it changes.
        video: Option<VideoFeed>,
    },
    /// Stop or resume the sending of a subscription's track.
    SetSubscriptionActive {
        /// The session.
        session: SessionId,
        /// Which track.
        kind: TrackKind,
        /// Resume, or stop.
        active: bool,
    },
    /// End a media session; unknown ones are ignored.
    CloseSession {
        /// The session.
        session: SessionId,
    },
    /// Stop or resume the forwarding of a track to everybody.
    SetTrackActive {
        /// A forward stream.
        stream: StreamId,
        /// Which track.
        kind: TrackKind,
        /// Resume, or stop.
        active: bool,
    },
    /// Make a view as it is said here, as soon as a mixer runs and whenever one runs again. A room
    /// says this of each of its views when it is made.
    ViewChanged {
        /// The mixed stream.
        view: StreamId,
        /// The whole view.
        desired: Arc<DesiredView>,
    },
    /// Close a participant's connection after what it was told has been sent.
    Disconnect {
        /// Whose.
        participant: ParticipantId,
    },
    /// The room has been empty for long enough and may be forgotten.
    CloseRoom,
}
