//! Writes the room's neutral words in those of the client's protocol.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    encode_tracks,
    message::{
        AnswerMessage, AudioFormat, AudioInfo, AudioOptional, Encodings, LoginResult, Media,
        MediaInfo, MediaPermission, MixedLayout, Number, OptionalParameters, OriginInfo,
        ParticipantAction, ParticipantInfo, Permission, Progress, ProgressState, PublicationInfo,
        PublicationKind, Region, Resolution, RoomInfo, Shape, Share, StreamChange, StreamInfo,
        StreamKind, StreamMessage, StreamUpdate, TextReceived, UpdateValue, VideoEncoding,
        VideoFormat, VideoInfo, VideoOptional, VideoParameters, ViewInfo,
    },
    protocol::Protocol,
};
use crate::{
    formats::{self, AudioCodec, AudioSource, H264Profile, TrackKind, VideoCodec, VideoSource},
    ids::{SessionId, StreamId, TransportId},
    room::{self, Audience, Notification, StreamOrigin, TrackStatus},
};

/// A notification in the words of this door.
pub(super) enum Event<'a> {
    Participant(ParticipantAction<'a>),
    Text(TextReceived<'a>),
    Stream(StreamMessage<'a>),
    Progress(Progress<'a>),
    Drop,
    /// The client has no word for it.
    Nothing,
}

/// Translates a notification.
pub(super) fn event(notification: &Notification, protocol: Protocol) -> Event<'_> {
    match notification {
        Notification::ParticipantJoined(info) => {
            Event::Participant(ParticipantAction::Join(participant(info)))
        }
        Notification::ParticipantLeft(info) => {
            Event::Participant(ParticipantAction::Leave(info.id.as_str()))
        }
        Notification::Text { from, audience, message } => Event::Text(TextReceived {
            from: from.id.as_str(),
            to: match audience {
                Audience::All => "all",
                Audience::Me => "me",
            },
            message: message.as_ref().into(),
        }),
        Notification::Broadcast { from, data } => Event::Text(TextReceived {
            from: from.id.as_str(),
            to: "all",
            message: text_of_json(data),
        }),
        Notification::StreamAdded(info) => Event::Stream(StreamMessage {
            id: info.id.as_str(),
            change: StreamChange::Add(Box::new(stream(info, protocol))),
        }),
        Notification::StreamUpdated { stream: id, update } => Event::Stream(StreamMessage {
            id: id.as_str(),
            change: StreamChange::Update(stream_update(update, protocol)),
        }),
        Notification::StreamRemoved { stream, .. } => {
            Event::Stream(StreamMessage { id: stream.as_str(), change: StreamChange::Remove })
        }
        Notification::Answer { transport, sdp } => {
            let state = ProgressState::Soac(AnswerMessage { kind: "answer", sdp });
            Event::Progress(Progress { id: transport.as_str(), session_id: None, state })
        }
        // Clients of this protocol always offer.
        Notification::Offer { .. }
        // Clients of this protocol do not know the floor.
        | Notification::Publishers(_)
        | Notification::Relayed { .. }
        | Notification::Kicked { .. }
        | Notification::Expired => Event::Nothing,
        Notification::SessionReady { session, transport } => {
            progress(protocol, session, transport, ProgressState::Ready)
        }
        Notification::SessionFailed { session, transport, reason } => {
            progress(protocol, session, transport, ProgressState::Error(reason))
        }
        Notification::Dropped => Event::Drop,
    }
}

/// Translates a granted login.
pub(super) fn login_result<'a>(
    joined: &'a room::Joined,
    reconnection_ticket: Option<&'a str>,
    protocol: Protocol,
) -> LoginResult<'a> {
    let room::Joined { participant: own, permission, room, .. } = joined;
    LoginResult {
        id: own.id.as_str(),
        user: &own.user,
        role: &own.role,
        permission: Permission {
            publish: media_permission(permission.publish),
            subscribe: media_permission(permission.subscribe),
        },
        room: RoomInfo {
            id: room.id.as_str(),
            views: room.views.iter().map(AsRef::as_ref).collect(),
            streams: room.streams.iter().map(|info| stream(info, protocol)).collect(),
            participants: room.participants.iter().map(participant).collect(),
        },
        reconnection_ticket,
    }
}

fn progress<'a>(
    protocol: Protocol,
    session: &'a SessionId,
    transport: &'a TransportId,
    state: ProgressState<'a>,
) -> Event<'a> {
    let (id, session_id) = match protocol {
        Protocol::V10 | Protocol::V11 => (session.as_str(), None),
        Protocol::V12 => (transport.as_str(), Some(session.as_str())),
    };
    Event::Progress(Progress { id, session_id, state })
}

fn media_permission(permission: room::MediaPermission) -> MediaPermission {
    MediaPermission { audio: permission.audio, video: permission.video }
}

fn participant(info: &room::ParticipantInfo) -> ParticipantInfo<'_> {
    ParticipantInfo { id: info.id.as_str(), role: &info.role, user: &info.user }
}

fn stream_update(update: &room::StreamUpdate, protocol: Protocol) -> StreamUpdate<'_> {
    match update {
        room::StreamUpdate::Status { kind, status: new } => StreamUpdate {
            field: match kind {
                TrackKind::Audio => "audio.status",
                TrackKind::Video => "video.status",
            },
            value: UpdateValue::Status(status(*new)),
        },
        room::StreamUpdate::Layout(regions) => {
            StreamUpdate { field: "video.layout", value: UpdateValue::Layout(layout(regions)) }
        }
        room::StreamUpdate::ActiveInput(input) => StreamUpdate {
            field: "activeInput",
            value: UpdateValue::ActiveInput(active_input(input.as_ref())),
        },
        room::StreamUpdate::Whole(info) => {
            StreamUpdate { field: ".", value: UpdateValue::Whole(Box::new(stream(info, protocol))) }
        }
    }
}

/// A stream's description as JSON of protocol 1.1, for the management REST.
pub fn stream_value(info: &room::StreamInfo) -> serde_json::Value {
    serde_json::to_value(stream(info, Protocol::V11)).expect("a description has text keys only")
}

fn stream(info: &room::StreamInfo, protocol: Protocol) -> StreamInfo<'_> {
    // A view's tracks have neither status nor source (observed of OWT 4.3).
    let forward = matches!(info.origin, StreamOrigin::Forward { .. });
    StreamInfo {
        id: info.id.as_str(),
        kind: if forward { StreamKind::Forward } else { StreamKind::Mixed },
        media: match protocol {
            Protocol::V10 | Protocol::V11 => Media::Kinds(Box::new(MediaInfo {
                audio: info.audio.as_ref().map(|track| audio(track, forward)),
                video: info.video.as_ref().map(|track| video(track, forward, protocol)),
            })),
            Protocol::V12 => Media::Tracks(encode_tracks::media(info)),
        },
        info: origin(&info.origin),
    }
}

fn origin(origin: &StreamOrigin) -> OriginInfo<'_> {
    match origin {
        StreamOrigin::Forward { owner, in_views, attributes, .. } => {
            OriginInfo::Publication(PublicationInfo {
                owner: owner.as_str(),
                kind: PublicationKind::Webrtc,
                in_views: in_views.iter().map(AsRef::as_ref).collect(),
                attributes: raw_json(attributes),
            })
        }
        StreamOrigin::Mixed { label, active_input: input, layout: regions } => {
            OriginInfo::View(ViewInfo {
                label,
                active_input: active_input(input.as_ref()),
                layout: layout(regions),
            })
        }
    }
}

/// The input that spoke last, in the document's words.
fn active_input(input: Option<&StreamId>) -> &str {
    input.map_or("unknown", StreamId::as_str)
}

fn layout(regions: &[room::PlacedRegion]) -> Vec<MixedLayout<'_>> {
    regions.iter().map(mixed_layout).collect()
}

fn mixed_layout(placed: &room::PlacedRegion) -> MixedLayout<'_> {
    MixedLayout {
        stream: placed.stream.as_ref().map(StreamId::as_str),
        region: Region { id: &placed.region.id, shape: shape(placed.region.shape) },
    }
}

fn shape(shape: room::Shape) -> Shape {
    match shape {
        room::Shape::Rectangle { left, top, width, height } => Shape::Rectangle {
            left: Share(left),
            top: Share(top),
            width: Share(width),
            height: Share(height),
        },
        room::Shape::Circle { center_w, center_h, radius } => Shape::Circle {
            center_w: Share(center_w),
            center_h: Share(center_h),
            radius: Share(radius),
        },
    }
}

/// What is broadcast through other doors is any JSON: a text is told as it is, the rest as JSON.
fn text_of_json(data: &str) -> Cow<'_, str> {
    serde_json::from_str(data).map_or(data.into(), Cow::Owned)
}

/// Attributes were written by this server's own JSON writer when they came in.
fn raw_json(text: &str) -> &RawValue {
    serde_json::from_str(text).expect("attributes are kept as valid JSON")
}

fn audio(track: &room::AudioTrack, forward: bool) -> AudioInfo {
    AudioInfo {
        status: forward.then(|| status(track.status)),
        source: track.source.and_then(told_audio_source),
        format: audio_format(track.format),
        optional: audio_optional(track),
    }
}

pub(super) fn audio_optional(track: &room::AudioTrack) -> AudioOptional {
    AudioOptional { format: track.optional.iter().copied().map(audio_format).collect() }
}

fn video(track: &room::VideoTrack, forward: bool, protocol: Protocol) -> VideoInfo<'_> {
    let mut encodings = track.original.iter().map(video_encoding);
    let first = if protocol == Protocol::V10 { encodings.next() } else { None };
    VideoInfo {
        status: forward.then(|| status(track.status)),
        source: track.source.map(video_source),
        encodings: match first {
            Some(first) => Encodings::First(VideoEncoding { simulcast_rid: None, ..first }),
            None => Encodings::All { original: encodings.collect() },
        },
        optional: video_optional(&track.optional),
    }
}

pub(super) fn video_optional(options: &room::VideoOptions) -> VideoOptional<'_> {
    VideoOptional {
        format: options.formats.iter().copied().map(video_format).collect(),
        parameters: OptionalParameters {
            resolution: options.resolutions.iter().copied().map(resolution).collect(),
            framerate: &options.framerates,
            bitrate: options.bitrates.iter().map(AsRef::as_ref).collect(),
            key_frame_interval: &options.key_frame_intervals_secs,
        },
    }
}

pub(super) fn video_encoding(encoding: &room::VideoEncoding) -> VideoEncoding<'_> {
    let known = &encoding.parameters;
    let parameters = VideoParameters {
        resolution: known.resolution.map(resolution),
        framerate: known.framerate.map(number),
        bitrate: match known.bitrate {
            Some(formats::Bitrate::Kbps(kbps)) => Some(number(kbps)),
            Some(formats::Bitrate::Multiple(_)) | None => None,
        },
        key_frame_interval: known.key_frame_interval_secs.map(number),
    };
    VideoEncoding {
        format: video_format(encoding.format),
        parameters: (*known != formats::VideoParameters::default()).then_some(parameters),
        simulcast_rid: encoding.simulcast_rid.as_deref(),
    }
}

pub(super) fn status(status: TrackStatus) -> &'static str {
    match status {
        TrackStatus::Active => "active",
        TrackStatus::Inactive => "inactive",
    }
}

fn resolution(size: formats::Resolution) -> Resolution {
    Resolution { width: size.width, height: size.height }
}

fn number(value: f64) -> Number {
    // Beyond 2^53 not every whole number has a double, and no rate or interval is near it.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && (0.0..EXACT).contains(&value) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        return Number::Whole(value as u64);
    }
    Number::Fraction(value)
}

/// The wire name of an audio codec.
pub(super) fn audio_codec(codec: AudioCodec) -> &'static str {
    match codec {
        AudioCodec::Opus => "opus",
        AudioCodec::Pcmu => "pcmu",
        AudioCodec::Pcma => "pcma",
        AudioCodec::G722 => "g722",
    }
}

/// The wire name of a video codec; `av1` is beyond the document, written as the codec's peers are.
pub(super) fn video_codec(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => "vp8",
        VideoCodec::Vp9 => "vp9",
        VideoCodec::H264 => "h264",
        VideoCodec::H265 => "h265",
        VideoCodec::Av1 => "av1",
    }
}

/// The wire name of an H.264 profile.
pub(super) fn h264_profile(profile: H264Profile) -> &'static str {
    match profile {
        H264Profile::ConstrainedBaseline => "CB",
        H264Profile::Baseline => "B",
        H264Profile::Main => "M",
        H264Profile::High => "H",
    }
}

/// The wire name of an audio source.
pub(super) fn audio_source(source: AudioSource) -> &'static str {
    match source {
        AudioSource::Mic => "mic",
        AudioSource::ScreenCast => "screen-cast",
        AudioSource::RawFile => "raw-file",
        AudioSource::EncodedFile => "encoded-file",
    }
}

/// The wire name of an audio source where clients are told of one. The JavaScript SDKs throw at the
/// names of files, and nobody could join any more; a source may always be left out.
pub(super) fn told_audio_source(source: AudioSource) -> Option<&'static str> {
    match source {
        AudioSource::Mic | AudioSource::ScreenCast => Some(audio_source(source)),
        AudioSource::RawFile | AudioSource::EncodedFile => None,
    }
}

/// The wire name of a video source.
pub(super) fn video_source(source: VideoSource) -> &'static str {
    match source {
        VideoSource::Camera => "camera",
        VideoSource::ScreenCast => "screen-cast",
        VideoSource::RawFile => "raw-file",
        VideoSource::EncodedFile => "encoded-file",
    }
}

pub(super) fn audio_format(format: formats::AudioFormat) -> AudioFormat {
    AudioFormat {
        codec: audio_codec(format.codec),
        sample_rate: format.sample_rate,
        channel_num: format.channels,
    }
}

fn video_format(format: formats::VideoFormat) -> VideoFormat {
    VideoFormat { codec: video_codec(format.codec), profile: format.profile.map(h264_profile) }
}

#[cfg(test)]
#[path = "tests/encode.rs"]
mod tests;
