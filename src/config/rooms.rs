//! `[rooms]` and `[rooms.view]`: how rooms come about, their bounds, and what a new one is like.

use std::time::Duration;

use super::keys::{Keys, Section};
use crate::formats::{AudioFormat, H264Profile, Resolution, VideoCodec, VideoFormat};

/// How rooms come about, their bounds, and what a new one is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Rooms {
    /// Whether a valid token for an unknown room makes it.
    pub create_on_join: bool,
    /// Whether every publication is mixed into every view at once.
    pub auto_mix: bool,
    /// Rooms in the store, and rooms at once.
    pub max_rooms: u32,
    /// How long a room without participants and streams stays open.
    pub idle: Duration,
    /// Participants of one room, whatever its record says.
    pub max_participants: u32,
    /// Publications of one participant.
    pub max_publications: u32,
    /// Subscriptions of one participant.
    pub max_subscriptions: u32,
    /// Characters of a text message.
    pub max_text_chars: usize,
    /// A new room's participants at once; -1 is unlimited.
    pub participant_limit: i32,
    /// A new room's forward streams at once; -1 is unlimited.
    pub input_limit: i32,
    /// What may be published in a new room, in the order of preference.
    pub audio_codecs: Vec<AudioFormat>,
    /// What may be published in a new room, in the order of preference.
    pub video_codecs: Vec<VideoCodec>,
    /// The one view that a new room has.
    pub view: View,
}

/// The view that a new room has.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What its sound is encoded as by default.
    pub audio_codec: AudioFormat,
    /// What its picture is encoded as by default.
    pub video_codec: VideoFormat,
    /// Its size.
    pub resolution: Resolution,
    /// Frames per second.
    pub framerate: u32,
    /// Seconds between key frames.
    pub key_frame_interval_secs: u32,
    /// Pictures that it shows at once.
    pub max_input: u32,
    /// Scales the default bit rate.
    pub motion_factor: f64,
    /// Where no picture is: red, green, blue.
    pub background: [u8; 3],
    /// Whether whoever speaks takes the first region.
    pub keep_active_input_primary: bool,
    /// Whether to find out who speaks.
    pub voice_activity: bool,
    /// How a picture is fitted into its region.
    pub fit: Fit,
    /// How regions are laid out.
    pub layout: LayoutTemplate,
}

/// How a picture is fitted into its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Whole, with bars.
    Letterbox,
    /// Filling, with edges cut off.
    Crop,
}

/// A family of layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutTemplate {
    /// Equal regions in a grid.
    Fluid,
    /// One large region and small ones around it.
    Lecture,
    /// None: only those that a room's record lists.
    Void,
}

/// The audio codecs that Portico has, by OWT's names.
pub const AUDIO_CODECS: [(&str, AudioFormat); 4] = [
    ("opus", AudioFormat::OPUS),
    ("g722", AudioFormat::G722),
    ("pcma", AudioFormat::PCMA),
    ("pcmu", AudioFormat::PCMU),
];

/// The video codecs that Portico has, by OWT's names.
pub const VIDEO_CODECS: [(&str, VideoCodec); 5] = [
    ("h264", VideoCodec::H264),
    ("vp8", VideoCodec::Vp8),
    ("vp9", VideoCodec::Vp9),
    ("h265", VideoCodec::H265),
    ("av1", VideoCodec::Av1),
];

/// What a view may be encoded as by default.
const VIEW_CODECS: [(&str, VideoFormat); 4] = [
    ("vp8", VideoFormat::of(VideoCodec::Vp8)),
    ("vp9", VideoFormat::of(VideoCodec::Vp9)),
    ("h264-cb", h264(H264Profile::ConstrainedBaseline)),
    ("h264-b", h264(H264Profile::Baseline)),
];

const fn h264(profile: H264Profile) -> VideoFormat {
    VideoFormat { codec: VideoCodec::H264, profile: Some(profile) }
}

const UNLIMITED: i32 = -1;

impl Section for Rooms {
    const NAME: &'static str = "rooms";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let audio = AUDIO_CODECS.map(|(_, format)| format);
        let video = VIDEO_CODECS.map(|(_, codec)| codec);
        Self {
            create_on_join: keys.flag("create_on_join", false),
            auto_mix: keys.flag("auto_mix", false),
            max_rooms: keys.whole("max_rooms", 10_000, 1..=1_000_000),
            idle: keys.seconds("idle", 30, 1..=86_400),
            max_participants: keys.whole("max_participants", 2_000, 1..=100_000),
            max_publications: keys.whole("max_publications", 16, 1..=1_000),
            max_subscriptions: keys.whole("max_subscriptions", 256, 1..=10_000),
            max_text_chars: keys.whole("max_text_chars", 2048, 1..=100_000),
            participant_limit: keys.whole("participant_limit", UNLIMITED, UNLIMITED..=100_000),
            input_limit: keys.whole("input_limit", UNLIMITED, UNLIMITED..=100_000),
            audio_codecs: keys.choices("audio_codecs", &audio, &AUDIO_CODECS),
            video_codecs: keys.choices("video_codecs", &video, &VIDEO_CODECS),
            view: keys.inner(),
        }
    }
}

impl Section for View {
    const NAME: &'static str = "rooms.view";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let vga = Resolution { width: 640, height: 480 };
        let vp8 = VideoFormat::of(VideoCodec::Vp8);
        let fits = [("letterbox", Fit::Letterbox), ("crop", Fit::Crop)];
        let layouts = [
            ("fluid", LayoutTemplate::Fluid),
            ("lecture", LayoutTemplate::Lecture),
            ("void", LayoutTemplate::Void),
        ];
        Self {
            audio_codec: keys.choice("audio_codec", AudioFormat::OPUS, &AUDIO_CODECS),
            video_codec: keys.choice("video_codec", vp8, &VIEW_CODECS),
            resolution: keys.parsed("resolution", vga, "a size such as \"640x480\"", resolution),
            framerate: keys.whole("framerate", 24, 1..=60),
            key_frame_interval_secs: keys.whole("key_frame_interval", 100, 1..=100),
            max_input: keys.whole("max_input", 16, 1..=256),
            motion_factor: keys.number("motion_factor", 0.8, 0.1..=2.0),
            background: keys.parsed("background", [0; 3], "a colour such as \"#1a1a1a\"", colour),
            keep_active_input_primary: keys.flag("keep_active_input_primary", false),
            voice_activity: keys.flag("voice_activity", true),
            fit: keys.choice("fit", Fit::Letterbox, &fits),
            layout: keys.choice("layout", LayoutTemplate::Fluid, &layouts),
        }
    }
}

fn resolution(text: &str) -> Result<Resolution, String> {
    // A picture below 16 or above 8192 pixels a side is a slip, not a wish; encoders want even.
    let side = |text: &str| {
        let side: Option<u32> = text.parse().ok();
        side.filter(|side| (16..=8192).contains(side) && side % 2 == 0)
    };
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    let (width, height) =
        sides.ok_or_else(|| format!("{text:?} is not two even numbers from 16 to 8192"))?;
    Ok(Resolution { width, height })
}

fn colour(text: &str) -> Result<[u8; 3], String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let number = number.ok_or_else(|| format!("{text:?} is not a colour"))?;
    let [_, red, green, blue] = number.to_be_bytes();
    Ok([red, green, blue])
}
