//! The two ways from a room back to a client: answers and notifications.

use crate::room::{Notification, Rejection, Reply};

/// Takes the answer to one request, at once and without blocking: it is called by the room's task,
/// in the order of everything else that the client is told.
pub type Responder = Box<dyn FnOnce(Result<Reply, Rejection>) + Send>;

/// Where a participant's notifications go. Implemented by each door in its own words.
pub trait Outbox: Send + 'static {
    /// Queues a notification without blocking.
    ///
    /// # Errors
    /// When the client takes in less than it is told and its bounded queue is full: the room's
    /// task then closes the connection and the participant leaves. When its connection is gone:
    /// the place is then kept for as long as the participant may take to come back.
    fn notify(&self, notification: &Notification) -> Result<(), OutboxFull>;

    /// Whether the connection still lives. Asked after a failed notification, to tell a slow client
    /// from one that is gone.
    fn is_connected(&self) -> bool {
        true
    }

    /// Closes the connection once everything queued has been sent.
    fn close(&self);
}

/// The client's queue takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's outbox is full or its connection is gone")]
pub struct OutboxFull;
