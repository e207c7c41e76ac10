//! What dialects that know the floor (see [`floor`](super::floor)) say of those who come in, and
//! what they are told.

use std::{sync::Arc, time::Duration};

use super::ParticipantInfo;
use crate::ids::{ParticipantId, SessionId, StreamId, TransportId};

/// What happens in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomKind {
    /// Streams with sound and picture.
    Meeting,
    /// Streams with sound.
    AudioMeeting,
    /// Two people whose media does not pass through the server: it hands messages on.
    Call,
    /// One publishes, by other means than media sessions, and the others look on.
    Broadcast,
}

/// How somebody comes in. The default is that of dialects that do not know the floor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manner {
    /// What else others are told of it.
    pub profile: Profile,
    /// What those say who know the floor.
    pub floor: Option<FloorEntry>,
}

/// What others are told of somebody, beside its account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// What the user is called.
    pub name: Option<Arc<str>>,
    /// Where the user's picture is.
    pub picture: Option<Arc<str>>,
    /// By what it came in.
    pub device: Option<Device>,
}

/// What somebody comes in by, in words that the room does not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which one.
    pub id: Arc<str>,
    /// What kind of device or system.
    pub host: Arc<str>,
    /// What for: one device may have several sessions.
    pub category: Arc<str>,
}

/// What somebody says when it comes in that knows the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloorEntry {
    /// What it takes the room for.
    pub kind: RoomKind,
    /// Whether it makes the room, which then must have nobody in it.
    pub founding: bool,
    /// What it is going to send if it gets to publish.
    pub sending: Sending,
    /// How long it may be without a [`Command::Heartbeat`](super::Command::Heartbeat).
    pub heartbeat: Duration,
}

/// Which kinds of media somebody sends, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// Sound.
    pub audio: bool,
    /// Picture.
    pub video: bool,
}

impl Sending {
    /// Sound and picture.
    pub const BOTH: Self = Self { audio: true, video: true };
}

/// Whom something concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// One participant.
    One(ParticipantId),
    /// Every participant of an account.
    User(Arc<str>),
}

impl Whom {
    /// Whether this one is meant.
    pub(super) fn is(&self, info: &ParticipantInfo) -> bool {
        match self {
            Self::One(id) => info.id == *id,
            Self::User(user) => info.user == *user,
        }
    }
}

/// Somebody's place in the room's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has had the floor longer than anybody else.
    Owner,
    /// It has the floor.
    Publisher,
    /// It looks on.
    Viewer,
}

/// Somebody who has the floor, and one stream of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublisherInfo {
    /// Who.
    pub participant: ParticipantInfo,
    /// What else is known of it.
    pub profile: Arc<Profile>,
    /// Owner or publisher.
    pub standing: Standing,
    /// What flows: what it says that it sends, less what is paused.
    pub sending: Sending,
    /// The stream, once there is one.
    pub stream: Option<StreamId>,
    /// Which tracks the stream has.
    pub tracks: Sending,
    /// Whether the stream shows a screen.
    pub screen: bool,
    /// Whether this is another stream of somebody who stands above already.
    pub further: bool,
}

/// What a newcomer learns that knows the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloorView {
    /// Its own place.
    pub standing: Standing,
    /// Who publishes.
    pub publishers: Arc<[PublisherInfo]>,
    /// The sessions it has, if it takes its own place again.
    pub sessions: Vec<OwnSession>,
}

/// A session of whoever takes its own place again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// The session.
    pub id: SessionId,
    /// Its transport.
    pub transport: TransportId,
    /// What it takes its media from; nothing if it is a publication.
    pub from: Option<StreamId>,
    /// Whether its media flows.
    pub ready: bool,
}
