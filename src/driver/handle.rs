//! The ways into a running room: before and after one is a participant.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{
    message::Message,
    outbox::{Outbox, Responder},
    registry::JoinError,
    seat::ConnectionId,
};
use crate::{
    ids::{ParticipantId, RoomId, StreamId},
    live::Address,
    mixing::SnapshotError,
    room::{Command, FormerParticipant, Managed, Manner, Order, Rejection, Reply},
    store::{Seat, Store},
};

/// Somebody who wants into a room.
pub struct JoinRequest {
    /// A fresh id; or one that its door knows to be the client's own, who takes its place again if
    /// it has one.
    pub participant: ParticipantId,
    /// The account, as the token states it.
    pub user: Arc<str>,
    /// The role, as the token states it.
    pub role: Arc<str>,
    /// What else it says of itself.
    pub manner: Manner,
    /// How long the place is kept after the connection is lost; zero if it ends with it.
    pub keep: Duration,
    /// Where notifications go.
    pub outbox: Box<dyn Outbox>,
    /// Where the room's answer goes.
    pub respond: Responder,
}

/// A way into a running room, which does not end while somebody holds one.
pub struct RoomHandle {
    room: RoomId,
    inbox: mpsc::Sender<Message>,
    store: Store,
}

impl RoomHandle {
    pub(super) fn new(room: RoomId, inbox: mpsc::Sender<Message>, store: Store) -> Self {
        Self { room, inbox, store }
    }

    /// Which room.
    pub fn id(&self) -> &RoomId {
        &self.room
    }

    /// A picture of a view as it is now, as a JPEG file. `None` if the server is being shut down.
    ///
    /// # Errors
    /// When there is no such picture.
    pub async fn snapshot(&self, view: StreamId) -> Option<Result<Bytes, SnapshotError>> {
        let (respond, picture) = oneshot::channel();
        self.inbox.send(Message::Snapshot { view, respond }).await.ok()?;
        picture.await.ok()
    }

    /// Has a stream, somebody's or a view, broadcast live until it ends. One that is still being
    /// negotiated is broadcast as soon as it is there.
    pub async fn broadcast(&self, stream: StreamId, address: Address) {
        // A room that has ended has no streams.
        drop(self.inbox.send(Message::Broadcast { stream, address }).await);
    }

    /// Has a stream broadcast no longer.
    pub async fn end_broadcast(&self, stream: StreamId) {
        drop(self.inbox.send(Message::EndBroadcast { stream }).await);
    }

    /// Writes down how somebody who is about to join can come back. It is forgotten when the room
    /// refuses to let it in, and when it leaves.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_seat(&self, seat: Seat) -> Result<(), JoinError> {
        Ok(self.store.take_seat(seat, SystemTime::now()).await?)
    }

    /// Orders something as an administrator. `None` if the server is being shut down.
    pub async fn manage(&self, order: Order) -> Option<Result<Managed, Rejection>> {
        let (respond, answer) = oneshot::channel();
        self.inbox.send(Message::Manage { order, respond }).await.ok()?;
        answer.await.ok()
    }

    /// Asks to be let in and waits until the room has answered, which it does to the request's
    /// responder. `None` when it refuses.
    pub async fn join(self, request: JoinRequest) -> Option<Member> {
        let JoinRequest { participant, user, role, manner, keep, outbox, respond } = request;
        let connection = ConnectionId::fresh();
        let (respond, granted) = overheard(respond);
        let member = Member { participant: participant.clone(), connection, inbox: self.inbox };
        let message =
            Message::Join { participant, connection, user, role, manner, keep, outbox, respond };
        // The room is there as long as this handle is; at shutdown the answer is moot.
        drop(member.inbox.send(message).await);
        granted.await.unwrap_or(false).then_some(member)
    }

    /// Takes a participant's place with a new connection. It is answered
    /// [`Reply::Done`], then what the participant missed follows; or
    /// [`Rejection::NotJoined`] when nobody has that place any more, and then there is no member.
    pub async fn resume(
        self,
        participant: ParticipantId,
        outbox: Box<dyn Outbox>,
        respond: Responder,
    ) -> Option<Member> {
        let connection = ConnectionId::fresh();
        let (respond, granted) = overheard(respond);
        let member = Member { participant: participant.clone(), connection, inbox: self.inbox };
        let message = Message::Resume { participant, connection, outbox, respond };
        drop(member.inbox.send(message).await);
        granted.await.unwrap_or(false).then_some(member)
    }

    /// Puts the participants of a process that died into this fresh room.
    pub(super) async fn restore(self, participants: Vec<FormerParticipant>) {
        drop(self.inbox.send(Message::Restore { participants }).await);
    }
}

/// A responder, and word of whether what it was for is granted.
fn overheard(respond: Responder) -> (Responder, oneshot::Receiver<bool>) {
    let (granted, outcome) = oneshot::channel();
    let respond: Responder = Box::new(move |result| {
        // Whoever asked may be gone by now.
        granted.send(result.is_ok()).ok();
        respond(result);
    });
    (respond, outcome)
}

/// A participant's way to its room, by one connection.
#[derive(Debug)]
pub struct Member {
    participant: ParticipantId,
    connection: ConnectionId,
    inbox: mpsc::Sender<Message>,
}

impl Member {
    /// Its id.
    pub fn participant(&self) -> &ParticipantId {
        &self.participant
    }

    /// Asks the room for something; waits only while the room's inbox is full. Once another
    /// connection has taken the place, it is answered as if nobody was in the room.
    pub async fn request(&self, command: Command, respond: Responder) {
        let Self { participant, connection, .. } = self;
        let message = Message::Request {
            from: participant.clone(),
            connection: *connection,
            command,
            respond,
        };
        if let Err(mpsc::error::SendError(Message::Request { respond, .. })) =
            self.inbox.send(message).await
        {
            respond(Err(Rejection::NotJoined));
        }
    }

    /// Asks the room for something and waits for its answer.
    ///
    /// # Errors
    /// The room's rejection.
    pub async fn ask(&self, command: Command) -> Result<Reply, Rejection> {
        let (respond, answer) = oneshot::channel();
        // Whoever asked may have stopped waiting.
        self.request(command, Box::new(|result| drop(respond.send(result)))).await;
        answer.await.unwrap_or(Err(Rejection::NotJoined))
    }

    /// Has a stream broadcast live as [`RoomHandle::broadcast`] does.
    pub async fn broadcast(&self, stream: StreamId, address: Address) {
        drop(self.inbox.send(Message::Broadcast { stream, address }).await);
    }

    /// Tells the room that this connection is gone.
    pub async fn connection_lost(self) {
        let Self { participant, connection, inbox } = self;
        // A room that has ended knows nobody who could be missed.
        drop(inbox.send(Message::ConnectionLost { participant, connection }).await);
    }
}
