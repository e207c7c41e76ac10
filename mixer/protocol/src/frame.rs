//! Frames: a fixed header and a payload.
//!
//! ```text
//! 0        4      5         9                 17
//! | length | kind | number  | time            | payload ...
//! ```
//!
//! All numbers are big-endian. `length` counts what follows it.

use std::time::Duration;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 17;

/// The largest payload: a snapshot of a 4K picture fits, and nothing else comes near it.
pub const MAX_PAYLOAD_BYTES: usize = 8 * 1024 * 1024;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A JSON message; `number` and `time` are 0.
    Control = 0,
    /// An RTP packet; `number` is the input or output.
    Rtp = 1,
    /// A JPEG picture; `number` is the request. Empty when there is none.
    Snapshot = 2,
    /// A [`Piece`](crate::Piece) of packaged media; `number` is the output.
    Piece = 3,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub kind: Kind,
    /// Which input, output or request.
    pub number: u32,
    /// To the agent: when the RTP packet reached the server, on the server's monotonic clock. From
    /// the agent: when the picture or sound in the packet was composed, on the agent's monotonic
    /// clock, the same for all outputs, so that sender reports can tell how they belong together.
    pub time: Duration,
    /// Bytes of payload.
    pub payload_bytes: usize,
}

/// Bytes that are no frame. The connection cannot be used any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is too small for a header or larger than [`MAX_PAYLOAD_BYTES`] allows.
    #[error("a frame of {0} bytes")]
    Length(u32),
    /// The kind is unknown.
    #[error("a frame of kind {0}")]
    Kind(u8),
}

impl Header {
    /// The header's bytes.
    ///
    /// # Panics
    /// When the payload is larger than [`MAX_PAYLOAD_BYTES`].
    pub fn write(&self) -> [u8; HEADER_BYTES] {
        assert!(
            self.payload_bytes <= MAX_PAYLOAD_BYTES,
            "payloads are bounded where they are made"
        );
        let length = u32::try_from(HEADER_BYTES - 4 + self.payload_bytes).expect("bounded above");
        let micros = u64::try_from(self.time.as_micros()).unwrap_or(u64::MAX);
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        bytes[4] = self.kind as u8;
        bytes[5..9].copy_from_slice(&self.number.to_be_bytes());
        bytes[9..].copy_from_slice(&micros.to_be_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// When the other end does not speak this protocol.
    pub fn read(bytes: [u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let [l0, l1, l2, l3, kind, n0, n1, n2, n3, time @ ..] = bytes;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let payload_bytes = (length as usize).checked_sub(HEADER_BYTES - 4);
        let payload_bytes = payload_bytes.filter(|bytes| *bytes <= MAX_PAYLOAD_BYTES);
        let kind = match kind {
            0 => Kind::Control,
            1 => Kind::Rtp,
            2 => Kind::Snapshot,
            3 => Kind::Piece,
            unknown => return Err(FrameError::Kind(unknown)),
        };
        Ok(Self {
            kind,
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            time: Duration::from_micros(u64::from_be_bytes(time)),
            payload_bytes: payload_bytes.ok_or(FrameError::Length(length))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_as_they_were_written() {
        let header = Header {
            kind: Kind::Rtp,
            number: 77,
            time: Duration::from_micros(123_456_789_012),
            payload_bytes: 1200,
        };
        assert_eq!(Header::read(header.write()), Ok(header));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut bytes =
            Header { kind: Kind::Control, number: 0, time: Duration::ZERO, payload_bytes: 0 }
                .write();
        bytes[4] = 9;
        assert_eq!(Header::read(bytes), Err(FrameError::Kind(9)));
        bytes[4] = 0;
        bytes[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(Header::read(bytes), Err(FrameError::Length(u32::MAX)));
        bytes[..4].copy_from_slice(&3_u32.to_be_bytes());
        assert_eq!(Header::read(bytes), Err(FrameError::Length(3)));
    }
}
