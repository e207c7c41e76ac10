//! The agent's clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The machine's monotonic time, which is also the time of GStreamer's system clock, so that it
/// stamps buffers as well as frames.
pub fn now() -> Duration {
    read(ClockId::Monotonic)
}

/// The processor time that this process used.
pub fn processor_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A server's monotonic clock as it appears here: what its stamps mean in [`now`].
///
/// A stamp is as old as its way through the socket took; the shortest way seen counts. A slow rise
/// follows clocks that drift apart when the server is another machine.
#[derive(Debug, Default)]
pub struct ServerClock {
    offset_us: Option<i64>,
}

/// How far the offset rises with each stamp, in microseconds: some milliseconds a minute.
const RISE_US: i64 = 1;

impl ServerClock {
    /// The time here at which a stamp was made, given the time at which it came.
    pub fn map(&mut self, stamp: Duration, came: Duration) -> Duration {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4);
        let stamp_us = micros(stamp).min(i64::MAX / 4);
        let seen = micros(came) - stamp_us;
        let offset = self.offset_us.map_or(seen, |offset| seen.min(offset.saturating_add(RISE_US)));
        self.offset_us = Some(offset);
        let mapped = stamp_us.saturating_add(offset).max(0);
        Duration::from_micros(mapped.unsigned_abs()).min(came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_shortest_way_counts() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.map(ms(1000), ms(51_010)), ms(51_010));
        assert_eq!(clock.map(ms(1020), ms(51_022)), ms(51_022));
        let late = clock.map(ms(1040), ms(51_090));
        assert!(late.abs_diff(ms(51_042)) < ms(1), "{late:?}");
        assert_eq!(clock.map(Duration::MAX, ms(51_100)), ms(51_100));
    }

    #[test]
    fn time_passes() {
        let first = now();
        assert!(now() >= first);
        assert!(processor_time() > Duration::ZERO);
    }
}
