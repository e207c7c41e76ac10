//! A room's own settings, already checked: what it admits and offers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{LayoutSettings, MediaOut, Permission, RoomKind, Transcoding};
use crate::formats::{AudioFormat, Resolution, VideoFormat};

/// The settings that a room lives by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Participants at once; `None` is unlimited (up to `max_participants`).
    pub participant_limit: Option<u32>,
    /// What happens in it.
    pub kind: RoomKind,
    /// Who may have the floor.
    pub floor: FloorSettings,
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
    /// Whether every publication is mixed into every view as soon as it is ready.
    pub auto_mix: bool,
    /// What may be asked of mixed streams, and of forward streams as far as `transcoding` says.
    pub media_out: MediaOut,
    /// What may be asked of forward streams beside what they are.
    pub transcoding: Transcoding,
    /// Whether participants are told who comes and goes.
    pub notify_participants: bool,
    /// Whether participants are told about streams.
    pub notify_streams: bool,
    /// The server's own bounds, beyond which a room never goes.
    pub bounds: Bounds,
}

/// People in a call.
const CALL_SIZE: u32 = 2;

impl Settings {
    /// The settings of a room of some kind that its first participant makes, on whose floor so many
    /// may be if it is a meeting. It ends with its last participant.
    #[must_use]
    pub fn founded(mut self, kind: RoomKind, publishers: u32) -> Self {
        self.kind = kind;
        self.bounds.idle = Duration::ZERO;
        let limit = match kind {
            RoomKind::Meeting => publishers,
            RoomKind::AudioMeeting => {
                self.video_in = [].into();
                for view in &mut self.views {
                    view.video = None;
                }
                publishers
            }
            RoomKind::Call | RoomKind::Broadcast => {
                self.audio_in = [].into();
                self.video_in = [].into();
                self.views.clear();
                if kind == RoomKind::Call { CALL_SIZE } else { 1 }
            }
        };
        if kind == RoomKind::Call {
            self.participant_limit = Some(CALL_SIZE);
        }
        self.floor = FloorSettings { founded: true, limit: Some(limit) };
        self
    }
}

/// Who may have the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FloorSettings {
    /// Whether the room was made by its first participant: others who know the floor are viewers
    /// then until they are let onto it. Otherwise everybody's role decides.
    pub founded: bool,
    /// How many may have it at once; `None` is unlimited.
    pub limit: Option<u32>,
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
    /// Its sound; `None` for a silent view.
    pub audio: Option<ViewAudio>,
    /// Its picture; `None` for an audio-only view.
    pub video: Option<ViewVideo>,
}

/// A view's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewAudio {
    /// What it is encoded as by default.
    pub format: AudioFormat,
    /// Whether participants are told who speaks.
    pub voice_activity: bool,
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
    /// kbit/s; `None` is computed from the rest.
    pub kbps: Option<f64>,
    /// Seconds between key frames.
    pub key_frame_interval_secs: u32,
    /// Pictures that it shows at once.
    pub max_input: u32,
    /// Scales the default bit rate.
    pub motion_factor: f64,
    /// Where no picture is: red, green, blue.
    pub background: [u8; 3],
    /// How pictures are fitted into their regions.
    pub fit: Fit,
    /// Whether whoever speaks takes the first region.
    pub keep_active_input_primary: bool,
    /// Where pictures are put.
    pub layout: LayoutSettings,
}

/// How a picture is fitted into its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Whole, with bars.
    Letterbox,
    /// Filling, with edges cut off.
    Crop,
}
