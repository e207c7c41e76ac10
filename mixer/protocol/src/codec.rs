//! Codecs as both ends name them.

use serde::{Deserialize, Serialize};

/// A video codec with its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VideoCodec {
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184, constrained baseline.
    H264ConstrainedBaseline,
    /// RFC 6184, baseline.
    H264Baseline,
    /// RFC 6184, main.
    H264Main,
    /// RFC 6184, high.
    H264High,
    /// RFC 7798.
    H265,
    /// AOM's RTP payload format for AV1.
    Av1,
}

/// An audio codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioCodec {
    /// RFC 7587.
    Opus,
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722.
    G722,
    /// RFC 3640, AAC-LC.
    Aac,
}

/// A codec of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// Sound.
    Audio(AudioCodec),
    /// Picture.
    Video(VideoCodec),
}

/// What an agent's machine can do, found out by trying at its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// What inputs may be encoded as.
    pub decoders: Vec<Codec>,
    /// What outputs may be encoded as.
    pub encoders: Vec<Codec>,
}
