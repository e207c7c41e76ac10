//! `[live]`: live broadcasts by HLS, and what they may take.

use std::time::Duration;

use super::keys::{Keys, Section};

/// Who may play broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playback {
    /// Everybody.
    Public,
    /// Whoever has a token.
    Token,
}

/// Live broadcasts by HLS, and what they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Who may play.
    pub playback: Playback,
    /// Segments that a playlist lists; as many older ones are kept for players that lag.
    pub segments: usize,
    /// How long a broadcast stays that nobody feeds.
    pub idle: Duration,
    /// Broadcasts at once.
    pub max_streams: usize,
    /// Variants and renditions of one broadcast.
    pub max_tracks: usize,
    /// The largest initialization section, segment or part, in bytes.
    pub max_piece_bytes: usize,
    /// What one broadcast may take, in bytes.
    pub max_stream_bytes: usize,
    /// What all broadcasts together may take, in bytes.
    pub max_bytes: usize,
}

const MIB: usize = 1 << 20;

impl Section for Live {
    const NAME: &'static str = "live";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let playbacks = [("public", Playback::Public), ("token", Playback::Token)];
        Self {
            playback: keys.choice("playback", Playback::Public, &playbacks),
            segments: keys.whole("segments", 12, 3..=1000),
            idle: keys.seconds("idle", 30, 1..=86_400),
            max_streams: keys.whole("max_streams", 100, 1..=100_000),
            max_tracks: keys.whole("max_tracks", 16, 1..=100),
            max_piece_bytes: keys.whole("max_piece_bytes", 8 * MIB, 1024..=256 * MIB),
            max_stream_bytes: keys.whole("max_stream_bytes", 64 * MIB, 1024..=65_536 * MIB),
            max_bytes: keys.whole("max_bytes", 1024 * MIB, 1024..=1_048_576 * MIB),
        }
    }
}
