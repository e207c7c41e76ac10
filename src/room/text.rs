//! Text messages.

use std::sync::Arc;

use super::{Audience, Notification, Rejection, Reply, Room, TextTarget, telling::Asker};

impl Room {
    /// Delivers a text, then answers its sender, who also receives what it sends to everybody.
    pub(super) fn text(
        &mut self,
        asker: &Asker,
        to: &TextTarget,
        message: Arc<str>,
    ) -> Result<(), Rejection> {
        if message.chars().nth(self.settings.bounds.text_chars).is_some() {
            return Err(Rejection::TextTooLong);
        }
        let from = self.participants.get(&asker.from).ok_or(Rejection::NotJoined)?.info.clone();
        let text = |audience| Notification::Text { from, audience, message };
        match to {
            TextTarget::All => self.tell_all(text(Audience::All)),
            TextTarget::One(receiver) => {
                if !self.participants.contains(receiver) {
                    return Err(Rejection::NoSuchReceiver(receiver.clone()));
                }
                self.tell(receiver, text(Audience::Me));
            }
        }
        self.grant(asker, Reply::Done);
        Ok(())
    }
}
