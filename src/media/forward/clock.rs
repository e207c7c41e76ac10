//! Time as RTCP tells it: NTP timestamps, and a publisher's clock seen from here.
//!
//! Sender reports to subscribers are in the server's time, so that sound and picture from
//! different publishers agree. All tracks of a publisher share one [`PublisherClock`]; whatever
//! error it has, their lips stay in sync.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From the NTP epoch (1900) to Unix' (1970), in seconds.
const NTP_TO_UNIX_SECS: u64 = 2_208_988_800;

/// An NTP timestamp: 32 bits of seconds, 32 of their fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ntp(pub(crate) u64);

impl Ntp {
    /// The time of the wall clock.
    pub(crate) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::after_epoch(since.saturating_add(Duration::from_secs(NTP_TO_UNIX_SECS)))
    }

    /// The time that is `duration` after the NTP epoch.
    pub(crate) fn after_epoch(duration: Duration) -> Self {
        Self(duration.as_secs() << 32 | fraction(duration))
    }

    /// The time since the NTP epoch, to the microsecond.
    pub(crate) fn since_epoch(self) -> Duration {
        let micros = ((self.0 & u64::from(u32::MAX)) * 1_000_000) >> 32;
        Duration::from_secs(self.0 >> 32) + Duration::from_micros(micros)
    }

    /// The middle 32 bits, as reception reports repeat them.
    pub(crate) fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// Signed distance from `earlier` in 2^-32 seconds.
    pub(crate) fn since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0) as i64
    }

    /// `abs-send-time`: 6 bits of seconds, 18 of their fraction.
    pub(crate) fn abs_send_time(self) -> [u8; 3] {
        let [_, a, b, c] = ((self.0 >> 14) as u32 & 0x00FF_FFFF).to_be_bytes();
        [a, b, c]
    }

    fn plus(self, distance: i64) -> Self {
        Self(self.0.wrapping_add_signed(distance))
    }
}

fn fraction(duration: Duration) -> u64 {
    (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000
}

/// `duration` in 1/65536 seconds, as reception reports give delays.
pub(crate) fn short_delay(duration: Duration) -> u32 {
    let long = (duration.as_secs() << 32) | fraction(duration);
    u32::try_from(long >> 16).unwrap_or(u32::MAX)
}

/// `duration` in units of a clock of `rate` Hz, wrapping as RTP timestamps do.
pub(crate) fn clock_units(duration: Duration, rate: u32) -> u32 {
    (duration.as_micros() * u128::from(rate) / 1_000_000) as u32
}

/// How fast the estimate of a publisher's clock may rise, in 2^-32 seconds per report: 100 µs,
/// more than clocks drift and less than queues vary.
const CREEP: i64 = (1 << 32) / 10_000;

/// Where a publisher's clock stands against the server's.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublisherClock {
    /// Server's time minus publisher's; the fastest delivery seen is nearest to the truth.
    offset: Option<i64>,
}

impl PublisherClock {
    /// Learns from a sender report that said `theirs` and arrived at `ours`.
    pub(crate) fn observe(&mut self, theirs: Ntp, ours: Ntp) {
        let seen = ours.since(theirs);
        self.offset = Some(match self.offset {
            Some(before) => seen.min(before.saturating_add(CREEP)),
            None => seen,
        });
    }

    /// The server's time at which the publisher's clock showed `theirs`.
    pub(crate) fn to_server(&self, theirs: Ntp) -> Option<Ntp> {
        Some(theirs.plus(self.offset?))
    }
}

/// A source's claim that its RTP clock showed `rtp` when its wall clock showed `ntp`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Correspondence {
    pub(crate) ntp: Ntp,
    pub(crate) rtp: u32,
}

impl Correspondence {
    /// What the RTP clock shows at `now` (server's time).
    pub(crate) fn rtp_at(&self, now: Ntp, clock: &PublisherClock, rate: u32) -> Option<u32> {
        Some(self.rtp_after(now.since(clock.to_server(self.ntp)?), rate))
    }

    /// Time on this RTP clock minus time on another one, which both belong to one wall clock.
    pub(crate) fn ahead_of(&self, other: Self, rate: u32) -> u32 {
        self.rtp.wrapping_sub(other.rtp_after(self.ntp.since(other.ntp), rate))
    }

    fn rtp_after(&self, elapsed: i64, rate: u32) -> u32 {
        let units = (i128::from(elapsed) * i128::from(rate)) >> 32;
        self.rtp.wrapping_add(units as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1 << 32;

    #[test]
    fn the_wall_clock_becomes_ntp() {
        let time = UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(Ntp::of(time), Ntp((NTP_TO_UNIX_SECS + 1) << 32 | 1 << 31));
        assert_eq!(Ntp(5 << 32 | 1 << 31).middle(), 5 << 16 | 1 << 15);
        assert_eq!(short_delay(Duration::from_millis(1500)), 65_536 + 32_768);
        let duration = Duration::from_micros(3_000_500);
        assert!(Ntp::after_epoch(duration).since_epoch().abs_diff(duration).as_micros() <= 1);
        assert_eq!(clock_units(Duration::from_millis(20), 48_000), 960);
    }

    #[test]
    fn abs_send_time_counts_seconds_modulo_64() {
        let [a, b, c] = Ntp((64 + 3) * SECOND + SECOND / 2).abs_send_time();
        let value = u32::from_be_bytes([0, a, b, c]);
        assert_eq!(value, 3 << 18 | 1 << 17);
    }

    #[test]
    fn both_tracks_of_a_publisher_share_its_clock_error() {
        let mut clock = PublisherClock::default();
        let theirs = Ntp(1000 * SECOND);
        let ours = Ntp(5000 * SECOND);
        clock.observe(theirs, ours);
        clock.observe(Ntp(theirs.0 + SECOND), Ntp(ours.0 + SECOND + SECOND / 10));
        let audio = Correspondence { ntp: theirs, rtp: u32::MAX };
        let video = Correspondence { ntp: Ntp(theirs.0 + SECOND), rtp: 7 };
        let now = Ntp(ours.0 + 2 * SECOND);
        let audio_now = audio.rtp_at(now, &clock, 48_000).expect("observed");
        let video_now = video.rtp_at(now, &clock, 90_000).expect("observed");
        // The second report was 100 ms late in the queue and must not move the picture.
        assert!(audio_now.abs_diff(u32::MAX.wrapping_add(96_000)) < 48);
        assert!(video_now.abs_diff(7 + 90_000) < 90);
    }

    #[test]
    fn two_rtp_clocks_of_one_wall_clock_are_compared() {
        let one = Correspondence { ntp: Ntp(10 * SECOND), rtp: 1000 };
        let other = Correspondence { ntp: Ntp(12 * SECOND), rtp: u32::MAX };
        assert_eq!(other.ahead_of(one, 90_000), u32::MAX.wrapping_sub(181_000));
        assert_eq!(one.ahead_of(other, 90_000), 181_001);
    }

    #[test]
    fn without_a_report_there_is_no_time() {
        let claim = Correspondence { ntp: Ntp(0), rtp: 0 };
        assert_eq!(claim.rtp_at(Ntp(1), &PublisherClock::default(), 90_000), None);
    }
}
