//! Lip sync: what of one source is heard and seen together.
//!
//! For each input of a source the delay between the moment at its sender ([`MapClock`] tells it from
//! the RTP time) and the arrival of the packet at the server is averaged. To it comes how long after
//! its arrival it is really mixed or drawn, averaged too: decoders, queues and the rasters of sound and
//! pictures are all in that. Of two inputs of one source, the one that would be early without any hold
//! is held by the difference. Differences that nobody notices are left alone, and so is a hold that is nearly right.
//!
//! [`MapClock`]: portico_mixer_protocol::ToAgent::MapClock

use std::time::Duration;

/// A difference that is not corrected. Sound and picture that are 45 ms apart are noticed
/// (ITU-R BT.1359); with the canvas's own raster of a picture this stays below.
const TOLERANCE_US: i64 = 15_000;

/// A hold is changed only when it is wrong by this much.
const STEP_US: i64 = 10_000;

/// The most that is corrected; beyond, clocks are wrong and not connections.
const MAX_HOLD_US: i64 = 1_000_000;

/// The part of a new delay that goes into the average.
const SHARE: i64 = 16;

/// A jump of the delay that is not averaged but believed: a sender's clock was set.
const JUMP_US: i64 = 2_000_000;

/// A slow average of times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Average {
    micros: Option<i64>,
}

impl Average {
    /// Takes another one in.
    pub fn add(&mut self, micros: i64) {
        self.micros = Some(match self.micros {
            Some(average) if average.abs_diff(micros) < JUMP_US.unsigned_abs() => {
                average + (micros - average) / SHARE
            }
            Some(_) | None => micros,
        });
    }

    /// Starts anew.
    pub fn clear(&mut self) {
        self.micros = None;
    }

    /// The average in microseconds.
    pub fn get(self) -> Option<i64> {
        self.micros
    }
}

/// The delay of one input from its sender to the server, on clocks whose difference is the same for
/// all inputs of its source.
#[derive(Debug, Clone, Copy)]
pub struct Delay {
    clock_rate: u32,
    /// An RTP time and the sender's time of it, in microseconds.
    mapped: Option<(u32, i64)>,
    average: Average,
}

impl Delay {
    /// Nothing known yet of an input with this RTP clock.
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate: clock_rate.max(1), mapped: None, average: Average::default() }
    }

    /// Takes a sender's report.
    pub fn map(&mut self, rtp: u32, source_us: u64) {
        self.mapped = Some((rtp, i64::try_from(source_us).unwrap_or(i64::MAX / 4)));
    }

    /// Takes a packet's RTP time and arrival.
    pub fn packet(&mut self, rtp: u32, arrival: Duration) {
        let Some((mapped, source_us)) = self.mapped else { return };
        let ticks = i64::from(rtp.wrapping_sub(mapped).cast_signed());
        let sent_us = source_us.saturating_add(ticks * 1_000_000 / i64::from(self.clock_rate));
        let arrival_us = i64::try_from(arrival.as_micros()).unwrap_or(i64::MAX / 4);
        self.average.add(arrival_us.saturating_sub(sent_us));
    }

    /// The average so far.
    pub fn average_us(&self) -> Option<i64> {
        self.average.get()
    }
}

/// How long sound and picture of a source are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// Sound.
    pub sound: Duration,
    /// Picture.
    pub picture: Duration,
}

impl Holds {
    /// The holds for sound and picture that would be played `sound_us` and `picture_us` after they
    /// happened; `None` when the present ones are good enough.
    pub fn adjusted(self, sound_us: i64, picture_us: i64) -> Option<Self> {
        let early = sound_us.saturating_sub(picture_us).clamp(-MAX_HOLD_US, MAX_HOLD_US);
        let wanted = if early.abs() <= TOLERANCE_US { 0 } else { early };
        let present = self.signed_us();
        let remaining = early - present;
        if remaining.abs() <= TOLERANCE_US || (wanted - present).abs() < STEP_US {
            return None;
        }
        let micros = |value: i64| Duration::from_micros(u64::try_from(value).unwrap_or_default());
        Some(Self { sound: micros(-wanted), picture: micros(wanted) })
    }

    /// Positive for a held picture, negative for held sound.
    fn signed_us(self) -> i64 {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(MAX_HOLD_US);
        micros(self.picture) - micros(self.sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn delays_are_averaged_over_wrapping_rtp_times() {
        let mut delay = Delay::new(90_000);
        delay.packet(5, ms(1));
        assert_eq!(delay.average_us(), None, "without a report nothing is known");
        delay.map(u32::MAX - 8999, 7_000_000_000);
        for frame in 0..30_u32 {
            let rtp = (u32::MAX - 8999).wrapping_add(frame * 3000);
            let jitter = if frame % 2 == 0 { 2000 } else { 0 };
            delay.packet(rtp, Duration::from_micros(50_000 + u64::from(frame) * 33_333 + jitter));
        }
        let average = delay.average_us().expect("known");
        assert!((average + 6_999_949_000).abs() < 2500, "{average}");
    }

    #[test]
    fn the_early_one_is_held() {
        let none = Holds::default();
        assert_eq!(none.adjusted(40_000, 30_000), None);
        let held = none.adjusted(240_000, 40_000).expect("picture is early");
        assert_eq!(held, Holds { sound: Duration::ZERO, picture: ms(200) });
        assert_eq!(held.adjusted(245_000, 40_000), None, "good enough");
        let other = held.adjusted(40_000, 140_000).expect("sound is early");
        assert_eq!(other, Holds { sound: ms(100), picture: Duration::ZERO });
        assert_eq!(other.adjusted(40_000, 40_000), Some(none));
        let absurd = none.adjusted(i64::MAX, i64::MIN).expect("bounded");
        assert_eq!(absurd.picture, Duration::from_secs(1));
    }
}
