//! Reads requests into the room's neutral commands.

use std::sync::Arc;

use serde_json::Value;

use super::refusal::{Code, Refusal, SessionKind};
use crate::{
    formats::{AudioSource, VideoParameters, VideoSource},
    ids::{RoomId, SessionId, StreamId},
    portal::{
        candidate,
        offer::{self, Kinds},
    },
    room::{PublishAudio, PublishMedia, PublishVideo},
};

/// What a participant asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wish {
    /// To be taken for alive.
    KeepAlive,
    /// To leave.
    Leave,
    /// To be told who is there, or which streams there are.
    List {
        /// Which of the two.
        what: Listed,
    },
    /// To publish.
    Publish {
        /// The offer.
        sdp: Arc<str>,
        /// What it carries.
        media: PublishMedia,
    },
    /// To subscribe.
    Subscribe {
        /// The offer.
        sdp: Arc<str>,
        /// What it can receive; the stream may have less.
        kinds: Kinds,
        /// From which stream.
        from: StreamId,
    },
    /// To end a session of one's own.
    End {
        /// Of which kind.
        kind: SessionKind,
        /// Which.
        session: SessionId,
    },
    /// To name one more candidate for a session of one's own.
    Trickle {
        /// Of which kind.
        kind: SessionKind,
        /// Which.
        session: SessionId,
        /// The candidate's line.
        candidate: Arc<str>,
    },
    /// To send something to all others.
    Broadcast {
        /// JSON.
        data: Arc<str>,
    },
}

/// Parts of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// The others.
    Users,
    /// The others' streams.
    Pubs,
    /// Both.
    Everything,
}

/// The room that a request names.
pub(super) fn room(data: &Value) -> Result<RoomId, Refusal> {
    let rid = data.get("rid").and_then(Value::as_str).and_then(|rid| rid.parse().ok());
    rid.ok_or_else(|| Refusal::new(Code::Room, "no room has such a rid"))
}

/// Reads what a request is for; `None` when there is no such method. `node` is the only media
/// node that there is.
pub(super) fn wish(method: &str, data: &Value, node: &str) -> Option<Result<Wish, Refusal>> {
    Some(match method {
        "keepalive" => Ok(Wish::KeepAlive),
        "leave" => Ok(Wish::Leave),
        "getusers" => Ok(Wish::List { what: Listed::Users }),
        "getpubs" => Ok(Wish::List { what: Listed::Pubs }),
        "publish" => publish(data),
        "unpublish" => check_node(data, node).and_then(|()| unpublish(data)),
        "subscribe" => check_node(data, node).and_then(|()| subscribe(data)),
        "unsubscribe" => check_node(data, node).and_then(|()| unsubscribe(data)),
        "broadcast" => Ok(broadcast(data)),
        "trickle" => trickle(data),
        _ => return None,
    })
}

/// Where a request names a media node, it must be this one; empty is as good as absent.
fn check_node(data: &Value, node: &str) -> Result<(), Refusal> {
    match data.get("sfuid") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(named)) if named.is_empty() || named == node => Ok(()),
        Some(_) => Err(Refusal::new(Code::Node, "there is no such sfuid")),
    }
}

fn publish(data: &Value) -> Result<Wish, Refusal> {
    let sdp = offer(data)?;
    let media = media(data.get("minfo"))?;
    let sends = offer::directions(&sdp).map_err(Refusal::from)?.sends;
    if (sends.audio, sends.video) != (media.audio.is_some(), media.video.is_some()) {
        return Err(Refusal::new(Code::MediaInfo, "minfo and the offer disagree"));
    }
    Ok(Wish::Publish { sdp, media })
}

/// The SDP of a `jsep`.
fn offer(data: &Value) -> Result<Arc<str>, Refusal> {
    let jsep = data.get("jsep").and_then(Value::as_object);
    let jsep = jsep.filter(|jsep| jsep.get("type").and_then(Value::as_str) == Some("offer"));
    let jsep = jsep.ok_or_else(|| Refusal::new(Code::Jsep, "jsep is no offer"))?;
    let sdp = jsep.get("sdp").and_then(Value::as_str);
    sdp.map(Arc::from).ok_or_else(|| Refusal::new(Code::Sdp, "jsep has no sdp"))
}

/// A `minfo`. The family's clients leave out what is false or 0.
fn media(minfo: Option<&Value>) -> Result<PublishMedia, Refusal> {
    let malformed = || Refusal::new(Code::MediaInfo, "minfo is malformed");
    let minfo = minfo.and_then(Value::as_object).ok_or_else(malformed)?;
    let flag = |key| match minfo.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(malformed()),
    };
    let kind = |key| match minfo.get(key) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => value.as_u64().ok_or_else(malformed),
    };
    let audio_source = match kind("audiotype")? {
        0 => Some(AudioSource::Mic),
        1 => None,
        _ => return Err(malformed()),
    };
    let video_source = match kind("videotype")? {
        0 => Some(VideoSource::Camera),
        1 => Some(VideoSource::ScreenCast),
        2 => None,
        _ => return Err(malformed()),
    };
    let (audio, video) = (flag("audio")?, flag("video")?);
    if !audio && !video {
        return Err(Refusal::new(Code::MediaInfo, "minfo has neither audio nor video"));
    }
    Ok(PublishMedia {
        audio: audio.then_some(PublishAudio { source: audio_source }),
        video: video
            .then(|| PublishVideo { source: video_source, parameters: VideoParameters::default() }),
    })
}

fn subscribe(data: &Value) -> Result<Wish, Refusal> {
    let from = stream(data)?;
    let sdp = offer(data)?;
    let kinds = offer::directions(&sdp).map_err(Refusal::from)?.receives;
    Ok(Wish::Subscribe { sdp, kinds, from })
}

fn unpublish(data: &Value) -> Result<Wish, Refusal> {
    let session = SessionId::from(&stream(data)?);
    Ok(Wish::End { kind: SessionKind::Publication, session })
}

fn unsubscribe(data: &Value) -> Result<Wish, Refusal> {
    let session = subscription(data)?;
    Ok(Wish::End { kind: SessionKind::Subscription, session })
}

fn broadcast(data: &Value) -> Wish {
    Wish::Broadcast { data: data.get("data").unwrap_or(&Value::Null).to_string().into() }
}

/// An extension: a candidate that was found after the offer was made.
fn trickle(data: &Value) -> Result<Wish, Refusal> {
    let (session, kind) = match data.get("sid") {
        Some(_) => (subscription(data)?, SessionKind::Subscription),
        None => (SessionId::from(&stream(data)?), SessionKind::Publication),
    };
    let candidate = candidate::line(data.get("candidate"));
    let candidate = candidate.ok_or_else(|| Refusal::new(Code::Jsep, "this is no candidate"))?;
    Ok(Wish::Trickle { kind, session, candidate })
}

/// A `mid`: `<uid>#<id>`, or the bare id of a mixed stream. Ids are unique in a room and a `uid`
/// may have any letters, so only what follows the last `#` counts.
fn stream(data: &Value) -> Result<StreamId, Refusal> {
    id_after_uid(data.get("mid"))
        .ok_or_else(|| Refusal::new(Code::Stream, "no stream has such a mid"))
}

fn subscription(data: &Value) -> Result<SessionId, Refusal> {
    id_after_uid(data.get("sid"))
        .ok_or_else(|| Refusal::new(Code::Subscription, "no subscription has such a sid"))
}

fn id_after_uid<T: std::str::FromStr>(name: Option<&Value>) -> Option<T> {
    let name = name?.as_str()?;
    name.rsplit_once('#').map_or(name, |(_, id)| id).parse().ok()
}
