//! What an agent's views show and play: a room's views, and forward streams that are transcoded, each
//! as a view of one input.

use std::collections::BTreeMap;

use portico_mixer_protocol::{Picture, RtpFormat};

use crate::{
    formats::{AudioFormat, Resolution, TrackKind, VideoFormat},
    ids::StreamId,
    mixing::{
        outputs::{Key, Outputs, Transcoded, Views},
        words,
    },
    room::{InputTrack, TrackStatus},
};

/// What a view of the agent shows or plays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mixing) enum Program {
    /// A view of the room.
    View(StreamId),
    /// The sound of a forward stream.
    Sound(StreamId),
    /// The picture of a forward stream in some size, so often a second. The view has the size that
    /// is encoded, so that pictures are scaled once.
    Picture(StreamId, Resolution, u32),
}

/// An input that is needed.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Its owner's account.
    pub(super) user: &'a str,
    /// What it holds.
    pub(super) format: RtpFormat,
    /// Whether it flows.
    pub(super) active: bool,
}

impl Program {
    /// What is encoded under a key.
    pub(super) fn of(key: &Key, views: &Views) -> Self {
        let stream = key.of().clone();
        if views.contains_key(&stream) {
            return Self::View(stream);
        }
        match key {
            Key::Audio { .. } => Self::Sound(stream),
            Key::Video { resolution, framerate, .. } => {
                Self::Picture(stream, *resolution, *framerate)
            }
        }
    }

    /// The picture of a view of one input.
    pub(super) fn picture(&self) -> Option<Picture> {
        match self {
            Self::View(_) | Self::Sound(_) => None,
            Self::Picture(_, size, framerate) => Some(words::plain_picture(*size, *framerate)),
        }
    }

    /// The track that a view of one input shows or plays.
    pub(super) fn track(&self) -> Option<(&StreamId, TrackKind)> {
        match self {
            Self::View(_) => None,
            Self::Sound(stream) => Some((stream, TrackKind::Audio)),
            Self::Picture(stream, ..) => Some((stream, TrackKind::Video)),
        }
    }
}

/// The views of one input that are needed, and of what.
pub(super) fn transcoded<'a>(
    views: &Views,
    outputs: &'a Outputs,
) -> BTreeMap<Program, &'a Transcoded> {
    let forward = outputs.open().filter(|(_, key)| !views.contains_key(key.of()));
    let transcoded = forward
        .filter_map(|(_, key)| Some((Program::of(key, views), outputs.transcoded(key.of())?)));
    transcoded.collect()
}

/// All inputs that are needed.
pub(super) fn inputs<'a>(
    views: &'a Views,
    transcoded: &BTreeMap<Program, &'a Transcoded>,
) -> BTreeMap<(StreamId, TrackKind), Wanted<'a>> {
    let mut inputs = BTreeMap::new();
    for input in views.values().flat_map(|view| &view.inputs) {
        for kind in [TrackKind::Audio, TrackKind::Video] {
            let wanted = track(&input.user, kind, input.audio.as_ref(), input.video.as_ref());
            if let Some(wanted) = wanted {
                inputs.entry((input.stream.clone(), kind)).or_insert(wanted);
            }
        }
    }
    for (program, Transcoded { user, audio, video }) in transcoded {
        let Some((stream, kind)) = program.track() else { continue };
        if let Some(wanted) = track(user, kind, audio.as_ref(), video.as_ref()) {
            inputs.entry((stream.clone(), kind)).or_insert(wanted);
        }
    }
    inputs
}

/// One of somebody's tracks.
fn track<'a>(
    user: &'a str,
    kind: TrackKind,
    audio: Option<&InputTrack<AudioFormat>>,
    video: Option<&InputTrack<VideoFormat>>,
) -> Option<Wanted<'a>> {
    match kind {
        TrackKind::Audio => audio.map(|it| wanted(user, words::audio_input(it.format), it)),
        TrackKind::Video => video.map(|it| wanted(user, words::video_input(it.format), it)),
    }
}

fn wanted<'a, F>(user: &'a str, format: RtpFormat, track: &InputTrack<F>) -> Wanted<'a> {
    Wanted { user, format, active: track.status == TrackStatus::Active }
}
