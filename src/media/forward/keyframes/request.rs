//! When to ask a publisher for a key frame.

use std::time::{Duration, Instant};

/// The shortest time between two requests: one subscriber's wish serves all who wish meanwhile,
/// and a publisher that everybody asks is not overrun.
const INTERVAL: Duration = Duration::from_millis(200);

/// The wishes for one track.
#[derive(Debug, Default)]
pub(crate) struct KeyFrameRequests {
    wanted: bool,
    last: Option<Instant>,
}

impl KeyFrameRequests {
    /// Somebody needs a key frame.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame begins; who wished for one has it.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = false;
    }

    /// When the next request may go out, if one is wished for.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.wanted.then(|| self.last.map_or(now, |last| last + INTERVAL))
    }

    /// Whether to send a request now. Until a key frame comes, it is repeated.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.next_due(now).is_some_and(|due| due <= now);
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wish_is_passed_on_at_once_and_the_rest_are_throttled() {
        let start = Instant::now();
        let mut requests = KeyFrameRequests::default();
        assert!(!requests.take_due(start));
        requests.want();
        assert!(requests.take_due(start));
        requests.want();
        assert!(!requests.take_due(start + INTERVAL / 2));
        assert_eq!(requests.next_due(start), Some(start + INTERVAL));
        assert!(requests.take_due(start + INTERVAL), "repeated until it comes");
        requests.satisfied();
        assert!(!requests.take_due(start + INTERVAL * 5));
        requests.want();
        assert!(requests.take_due(start + INTERVAL * 5));
    }
}
