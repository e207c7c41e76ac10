//! A grid of moments at equal distances.

use std::time::Duration;

/// When things happen that happen so many times a second.
#[derive(Debug, Clone, Copy)]
pub struct Raster {
    start: Duration,
    per_second: u32,
    next: u64,
}

impl Raster {
    /// A raster whose first moment is `start`.
    pub fn new(start: Duration, per_second: u32) -> Self {
        Self { start, per_second: per_second.max(1), next: 0 }
    }

    fn at(&self, index: u64) -> Duration {
        let nanos = u128::from(index) * 1_000_000_000 / u128::from(self.per_second);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The next moment.
    pub fn due(&self) -> Duration {
        self.at(self.next)
    }

    /// Goes on to the moment after the one that was due. When more than `late` moments were missed,
    /// they are left out.
    pub fn advance(&mut self, now: Duration, late: u64) {
        self.next += 1;
        let since = now.saturating_sub(self.start).as_nanos() * u128::from(self.per_second);
        let reached = u64::try_from(since / 1_000_000_000).unwrap_or(u64::MAX);
        if reached > self.next + late {
            self.next = reached;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn thirds_of_a_second_do_not_drift() {
        let mut raster = Raster::new(ms(500), 30);
        for _ in 0..30 {
            raster.advance(raster.due(), 0);
        }
        assert_eq!(raster.due(), ms(1500));
    }

    #[test]
    fn what_was_missed_is_left_out_or_caught_up_with() {
        let mut pictures = Raster::new(ms(0), 50);
        pictures.advance(ms(205), 0);
        assert_eq!(pictures.due(), ms(200));
        let mut sound = Raster::new(ms(0), 50);
        sound.advance(ms(205), 20);
        assert_eq!(sound.due(), ms(20));
    }
}
