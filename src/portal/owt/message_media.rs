//! What a stream carries, as the `owt` door writes it; a part of [`message`](super::message).

use serde::Serialize;

/// What a stream carries: by kind, or since protocol 1.2 as a list of tracks.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Media<'a> {
    Kinds(Box<MediaInfo<'a>>),
    Tracks(MediaTracks<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct MediaTracks<'a> {
    pub(super) tracks: Vec<Track<'a>>,
}

/// A track of protocol 1.2. A simulcast layer is a track of its own with the `mid` of the others.
#[derive(Debug, Serialize)]
pub(super) struct Track<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(flatten)]
    pub(super) encoding: TrackEncoding<'a>,
    pub(super) mid: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rid: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum TrackEncoding<'a> {
    Audio {
        format: AudioFormat,
        optional: AudioOptional,
    },
    Video {
        format: VideoFormat,
        #[serde(skip_serializing_if = "Option::is_none")]
        parameters: Option<VideoParameters>,
        optional: VideoOptional<'a>,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct MediaInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<AudioInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<VideoInfo<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct AudioInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    pub(super) format: AudioFormat,
    pub(super) optional: AudioOptional,
}

#[derive(Debug, Serialize)]
pub(super) struct AudioOptional {
    pub(super) format: Vec<AudioFormat>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AudioFormat {
    pub(super) codec: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel_num: Option<u8>,
}

#[derive(Debug, Serialize)]
pub(super) struct VideoInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    #[serde(flatten)]
    pub(super) encodings: Encodings<'a>,
    pub(super) optional: VideoOptional<'a>,
}

/// How a picture is encoded: all encodings, or in protocol 1.0 the first one alone.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Encodings<'a> {
    All { original: Vec<VideoEncoding<'a>> },
    First(VideoEncoding<'a>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VideoEncoding<'a> {
    pub(super) format: VideoFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<VideoParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) simulcast_rid: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct VideoFormat {
    pub(super) codec: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VideoParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resolution: Option<Resolution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) framerate: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bitrate: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_frame_interval: Option<Number>,
}

#[derive(Debug, Serialize)]
pub(super) struct Resolution {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A JSON number that is written without a fraction when it has none: the native SDKs read
/// integers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(u64),
    Fraction(f64),
}

#[derive(Debug, Serialize)]
pub(super) struct VideoOptional<'a> {
    pub(super) format: Vec<VideoFormat>,
    pub(super) parameters: OptionalParameters<'a>,
}

/// All four lists are always there: the JavaScript and Android SDKs read each unconditionally.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OptionalParameters<'a> {
    pub(super) resolution: Vec<Resolution>,
    pub(super) framerate: &'a [u32],
    pub(super) bitrate: Vec<&'a str>,
    pub(super) key_frame_interval: &'a [u32],
}
