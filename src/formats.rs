//! Words for media that rooms, doors and the media plane share: codecs, formats, sizes, sources.
//!
//! Only the vocabulary: no wire form (doors own that) and no SDP (the media plane owns that).

use std::sync::Arc;

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// What a pause or play acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackSelection {
    /// The audio track only.
    Audio,
    /// The video track only.
    Video,
    /// Both, audio first (the order in which OWT announces them).
    AudioAndVideo,
}

impl TrackSelection {
    /// The kinds that are meant, in the order in which they are announced.
    pub fn kinds(self) -> &'static [TrackKind] {
        match self {
            Self::Audio => &[TrackKind::Audio],
            Self::Video => &[TrackKind::Video],
            Self::AudioAndVideo => &[TrackKind::Audio, TrackKind::Video],
        }
    }
}

/// Which end of a subscription's peer connection makes the SDP offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offerer {
    /// The client; it may offer again, and other sessions may share the connection.
    Client,
    /// This server, once. The connection carries that one session, and whoever needs fresh ICE
    /// credentials ends it and subscribes anew.
    Server,
}

/// Audio codecs that Portico negotiates and forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AudioCodec {
    /// RFC 7587.
    Opus,
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722, whose RTP clock runs at 8 kHz although it samples at 16 kHz (RFC 3551, 4.5.2).
    G722,
}

/// An audio codec with its sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioFormat {
    /// The codec.
    pub codec: AudioCodec,
    /// In Hz; absent where the codec has only one.
    pub sample_rate: Option<u32>,
    /// Number of channels; absent where the codec has only one choice.
    pub channels: Option<u8>,
}

impl AudioFormat {
    /// Opus as WebRTC knows it.
    pub const OPUS: Self =
        Self { codec: AudioCodec::Opus, sample_rate: Some(48_000), channels: Some(2) };
    /// G.711 mu-law; OWT lists it bare.
    pub const PCMU: Self = Self { codec: AudioCodec::Pcmu, sample_rate: None, channels: None };
    /// G.711 A-law; OWT lists it bare.
    pub const PCMA: Self = Self { codec: AudioCodec::Pcma, sample_rate: None, channels: None };
    /// G.722 as OWT lists it.
    pub const G722: Self =
        Self { codec: AudioCodec::G722, sample_rate: Some(16_000), channels: Some(1) };
}

/// Video codecs that Portico negotiates and forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoCodec {
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// RFC 7798.
    H265,
    /// AOM's RTP payload format for AV1.
    Av1,
}

/// H.264 profiles by OWT's letters, in rising order of what a decoder must master: an offer of one
/// satisfies a request for the same or a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum H264Profile {
    /// `CB`.
    ConstrainedBaseline,
    /// `B`.
    Baseline,
    /// `M`.
    Main,
    /// `H`.
    High,
}

/// A video codec with its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VideoFormat {
    /// The codec.
    pub codec: VideoCodec,
    /// Only for H.264; absent matches any.
    pub profile: Option<H264Profile>,
}

impl VideoFormat {
    /// A format of a codec that has no profiles here.
    pub const fn of(codec: VideoCodec) -> Self {
        Self { codec, profile: None }
    }
}

/// Which of a simulcast's layers is wanted. Of a picture without layers every choice means itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LayerChoice {
    /// The largest.
    #[default]
    Largest,
    /// The one that its publisher calls so (the `rid`).
    Named(Arc<str>),
    /// The smallest that has no side below this size's, else the largest.
    Covering(Resolution),
    /// The smallest that reaches this size in one direction at least, so that a frame of the size
    /// shows it whole without enlarging it; else the largest.
    Filling(Resolution),
}

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resolution {
    /// Pixels per line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

impl Resolution {
    /// Rounded down to even sides: colour is kept at half the size.
    #[must_use]
    pub const fn even(self) -> Self {
        Self { width: self.width & !1, height: self.height & !1 }
    }
}

/// A bit rate as clients ask for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Bitrate {
    /// In kbit/s.
    Kbps(f64),
    /// A multiple of the stream's own, as OWT writes it (`"x0.6"`).
    Multiple(Arc<str>),
}

/// What a video looks like, as declared by its publisher or wanted by a subscriber.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoParameters {
    /// Size in pixels.
    pub resolution: Option<Resolution>,
    /// Frames per second.
    pub framerate: Option<f64>,
    /// Bit rate.
    pub bitrate: Option<Bitrate>,
    /// Seconds from one key frame to the next.
    pub key_frame_interval_secs: Option<f64>,
}

/// Where a published sound comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioSource {
    /// `mic`.
    Mic,
    /// `screen-cast`.
    ScreenCast,
    /// `raw-file`.
    RawFile,
    /// `encoded-file`.
    EncodedFile,
}

/// Where a published picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoSource {
    /// `camera`.
    Camera,
    /// `screen-cast`.
    ScreenCast,
    /// `raw-file`.
    RawFile,
    /// `encoded-file`.
    EncodedFile,
}

/// The m-lines (`mid`, RFC 5888) that a client sets aside for a session's tracks, where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mids {
    /// For sound.
    pub audio: Option<Arc<str>>,
    /// For the picture.
    pub video: Option<Arc<str>>,
}

impl Mids {
    /// The one for a kind of track.
    pub fn of(&self, kind: TrackKind) -> Option<&Arc<str>> {
        match kind {
            TrackKind::Audio => self.audio.as_ref(),
            TrackKind::Video => self.video.as_ref(),
        }
    }
}
