//! Packets that a publisher's track lacks, and when to ask for them again (RFC 4585, 6.2.1).

use std::time::{Duration, Instant};

/// Packets that are missed at once. When more are, asking for each makes things worse, and a key
/// frame is asked for instead.
const MAX_GAPS: usize = 256;

/// How long a packet may merely be out of order before it is asked for.
const REORDERING: Duration = Duration::from_millis(8);

/// How long an answer is awaited before asking again, times the number of askings.
const RETRY: Duration = Duration::from_millis(40);

/// How often a packet is asked for.
const MAX_TRIES: u32 = 6;

#[derive(Debug, Clone, Copy)]
struct Gap {
    index: u64,
    tries: u32,
    due: Instant,
}

/// The list of what is missing, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    list: Vec<Gap>,
}

/// Too much is missing to ask for it packet by packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Gaps {
    /// Notes that the packets from `from` up to and without `to` did not come.
    pub(crate) fn open(&mut self, from: u64, to: u64, now: Instant) -> Result<(), TooMany> {
        let count = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        if count.saturating_add(self.list.len()) > MAX_GAPS {
            self.list.clear();
            return Err(TooMany);
        }
        let due = now + REORDERING;
        self.list.extend((from..to).map(|index| Gap { index, tries: 0, due }));
        Ok(())
    }

    /// Notes that a packet came after all.
    pub(crate) fn close(&mut self, index: u64) {
        if let Ok(at) = self.list.binary_search_by_key(&index, |gap| gap.index) {
            self.list.remove(at);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// When something must be asked for next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.list.iter().map(|gap| gap.due).min()
    }

    /// Puts into `wanted` what must be asked for now, as 16-bit sequence numbers after `to_wire`.
    /// Gives up what was asked for often enough or is older than `oldest`.
    pub(crate) fn take_due(&mut self, now: Instant, oldest: u64, wanted: &mut Vec<u64>) {
        self.list.retain_mut(|gap| {
            if gap.index < oldest {
                return false;
            }
            if gap.due > now {
                return true;
            }
            if gap.tries == MAX_TRIES {
                return false;
            }
            gap.tries += 1;
            gap.due = now + RETRY * gap.tries;
            wanted.push(gap.index);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(gaps: &mut Gaps, now: Instant) -> Vec<u64> {
        let mut wanted = Vec::new();
        gaps.take_due(now, 0, &mut wanted);
        wanted
    }

    #[test]
    fn a_gap_is_asked_for_after_a_moment_then_ever_more_rarely_then_never() {
        let start = Instant::now();
        let mut gaps = Gaps::default();
        gaps.open(5, 8, start).expect("few");
        assert!(due(&mut gaps, start).is_empty());
        gaps.close(6);
        let mut now = start + REORDERING;
        for tries in 1..=MAX_TRIES {
            assert_eq!(due(&mut gaps, now), [5, 7], "try {tries}");
            assert!(due(&mut gaps, now).is_empty());
            assert_eq!(gaps.next_due(), Some(now + RETRY * tries));
            now += RETRY * tries;
        }
        assert!(due(&mut gaps, now).is_empty());
        assert_eq!(gaps.next_due(), None);
    }

    #[test]
    fn too_many_gaps_are_given_up_at_once() {
        let now = Instant::now();
        let mut gaps = Gaps::default();
        gaps.open(0, 200, now).expect("few");
        assert_eq!(gaps.open(300, 400, now), Err(TooMany));
        assert_eq!(gaps.next_due(), None);
    }

    #[test]
    fn what_left_the_ring_is_not_asked_for() {
        let now = Instant::now();
        let mut gaps = Gaps::default();
        gaps.open(1, 4, now).expect("few");
        let mut wanted = Vec::new();
        gaps.take_due(now + REORDERING, 3, &mut wanted);
        assert_eq!(wanted, [3]);
    }
}
