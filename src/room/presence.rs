//! Presence by heartbeat: whoever promised to give signs of life and gives none for too long is
//! released, whether or not its connection is up.

use std::time::Instant;

use super::{Effect, Notification, Rejection, Reply, Room, telling::Asker};
use crate::ids::ParticipantId;

impl Room {
    /// Takes a sign of life, which is answered with the list of those who publish. Whoever promised
    /// none gives none.
    pub(super) fn heartbeat(&mut self, now: Instant, asker: &Asker) -> Result<(), Rejection> {
        let known = self.participants.get(&asker.from).ok_or(Rejection::NotJoined)?;
        if known.floor.is_none() {
            return Err(Rejection::Unauthorized);
        }
        self.expect_heartbeat(now, &asker.from);
        self.grant(asker, Reply::Publishers(self.floor.list()));
        Ok(())
    }

    /// Expects the next sign of life of somebody who promised some.
    pub(super) fn expect_heartbeat(&mut self, now: Instant, participant: &ParticipantId) {
        let floor = self.participants.get(participant).and_then(|it| it.floor.as_ref());
        if let Some(until) = floor.and_then(|it| now.checked_add(it.heartbeat)) {
            self.presences.renew(participant, until);
        }
    }

    /// Releases those who were silent for too long; says whether there were any.
    pub(super) fn release(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(participant) = self.presences.due(now) {
            self.tell(&participant, Notification::Expired);
            self.perform(Effect::Disconnect { participant: participant.clone() });
            self.depart(&participant);
            any = true;
        }
        any
    }
}
