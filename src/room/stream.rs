//! Streams as participants see them: forward streams with their owner, mixed ones with their view.

use std::sync::Arc;

use crate::{
    formats::{
        AudioFormat, AudioSource, Resolution, TrackKind, VideoFormat, VideoParameters, VideoSource,
    },
    ids::{ParticipantId, StreamId},
};

/// A stream's whole description.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Its id.
    pub id: StreamId,
    /// Sound, if it has any.
    pub audio: Option<AudioTrack>,
    /// Picture, if it has one.
    pub video: Option<VideoTrack>,
    /// What kind of stream it is.
    pub origin: StreamOrigin,
}

/// Whether a track's media flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackStatus {
    /// It does.
    Active,
    /// It is paused.
    Inactive,
}

/// A stream's sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioTrack {
    /// Flowing or paused.
    pub status: TrackStatus,
    /// Where it comes from, if its publisher said so; mixed streams have none.
    pub source: Option<AudioSource>,
    /// What it is encoded as.
    pub format: AudioFormat,
    /// Other formats that can be asked for.
    pub optional: Vec<AudioFormat>,
}

/// A stream's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoTrack {
    /// Flowing or paused.
    pub status: TrackStatus,
    /// Where it comes from, if its publisher said so; mixed streams have none.
    pub source: Option<VideoSource>,
    /// The encodings its source sends: one, or one per simulcast layer.
    pub original: Vec<VideoEncoding>,
    /// What else can be asked for.
    pub optional: VideoOptions,
}

/// One encoding of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoEncoding {
    /// What it is encoded as.
    pub format: VideoFormat,
    /// What it looks like, as far as known.
    pub parameters: VideoParameters,
    /// The simulcast layer's name.
    pub simulcast_rid: Option<Arc<str>>,
}

/// Formats and parameters, beside the stream's own, that a subscriber may ask for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoOptions {
    /// Other formats.
    pub formats: Vec<VideoFormat>,
    /// Other sizes.
    pub resolutions: Vec<Resolution>,
    /// Other frame rates, in frames per second.
    pub framerates: Vec<u32>,
    /// Multiples of the stream's bit rate, as OWT writes them (`"x0.6"`).
    pub bitrates: Vec<Arc<str>>,
    /// Other key frame intervals, in seconds.
    pub key_frame_intervals_secs: Vec<u32>,
}

/// Where a stream comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamOrigin {
    /// A participant publishes it.
    Forward {
        /// Who.
        owner: ParticipantId,
        /// The labels of the views that mix it.
        in_views: Vec<Arc<str>>,
        /// The owner's own JSON object, as text.
        attributes: Arc<str>,
    },
    /// The room mixes it.
    Mixed {
        /// The view's label.
        label: Arc<str>,
    },
}

/// A change of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamUpdate {
    /// A track was paused or resumed.
    Status {
        /// Which track.
        kind: TrackKind,
        /// Its new status.
        status: TrackStatus,
    },
    /// The description changed, for example because the picture's real size became known.
    Whole(Arc<StreamInfo>),
}
