//! How the room speaks: answers, notifications, effects.

use std::sync::Arc;

use super::{Effect, Notification, Output, Rejection, Reply, RequestId, Room};
use crate::ids::ParticipantId;

/// Who asked, and in which request.
#[derive(Debug)]
pub(super) struct Asker {
    /// Who.
    pub(super) from: ParticipantId,
    /// Which request.
    pub(super) request: RequestId,
}

impl Room {
    /// Answers a request that is granted.
    pub(super) fn grant(&mut self, asker: &Asker, reply: Reply) {
        self.answer(asker, Ok(reply));
    }

    /// Answers a request that is refused.
    pub(super) fn refuse(&mut self, asker: &Asker, rejection: Rejection) {
        self.answer(asker, Err(rejection));
    }

    fn answer(&mut self, asker: &Asker, result: Result<Reply, Rejection>) {
        let Asker { from, request } = asker;
        self.outputs.push_back(Output::Reply { to: from.clone(), request: *request, result });
    }

    /// Tells one participant.
    pub(super) fn tell(&mut self, to: &ParticipantId, notification: Notification) {
        let notification = Arc::new(notification);
        self.outputs.push_back(Output::Notify { to: to.clone(), notification });
    }

    /// Tells everybody, the oldest participant first.
    pub(super) fn tell_all(&mut self, notification: Notification) {
        let notification = Arc::new(notification);
        for to in self.participants.keys() {
            let notification = Arc::clone(&notification);
            self.outputs.push_back(Output::Notify { to: to.clone(), notification });
        }
    }

    /// Tells everybody but one, the oldest participant first.
    pub(super) fn tell_others(&mut self, but: &ParticipantId, notification: Notification) {
        let notification = Arc::new(notification);
        for to in self.participants.keys().filter(|to| *to != but) {
            let notification = Arc::clone(&notification);
            self.outputs.push_back(Output::Notify { to: to.clone(), notification });
        }
    }

    /// Tells everybody who came or went, in rooms that tell this.
    pub(super) fn announce_participant(&mut self, notification: Notification) {
        if self.settings.notify_participants {
            self.tell_all(notification);
        }
    }

    /// Tells everybody of a stream, in rooms that tell this.
    pub(super) fn announce_stream(&mut self, notification: Notification) {
        if self.settings.notify_streams {
            self.tell_all(notification);
        }
    }

    /// Has something changed outside.
    pub(super) fn perform(&mut self, effect: Effect) {
        self.outputs.push_back(Output::Effect(effect));
    }
}
