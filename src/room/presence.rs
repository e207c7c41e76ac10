//! Presence by heartbeat: whoever promised to give signs of life and gives none for too long is
//! released, whether or not its connection is up.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{Effect, Notification, Rejection, Reply, Room, telling::Asker};
use crate::ids::ParticipantId;

/// Who must give a sign of life, and until when.
#[derive(Debug, Default)]
pub(super) struct Presences {
    until: BTreeMap<ParticipantId, Instant>,
    by_time: BTreeSet<(Instant, ParticipantId)>,
}

impl Presences {
    /// When the next one is released.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// Who must give signs of life.
    pub(super) fn participants(&self) -> impl Iterator<Item = &ParticipantId> {
        self.until.keys()
    }

    /// Whether nobody must.
    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// Expects somebody's next sign until then.
    pub(super) fn expect(&mut self, participant: &ParticipantId, until: Instant) {
        self.end(participant);
        self.until.insert(participant.clone(), until);
        self.by_time.insert((until, participant.clone()));
    }

    /// Expects none any more.
    pub(super) fn end(&mut self, participant: &ParticipantId) {
        if let Some((participant, until)) = self.until.remove_entry(participant) {
            self.by_time.remove(&(until, participant));
        }
    }

    fn due(&self, now: Instant) -> Option<ParticipantId> {
        let (until, participant) = self.by_time.first()?;
        (*until <= now).then(|| participant.clone())
    }
}

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
            self.presences.expect(participant, until);
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
