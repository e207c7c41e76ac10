//! What is encoded.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    formats::{AudioFormat, Resolution, VideoFormat},
    ids::StreamId,
    room::InputTrack,
};

/// Everything that tells one encoding from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mixing) enum Key {
    /// The sound of a view or a forward stream.
    Audio {
        /// Which.
        of: StreamId,
        /// The codec.
        format: AudioFormat,
        /// The listener's own inputs, which are left out.
        without: BTreeSet<StreamId>,
    },
    /// The picture of a view or a forward stream.
    Video {
        /// Which.
        of: StreamId,
        /// The codec.
        format: VideoFormat,
        /// The size.
        resolution: Resolution,
        /// Pictures per second.
        framerate: u32,
        /// kbit/s.
        kbps: u32,
        /// Seconds between key frames.
        key_frame_interval_secs: u32,
    },
}

impl Key {
    /// The view or forward stream that is encoded.
    pub(in crate::mixing) fn of(&self) -> &StreamId {
        match self {
            Self::Audio { of, .. } | Self::Video { of, .. } => of,
        }
    }
}

/// A forward stream of which encodings are made, as far as they need it.
#[derive(Debug, Default, PartialEq)]
pub(in crate::mixing) struct Transcoded {
    /// Its owner's account.
    pub(in crate::mixing) user: Arc<str>,
    /// Its sound.
    pub(in crate::mixing) audio: Option<InputTrack<AudioFormat>>,
    /// Its picture.
    pub(in crate::mixing) video: Option<InputTrack<VideoFormat>>,
}
