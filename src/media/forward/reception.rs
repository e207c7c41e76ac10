//! What receiver reports say about a source (RFC 3550, 6.4.1 and appendix A.3, A.8).

/// Counts of one source.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    first: u64,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// In 1/16 of a timestamp unit, as in appendix A.8.
    jitter: u32,
    transit: Option<u32>,
}

/// A reception report's own part; the rest is about sender reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported {
    /// Lost since the last report, in 1/256.
    pub(crate) fraction_lost: u8,
    /// Lost in all; 24 bits on the wire.
    pub(crate) cumulative_lost: u32,
    /// The highest sequence number with its cycles.
    pub(crate) highest: u32,
    /// In timestamp units.
    pub(crate) jitter: u32,
}

/// The largest positive number of 24 bits with a sign.
const MAX_LOST: u64 = 0x7F_FFFF;

impl Reception {
    /// Starts with the first packet's index, which is not counted yet.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            highest: first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            jitter: 0,
            transit: None,
        }
    }

    /// Counts a packet of the source itself, whether it is late or not. `arrival` and `timestamp`
    /// are in units of the codec's clock.
    pub(crate) fn count(&mut self, index: u64, timestamp: u32, arrival: u32) {
        self.received += 1;
        self.first = self.first.min(index);
        self.highest = self.highest.max(index);
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs();
            let decayed = self.jitter - ((self.jitter + 8) >> 4).min(self.jitter);
            self.jitter = decayed.saturating_add(change);
        }
    }

    /// The report for now; the next fraction starts here.
    pub(crate) fn report(&mut self) -> Reported {
        let expected = self.highest - self.first + 1;
        let lost = expected.saturating_sub(self.received);
        let expected_since = expected - self.expected_before.min(expected);
        let received_since = self.received - self.received_before;
        self.expected_before = expected;
        self.received_before = self.received;
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = (lost_since * 256).checked_div(expected_since).unwrap_or(0).min(255);
        Reported {
            fraction_lost: fraction as u8,
            cumulative_lost: lost.min(MAX_LOST) as u32,
            highest: self.highest as u32,
            jitter: self.jitter >> 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_counted_exactly() {
        let mut reception = Reception::new(65_000);
        for index in 65_000..66_000_u64 {
            if index % 10 != 0 {
                reception.count(index, 0, 0);
            }
        }
        let report = reception.report();
        assert_eq!(report.cumulative_lost, 100);
        assert_eq!(report.highest, 65_999);
        assert_eq!(report.fraction_lost, (100 * 256 / 1000) as u8);
        reception.count(66_000, 0, 0);
        let next = reception.report();
        assert_eq!((next.fraction_lost, next.cumulative_lost), (0, 100));
    }

    #[test]
    fn more_received_than_expected_is_no_loss() {
        let mut reception = Reception::new(1);
        for _ in 0..3 {
            reception.count(1, 0, 0);
        }
        let report = reception.report();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 0));
    }

    #[test]
    fn a_steady_stream_has_no_jitter_and_an_unsteady_one_has() {
        let mut steady = Reception::new(0);
        let mut unsteady = Reception::new(0);
        for packet in 0..500_u32 {
            steady.count(packet.into(), packet * 960, packet * 960 + 77);
            let late = if packet % 2 == 0 { 0 } else { 160 };
            unsteady.count(packet.into(), packet * 960, packet * 960 + late);
        }
        assert_eq!(steady.report().jitter, 0);
        assert!((150..=160).contains(&unsteady.report().jitter));
    }
}
