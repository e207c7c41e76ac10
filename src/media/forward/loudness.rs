//! How loud a published track is, by what its packets say of themselves (RFC 6464).
//!
//! A level is in dBov: 0 is the loudest that the codec can say, -127 is nothing at all.

use std::time::{Duration, Instant};

use super::rtp::Header;

/// Below it a track counts as silent, and how far below is nobody's business.
const SILENCE: f32 = -50.0;

/// The time over which a level is smoothed when it falls.
const SMOOTHING: Duration = Duration::from_millis(300);

/// How much faster it rises: a voice is noticed at once and forgotten slowly.
const ATTACK: f32 = 3.0;

/// A change by less is not told.
const STEP: f32 = 3.0;

/// A level is told no more often.
const INTERVAL: Duration = Duration::from_millis(333);

/// A level above silence is told again after this time even if it stays the same, so that whoever
/// hears nothing for longer knows that the sound has stopped. No timer is needed for that.
const REFRESH: Duration = Duration::from_secs(1);

/// The smoothed loudness of a track.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    smoothed: Option<(f32, Instant)>,
    /// What was told last, and when.
    told: Option<(f32, Instant)>,
}

impl Loudness {
    /// Takes in what a packet says; yields the level when others are to know of it. The first is
    /// always told, since it shows that the track has levels.
    pub(crate) fn hear(&mut self, level: f32, now: Instant) -> Option<i8> {
        let smoothed = self.smoothed.map_or(level, |(before, at)| {
            let elapsed = now.saturating_duration_since(at).as_secs_f32();
            let share = elapsed / SMOOTHING.as_secs_f32();
            let share = if level > before { share * ATTACK } else { share };
            before + (level - before) * share.min(1.0)
        });
        self.smoothed = Some((smoothed, now));
        if !self.is_news(smoothed, now) {
            return None;
        }
        self.told = Some((smoothed, now));
        Some(smoothed.round() as i8)
    }

    fn is_news(&self, level: f32, now: Instant) -> bool {
        let Some((told, at)) = self.told else { return true };
        let since = now.saturating_duration_since(at);
        if since < INTERVAL {
            return false;
        }
        let is_silent = level < SILENCE;
        let changed = is_silent != (told < SILENCE) || (level - told).abs() >= STEP;
        if is_silent { told >= SILENCE } else { changed || since >= REFRESH }
    }
}

/// The level that a packet says, if it has the extension numbered `id` (RFC 6464, 3): the first bit
/// tells a voice, the others are the level without its sign.
pub(crate) fn level_of(header: &Header, packet: &[u8], id: u8) -> Option<f32> {
    let said = header.element(packet, id)?.first()?;
    Some(-f32::from(said & 0x7F))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::forward::rtp::tests::{packet, two_byte_packet};

    const PACKET: Duration = Duration::from_millis(20);

    struct Track {
        loudness: Loudness,
        now: Instant,
    }

    impl Track {
        fn new() -> Self {
            Self { loudness: Loudness::default(), now: Instant::now() }
        }

        /// Sends packets for a time; yields what was told of them.
        fn sends(&mut self, level: f32, time: Duration) -> Vec<i8> {
            let packets = time.as_millis() / PACKET.as_millis();
            let send = |_| {
                self.now += PACKET;
                self.loudness.hear(level, self.now)
            };
            (0..packets).filter_map(send).collect()
        }
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_first_level_is_told_even_if_it_is_silence() {
        let mut track = Track::new();
        assert_eq!(track.sends(-127.0, ms(10_000)), [-127]);
    }

    #[test]
    fn a_voice_is_noticed_fast_and_forgotten_slowly() {
        let mut track = Track::new();
        track.sends(-90.0, ms(1000));
        let risen = track.sends(-20.0, ms(100));
        assert!(risen.len() == 1 && risen[0] > -90, "{risen:?}");
        let told = track.sends(-20.0, ms(400));
        assert!(told.last().is_some_and(|level| *level >= -24), "{told:?}");
        track.sends(-20.0, ms(1000));
        let paused = track.sends(-90.0, ms(100));
        assert!(paused.iter().all(|level| *level > -50), "a pause between words: {paused:?}");
    }

    #[test]
    fn silence_is_told_once() {
        let mut track = Track::new();
        track.sends(-20.0, ms(3000));
        let fallen = track.sends(-127.0, ms(10_000));
        let silent: Vec<_> = fallen.iter().filter(|level| **level < -50).collect();
        assert_eq!(silent.len(), 1, "{fallen:?}");
        assert_eq!(fallen.last(), silent.first().copied());
        assert!(track.sends(-80.0, ms(3000)).is_empty(), "another silence is no news");
    }

    #[test]
    fn what_stays_the_same_is_told_once_a_second() {
        let mut track = Track::new();
        let told = track.sends(-20.0, ms(10_000));
        assert!((9..=10).contains(&told.len()) && told.iter().all(|it| *it == -20), "{told:?}");
        let about_the_same = track.sends(-22.0, ms(900));
        assert!(about_the_same.len() <= 1, "{about_the_same:?}");
    }

    #[test]
    fn a_restless_track_is_told_of_three_times_a_second() {
        let mut track = Track::new();
        let restless = (0..50).flat_map(|_| [-10.0, -45.0]);
        let told: usize = restless.map(|level| track.sends(level, ms(100)).len()).sum();
        assert!((20..=31).contains(&told), "{told} in ten seconds");
    }

    #[test]
    fn packets_that_come_at_once_count_as_one() {
        let mut track = Track::new();
        track.sends(-90.0, ms(1000));
        for _ in 0..1000 {
            assert_eq!(track.loudness.hear(0.0, track.now), None);
        }
        assert_eq!(track.loudness.smoothed, Some((-90.0, track.now)));
    }

    #[test]
    fn a_level_is_read_in_both_forms_without_the_voice_bit() {
        let level =
            |bytes: &[u8], id| level_of(&Header::parse(bytes).expect("well formed"), bytes, id);
        let one_byte = packet(1, 1, &[(3, b"0"), (1, &[0x80 | 30])], b"sound");
        assert_eq!(level(&one_byte, 1), Some(-30.0));
        assert_eq!(level(&one_byte, 2), None);
        let two_byte = two_byte_packet(&[(3, b""), (1, &[127])], b"sound");
        assert_eq!(level(&two_byte, 1), Some(-127.0));
        assert_eq!(level(&two_byte, 3), None, "no value");
        assert_eq!(level(&packet(1, 1, &[], b"sound"), 1), None);
    }
}
