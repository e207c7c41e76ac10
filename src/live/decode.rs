//! Reads data signals, and what comes by `PUT`, into uploads.

use std::time::Duration;

use bytes::Bytes;

use super::{
    date::iso_8601,
    fault::Fault,
    message::{
        Data, MapPayload, Message, Number, Payload, PlaylistPayload, SegmentPayload, TextOrNumber,
    },
    upload::{
        About, Init, Media, PartUpload, Place, SegmentUpload, TrackKind, TrackName, TrackUpdate,
        Upload, What,
    },
};

/// The longest text in a signal that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 256;

/// The longest segment that a track may promise, in seconds.
const MAX_TARGET_SECS: f64 = 60.0;

/// The shortest part that a track may promise, in seconds; shorter ones would be all overhead.
const MIN_PART_TARGET_SECS: f64 = 0.05;

/// The largest sequence number, up to which JavaScript counts by ones (2^53).
const MAX_SEQUENCE: f64 = 9_007_199_254_740_992.0;

/// The largest bit rate that is believed.
const MAX_BANDWIDTH: f64 = 1e12;

/// What a variant is announced with whose packager names no bit rate.
const DEFAULT_BANDWIDTH: u64 = 2_000_000;

/// A data signal, read.
#[derive(Debug)]
pub(super) struct Signal {
    /// When it was sent, by its sender's clock, in milliseconds since 1970.
    pub(super) sent_ms: Option<f64>,
    /// What it brings.
    pub(super) upload: Upload,
}

/// Reads a data signal.
pub(super) fn signal(body: &[u8]) -> Result<Signal, Fault> {
    let message: Message = serde_json::from_slice(body)
        .map_err(|error| Fault::Malformed(format!("this is not a data signal: {error}")))?;
    let sent_ms = message.timestamp.map(|Number(timestamp)| timestamp);
    let upload = match message.action.as_str() {
        "updateVariant" => variant(message.payload),
        "updateRendition" => rendition(message.payload),
        "updateSegment" => segment(message.payload),
        "updatePart" => part(message.payload),
        other => Err(Fault::Malformed(format!(
            "there is no action {other:?}, but updateVariant, updateRendition, updateSegment and \
             updatePart"
        ))),
    };
    Ok(Signal { sent_ms, upload: upload? })
}

/// What a variant is, and its initialization section.
pub(super) fn variant(payload: Payload) -> Result<Upload, Fault> {
    let variant = payload.variant.as_ref().ok_or_else(|| missing("variant"))?;
    let bandwidth = whole("bandwidth", variant.bandwidth, MAX_BANDWIDTH)?;
    let about = About::Variant {
        codecs: text("codecs", variant.codecs.as_deref().unwrap_or_default())?,
        bandwidth: bandwidth.filter(|rate| *rate > 0).unwrap_or(DEFAULT_BANDWIDTH),
        audio: optional_text("audio", variant.audio.as_deref())?,
    };
    let (target, part_target) = (variant.target_duration, variant.target_part_duration);
    let update = track_update(about, variant.version, target, part_target)?;
    let track = track(TrackKind::Variant, &variant.id)?;
    described(track, update, payload)
}

/// What a rendition is, and its initialization section.
pub(super) fn rendition(payload: Payload) -> Result<Upload, Fault> {
    let rendition = payload.rendition.as_ref().ok_or_else(|| missing("rendition"))?;
    let kind = rendition.kind.as_deref().unwrap_or("AUDIO");
    let media = match kind.to_ascii_uppercase().as_str() {
        "AUDIO" => Media::Audio,
        "VIDEO" => Media::Video,
        "SUBTITLES" => Media::Subtitles,
        _ => return Err(Fault::Malformed(format!("there are no renditions of type {kind:?}"))),
    };
    let name = rendition.name.as_deref().unwrap_or(&rendition.id);
    let about = About::Rendition {
        media,
        group: text("groupId", rendition.group_id.as_deref().ok_or_else(|| missing("groupId"))?)?,
        name: text("name", name)?,
        language: optional_text("language", rendition.language.as_deref())?,
        is_default: rendition.is_default.unwrap_or(false),
        auto_select: rendition.auto_select.unwrap_or(false),
    };
    let (target, part_target) = (rendition.target_duration, rendition.target_part_duration);
    let update = track_update(about, rendition.version, target, part_target)?;
    let track = track(TrackKind::Rendition, &rendition.id)?;
    described(track, update, payload)
}

fn described(track: TrackName, update: TrackUpdate, payload: Payload) -> Result<Upload, Fault> {
    let map = payload.segment.and_then(|segment| segment.map);
    Ok(Upload {
        playlist: playlist(payload.playlist)?,
        track,
        init: map.map(init).transpose()?,
        what: What::Track(update),
    })
}

/// A whole segment.
pub(super) fn segment(payload: Payload) -> Result<Upload, Fault> {
    let track = track_of(&payload)?;
    let playlist = playlist(payload.playlist)?;
    let segment = payload.segment.ok_or_else(|| missing("segment"))?;
    let place = place(&segment)?;
    let init = segment.map.map(init).transpose()?;
    let duration = segment.duration.ok_or_else(|| missing("segment.duration"))?;
    let duration = duration_of("segment.duration", duration)?;
    let data = bytes("segment.data", segment.data)?.ok_or_else(|| missing("segment.data"))?;
    let what = What::Segment(SegmentUpload { place, duration, data });
    Ok(Upload { playlist, track, init, what })
}

/// A part of a segment.
pub(super) fn part(payload: Payload) -> Result<Upload, Fault> {
    let track = track_of(&payload)?;
    let playlist = playlist(payload.playlist)?;
    let segment = payload.segment.ok_or_else(|| missing("segment"))?;
    let place = place(&segment)?;
    let init = segment.map.map(init).transpose()?;
    let part = payload.part.ok_or_else(|| missing("part"))?;
    let index = whole("part.sequence", Some(part.sequence), f64::from(u32::MAX))?;
    let duration = part.duration.ok_or_else(|| missing("part.duration"))?;
    let gap = part.gap.unwrap_or(false);
    let data = match bytes("part.data", part.data)? {
        Some(data) => data,
        None if gap => Bytes::new(),
        None => return Err(missing("part.data")),
    };
    let what = What::Part(PartUpload {
        place,
        index: index.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX),
        duration: duration_of("part.duration", duration)?,
        independent: part.independent.unwrap_or(false),
        gap,
        data,
    });
    Ok(Upload { playlist, track, init, what })
}

fn place(segment: &SegmentPayload) -> Result<Place, Fault> {
    let sequence = segment.sequence.ok_or_else(|| missing("segment.sequence"))?;
    Ok(Place {
        msn: whole("segment.sequence", Some(sequence), MAX_SEQUENCE)?.unwrap_or_default(),
        discontinuity: segment.discontinuity.unwrap_or(false),
        program_date_time: match &segment.program_date_time {
            Some(TextOrNumber::Text(time)) => Some(date_time(time)?),
            Some(TextOrNumber::Number(ms)) => Some(date_time(&ms.to_string())?),
            None => None,
        },
    })
}

fn track_of(payload: &Payload) -> Result<TrackName, Fault> {
    match (&payload.variant, &payload.rendition) {
        (Some(variant), None) => track(TrackKind::Variant, &variant.id),
        (None, Some(rendition)) => track(TrackKind::Rendition, &rendition.id),
        (Some(_), Some(_)) | (None, None) => {
            Err(Fault::Malformed("name either a variant or a rendition".into()))
        }
    }
}

fn playlist(payload: Option<PlaylistPayload>) -> Result<Option<String>, Fault> {
    let id = payload.and_then(|playlist| playlist.id);
    optional_text("playlist.id", id.as_deref())
}

fn init(map: MapPayload) -> Result<Init, Fault> {
    Ok(Init { id: optional_text("map.id", map.id.as_deref())?, data: bytes("map.data", map.data)? })
}

fn bytes(what: &str, data: Option<Data>) -> Result<Option<Bytes>, Fault> {
    match data {
        Some(Data(data)) if data.is_empty() => Err(Fault::Malformed(format!("{what} is empty"))),
        Some(Data(data)) => Ok(Some(data)),
        None => Ok(None),
    }
}

/// Names a track.
pub(super) fn track(kind: TrackKind, id: &str) -> Result<TrackName, Fault> {
    let id = id.parse();
    let id = id.map_err(|error| Fault::Malformed(format!("the {}'s id: {error}", kind.word())))?;
    Ok(TrackName { kind, id })
}

fn track_update(
    about: About,
    version: Option<Number>,
    target: Option<Number>,
    part_target: Option<Number>,
) -> Result<TrackUpdate, Fault> {
    let Number(target) = target.ok_or_else(|| missing("targetDuration"))?;
    if !(target > 0.0 && target <= MAX_TARGET_SECS) {
        return Err(Fault::Malformed(format!("a targetDuration has up to {MAX_TARGET_SECS} s")));
    }
    let part_target = part_target.filter(|Number(part_target)| *part_target > 0.0);
    if let Some(Number(part_target)) = part_target
        && !(MIN_PART_TARGET_SECS..=target).contains(&part_target)
    {
        return Err(Fault::Malformed(format!(
            "a targetPartDuration has from {MIN_PART_TARGET_SECS} s to the targetDuration"
        )));
    }
    Ok(TrackUpdate {
        about,
        version: whole("version", version, MAX_SEQUENCE)?,
        target_secs: target.ceil() as u32,
        part_target: part_target.map(|Number(part_target)| Duration::from_secs_f64(part_target)),
    })
}

fn duration_of(what: &str, Number(duration): Number) -> Result<Duration, Fault> {
    // A target duration has at most so many; the timeline knows the track's own.
    if duration > 0.0 && duration <= MAX_TARGET_SECS + 1.0 {
        return Ok(Duration::from_secs_f64(duration));
    }
    Err(Fault::Malformed(format!("{what} is {duration}; seconds are wanted")))
}

fn whole(what: &str, number: Option<Number>, most: f64) -> Result<Option<u64>, Fault> {
    match number {
        Some(Number(number)) if number.fract() != 0.0 || number > most => {
            Err(Fault::Malformed(format!("{what} is {number}; a whole number is wanted")))
        }
        Some(Number(number)) => Ok(Some(number as u64)),
        None => Ok(None),
    }
}

/// A text that may stand in a playlist between quotes (RFC 8216bis, 4.2).
fn text(what: &str, text: &str) -> Result<String, Fault> {
    if text.len() > MAX_TEXT_BYTES
        || text.contains(|letter: char| letter == '"' || letter.is_control())
    {
        return Err(Fault::Malformed(format!(
            "{what} has more than {MAX_TEXT_BYTES} bytes, quotes or control characters"
        )));
    }
    Ok(text.to_owned())
}

fn optional_text(what: &str, given: Option<&str>) -> Result<Option<String>, Fault> {
    let given = given.filter(|given| !given.is_empty());
    given.map(|given| text(what, given)).transpose()
}

/// A time as in ISO 8601, or in milliseconds since 1970.
fn date_time(time: &str) -> Result<String, Fault> {
    if let Ok(ms) = time.parse::<f64>() {
        return iso_8601(ms)
            .ok_or_else(|| Fault::Malformed(format!("{time} is no time that can be")));
    }
    let fits = (10..=40).contains(&time.len())
        && time.bytes().all(|byte| byte.is_ascii_digit() || b"TZ:+-.".contains(&byte));
    let wanted = "programDateTime is neither ISO 8601 nor milliseconds since 1970";
    fits.then(|| time.to_owned()).ok_or_else(|| Fault::Malformed(wanted.into()))
}

fn missing(what: &str) -> Fault {
    Fault::Malformed(format!("{what} is missing"))
}
