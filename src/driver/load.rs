//! How much rooms carry, readable without asking them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::room::RoomLoad;

/// A running room's load, written by its task alone. Its numbers may be of different moments.
#[derive(Debug, Default)]
pub(super) struct SharedLoad {
    participants: AtomicUsize,
    streams: AtomicUsize,
    subscriptions: AtomicUsize,
    away: AtomicUsize,
}

impl SharedLoad {
    pub(super) fn set(&self, load: RoomLoad) {
        let RoomLoad { participants, streams, subscriptions, away } = load;
        self.participants.store(participants, Ordering::Relaxed);
        self.streams.store(streams, Ordering::Relaxed);
        self.subscriptions.store(subscriptions, Ordering::Relaxed);
        self.away.store(away, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> RoomLoad {
        RoomLoad {
            participants: self.participants.load(Ordering::Relaxed),
            streams: self.streams.load(Ordering::Relaxed),
            subscriptions: self.subscriptions.load(Ordering::Relaxed),
            away: self.away.load(Ordering::Relaxed),
        }
    }
}
