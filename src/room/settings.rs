//! A room's own settings, already checked: what it admits and offers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::Permission;
use crate::formats::{AudioFormat, Resolution, VideoFormat};

/// The settings that a room lives by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Participants at once; `None` is unlimited (up to `max_participants`).
    pub participant_limit: Option<u32>,
    /// Forward streams at once, those still connecting included; `None` is unlimited.
    pub input_limit: Option<u32>,
    /// What each role permits.
    pub roles: BTreeMap<Arc<str>, Permission>,
    /// Audio formats that may be published; empty means no audio.
    pub audio_in: Arc<[AudioFormat]>,
    /// Video formats that may be published; empty means no video.
    pub video_in: Arc<[VideoFormat]>,
    /// The room's views, in order.
    pub views: Vec<ViewSettings>,
    /// Whether participants are told who comes and goes.
    pub notify_participants: bool,
    /// Whether participants are told about streams.
    pub notify_streams: bool,
    /// The server's own bounds, beyond which a room never goes.
    pub bounds: Bounds,
}

/// Bounds that protect the server from one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Participants in the room.
    pub participants: u32,
    /// Publications of one participant.
    pub publications_per_participant: u32,
    /// Subscriptions of one participant.
    pub subscriptions_per_participant: u32,
    /// Characters of a text message. The protocol says 2048 (section 3.3.5).
    pub text_chars: usize,
    /// How long a room without participants stays before it is closed. OWT waits 30 s.
    pub idle: Duration,
}

/// A view that the room mixes.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewSettings {
    /// Its label.
    pub label: Arc<str>,
    /// What its sound is encoded as by default; `None` for a silent view.
    pub audio: Option<AudioFormat>,
    /// Its picture; `None` for an audio-only view.
    pub video: Option<ViewVideo>,
}

/// A view's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewVideo {
    /// What it is encoded as by default.
    pub format: VideoFormat,
    /// Its size.
    pub resolution: Resolution,
    /// Frames per second.
    pub framerate: u32,
    /// Seconds between key frames.
    pub key_frame_interval_secs: u32,
}
