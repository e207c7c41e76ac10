//! What one sends to all others, whatever it is.

use std::sync::Arc;

use super::{Notification, Rejection, Reply, Room, telling::Asker};

/// The longest text that can be broadcast, in bytes of JSON. More makes one request a burden on
/// everybody's connection at once.
pub const MAX_BROADCAST_BYTES: usize = 64 * 1024;

impl Room {
    /// Answers the sender, then tells everybody else.
    pub(super) fn broadcast(&mut self, asker: &Asker, data: Arc<str>) -> Result<(), Rejection> {
        if data.len() > MAX_BROADCAST_BYTES {
            return Err(Rejection::TextTooLong);
        }
        let sender = self.participants.get(&asker.from).ok_or(Rejection::NotJoined)?;
        let from = sender.info.clone();
        self.grant(asker, Reply::Done);
        self.tell_others(&asker.from, Notification::Broadcast { from, data });
        Ok(())
    }
}
