//! What a packager hands over, in the origin's own words.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::ids::TrackId;

/// Whether a track is a version of the whole, or an alternative for a part of it (RFC 8216bis,
/// 4.4.6.1 and 4.4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackKind {
    /// What `EXT-X-STREAM-INF` lists.
    Variant,
    /// What `EXT-X-MEDIA` lists.
    Rendition,
}

/// Names a track in its broadcast.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackName {
    /// Variants and renditions are named independently of each other.
    pub kind: TrackKind,
    /// Its name among those of its kind.
    pub id: TrackId,
}

impl TrackKind {
    /// The word for it in paths.
    pub fn word(self) -> &'static str {
        match self {
            Self::Variant => "variant",
            Self::Rendition => "rendition",
        }
    }
}

impl fmt::Display for TrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.id)
    }
}

/// One upload: something about a track, or a piece of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The packager's name for the whole of the playlists; another one starts the broadcast anew.
    /// `None` is whichever there is.
    pub playlist: Option<String>,
    /// Whose it is.
    pub track: TrackName,
    /// The initialization section that holds from here on.
    pub init: Option<Init>,
    /// What it brings.
    pub what: What,
}

/// An initialization section (RFC 8216bis, 4.4.4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// The packager's name for it.
    pub id: Option<String>,
    /// Its bytes; `None` is the one of that name that was uploaded before.
    pub data: Option<Bytes>,
}

/// What an upload brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The track itself.
    Track(TrackUpdate),
    /// A whole segment.
    Segment(SegmentUpload),
    /// A part of a segment.
    Part(PartUpload),
}

/// What a track is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackUpdate {
    /// What players are told.
    pub about: About,
    /// Counts the packager's changes; an older one than is known is refused.
    pub version: Option<u64>,
    /// The longest segment, in seconds.
    pub target_secs: u32,
    /// The longest part; `None` where there are only whole segments.
    pub part_target: Option<Duration>,
}

/// What the multivariant playlist says of a track. No text here has quotes or control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A version of the whole.
    Variant {
        /// Formats as in RFC 6381; empty when the packager does not say.
        codecs: String,
        /// Peak bits per second.
        bandwidth: u64,
        /// The group of renditions that has its sound.
        audio: Option<String>,
    },
    /// An alternative.
    Rendition {
        /// Of what.
        media: Media,
        /// The group that variants refer to.
        group: String,
        /// For people to choose by.
        name: String,
        /// As in RFC 5646.
        language: Option<String>,
        /// Whether to play it unless somebody chooses.
        is_default: bool,
        /// Whether a player may choose it by its user's language.
        auto_select: bool,
    },
}

/// What a rendition is an alternative of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Sound.
    Audio,
    /// Picture.
    Video,
    /// Subtitles.
    Subtitles,
}

impl Media {
    /// The word for it in `EXT-X-MEDIA`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Audio => "AUDIO",
            Self::Video => "VIDEO",
            Self::Subtitles => "SUBTITLES",
        }
    }
}

/// Where a segment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its media sequence number.
    pub msn: u64,
    /// Whether it does not continue the one before it.
    pub discontinuity: bool,
    /// When it was recorded, as in ISO 8601.
    pub program_date_time: Option<String>,
}

/// A whole segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentUpload {
    /// Where it stands.
    pub place: Place,
    /// How long it plays.
    pub duration: Duration,
    /// Its bytes.
    pub data: Bytes,
}

/// A part of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartUpload {
    /// Where its segment stands.
    pub place: Place,
    /// Which part of the segment, from 0.
    pub index: u32,
    /// How long it plays.
    pub duration: Duration,
    /// Whether a player may start with it.
    pub independent: bool,
    /// Whether there is nothing to play.
    pub gap: bool,
    /// Its bytes; empty in a gap.
    pub data: Bytes,
}

impl Upload {
    /// How much there would be to keep, in bytes.
    pub fn size(&self) -> usize {
        let init = self.init.as_ref().and_then(|init| init.data.as_ref()).map_or(0, Bytes::len);
        init + match &self.what {
            What::Track(_) => 0,
            What::Segment(segment) => segment.data.len(),
            What::Part(part) => part.data.len(),
        }
    }
}
