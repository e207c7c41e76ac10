//! A subscriber's own sequence numbers over a source's packet indexes.

use std::collections::VecDeque;

/// Where a subscriber's sequence begins. Low, so that a receiver which misses the first packets
/// cannot guess the rollover counter wrong (RFC 3711, 3.3.1).
const FIRST: u64 = 1;

/// Jumps of the source (pauses, fillers) that are remembered, to place late packets and requests
/// for old ones. What is older than these jumps is neither forwarded nor repeated.
const MAX_SEGMENTS: usize = 32;

/// From `source` on, packets keep their distance: `out = self.out + (index - self.source)`.
#[derive(Debug, Clone, Copy)]
struct Segment {
    source: u64,
    out: u64,
}

/// The mapping of one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct SequenceMap {
    segments: VecDeque<Segment>,
    /// The next unused number.
    next: u64,
}

impl SequenceMap {
    pub(crate) fn new() -> Self {
        Self { segments: VecDeque::new(), next: FIRST }
    }

    /// Continues with the packet `source`, without a gap, whatever was before.
    pub(crate) fn resume_at(&mut self, source: u64) {
        let segment = Segment { source, out: self.next };
        match self.segments.back_mut() {
            Some(unused) if unused.out == self.next => *unused = segment,
            _ => self.segments.push_back(segment),
        }
        if self.segments.len() > MAX_SEGMENTS {
            self.segments.pop_front();
        }
    }

    /// Forgets the source, whose indexes mean nothing any more. The numbers go on with the next
    /// [`SequenceMap::resume_at`].
    pub(crate) fn forget_source(&mut self) {
        self.segments.clear();
    }

    /// Notes that the packet `source` will not be forwarded. Only when it is the next one does
    /// the sequence close up over it; otherwise its number was already left free.
    pub(crate) fn skip(&mut self, source: u64) {
        let Some(last) = self.segments.back() else { return };
        if source >= last.source && last.out + (source - last.source) == self.next {
            self.resume_at(source + 1);
        }
    }

    /// The subscriber's number of the packet `source`; `None` when it is none of the subscriber's.
    pub(crate) fn forward(&mut self, source: u64) -> Option<u64> {
        let at = self.segments.iter().rposition(|segment| segment.source <= source)?;
        let out = self.segments[at].out + (source - self.segments[at].source);
        if self.segments.get(at + 1).is_some_and(|later| out >= later.out) {
            return None;
        }
        self.next = self.next.max(out + 1);
        Some(out)
    }

    /// The packet that the subscriber knows by the number `out`.
    pub(crate) fn backward(&self, out: u64) -> Option<u64> {
        if out >= self.next {
            return None;
        }
        let segment = self.segments.iter().rfind(|segment| segment.out <= out)?;
        Some(segment.source + (out - segment.out))
    }

    /// The highest number given out, if any was.
    pub(crate) fn highest(&self) -> Option<u64> {
        (self.next > FIRST).then(|| self.next - 1)
    }
}

/// What becomes of each header extension number: a table from the source's numbers to the
/// subscriber's, 0 for those that are dropped.
pub(crate) type ElementMap = [u8; 16];

#[cfg(test)]
mod tests {
    use super::*;

    fn map(numbers: &mut SequenceMap, sources: &[u64]) -> Vec<Option<u64>> {
        sources.iter().map(|source| numbers.forward(*source)).collect()
    }

    #[test]
    fn numbers_start_low_and_keep_the_distances_of_the_source() {
        let mut numbers = SequenceMap::new();
        assert_eq!(numbers.forward(7), None, "not started");
        numbers.resume_at(70_000);
        assert_eq!(map(&mut numbers, &[70_000, 70_003, 70_001]), [Some(1), Some(4), Some(2)]);
        assert_eq!(numbers.forward(69_999), None, "before the start");
        assert_eq!(numbers.backward(4), Some(70_003));
        assert_eq!(numbers.backward(5), None, "never sent");
    }

    #[test]
    fn a_pause_leaves_no_gap() {
        let mut numbers = SequenceMap::new();
        numbers.resume_at(10);
        map(&mut numbers, &[10, 11]);
        numbers.resume_at(500);
        assert_eq!(map(&mut numbers, &[500, 501]), [Some(3), Some(4)]);
        assert_eq!(numbers.forward(300), None, "from within the pause");
        assert_eq!(numbers.backward(2), Some(11));
        assert_eq!(numbers.backward(3), Some(500));
    }

    #[test]
    fn another_source_goes_on_where_the_first_one_stopped() {
        let mut numbers = SequenceMap::new();
        numbers.resume_at(10);
        map(&mut numbers, &[10, 11]);
        numbers.forget_source();
        assert_eq!((numbers.forward(12), numbers.backward(2)), (None, None));
        numbers.resume_at(7);
        assert_eq!(map(&mut numbers, &[7, 8]), [Some(3), Some(4)]);
        assert_eq!((numbers.backward(2), numbers.backward(3)), (None, Some(7)));
    }

    #[test]
    fn a_filler_closes_up_in_order_and_stays_a_hole_out_of_order() {
        let mut numbers = SequenceMap::new();
        numbers.resume_at(10);
        map(&mut numbers, &[10]);
        numbers.skip(11);
        numbers.skip(12);
        assert_eq!(map(&mut numbers, &[13]), [Some(2)]);
        assert_eq!(map(&mut numbers, &[15]), [Some(4)]);
        numbers.skip(14);
        assert_eq!(map(&mut numbers, &[16]), [Some(5)]);
        assert_eq!(numbers.backward(2), Some(13));
    }

    #[test]
    fn another_source_continues_the_numbers_and_nothing_of_the_first_is_left() {
        let mut numbers = SequenceMap::new();
        numbers.resume_at(10);
        map(&mut numbers, &[10, 11]);
        numbers.forget_source();
        assert_eq!((numbers.forward(12), numbers.backward(2)), (None, None));
        numbers.resume_at(5);
        assert_eq!(map(&mut numbers, &[5, 6]), [Some(3), Some(4)]);
        assert_eq!((numbers.backward(2), numbers.backward(3)), (None, Some(5)));
    }

    #[test]
    fn memory_of_jumps_is_bounded() {
        let mut numbers = SequenceMap::new();
        for jump in 0..1000_u64 {
            numbers.resume_at(jump * 100);
            numbers.forward(jump * 100);
        }
        assert_eq!(numbers.segments.len(), MAX_SEGMENTS);
        assert_eq!(numbers.highest(), Some(1000));
        assert_eq!(numbers.backward(1), None);
        assert_eq!(numbers.backward(1000), Some(99_900));
    }
}
