//! When to look after which transport again.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

/// Deadlines of transports. A transport remembers its own next one; entries that differ from it
/// are stale and passed over.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    /// Sets a deadline.
    pub(crate) fn set(&mut self, at: Instant, key: usize) {
        self.heap.push(Reverse((at, key)));
    }

    /// A deadline that has passed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, usize)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// How long to wait for the next one.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, _))| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_their_order() {
        let now = Instant::now();
        let later = now + Duration::from_millis(5);
        let mut timers = Timers::default();
        timers.set(later, 1);
        timers.set(now, 2);
        assert_eq!(timers.wait(now), Some(Duration::ZERO));
        assert_eq!(timers.pop_due(now), Some((now, 2)));
        assert_eq!(timers.pop_due(now), None);
        assert_eq!(timers.wait(now), Some(Duration::from_millis(5)));
        assert_eq!(timers.pop_due(later), Some((later, 1)));
        assert_eq!(timers.wait(now), None);
    }
}
