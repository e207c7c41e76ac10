//! What Portico sends through the `owt` door, member for member as protocol 1.1 writes it.
//!
//! Members that are absent in the protocol's sense are left out, never `null`: OWT's own server is
//! JavaScript and drops undefined members, and the SDKs are written for that.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

pub(super) use super::message_media::{
    AudioFormat, AudioInfo, AudioOptional, Encodings, Media, MediaInfo, MediaTracks, Number,
    OptionalParameters, Resolution, Track, TrackEncoding, VideoEncoding, VideoFormat, VideoInfo,
    VideoOptional, VideoParameters,
};
use crate::room::Fraction;

/// Data of a granted `login` (section 3.3.1).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginResult<'a> {
    pub(super) id: &'a str,
    pub(super) user: &'a str,
    pub(super) role: &'a str,
    pub(super) permission: Permission,
    pub(super) room: RoomInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reconnection_ticket: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Permission {
    pub(super) publish: MediaPermission,
    pub(super) subscribe: MediaPermission,
}

#[derive(Debug, Serialize)]
pub(super) struct MediaPermission {
    pub(super) audio: bool,
    pub(super) video: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct RoomInfo<'a> {
    pub(super) id: &'a str,
    pub(super) views: Vec<&'a str>,
    pub(super) streams: Vec<StreamInfo<'a>>,
    pub(super) participants: Vec<ParticipantInfo<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct ParticipantInfo<'a> {
    pub(super) id: &'a str,
    pub(super) role: &'a str,
    pub(super) user: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct StreamInfo<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: StreamKind,
    pub(super) media: Media<'a>,
    pub(super) info: OriginInfo<'a>,
}

/// Where a stream comes from: a participant, a view, or another stream that something was added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StreamKind {
    Forward,
    #[cfg_attr(not(test), expect(dead_code, reason = "nothing augments streams yet"))]
    Augmented,
    Mixed,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum OriginInfo<'a> {
    Publication(PublicationInfo<'a>),
    #[cfg_attr(not(test), expect(dead_code, reason = "nothing augments streams yet"))]
    Augmentation(AugmentInfo<'a>),
    View(ViewInfo<'a>),
}

/// How a stream comes into the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PublicationKind {
    Webrtc,
    #[cfg_attr(not(test), expect(dead_code, reason = "streaming-ins answer 501 yet"))]
    Streaming,
    #[cfg_attr(not(test), expect(dead_code, reason = "sipcalls answer 501 yet"))]
    Sip,
}

/// What was added to which stream.
#[derive(Debug, Serialize)]
pub(super) struct AugmentInfo<'a> {
    pub(super) origin: &'a str,
    pub(super) description: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublicationInfo<'a> {
    pub(super) owner: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: PublicationKind,
    pub(super) in_views: Vec<&'a str>,
    pub(super) attributes: &'a RawValue,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ViewInfo<'a> {
    pub(super) label: &'a str,
    pub(super) active_input: &'a str,
    pub(super) layout: Vec<MixedLayout<'a>>,
}

/// A region and what it shows. `stream` is left out where nothing is shown, as the document says;
/// some servers of OWT write `null` there, which SDKs read alike.
#[derive(Debug, Serialize)]
pub(super) struct MixedLayout<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<&'a str>,
    pub(super) region: Region<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Region<'a> {
    pub(super) id: &'a str,
    #[serde(flatten)]
    pub(super) shape: Shape,
}

#[derive(Debug, Serialize)]
#[serde(tag = "shape", content = "area", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(super) enum Shape {
    Rectangle { left: Share, top: Share, width: Share, height: Share },
    Circle { center_w: Share, center_h: Share, radius: Share },
}

/// A share of a picture as a text that always has a denominator: SDKs split it at the stroke.
#[derive(Debug)]
pub(super) struct Share(pub(super) Fraction);

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Data of a granted `publish` or `subscribe` (sections 3.3.7, 3.3.11); with the transport since
/// protocol 1.2.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionResult<'a> {
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport_id: Option<&'a str>,
}

/// Data of a granted `stream-control` that asks for a region; not in the document, as OWT does it.
#[derive(Debug, Serialize)]
pub(super) struct RegionResult<'a> {
    pub(super) region: &'a str,
}

/// `participant` (section 3.3.4).
#[derive(Debug, Serialize)]
#[serde(tag = "action", content = "data", rename_all = "lowercase")]
pub(super) enum ParticipantAction<'a> {
    Join(ParticipantInfo<'a>),
    Leave(&'a str),
}

/// `text` (section 3.3.6).
#[derive(Debug, Serialize)]
pub(super) struct TextReceived<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'static str,
    pub(super) message: Cow<'a, str>,
}

/// `stream` (section 3.3.9).
#[derive(Debug, Serialize)]
pub(super) struct StreamMessage<'a> {
    pub(super) id: &'a str,
    #[serde(flatten)]
    pub(super) change: StreamChange<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "status", content = "data", rename_all = "lowercase")]
pub(super) enum StreamChange<'a> {
    Add(Box<StreamInfo<'a>>),
    Update(StreamUpdate<'a>),
    Remove,
}

#[derive(Debug, Serialize)]
pub(super) struct StreamUpdate<'a> {
    pub(super) field: &'static str,
    pub(super) value: UpdateValue<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum UpdateValue<'a> {
    Status(&'static str),
    Layout(Vec<MixedLayout<'a>>),
    ActiveInput(&'a str),
    Whole(Box<StreamInfo<'a>>),
}

/// `progress` (section 3.3.15). Since protocol 1.2 `id` is the transport's, and `sessionId` is there
/// where it is about one session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress<'a> {
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<&'a str>,
    #[serde(flatten)]
    pub(super) state: ProgressState<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "status", content = "data", rename_all = "lowercase")]
pub(super) enum ProgressState<'a> {
    Soac(AnswerMessage<'a>),
    Ready,
    /// The session is a recording, and this is where it goes.
    #[cfg_attr(not(test), expect(dead_code, reason = "recordings answer 501 yet"))]
    #[serde(rename = "ready")]
    Recording(RecorderInfo<'a>),
    Error(&'a str),
}

/// Where a recording is.
#[derive(Debug, Serialize)]
pub(super) struct RecorderInfo<'a> {
    pub(super) host: &'a str,
    pub(super) file: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct AnswerMessage<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) sdp: &'a str,
}

/// The error object of the protocol document (section 3.1.1).
#[derive(Debug, Serialize)]
pub(super) struct ErrorDescription<'a> {
    pub(super) code: u16,
    pub(super) description: &'a str,
}
