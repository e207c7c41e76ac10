//! Moments by which something must have happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Of each participant or session that is waited for, until when.
#[derive(Debug)]
pub(super) struct Deadlines<K> {
    until: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { until: BTreeMap::new(), by_time: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// The earliest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(until, _)| *until)
    }

    /// What is waited for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.until.keys()
    }

    /// How many are waited for.
    pub(super) fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether none is.
    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// Waits from now on. What is waited for already keeps the earlier deadline.
    pub(super) fn begin(&mut self, key: &K, until: Instant) {
        if !self.until.contains_key(key) {
            self.until.insert(key.clone(), until);
            self.by_time.insert((until, key.clone()));
        }
    }

    /// Waits until then, whatever was before.
    pub(super) fn renew(&mut self, key: &K, until: Instant) {
        self.end(key);
        self.begin(key, until);
    }

    /// Waits no longer.
    pub(super) fn end(&mut self, key: &K) {
        if let Some((key, until)) = self.until.remove_entry(key) {
            self.by_time.remove(&(until, key));
        }
    }

    /// One whose time is over.
    pub(super) fn due(&self, now: Instant) -> Option<K> {
        let (until, key) = self.by_time.first()?;
        (*until <= now).then(|| key.clone())
    }
}
