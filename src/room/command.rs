//! What a participant asks of its room, in words that no dialect owns.

use std::sync::Arc;

use super::{Manner, Sending, Whom};
use crate::{
    formats::{
        AudioFormat, AudioSource, Mids, Offerer, TrackSelection, VideoFormat, VideoParameters,
        VideoSource,
    },
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

/// A participant's request. Fresh ids come with it, since the room makes none itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Enter the room. Answered by [`Reply::Joined`](super::Reply::Joined). Whoever knows the floor
    /// takes its own place again if it has one.
    Join {
        /// The account's name, as the token states it.
        user: Arc<str>,
        /// The name of one of the room's roles.
        role: Arc<str>,
        /// What else it says of itself.
        manner: Manner,
    },
    /// Give a sign of life, as was promised when one came. Answered by
    /// [`Reply::Publishers`](super::Reply::Publishers).
    Heartbeat,
    /// Say what one sends from now on.
    SetSending {
        /// Sound, picture, both or neither.
        sending: Sending,
    },
    /// Ask the owner to be let onto the floor.
    AskForFloor {
        /// What one is going to send.
        sending: Sending,
        /// What the owner is told, which the room does not look into.
        message: Arc<str>,
    },
    /// Let viewers onto the floor, as the owner.
    GrantFloor {
        /// Whom.
        to: Whom,
        /// What they are told, which the room does not look into.
        message: Arc<str>,
    },
    /// Refuse to let viewers onto the floor, as the owner.
    DenyFloor {
        /// Whom.
        to: Whom,
        /// What they are told, which the room does not look into.
        message: Arc<str>,
    },
    /// Take others out of the room, as a publisher.
    Kick {
        /// Whom.
        whom: Whom,
        /// What they are told, which the room does not look into.
        message: Arc<str>,
    },
    /// Send something to others of a call.
    Relay {
        /// Whom; everybody else if nobody is named.
        to: Option<Whom>,
        /// What, which the room does not look into.
        message: Arc<str>,
    },
    /// Leave of one's own will.
    Leave,
    /// Send a text to one participant or to everybody, oneself included.
    Text {
        /// The receivers.
        to: TextTarget,
        /// The text.
        message: Arc<str>,
    },
    /// Send something to everybody else.
    Broadcast {
        /// Any JSON, as text that the room does not look into.
        data: Arc<str>,
    },
    /// Look around again. Answered by [`Reply::Described`](super::Reply::Described).
    Describe,
    /// Start a publication. Answered by [`Reply::SessionOpened`](super::Reply::SessionOpened);
    /// the stream is announced once its media session is ready.
    Publish {
        /// Fresh; becomes the stream's id.
        session: SessionId,
        /// The peer connection that carries it.
        transport: TransportId,
        /// What is published.
        media: PublishMedia,
        /// The client's own JSON object, as text that the room does not look into.
        attributes: Arc<str>,
    },
    /// End one's own publication.
    Unpublish {
        /// The publication.
        session: SessionId,
    },
    /// Start a subscription. Answered by [`Reply::SessionOpened`](super::Reply::SessionOpened).
    /// With [`Offerer::Server`] a [`Notification::Offer`](super::Notification::Offer) follows,
    /// which a [`Negotiation::Answer`] must meet within [`OFFER_TIMEOUT`](super::OFFER_TIMEOUT).
    Subscribe {
        /// Fresh.
        session: SessionId,
        /// The peer connection that carries it; a fresh one if this server offers.
        transport: TransportId,
        /// Which end makes the offer.
        offerer: Offerer,
        /// What is wanted; at least one of the two.
        media: SubscribeMedia,
    },
    /// End one's own subscription.
    Unsubscribe {
        /// The subscription.
        session: SessionId,
    },
    /// Take the tracks of one's own subscription from other streams, or with other parameters.
    UpdateSubscription {
        /// The subscription.
        session: SessionId,
        /// What is to change.
        update: SubscriptionUpdate,
    },
    /// Stop the sending of one's own subscription's tracks.
    PauseSubscription {
        /// The subscription.
        session: SessionId,
        /// Which tracks.
        tracks: TrackSelection,
    },
    /// Resume the sending of one's own subscription's tracks.
    PlaySubscription {
        /// The subscription.
        session: SessionId,
        /// Which tracks.
        tracks: TrackSelection,
    },
    /// Ask what bandwidth one's own subscription has.
    EstimateBandwidth {
        /// The subscription.
        session: SessionId,
    },
    /// Hand a negotiation message to the media side of one's own transport.
    Negotiate {
        /// The transport; in OWT 1.1 it has the text of its only session.
        transport: TransportId,
        /// The message, which the room does not look into.
        payload: Negotiation,
    },
    /// Pause one's own stream for everybody.
    PauseStream {
        /// A forward stream.
        stream: StreamId,
        /// Which tracks.
        tracks: TrackSelection,
    },
    /// Resume one's own stream for everybody.
    PlayStream {
        /// A forward stream.
        stream: StreamId,
        /// Which tracks.
        tracks: TrackSelection,
    },
    /// Mix one's own stream into a view; nothing happens if it is there already.
    Mix {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
    },
    /// Take one's own stream out of a view; nothing happens if it is not there.
    Unmix {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
    },
    /// Find out where a view shows one's own stream. Answered by
    /// [`Reply::Region`](super::Reply::Region).
    GetRegion {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
    },
    /// Exchange one's own stream with the one that a region of a view shows.
    SetRegion {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
        /// The region's id.
        region: Arc<str>,
    },
}

/// Who gets a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTarget {
    /// Everybody in the room, the sender included.
    All,
    /// One participant.
    One(ParticipantId),
}

/// What a publication carries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PublishMedia {
    /// Sound, if any.
    pub audio: Option<PublishAudio>,
    /// Picture, if any.
    pub video: Option<PublishVideo>,
}

/// Published sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishAudio {
    /// Where it comes from; a dialect without this word leaves it out.
    pub source: Option<AudioSource>,
}

/// Published picture.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishVideo {
    /// Where it comes from; a dialect without this word leaves it out.
    pub source: Option<VideoSource>,
    /// What the publisher says of it.
    pub parameters: VideoParameters,
}

/// What a subscription wants; audio and video may come from different streams.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubscribeMedia {
    /// Sound, if wanted.
    pub audio: Option<SubscribeAudio>,
    /// Picture, if wanted.
    pub video: Option<SubscribeVideo>,
}

/// Wanted sound.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscribeAudio {
    /// The stream it comes from.
    pub from: StreamId,
    /// A wish for one format.
    pub format: Option<AudioFormat>,
}

/// Wanted picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscribeVideo {
    /// The stream it comes from.
    pub from: StreamId,
    /// A wish for one format.
    pub format: Option<VideoFormat>,
    /// Wishes for size, rate and key frames.
    pub parameters: VideoParameters,
    /// One layer of a simulcast stream; the parameters are then ignored.
    pub simulcast_rid: Option<Arc<str>>,
}

/// A change of a subscription.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubscriptionUpdate {
    /// Another stream for the sound.
    pub audio: Option<StreamId>,
    /// A change of the picture.
    pub video: Option<VideoUpdate>,
}

/// A change of a subscription's picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoUpdate {
    /// Another stream.
    pub from: Option<StreamId>,
    /// Wishes for size, rate and key frames.
    pub parameters: VideoParameters,
    /// One layer of a simulcast stream; the parameters are then ignored.
    pub simulcast_rid: Option<Arc<str>>,
}

/// A negotiation message, opaque to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Negotiation {
    /// An SDP offer.
    Offer(Arc<str>),
    /// An SDP answer, to the offer that this server made for the transport.
    Answer(Arc<str>),
    /// A remote ICE candidate, without the `a=` that OWT's SDKs put before it.
    Candidate(Arc<str>),
    /// Remote ICE candidates that are gone.
    RemovedCandidates(Vec<Arc<str>>),
    /// The m-lines of the offers to come that are for a session's tracks.
    Names {
        /// A session of this transport.
        session: SessionId,
        /// The m-lines.
        mids: Mids,
    },
}
