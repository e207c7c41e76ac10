//! Packaged media: pieces of fragmented MP4, ready for HTTP live streaming.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bytes before a piece's own in a frame of kind [`Kind::Piece`](crate::Kind::Piece).
pub const PIECE_HEADER_BYTES: usize = 5;

const INIT: u8 = 1;
const INDEPENDENT: u8 = 2;
const STARTS_SEGMENT: u8 = 4;

/// How a view is packaged: H.264 and AAC-LC in one fragmented MP4 (ISO/IEC 14496-12, CMAF).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packaging {
    /// The picture; `None` for sound alone.
    pub picture: Option<PackagedPicture>,
    /// Whether there is sound.
    pub sound: bool,
    /// What a part lasts, in milliseconds; at least [`MIN_PART_MS`].
    pub part_ms: u32,
    /// What a segment lasts, in seconds: each begins with a key frame.
    pub segment_secs: u32,
}

/// The shortest part that may be asked for, in milliseconds.
pub const MIN_PART_MS: u32 = 100;

/// The picture of packaged media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagedPicture {
    /// Pixels per line; even.
    pub width: u32,
    /// Lines; even.
    pub height: u32,
    /// Pictures per second.
    pub framerate: u32,
    /// Bit rate in kbit/s.
    pub kbps: u32,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The initialization section, which comes before all parts.
    Init,
    /// A part: one movie fragment.
    Part {
        /// What it lasts.
        duration: Duration,
        /// Whether it can be decoded without the part before it.
        independent: bool,
        /// Whether a segment begins with it.
        starts_segment: bool,
    },
}

impl Piece {
    /// What goes before the piece's bytes.
    pub fn write(self) -> [u8; PIECE_HEADER_BYTES] {
        let (flags, duration) = match self {
            Self::Init => (INIT, Duration::ZERO),
            Self::Part { duration, independent, starts_segment } => {
                let independent = if independent { INDEPENDENT } else { 0 };
                let starts_segment = if starts_segment { STARTS_SEGMENT } else { 0 };
                (independent | starts_segment, duration)
            }
        };
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let [a, b, c, d] = micros.to_be_bytes();
        [flags, a, b, c, d]
    }

    /// Reads what a payload begins with; the rest is the piece. `None` when it is too short.
    pub fn read(payload: &[u8]) -> Option<(Self, &[u8])> {
        let ([flags, micros @ ..], rest) = payload.split_first_chunk::<PIECE_HEADER_BYTES>()?;
        let piece = if flags & INIT != 0 {
            Self::Init
        } else {
            Self::Part {
                duration: Duration::from_micros(u32::from_be_bytes(*micros).into()),
                independent: flags & INDEPENDENT != 0,
                starts_segment: flags & STARTS_SEGMENT != 0,
            }
        };
        Some((piece, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_as_they_were_written() {
        let part = |independent, starts_segment| Piece::Part {
            duration: Duration::from_micros(333_367),
            independent,
            starts_segment,
        };
        for piece in [Piece::Init, part(false, false), part(true, false), part(true, true)] {
            let mut payload = piece.write().to_vec();
            payload.extend([1, 2, 3]);
            assert_eq!(Piece::read(&payload), Some((piece, &[1, 2, 3][..])));
        }
        assert_eq!(Piece::read(&[1, 2]), None);
    }
}
