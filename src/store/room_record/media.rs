//! What a room takes in and gives out.

use serde::{Deserialize, Serialize};

use crate::room;

/// An audio format by OWT's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioFormatRecord {
    /// Such as `opus`.
    pub codec: String,
    /// In Hz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_num: Option<u8>,
}

/// A video format by OWT's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoFormatRecord {
    /// Such as `vp8`.
    pub codec: String,
    /// Such as `CB`; for H.264 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What may be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaIn {
    /// Audio formats, in the order of preference.
    #[serde(default)]
    pub audio: Vec<AudioFormatRecord>,
    /// Video formats, in the order of preference.
    #[serde(default)]
    pub video: Vec<VideoFormatRecord>,
}

/// What may be subscribed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaOut {
    /// Audio formats, in the order of preference.
    #[serde(default)]
    pub audio: Vec<AudioFormatRecord>,
    /// Video.
    pub video: VideoOut,
}

/// Video that may be subscribed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoOut {
    /// Formats, in the order of preference.
    #[serde(default)]
    pub format: Vec<VideoFormatRecord>,
    /// What it may look like.
    #[serde(default)]
    pub parameters: VideoOutParameters,
}

/// Seconds from one key frame to the next.
pub type KeyFrameIntervals = Vec<u32>;

/// What subscribed video may look like. The defaults are OWT's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VideoOutParameters {
    /// Names (`vga`) and fractions (`x3/4`).
    pub resolution: Vec<String>,
    /// Frames per second.
    pub framerate: Vec<u32>,
    /// Multiples (`x0.8`) and numbers in kbit/s.
    pub bitrate: Vec<serde_json::Value>,
    /// Seconds.
    pub key_frame_interval: KeyFrameIntervals,
}

impl Default for VideoOutParameters {
    fn default() -> Self {
        let resolutions = [
            "x3/4", "x2/3", "x1/2", "x1/3", "x1/4", "hd1080p", "hd720p", "svga", "vga", "qvga",
            "cif",
        ];
        Self {
            resolution: resolutions.map(str::to_owned).to_vec(),
            framerate: vec![6, 12, 15, 24, 30, 48, 60],
            bitrate: ["x0.8", "x0.6", "x0.4", "x0.2"].map(Into::into).to_vec(),
            key_frame_interval: vec![100, 30, 5, 2, 1],
        }
    }
}

/// A picture's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolutionRecord {
    /// Pixels per line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// What may be transcoded; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transcoding {
    /// Audio.
    pub audio: bool,
    /// Video.
    pub video: TranscodingVideo,
}

impl Default for Transcoding {
    fn default() -> Self {
        Self { audio: true, video: TranscodingVideo::default() }
    }
}

impl Transcoding {
    /// What may be asked of a running room's forward streams.
    pub(super) fn to_settings(&self) -> room::Transcoding {
        let TranscodingVideo { format, parameters } = &self.video;
        room::Transcoding {
            audio: self.audio,
            video: *format,
            resolution: parameters.resolution,
            framerate: parameters.framerate,
            bitrate: parameters.bitrate,
            key_frame_interval: parameters.key_frame_interval,
        }
    }
}

/// What of video may be transcoded; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TranscodingVideo {
    /// Between formats.
    pub format: bool,
    /// To other looks.
    pub parameters: TranscodingParameters,
}

impl Default for TranscodingVideo {
    fn default() -> Self {
        Self { format: true, parameters: TranscodingParameters::default() }
    }
}

/// What of video's looks may be transcoded; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TranscodingParameters {
    /// Size.
    pub resolution: bool,
    /// Frames per second.
    pub framerate: bool,
    /// Bit rate.
    pub bitrate: bool,
    /// Distance of key frames.
    pub key_frame_interval: bool,
}

impl Default for TranscodingParameters {
    fn default() -> Self {
        Self { resolution: true, framerate: true, bitrate: true, key_frame_interval: true }
    }
}

/// What participants are told; everything by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Notifying {
    /// Who comes and goes.
    pub participant_activities: bool,
    /// What becomes of streams.
    pub stream_change: bool,
}

impl Default for Notifying {
    fn default() -> Self {
        Self { participant_activities: true, stream_change: true }
    }
}
