//! What the mixing side is to make of a view, and what it sends to subscribers.

use std::sync::Arc;

use super::{Layout, TrackStatus, ViewSettings};
use crate::{
    formats::{AudioFormat, LayerChoice, Resolution, VideoFormat},
    ids::{ParticipantId, StreamId},
};

/// A view as it should be, whole: whoever mixes compares it with what there is.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredView {
    /// What never changes: sizes, rates, colours, codecs.
    pub settings: Arc<ViewSettings>,
    /// The streams that it mixes, in the order in which they came in. The sound is mixed of all
    /// that have one; pictures are shown as the layout says.
    pub inputs: Vec<ViewInput>,
    /// Where pictures are shown, the lowest region first.
    pub layout: Layout,
    /// The input that spoke last, for a mark in the picture.
    pub speaker: Option<StreamId>,
}

/// A stream that a view mixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewInput {
    /// Which.
    pub stream: StreamId,
    /// Whose.
    pub owner: ParticipantId,
    /// Its owner's account, for a name in the picture.
    pub user: Arc<str>,
    /// Its sound, if it has one and the view has.
    pub audio: Option<InputTrack<AudioFormat>>,
    /// Its picture, if it has one and the view has.
    pub video: Option<InputTrack<VideoFormat>>,
}

/// A track that a view mixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputTrack<F> {
    /// What it is encoded as.
    pub format: F,
    /// Flowing or paused; what is paused is silent, or shown as an avatar.
    pub status: TrackStatus,
}

/// Where a subscription's sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioFeed {
    /// The stream.
    pub from: StreamId,
    /// How it is to be encoded, if it is mixed or transcoded; else a forward stream is sent as it
    /// is.
    pub output: Option<AudioOutput>,
}

/// Where a subscription's picture comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoFeed {
    /// The stream.
    pub from: StreamId,
    /// How it is to be encoded, if it is mixed or transcoded; else a forward stream is sent as it
    /// is.
    pub output: Option<VideoOutput>,
    /// Which of a forward stream's layers is sent, if it has layers.
    pub layer: LayerChoice,
}

/// A forward stream's track that is transcoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original<F> {
    /// The track as it is published.
    pub track: InputTrack<F>,
    /// Its owner's account.
    pub user: Arc<str>,
    /// Whether subscribers who can decode the track as it is get it so.
    pub suffices: bool,
}

/// How a sound is to be encoded for a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioOutput {
    /// Acceptable formats; the subscriber's offer decides.
    pub formats: Arc<[AudioFormat]>,
    /// Whose inputs are left out, whenever there are any: the subscriber's own. Those who cannot
    /// publish sound share one mix and have nobody here.
    pub without: Option<ParticipantId>,
    /// What is encoded, if it is no view.
    pub original: Option<Original<AudioFormat>>,
}

/// How a picture is to be encoded for a subscriber. Subscribers with equal outputs can share
/// an encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoOutput {
    /// Acceptable formats; the subscriber's offer decides.
    pub encodings: Arc<[VideoRate]>,
    /// The size.
    pub resolution: Resolution,
    /// Frames per second.
    pub framerate: u32,
    /// Seconds between key frames.
    pub key_frame_interval_secs: u32,
    /// What is encoded, if it is no view.
    pub original: Option<Original<VideoFormat>>,
}

/// A format with the bit rate that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoRate {
    /// The format.
    pub format: VideoFormat,
    /// kbit/s, at least 1.
    pub kbps: u32,
}
