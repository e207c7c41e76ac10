//! Writes a stream's media as protocol 1.2 does: a list of tracks.

use super::{
    encode::{
        audio_format, audio_optional, status, told_audio_source, video_encoding, video_optional,
        video_source,
    },
    message::{MediaTracks, Track, TrackEncoding, VideoEncoding},
    track_id::{track_id, word},
};
use crate::{
    formats::TrackKind,
    room::{StreamInfo, StreamOrigin, VideoTrack},
};

/// The tracks: sound first, then the picture or each of its layers. `mid` counts kinds, as OWT does
/// where it does not know better; nobody needs it of somebody else's stream.
pub(super) fn media(info: &StreamInfo) -> MediaTracks<'_> {
    let forward = matches!(info.origin, StreamOrigin::Forward { .. });
    let mut tracks = Vec::new();
    if let Some(audio) = &info.audio {
        tracks.push(Track {
            id: track_id(info.id.as_str(), TrackKind::Audio, None),
            kind: word(TrackKind::Audio),
            source: audio.source.and_then(told_audio_source),
            status: forward.then(|| status(audio.status)),
            encoding: TrackEncoding::Audio {
                format: audio_format(audio.format),
                optional: audio_optional(audio),
            },
            mid: "0",
            rid: None,
        });
    }
    if let Some(video) = &info.video {
        let mid = if info.audio.is_some() { "1" } else { "0" };
        tracks.extend(layers(info, video, forward, mid));
    }
    MediaTracks { tracks }
}

fn layers<'i>(
    info: &'i StreamInfo,
    video: &'i VideoTrack,
    forward: bool,
    mid: &'static str,
) -> impl Iterator<Item = Track<'i>> {
    video.original.iter().map(move |layer| {
        let VideoEncoding { format, parameters, simulcast_rid: rid } = video_encoding(layer);
        Track {
            id: track_id(info.id.as_str(), TrackKind::Video, rid),
            kind: word(TrackKind::Video),
            source: video.source.map(video_source),
            status: forward.then(|| status(video.status)),
            encoding: TrackEncoding::Video {
                format,
                parameters,
                optional: video_optional(&video.optional),
            },
            mid,
            rid,
        }
    })
}
