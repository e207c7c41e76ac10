//! What is written down of a room, so that another process of this server can take over from one
//! that died: who is in it and which sessions each has.

use std::time::Duration;

use super::{ParticipantInfo, Room};
use crate::ids::{ParticipantId, SessionId, TransportId};

/// A change of what is written down. Changes are no outputs: nobody waits for them, and they are
/// taken with [`Room::poll_record`] after the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// Somebody came in.
    Came(ParticipantInfo),
    /// Somebody is gone with everything that it had.
    Went(ParticipantId),
    /// A session was opened, or got another kind.
    Opened {
        /// Whose.
        owner: ParticipantId,
        /// The session.
        session: SessionRecord,
    },
    /// A session ended.
    Closed {
        /// Whose.
        owner: ParticipantId,
        /// The session.
        session: SessionId,
    },
}

/// A session as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// The peer connection that carries it.
    pub transport: TransportId,
    /// What it is.
    pub kind: SessionKind,
}

/// What a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A publication that nobody else knows of.
    Publication,
    /// A publication that was announced as a stream.
    Stream,
    /// A subscription.
    Subscription,
}

/// A participant that a process before this one knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerParticipant {
    /// What others see of it.
    pub info: ParticipantInfo,
    /// How long its place is kept from when it is restored; zero if it cannot come back.
    pub keep: Duration,
    /// Its sessions, whose media is gone.
    pub sessions: Vec<SessionRecord>,
}

impl Room {
    /// The next change of what is written down, if any is left. Drained like the outputs.
    pub fn poll_record(&mut self) -> Option<RecordChange> {
        self.records.pop_front()
    }

    /// Has a change written down.
    pub(super) fn record(&mut self, change: RecordChange) {
        self.records.push_back(change);
    }

    /// Has a session written down.
    pub(super) fn record_session(
        &mut self,
        owner: &ParticipantId,
        id: &SessionId,
        transport: &TransportId,
        kind: SessionKind,
    ) {
        let session = SessionRecord { id: id.clone(), transport: transport.clone(), kind };
        self.record(RecordChange::Opened { owner: owner.clone(), session });
    }

    /// Has it written down that a session ended, unless its owner went with it.
    pub(super) fn record_closed(&mut self, owner: &ParticipantId, session: &SessionId) {
        if self.participants.contains(owner) {
            self.record(RecordChange::Closed { owner: owner.clone(), session: session.clone() });
        }
    }
}
