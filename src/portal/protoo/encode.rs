//! Writes the room's neutral words in those of this dialect.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    decode::Listed,
    message::{Broadcast, Leaver, Lists, MediaInfo, Pub, Removed, Told, User},
};
use crate::{
    formats::{AudioSource, VideoSource},
    ids::SessionId,
    room::{Notification, RoomInfo, StreamInfo, StreamOrigin},
};

/// What the words depend on beside what they say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The room that the reader is in.
    pub(super) rid: &'a str,
    /// What the reader itself is called. Nobody is told of its own doings.
    pub(super) uid: &'a str,
    /// What this server is called, as signaling and as media node.
    pub(super) node: &'a str,
    /// Whether mixed streams are listed.
    pub(super) views: bool,
}

/// The name of a stream or subscription of somebody.
pub(super) fn name(uid: &str, session: &SessionId) -> String {
    format!("{uid}#{session}")
}

impl Reader<'_> {
    /// A notification's frame; `None` when there is nothing to tell in this dialect.
    pub(super) fn notification(&self, notification: &Notification) -> Option<String> {
        let Self { rid, uid: own, node, .. } = *self;
        match notification {
            Notification::ParticipantJoined(info) => {
                Some(told("peer-join", User { rid, uid: &info.handle, bizid: node }))
            }
            Notification::ParticipantLeft(info) => {
                Some(told("peer-leave", Leaver { rid, uid: &info.handle }))
            }
            Notification::StreamAdded(info) => {
                Some(self.stream(info)).filter(|it| it.uid != own).map(|it| told("stream-add", it))
            }
            Notification::StreamRemoved { stream, owner_handle } => {
                (**owner_handle != *own).then(|| {
                    let mid = name(owner_handle, &SessionId::from(stream));
                    told("stream-remove", Removed { rid, uid: owner_handle, mid })
                })
            }
            // A text comes through a door that has texts, and the dialect has no other place for
            // it. That one is private cannot be said.
            Notification::Text { from, message, .. } => {
                let data = serde_json::value::to_raw_value(&**message).ok()?;
                Some(told("broadcast", Broadcast { rid, uid: &from.handle, data: &data }))
            }
            Notification::Broadcast { from, data } => {
                let data = raw_json(data);
                Some(told("broadcast", Broadcast { rid, uid: &from.handle, data }))
            }
            Notification::StreamUpdated { .. }
            | Notification::Answer { .. }
            | Notification::Offer { .. }
            | Notification::SessionReady { .. }
            | Notification::SessionFailed { .. }
            | Notification::Publishers(_)
            | Notification::Relayed { .. }
            | Notification::Kicked { .. }
            | Notification::Expired
            | Notification::Dropped => None,
        }
    }

    /// The others in a room and their streams.
    pub(super) fn lists<'r>(&'r self, room: &'r RoomInfo, what: Listed) -> Lists<'r> {
        let Self { rid, uid: own, node: bizid, views } = *self;
        let users = || {
            let everybody = room.participants.iter().map(|info| &*info.handle);
            let others = everybody.filter(|uid| *uid != own);
            others.map(|uid| User { rid, uid, bizid }).collect()
        };
        let pubs = || {
            let listed = room.streams.iter().filter(|info| match &info.origin {
                StreamOrigin::Forward { owner_handle, .. } => **owner_handle != *own,
                StreamOrigin::Mixed { .. } => views,
            });
            listed.map(|info| self.stream(info)).collect()
        };
        match what {
            Listed::Users => Lists { users: Some(users()), pubs: None },
            Listed::Pubs => Lists { users: None, pubs: Some(pubs()) },
            Listed::Everything => Lists { users: Some(users()), pubs: Some(pubs()) },
        }
    }

    /// A stream. A mixed one is nobody's, so its `uid` is empty and its `mid` the bare id.
    fn stream<'r>(&'r self, info: &'r StreamInfo) -> Pub<'r> {
        let (uid, mid) = match &info.origin {
            StreamOrigin::Forward { owner_handle, .. } => {
                (&**owner_handle, name(owner_handle, &SessionId::from(&info.id)))
            }
            StreamOrigin::Mixed { .. } => ("", info.id.to_string()),
        };
        Pub { rid: self.rid, uid, mid, sfuid: self.node, minfo: media(info) }
    }
}

fn media(info: &StreamInfo) -> MediaInfo {
    let audio_source = info.audio.as_ref().map(|track| track.source);
    let video_source = info.video.as_ref().map(|track| track.source);
    MediaInfo {
        audio: info.audio.is_some(),
        video: info.video.is_some(),
        audiotype: audio_source.map_or(0, audio_type),
        videotype: video_source.map_or(0, video_type),
    }
}

fn audio_type(source: Option<AudioSource>) -> u8 {
    match source {
        Some(AudioSource::Mic) => 0,
        Some(AudioSource::ScreenCast | AudioSource::RawFile | AudioSource::EncodedFile) | None => 1,
    }
}

fn video_type(source: Option<VideoSource>) -> u8 {
    match source {
        Some(VideoSource::Camera) => 0,
        Some(VideoSource::ScreenCast) => 1,
        Some(VideoSource::RawFile | VideoSource::EncodedFile) | None => 2,
    }
}

fn told(method: &'static str, data: impl Serialize) -> String {
    frame(&Told { notification: true, method, data })
}

/// A frame's text.
pub(super) fn frame(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("texts, numbers and flags are JSON")
}

/// What is broadcast was written by this server's own JSON writer when it came in.
fn raw_json(text: &str) -> &RawValue {
    serde_json::from_str(text).expect("a broadcast is kept as valid JSON")
}
