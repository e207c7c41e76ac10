//! A participant's place as a room's task keeps it: the way to its client, or what it missed.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::outbox::Outbox;
use crate::room::Notification;

/// Tells a participant's connection from those that it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionId(u64);

impl ConnectionId {
    /// One that no other connection has.
    pub(super) fn fresh() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// Somebody's connection before it has a seat.
pub(super) struct Arrival {
    pub(super) connection: ConnectionId,
    /// Where notifications go.
    pub(super) outbox: Box<dyn Outbox>,
    /// How long the place is to be kept after the connection is lost.
    pub(super) keep: Duration,
}

/// A participant's place.
pub(super) struct Seat {
    keep: Duration,
    presence: Presence,
}

enum Presence {
    Here { connection: ConnectionId, outbox: Box<dyn Outbox> },
    Away { missed: VecDeque<Arc<Notification>> },
}

/// Why a participant cannot be told any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Its connection is gone; what it was not told is kept.
    Gone,
    /// It takes in less than it is told.
    Slow,
    /// It missed as much as is kept.
    Overrun,
}

impl Seat {
    /// The place of somebody who just came. With no time to `keep` it for, the place ends with the
    /// connection.
    pub(super) fn new(Arrival { connection, outbox, keep }: Arrival) -> Self {
        Self { keep, presence: Presence::Here { connection, outbox } }
    }

    /// The place of somebody who has no connection yet.
    pub(super) fn away(keep: Duration) -> Self {
        Self { keep, presence: Presence::Away { missed: VecDeque::new() } }
    }

    /// How long the place is kept after its connection is lost.
    pub(super) fn keep(&self) -> Duration {
        self.keep
    }

    /// Whether this is the participant's present connection.
    pub(super) fn is_at(&self, connection: ConnectionId) -> bool {
        match self.presence {
            Presence::Here { connection: present, .. } => present == connection,
            Presence::Away { .. } => false,
        }
    }

    /// Tells the participant, at once or later; `bound` is how much it may miss.
    pub(super) fn tell(
        &mut self,
        notification: &Arc<Notification>,
        bound: usize,
    ) -> Result<(), Trouble> {
        match &mut self.presence {
            Presence::Here { outbox, .. } => {
                if outbox.notify(notification).is_ok() {
                    return Ok(());
                }
                if outbox.is_connected() {
                    return Err(Trouble::Slow);
                }
                let missed = VecDeque::from([Arc::clone(notification)]);
                self.presence = Presence::Away { missed };
                Err(Trouble::Gone)
            }
            Presence::Away { missed } if missed.len() >= bound => Err(Trouble::Overrun),
            Presence::Away { missed } => {
                missed.push_back(Arc::clone(notification));
                Ok(())
            }
        }
    }

    /// Notes that the connection is gone.
    pub(super) fn lose(&mut self) {
        self.presence = Presence::Away { missed: VecDeque::new() };
    }

    /// Gives the place to a new connection, whose predecessor is closed if it still lives. Yields
    /// what was missed.
    pub(super) fn resume(
        &mut self,
        connection: ConnectionId,
        outbox: Box<dyn Outbox>,
    ) -> VecDeque<Arc<Notification>> {
        match mem::replace(&mut self.presence, Presence::Here { connection, outbox }) {
            Presence::Here { outbox, .. } => {
                outbox.close();
                VecDeque::new()
            }
            Presence::Away { missed } => missed,
        }
    }

    /// Closes the connection, if there is one, after what it was told.
    pub(super) fn close(self) {
        if let Presence::Here { outbox, .. } = self.presence {
            outbox.close();
        }
    }
}
