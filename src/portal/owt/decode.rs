//! Reads requests into the room's neutral commands.

use std::sync::Arc;

use serde_json::Value;

use super::{
    decode_control::{subscription_control, tracks},
    decode_tracks,
    encode::{audio_codec, audio_source, h264_profile, video_codec, video_source},
    protocol::Protocol,
    refusal::Refusal,
    schema::{Object, object, one_of, or_false, text, wrong_type},
    track_id::{TrackSource, source as source_of},
};
use crate::{
    driver::fresh_session,
    formats::{
        AudioFormat, AudioSource, Bitrate, H264Profile, Offerer, Resolution, TrackKind, VideoCodec,
        VideoFormat, VideoParameters, VideoSource,
    },
    ids::{SessionId, StreamId, TransportId},
    portal::candidate,
    room::{
        Command, Negotiation, PublishAudio, PublishMedia, PublishVideo, Rejection, SubscribeAudio,
        SubscribeMedia, SubscribeVideo, TextTarget, Unsatisfied,
    },
};

/// The longest `attributes` of a publication, in bytes of JSON: they are repeated to everybody.
const MAX_ATTRIBUTES_BYTES: usize = 16 * 1024;

/// Candidates that one `removed-candidates` may list.
const MAX_REMOVED_CANDIDATES: usize = 64;

/// Requests that a participant can make of its room, by their name on the wire.
/// `None` when there is no such request.
pub(super) fn command(
    name: &str,
    data: &Value,
    protocol: Protocol,
) -> Option<Result<Command, Refusal>> {
    Some(match name {
        "publish" if protocol == Protocol::V12 => decode_tracks::publish(data),
        "subscribe" if protocol == Protocol::V12 => decode_tracks::subscribe(data),
        "logout" => Ok(Command::Leave),
        "text" => message(data),
        "publish" => publish(data),
        "unpublish" => unpublish(data),
        "subscribe" => subscribe(data),
        "unsubscribe" => unsubscribe(data),
        "soac" => soac(data),
        "stream-control" => stream_control(data),
        "subscription-control" => subscription_control(data),
        _ => return None,
    })
}

/// What else a request asks for: m-lines by name, which protocol 1.2 has.
pub(super) fn track_names(command: &Command, data: &Value, protocol: Protocol) -> Option<Command> {
    if protocol == Protocol::V12 { decode_tracks::names(command, data) } else { None }
}

fn message(data: &Value) -> Result<Command, Refusal> {
    let to = data.get("to").and_then(Value::as_str).filter(|to| !to.is_empty());
    let to = match to.ok_or_else(|| Refusal::malformed("Invalid receiver"))? {
        "all" => TextTarget::All,
        id => TextTarget::One(id.parse().map_err(|_| Refusal {
            code: 1005,
            description: format!("Target participant does NOT exist: {}", shortened(id)).into(),
        })?),
    };
    let message = data.get("message").and_then(Value::as_str);
    let message = message.ok_or_else(|| Refusal::malformed("Invalid message"))?;
    Ok(Command::Text { to, message: message.into() })
}

fn publish(data: &Value) -> Result<Command, Refusal> {
    let (request, media) = publication(data).map_err(Refusal::malformed)?;
    let attributes = attributes(request)?;
    let session = fresh_session();
    let transport = TransportId::from(&session);
    Ok(Command::Publish { session, transport, media, attributes })
}

fn publication(data: &Value) -> Result<(Object<'_, 'static>, PublishMedia), String> {
    let request = object(data, "request")?.only(&["media", "attributes"])?;
    let media = object(request.required("media")?, "request.media")?;
    let (audio, video) = (media.required("audio")?, media.required("video")?);
    let media = PublishMedia {
        audio: or_false(audio, "request.media.audio", publish_audio)?,
        video: or_false(video, "request.media.video", publish_video)?,
    };
    Ok((request, media))
}

/// The client's own object, as text.
pub(super) fn attributes(request: Object<'_, '_>) -> Result<Arc<str>, Refusal> {
    let attributes = match request.optional("attributes") {
        None => "{}".to_owned(),
        Some(value @ Value::Object(_)) => value.to_string(),
        Some(_) => return Err(Refusal::malformed(wrong_type("request.attributes", "object"))),
    };
    if attributes.len() > MAX_ATTRIBUTES_BYTES {
        return Err(Refusal::malformed("Attributes are too large"));
    }
    Ok(attributes.into())
}

pub(super) fn publish_audio(audio: Object<'_, '_>) -> Result<PublishAudio, String> {
    let source = source(audio, &AUDIO_SOURCES.map(|source| (audio_source(source), source)))?;
    Ok(PublishAudio { source: Some(source) })
}

pub(super) fn publish_video(video: Object<'_, '_>) -> Result<PublishVideo, String> {
    let source = source(video, &VIDEO_SOURCES.map(|source| (video_source(source), source)))?;
    Ok(PublishVideo { source: Some(source), parameters: parameters(video)? })
}

fn source<T: Copy>(track: Object<'_, '_>, words: &[(&str, T)]) -> Result<T, String> {
    let path = track.path_of("source");
    one_of(track.required("source")?, &path, words)
}

fn unpublish(data: &Value) -> Result<Command, Refusal> {
    Ok(Command::Unpublish { session: session_id(data, "Invalid stream id")? })
}

fn unsubscribe(data: &Value) -> Result<Command, Refusal> {
    Ok(Command::Unsubscribe { session: session_id(data, "Invalid subscription id")? })
}

pub(super) fn session_id(data: &Value, complaint: &'static str) -> Result<SessionId, Refusal> {
    let id = data.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or_else(|| Refusal::malformed(complaint))
}

fn subscribe(data: &Value) -> Result<Command, Refusal> {
    let request = object(data, "request").map_err(Refusal::malformed)?;
    let media = request
        .required("media")
        .and_then(|media| object(media, "request.media"))
        .map_err(Refusal::malformed)?;
    let audio = wanted(media, "audio", subscribe_audio)?;
    let video = wanted(media, "video", subscribe_video)?;
    let session = fresh_session();
    let transport = TransportId::from(&session);
    Ok(Command::Subscribe {
        session,
        transport,
        offerer: Offerer::Client,
        media: SubscribeMedia { audio, video },
    })
}

/// A track of a subscription: absent and `false` both mean that it is not wanted.
fn wanted<T>(
    media: Object<'_, '_>,
    key: &str,
    read: impl FnOnce(Object<'_, '_>) -> Result<T, Complaint>,
) -> Result<Option<T>, Refusal> {
    let Some(value) = media.optional(key).filter(|value| **value != Value::Bool(false)) else {
        return Ok(None);
    };
    let path = media.path_of(key);
    let track = object(value, &path).map_err(Complaint::Shape).and_then(read);
    track.map(Some).map_err(|complaint| match complaint {
        Complaint::Shape(text) => {
            Refusal::malformed(format!("{text},{path} should be equal to constant"))
        }
        Complaint::Rejected(rejection) => Refusal::from(&rejection),
    })
}

/// What can be wrong with a wanted track: its form, or a codec that no room here ever offers.
pub(super) enum Complaint {
    Shape(String),
    Rejected(Rejection),
}

impl From<Complaint> for Refusal {
    fn from(complaint: Complaint) -> Self {
        match complaint {
            Complaint::Shape(text) => Self::malformed(text),
            Complaint::Rejected(rejection) => Self::from(&rejection),
        }
    }
}

impl From<String> for Complaint {
    fn from(text: String) -> Self {
        Self::Shape(text)
    }
}

pub(super) fn subscribe_audio(track: Object<'_, '_>) -> Result<SubscribeAudio, Complaint> {
    let Some((from, _)) = track_source(track, TrackKind::Audio)? else {
        return Err(Complaint::Rejected(Rejection::AudioUnsatisfied(Unsatisfied::Stream)));
    };
    let Some(wish) = track.optional("format") else {
        return Ok(SubscribeAudio { from, format: None });
    };
    let path = track.path_of("format");
    let wish = object(wish, &path)?;
    let codec = wish.required_text("codec")?;
    let known = AUDIO_CODECS.into_iter().find(|known| audio_codec(known.codec) == codec);
    match known {
        Some(format) => Ok(SubscribeAudio { from, format: Some(format) }),
        None => Err(Complaint::Rejected(Rejection::AudioUnsatisfied(Unsatisfied::Format))),
    }
}

pub(super) fn subscribe_video(track: Object<'_, '_>) -> Result<SubscribeVideo, Complaint> {
    let Some((from, layer)) = track_source(track, TrackKind::Video)? else {
        return Err(Complaint::Rejected(Rejection::VideoUnsatisfied(Unsatisfied::Stream)));
    };
    let format = track.optional("format").map(|wish| video_wish(wish, &track.path_of("format")));
    let simulcast_rid = match track.optional("simulcastRid") {
        None => layer,
        Some(rid) => {
            let path = track.path_of("simulcastRid");
            Some(text(rid, &path)?.into())
        }
    };
    Ok(SubscribeVideo {
        from,
        format: format.transpose()?,
        parameters: parameters(track)?,
        simulcast_rid,
    })
}

fn video_wish(wish: &Value, path: &str) -> Result<VideoFormat, Complaint> {
    let wish = object(wish, path)?;
    let codec = wish.required_text("codec")?;
    let refused = || Complaint::Rejected(Rejection::VideoUnsatisfied(Unsatisfied::Format));
    let codec = VIDEO_CODECS.into_iter().find(|known| video_codec(*known) == codec);
    let codec = codec.ok_or_else(refused)?;
    let profile = match wish.optional("profile").map(|profile| profile.as_str().unwrap_or("")) {
        None => None,
        Some(letters) => Some(
            H264_PROFILES
                .into_iter()
                .find(|known| h264_profile(*known) == letters)
                .ok_or_else(refused)?,
        ),
    };
    Ok(VideoFormat { codec, profile })
}

/// The stream that a track comes from, and the layer; `None` for a text that names none here.
fn track_source(track: Object<'_, '_>, kind: TrackKind) -> Result<Option<TrackSource>, String> {
    Ok(source_of(track.required_text("from")?, kind))
}

/// The largest width and height in pixels, a bound of every codec here.
const MAX_SIDE: u64 = 65_535;

pub(super) fn parameters(track: Object<'_, '_>) -> Result<VideoParameters, String> {
    let Some(value) = track.optional("parameters") else { return Ok(VideoParameters::default()) };
    let path = track.path_of("parameters");
    let parameters = object(value, &path)?;
    let resolution = match parameters.optional("resolution") {
        None => None,
        Some(size) => Some(resolution(object(size, &parameters.path_of("resolution"))?)?),
    };
    let bitrate = match parameters.optional("bitrate") {
        None => None,
        Some(Value::String(multiple)) => Some(Bitrate::Multiple(multiple.as_str().into())),
        Some(_) => parameters.optional_number("bitrate")?.map(Bitrate::Kbps),
    };
    Ok(VideoParameters {
        resolution,
        framerate: parameters.optional_number("framerate")?,
        bitrate,
        key_frame_interval_secs: parameters.optional_number("keyFrameInterval")?,
    })
}

fn resolution(size: Object<'_, '_>) -> Result<Resolution, String> {
    let side = |key: &str| {
        let value = size.required(key)?.as_f64().filter(|side| side.fract() == 0.0);
        #[expect(clippy::cast_precision_loss, reason = "the bound is small")]
        let fits = value.filter(|side| (0.0..=MAX_SIDE as f64).contains(side));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        fits.map(|side| side as u32).ok_or_else(|| wrong_type(&size.path_of(key), "number"))
    };
    Ok(Resolution { width: side("width")?, height: side("height")? })
}

fn soac(data: &Value) -> Result<Command, Refusal> {
    let id = data.get("id").and_then(Value::as_str);
    let transport = id.and_then(|id| id.parse().ok());
    let transport = transport.ok_or_else(|| Refusal::malformed("Invalid session id"))?;
    let signaling = data.get("signaling").filter(|signaling| signaling.is_object());
    let signaling = signaling.ok_or_else(|| Refusal::malformed("Invalid signaling object"))?;
    let payload = negotiation(signaling)?;
    Ok(Command::Negotiate { transport, payload })
}

fn negotiation(signaling: &Value) -> Result<Negotiation, Refusal> {
    let sdp = || {
        let sdp = signaling.get("sdp").and_then(Value::as_str);
        sdp.map(Arc::from).ok_or_else(|| Refusal::malformed("Invalid signaling object"))
    };
    match signaling.get("type").and_then(Value::as_str) {
        Some("offer") => sdp().map(Negotiation::Offer),
        Some("answer") => sdp().map(Negotiation::Answer),
        Some("candidate") => candidate(signaling.get("candidate")).map(Negotiation::Candidate),
        Some("removed-candidates") => {
            let listed = signaling.get("candidates").and_then(Value::as_array);
            let listed = listed.filter(|listed| listed.len() <= MAX_REMOVED_CANDIDATES);
            let listed = listed.ok_or_else(|| Refusal::malformed("Invalid signaling object"))?;
            let removed = listed.iter().map(|entry| candidate(Some(entry)));
            removed.collect::<Result<_, _>>().map(Negotiation::RemovedCandidates)
        }
        _ => Err(Refusal::malformed("Invalid signaling type")),
    }
}

fn candidate(object: Option<&Value>) -> Result<Arc<str>, Refusal> {
    let object = object.filter(|object| object.is_object());
    candidate::line(object).ok_or_else(|| Refusal::malformed("Invalid signaling object"))
}

fn stream_control(data: &Value) -> Result<Command, Refusal> {
    let stream = StreamId::from(&session_id(data, "Invalid stream id")?);
    let invalid = || Refusal::malformed("Invalid stream control operation");
    let operation = data.get("operation").and_then(Value::as_str).ok_or_else(invalid)?;
    let data = data.get("data").unwrap_or(&Value::Null);
    let tracks = || tracks(data).ok_or_else(invalid);
    let view = |value: &Value| {
        value.as_str().map(Arc::from).ok_or_else(|| Refusal::malformed("Invalid view"))
    };
    Ok(match operation {
        "pause" => Command::PauseStream { stream, tracks: tracks()? },
        "play" => Command::PlayStream { stream, tracks: tracks()? },
        "mix" => Command::Mix { stream, view: view(data)? },
        "unmix" => Command::Unmix { stream, view: view(data)? },
        "get-region" => Command::GetRegion { stream, view: view(data)? },
        "set-region" => {
            let region = data.get("region").and_then(Value::as_str).map(Arc::from);
            Command::SetRegion {
                stream,
                view: view(data.get("view").unwrap_or(&Value::Null))?,
                region: region.ok_or_else(|| Refusal::malformed("Invalid region"))?,
            }
        }
        _ => return Err(invalid()),
    })
}

/// The start of a text that goes back to its sender in a complaint.
fn shortened(text: &str) -> &str {
    const SHOWN_CHARS: usize = 64;
    text.char_indices().nth(SHOWN_CHARS).map_or(text, |(end, _)| &text[..end])
}

const AUDIO_SOURCES: [AudioSource; 4] =
    [AudioSource::Mic, AudioSource::ScreenCast, AudioSource::RawFile, AudioSource::EncodedFile];

const VIDEO_SOURCES: [VideoSource; 4] =
    [VideoSource::Camera, VideoSource::ScreenCast, VideoSource::RawFile, VideoSource::EncodedFile];

const AUDIO_CODECS: [AudioFormat; 4] =
    [AudioFormat::OPUS, AudioFormat::PCMU, AudioFormat::PCMA, AudioFormat::G722];

const VIDEO_CODECS: [VideoCodec; 5] =
    [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1];

const H264_PROFILES: [H264Profile; 4] =
    [H264Profile::ConstrainedBaseline, H264Profile::Baseline, H264Profile::Main, H264Profile::High];
