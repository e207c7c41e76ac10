//! A bound on retransmission: what a subscriber may get twice.

/// Of the bytes sent, the share that may be sent again, in percent.
const SHARE_PERCENT: u64 = 25;

/// Bytes that may be sent again at once, beyond the share: a lost key frame of a good size.
const BURST: u64 = 96 * 1024;

/// The requests for one packet that follow each other within this many requests are one request
/// in the eyes of [`Repeats`].
const REMEMBERED: usize = 32;

use std::time::{Duration, Instant};

/// A packet is not sent again sooner than this after the last time.
const PAUSE: Duration = Duration::from_millis(15);

/// Bytes that may still be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    hundredths: u64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { hundredths: BURST * 100 }
    }

    /// Notes bytes sent for the first time.
    pub(crate) fn earn(&mut self, bytes: usize) {
        let earned = bytes as u64 * SHARE_PERCENT;
        self.hundredths = (self.hundredths + earned).min(BURST * 100);
    }

    /// Takes the bytes, if they are there.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        match self.hundredths.checked_sub(bytes as u64 * 100) {
            Some(rest) => {
                self.hundredths = rest;
                true
            }
            None => false,
        }
    }
}

/// What was sent again lately.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repeats {
    recent: Vec<(u64, Instant)>,
    next: usize,
}

impl Repeats {
    /// Whether the packet may be sent again now; if so, notes that it is.
    pub(crate) fn admit(&mut self, index: u64, now: Instant) -> bool {
        if let Some(entry) = self.recent.iter_mut().find(|entry| entry.0 == index) {
            let waited = now.saturating_duration_since(entry.1) >= PAUSE;
            if waited {
                entry.1 = now;
            }
            return waited;
        }
        if self.recent.len() < REMEMBERED {
            self.recent.push((index, now));
        } else {
            self.recent[self.next] = (index, now);
            self.next = (self.next + 1) % REMEMBERED;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_runs_out_and_is_earned_back() {
        let mut budget = Budget::new();
        let mut spent = 0;
        while budget.spend(1000) {
            spent += 1000;
        }
        assert!(spent <= BURST && spent + 1000 > BURST);
        budget.earn(3000);
        budget.earn(1000);
        assert!(budget.spend(1000));
        assert!(!budget.spend(1000));
    }

    #[test]
    fn a_packet_is_not_repeated_at_once() {
        let now = Instant::now();
        let mut repeats = Repeats::default();
        assert!(repeats.admit(1, now));
        assert!(!repeats.admit(1, now + PAUSE / 2));
        assert!(repeats.admit(1, now + PAUSE));
        for index in 10..10 + REMEMBERED as u64 {
            assert!(repeats.admit(index, now));
        }
        assert!(repeats.admit(1, now), "long forgotten");
    }
}
