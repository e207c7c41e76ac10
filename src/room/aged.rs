//! A map that is walked by age: the order in which its entries came in.

use std::{borrow::Borrow, collections::BTreeMap};

/// Entries with a key each, found by key and walked from the oldest to the youngest. Both the
/// lists that newcomers see and the order in which people are told depend on that walk.
#[derive(Debug)]
pub(super) struct Aged<K, V> {
    ages: BTreeMap<K, u64>,
    entries: BTreeMap<u64, (K, V)>,
    next_age: u64,
}

impl<K: Ord + Clone, V> Aged<K, V> {
    /// An empty map.
    pub(super) fn new() -> Self {
        Self { ages: BTreeMap::new(), entries: BTreeMap::new(), next_age: 0 }
    }

    /// Adds the youngest entry; one with the same key is replaced.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        let age = self.next_age;
        self.next_age += 1;
        self.ages.insert(key.clone(), age);
        self.entries.insert(age, (key, value));
    }

    /// Takes an entry out.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let age = self.ages.remove(key)?;
        self.entries.remove(&age).map(|(_, value)| value)
    }

    /// Makes an entry the youngest, if it exists.
    pub(super) fn renew(&mut self, key: &K) {
        if let Some(value) = self.remove(key) {
            self.insert(key.clone(), value);
        }
    }

    /// An entry.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let age = self.ages.get(key)?;
        self.entries.get(age).map(|(_, value)| value)
    }

    /// An entry that may be changed.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let age = self.ages.get(key)?;
        self.entries.get_mut(age).map(|(_, value)| value)
    }

    /// Whether there is such an entry.
    pub(super) fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.ages.contains_key(key)
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.values().map(|(key, value)| (key, value))
    }

    /// All keys, the oldest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, the oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(map: &Aged<&'static str, u8>) -> Vec<(&'static str, u8)> {
        map.iter().map(|(key, value)| (*key, *value)).collect()
    }

    #[test]
    fn entries_are_walked_by_age_and_found_by_key() {
        let mut map = Aged::new();
        map.insert("zoe", 1);
        map.insert("adam", 2);
        map.insert("mia", 3);
        assert_eq!(walk(&map), [("zoe", 1), ("adam", 2), ("mia", 3)]);
        assert_eq!(map.get("adam"), Some(&2));

        assert_eq!(map.remove("adam"), Some(2));
        assert!(!map.contains("adam"));
        assert_eq!(map.remove("adam"), None);
        map.insert("adam", 4);
        assert_eq!(walk(&map), [("zoe", 1), ("mia", 3), ("adam", 4)]);
    }

    #[test]
    fn a_renewed_or_replaced_entry_is_the_youngest() {
        let mut map = Aged::new();
        map.insert("zoe", 1);
        map.insert("adam", 2);
        map.renew(&"zoe");
        map.renew(&"nobody");
        assert_eq!(walk(&map), [("adam", 2), ("zoe", 1)]);
        map.insert("adam", 5);
        assert_eq!(walk(&map), [("zoe", 1), ("adam", 5)]);
        assert_eq!(map.len(), 2);
    }
}
