//! Moments by which participants must have done something.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use crate::ids::ParticipantId;

/// Of each participant that is waited for, until when.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    until: BTreeMap<ParticipantId, Instant>,
    by_time: BTreeSet<(Instant, ParticipantId)>,
}

impl Deadlines {
    /// The earliest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// Who is waited for.
    pub(super) fn participants(&self) -> impl Iterator<Item = &ParticipantId> {
        self.until.keys()
    }

    /// How many are waited for.
    pub(super) fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether nobody is.
    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// Waits for somebody from now on. Whoever is waited for already keeps the earlier deadline.
    pub(super) fn begin(&mut self, participant: &ParticipantId, until: Instant) {
        if !self.until.contains_key(participant) {
            self.until.insert(participant.clone(), until);
            self.by_time.insert((until, participant.clone()));
        }
    }

    /// Waits for somebody until then, whatever was before.
    pub(super) fn renew(&mut self, participant: &ParticipantId, until: Instant) {
        self.end(participant);
        self.begin(participant, until);
    }

    /// Waits for somebody no longer.
    pub(super) fn end(&mut self, participant: &ParticipantId) {
        if let Some((participant, until)) = self.until.remove_entry(participant) {
            self.by_time.remove(&(until, participant));
        }
    }

    /// Somebody whose time is over.
    pub(super) fn due(&self, now: Instant) -> Option<ParticipantId> {
        let (until, participant) = self.by_time.first()?;
        (*until <= now).then(|| participant.clone())
    }
}
