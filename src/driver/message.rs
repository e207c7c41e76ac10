//! What a room's task is asked to do.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    outbox::{Outbox, Responder},
    seat::ConnectionId,
};
use crate::{
    ids::{ParticipantId, StreamId},
    live::Address,
    mixing::SnapshotSender,
    room::{Command, FormerParticipant, Managed, Manner, Order, Rejection},
};

/// What a room's task is asked to do.
pub(super) enum Message {
    /// Somebody wants in, or, where its dialect knows no other way, to its own place again.
    Join {
        /// A fresh id, or its own.
        participant: ParticipantId,
        /// Its connection.
        connection: ConnectionId,
        /// The account.
        user: Arc<str>,
        /// The role.
        role: Arc<str>,
        /// What else it says of itself.
        manner: Manner,
        /// How long the place is kept after the connection is lost.
        keep: Duration,
        /// Where notifications go.
        outbox: Box<dyn Outbox>,
        /// Where the answer goes.
        respond: Responder,
    },
    /// Somebody's new connection takes its place.
    Resume {
        /// Whose place.
        participant: ParticipantId,
        /// The new connection.
        connection: ConnectionId,
        /// Where notifications go, first those that were missed.
        outbox: Box<dyn Outbox>,
        /// Where the answer goes.
        respond: Responder,
    },
    /// A process before this one knew these participants.
    Restore {
        /// They, by age.
        participants: Vec<FormerParticipant>,
    },
    /// A participant asks for something.
    Request {
        /// Who.
        from: ParticipantId,
        /// By which connection.
        connection: ConnectionId,
        /// What.
        command: Command,
        /// Where the answer goes.
        respond: Responder,
    },
    /// An administrator orders something.
    Manage {
        /// What.
        order: Order,
        /// Where the answer goes.
        respond: oneshot::Sender<Result<Managed, Rejection>>,
    },
    /// Somebody wants to see a view.
    Snapshot {
        /// The mixed stream.
        view: StreamId,
        /// Where the picture goes.
        respond: SnapshotSender,
    },
    /// A stream is to be broadcast live, now or as soon as it is there.
    Broadcast {
        /// Which.
        stream: StreamId,
        /// Where players find it.
        address: Address,
    },
    /// A stream is to be broadcast no longer.
    EndBroadcast {
        /// Which.
        stream: StreamId,
    },
    /// A participant's connection is gone.
    ConnectionLost {
        /// Whose.
        participant: ParticipantId,
        /// Which one.
        connection: ConnectionId,
    },
    /// Everybody is thrown out, and the room ends.
    Close,
}
