//! Reads `subscription-control` (section 3.3.13 of the protocol).

use std::sync::Arc;

use serde_json::Value;

use super::{
    decode::{parameters, session_id},
    refusal::Refusal,
    schema::{Object, object, text},
    track_id::{TrackSource, source},
};
use crate::{
    formats::{TrackKind, TrackSelection},
    room::{Command, SubscriptionUpdate, VideoUpdate},
};

/// Reads the request. `false` instead of a track means, as elsewhere, that it is not concerned.
pub(super) fn subscription_control(data: &Value) -> Result<Command, Refusal> {
    let session = session_id(data, "Invalid subscription id")?;
    let invalid = || Refusal::malformed("Invalid subscription control operation");
    let tracks = || tracks(data.get("data").unwrap_or(&Value::Null)).ok_or_else(invalid);
    match data.get("operation").and_then(Value::as_str) {
        Some("update") => {
            let update = update(data).map_err(Refusal::malformed)?;
            Ok(Command::UpdateSubscription { session, update })
        }
        Some("pause") => Ok(Command::PauseSubscription { session, tracks: tracks()? }),
        Some("play") => Ok(Command::PlaySubscription { session, tracks: tracks()? }),
        Some("querybwe") => Ok(Command::EstimateBandwidth { session }),
        _ => Err(invalid()),
    }
}

/// The tracks that a control request names.
pub(super) fn tracks(value: &Value) -> Option<TrackSelection> {
    match value.as_str()? {
        "audio" => Some(TrackSelection::Audio),
        "video" => Some(TrackSelection::Video),
        "av" => Some(TrackSelection::AudioAndVideo),
        _ => None,
    }
}

fn update(request: &Value) -> Result<SubscriptionUpdate, String> {
    let request = object(request, "request")?;
    let data = object(request.required("data")?, "request.data")?;
    let audio = match track(data, "audio") {
        None => None,
        Some(audio) => {
            let audio = object(audio, "request.data.audio")?;
            let from = audio.required("from")?;
            let (from, _) = track_source(from, &audio.path_of("from"), TrackKind::Audio)?;
            Some(from)
        }
    };
    let video = match track(data, "video") {
        None => None,
        Some(video) => {
            let video = object(video, "request.data.video")?;
            let from = video.optional("from");
            let path = video.path_of("from");
            let from = from.map(|from| track_source(from, &path, TrackKind::Video)).transpose()?;
            let (from, layer) = from.map_or((None, None), |(from, layer)| (Some(from), layer));
            let rid = video.optional("simulcastRid");
            let rid = rid.map(|rid| text(rid, &video.path_of("simulcastRid"))).transpose()?;
            let simulcast_rid = rid.map(Arc::from).or(layer);
            Some(VideoUpdate { from, parameters: parameters(video)?, simulcast_rid })
        }
    };
    Ok(SubscriptionUpdate { audio, video })
}

fn track<'v>(data: Object<'v, '_>, kind: &str) -> Option<&'v Value> {
    data.optional(kind).filter(|track| !matches!(track, Value::Bool(false) | Value::Null))
}

/// A stream, or one of its tracks or layers.
fn track_source(value: &Value, path: &str, kind: TrackKind) -> Result<TrackSource, String> {
    source(text(value, path)?, kind).ok_or_else(|| format!("{path} is not the id of a stream"))
}
