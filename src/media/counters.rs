//! What the media plane counts, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one worker, written by it alone and readable by everybody at any time.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    packets_in: AtomicU64,
    packets_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    dropped_in: AtomicU64,
    dropped_out: AtomicU64,
    transports: AtomicU64,
}

/// Counts of the whole media plane since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Datagrams that came.
    pub packets_in: u64,
    /// Datagrams that went.
    pub packets_out: u64,
    /// Bytes in datagrams that came.
    pub bytes_in: u64,
    /// Bytes in datagrams that went.
    pub bytes_out: u64,
    /// Datagrams of those that came which were of no use: from strangers, forged, doubled, broken.
    pub dropped_in: u64,
    /// Datagrams that the system did not take.
    pub dropped_out: u64,
    /// Peer connections there are.
    pub transports: u64,
}

/// What a worker counted since it last published.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) dropped_in: u64,
    pub(crate) dropped_out: u64,
}

impl Counters {
    /// Adds what was counted, which starts anew.
    pub(crate) fn publish(&self, tally: &mut Tally, transports: usize) {
        let Tally { packets_in, packets_out, bytes_in, bytes_out, dropped_in, dropped_out } =
            std::mem::take(tally);
        self.packets_in.fetch_add(packets_in, Ordering::Relaxed);
        self.packets_out.fetch_add(packets_out, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes_in, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes_out, Ordering::Relaxed);
        self.dropped_in.fetch_add(dropped_in, Ordering::Relaxed);
        self.dropped_out.fetch_add(dropped_out, Ordering::Relaxed);
        self.transports.store(transports as u64, Ordering::Relaxed);
    }

    /// Adds this worker's counts to `sum`.
    pub(crate) fn add_to(&self, sum: &mut Statistics) {
        sum.packets_in += self.packets_in.load(Ordering::Relaxed);
        sum.packets_out += self.packets_out.load(Ordering::Relaxed);
        sum.bytes_in += self.bytes_in.load(Ordering::Relaxed);
        sum.bytes_out += self.bytes_out.load(Ordering::Relaxed);
        sum.dropped_in += self.dropped_in.load(Ordering::Relaxed);
        sum.dropped_out += self.dropped_out.load(Ordering::Relaxed);
        sum.transports += self.transports.load(Ordering::Relaxed);
    }
}
