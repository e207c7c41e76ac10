//! Packaging: encoded pictures and sound become pieces of fragmented MP4.

mod boxes;
mod fragment;
mod init;
mod packager;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use self::packager::Packager;

const VIDEO_TRACK: u32 = 1;
const SOUND_TRACK: u32 = 2;

/// Units of a picture's time in a second.
const VIDEO_TIMESCALE: u32 = 90_000;

/// What pictures need before the first of them can be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VideoSetup {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// The decoder configuration record of ISO/IEC 14496-15, 5.3.3.1.
    pub(crate) avc_config: Vec<u8>,
}

impl VideoSetup {
    /// RFC 6381's name of the codec.
    fn codec(&self) -> String {
        let [profile, constraints, level] = match self.avc_config.get(1..4) {
            Some(&[profile, constraints, level]) => [profile, constraints, level],
            Some(_) | None => [0x42, 0xe0, 0x1f],
        };
        format!("avc1.{profile:02x}{constraints:02x}{level:02x}")
    }
}

/// What sound needs before it can be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SoundSetup {
    /// Samples per second.
    pub(crate) rate: u32,
    /// `AudioSpecificConfig` of ISO/IEC 14496-3.
    pub(crate) aac_config: Vec<u8>,
}

/// An encoded picture, or some encoded sound.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    /// When it was composed, on the agent's clock.
    pub(crate) time: Duration,
    /// Whether it can be decoded alone.
    pub(crate) key: bool,
    pub(crate) bytes: Vec<u8>,
}
