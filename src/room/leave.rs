//! Going: of one's own will, by losing the connection, or by being dropped.

use super::{Effect, Notification, RecordChange, Rejection, Reply, Room, telling::Asker};
use crate::ids::{ParticipantId, SessionId};

impl Room {
    /// Lets a participant go.
    pub(super) fn leave(&mut self, asker: &Asker) -> Result<(), Rejection> {
        self.grant(asker, Reply::Done);
        self.depart(&asker.from);
        Ok(())
    }

    /// Throws a participant out, which hears of it before its connection is closed.
    pub(super) fn expel(&mut self, participant: &ParticipantId) {
        if !self.participants.contains(participant) {
            return;
        }
        self.tell(participant, Notification::Dropped);
        self.perform(Effect::Disconnect { participant: participant.clone() });
        self.depart(participant);
    }

    /// Takes a participant out with everything that it has. The others hear that it left, then of
    /// each of its streams that is gone. Does nothing if it is not there.
    pub(super) fn depart(&mut self, participant: &ParticipantId) {
        let Some(leaver) = self.participants.remove(participant) else { return };
        self.absences.end(participant);
        self.presences.end(participant);
        self.floor.leave(participant);
        self.record(RecordChange::Went(participant.clone()));
        self.announce_participant(Notification::ParticipantLeft(leaver.info));

        let subscriptions = self.subscriptions.iter();
        let subscriptions: Vec<SessionId> = subscriptions
            .filter(|(_, subscription)| subscription.owner == *participant)
            .map(|(session, _)| session.clone())
            .collect();
        for session in subscriptions {
            self.perform(Effect::CloseSession { session: session.clone() });
            self.end_subscription(&session);
        }

        let publications = self.publications.iter();
        let publications: Vec<SessionId> = publications
            .filter(|(_, publication)| publication.owner == *participant)
            .map(|(session, _)| session.clone())
            .collect();
        for session in publications {
            self.perform(Effect::CloseSession { session: session.clone() });
            self.end_publication(&session);
        }
    }
}
