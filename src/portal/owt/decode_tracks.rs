//! Reads `publish` and `subscribe` of protocol 1.2, whose media is a list of tracks and which name
//! the peer connection that carries them.
//!
//! A track's `mid` says which m-line of the offer is its; without one, the media side finds a new
//! m-line by kind and direction, in order.

use std::sync::Arc;

use serde_json::Value;

use super::{
    decode::{
        Complaint, attributes, publish_audio, publish_video, subscribe_audio, subscribe_video,
    },
    refusal::Refusal,
    schema::{Object, object, one_of, text, wrong_type},
    track_id::word,
};
use crate::{
    driver::fresh_session,
    formats::{Mids, Offerer, TrackKind},
    ids::{SessionId, TransportId},
    room::{Command, Negotiation, PublishMedia, SubscribeMedia},
};

/// Tracks that a request may list: one of each kind.
const MAX_TRACKS: usize = 2;

/// The longest `mid`, in bytes; no offer may have a longer one.
const MAX_MID_BYTES: usize = 64;

/// Reads `publish`.
pub(super) fn publish(data: &Value) -> Result<Command, Refusal> {
    let request = object(data, "request").map_err(Refusal::malformed)?;
    let mut media = PublishMedia::default();
    for_each_track(request, |kind, track| {
        match kind {
            TrackKind::Audio => once(&mut media.audio, publish_audio(track)?),
            TrackKind::Video => once(&mut media.video, publish_video(track)?),
        }
        .map_err(Complaint::Shape)
    })?;
    let (session, transport) = session_on(request)?;
    let attributes = attributes(request)?;
    Ok(Command::Publish { session, transport, media, attributes })
}

/// Reads `subscribe`.
pub(super) fn subscribe(data: &Value) -> Result<Command, Refusal> {
    let request = object(data, "request").map_err(Refusal::malformed)?;
    let mut media = SubscribeMedia::default();
    for_each_track(request, |kind, track| {
        match kind {
            TrackKind::Audio => once(&mut media.audio, subscribe_audio(track)?),
            TrackKind::Video => once(&mut media.video, subscribe_video(track)?),
        }
        .map_err(Complaint::Shape)
    })?;
    let (session, transport) = session_on(request)?;
    Ok(Command::Subscribe { session, transport, offerer: Offerer::Client, media })
}

/// The m-lines that a granted `publish` or `subscribe` names, to be told to the media side before
/// the offer comes.
pub(super) fn names(command: &Command, data: &Value) -> Option<Command> {
    let (Command::Publish { session, transport, .. }
    | Command::Subscribe { session, transport, .. }) = command
    else {
        return None;
    };
    let tracks = data.pointer("/media/tracks")?.as_array()?;
    let mid_of = |kind: TrackKind| {
        let track = tracks.iter().find(|track| track["type"] == word(kind))?;
        track["mid"].as_str().map(Arc::from)
    };
    let mids = Mids { audio: mid_of(TrackKind::Audio), video: mid_of(TrackKind::Video) };
    if mids == Mids::default() {
        return None;
    }
    let payload = Negotiation::Names { session: session.clone(), mids };
    Some(Command::Negotiate { transport: transport.clone(), payload })
}

fn for_each_track(
    request: Object<'_, '_>,
    mut read: impl FnMut(TrackKind, Object<'_, '_>) -> Result<(), Complaint>,
) -> Result<(), Refusal> {
    let tracks = tracks(request).map_err(Refusal::malformed)?;
    for (index, track) in tracks.iter().enumerate() {
        let path = format!("request.media.tracks[{index}]");
        let outcome = kind(track, &path).map_err(Complaint::Shape);
        outcome.and_then(|(kind, track)| read(kind, track)).map_err(Refusal::from)?;
    }
    Ok(())
}

fn tracks<'v>(request: Object<'v, '_>) -> Result<&'v [Value], String> {
    let media = object(request.required("media")?, "request.media")?;
    let path = media.path_of("tracks");
    let tracks = media.required("tracks")?.as_array().ok_or_else(|| wrong_type(&path, "array"))?;
    if tracks.len() > MAX_TRACKS {
        return Err(format!("{path} should NOT have more than {MAX_TRACKS} items"));
    }
    Ok(tracks)
}

fn kind<'v, 'p>(track: &'v Value, path: &'p str) -> Result<(TrackKind, Object<'v, 'p>), String> {
    let track = object(track, path)?;
    if let Some(mid) = track.optional("mid") {
        let path = track.path_of("mid");
        if text(mid, &path)?.len() > MAX_MID_BYTES {
            return Err(format!("{path} should NOT be longer than {MAX_MID_BYTES} characters"));
        }
    }
    let kinds = [("audio", TrackKind::Audio), ("video", TrackKind::Video)];
    let kind = one_of(track.required("type")?, &track.path_of("type"), &kinds)?;
    Ok((kind, track))
}

fn once<T>(place: &mut Option<T>, track: T) -> Result<(), String> {
    match place.replace(track) {
        None => Ok(()),
        Some(_) => Err("request.media.tracks should NOT have two tracks of one kind".into()),
    }
}

/// A fresh session on the named transport, or on one of its own that bears its id.
fn session_on(request: Object<'_, '_>) -> Result<(SessionId, TransportId), Refusal> {
    let session = fresh_session();
    let own = TransportId::from(&session);
    let Some(transport) = request.optional("transport").filter(|it| !it.is_null()) else {
        return Ok((session, own));
    };
    let transport = object(transport, "request.transport").map_err(Refusal::malformed)?;
    if let Some(kind) = transport.optional("type") {
        let path = transport.path_of("type");
        one_of(kind, &path, &[("webrtc", ())]).map_err(Refusal::malformed)?;
    }
    let transport = match transport.optional("id").filter(|id| !id.is_null()) {
        None => own,
        Some(id) => {
            let path = transport.path_of("id");
            let id = text(id, &path).map_err(Refusal::malformed)?;
            let invalid = |_| Refusal::malformed(format!("{path} is not the id of a transport"));
            id.parse().map_err(invalid)?
        }
    };
    Ok((session, transport))
}
