//! Remembers signed requests for as long as their timestamps are accepted.

use std::{
    collections::{BTreeSet, HashSet},
    time::SystemTime,
};

use aws_lc_rs::digest::{SHA256, digest};

/// Requests that are remembered. A minute's window then allows 1 600 requests a second; beyond that
/// requests are refused, because forgetting one would allow it again.
const MAX_SEEN: usize = 100_000;

type Fingerprint = [u8; 16];

/// The requests that were accepted and could be sent again.
#[derive(Default)]
pub(super) struct Seen {
    fingerprints: HashSet<Fingerprint>,
    /// The same by the time from which their timestamps are refused.
    expiries: BTreeSet<(SystemTime, Fingerprint)>,
}

/// Whether a request came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// It did not, and is remembered now.
    New,
    /// It did.
    Known,
    /// Nothing more can be remembered.
    Full,
}

impl Seen {
    /// Notes a request, which is remembered until `expires`.
    pub(super) fn note(
        &mut self,
        service: &str,
        message: &str,
        expires: SystemTime,
        now: SystemTime,
    ) -> Novelty {
        while let Some(oldest) = self.expiries.first().filter(|(expiry, _)| *expiry < now).copied()
        {
            self.expiries.remove(&oldest);
            self.fingerprints.remove(&oldest.1);
        }
        let fingerprint = fingerprint(service, message);
        if self.fingerprints.contains(&fingerprint) {
            return Novelty::Known;
        }
        if self.fingerprints.len() >= MAX_SEEN {
            return Novelty::Full;
        }
        self.fingerprints.insert(fingerprint);
        self.expiries.insert((expires, fingerprint));
        Novelty::New
    }
}

/// The first half of a hash; no comma is in a service's id, so the parts cannot run together.
fn fingerprint(service: &str, message: &str) -> Fingerprint {
    let hash = digest(&SHA256, format!("{service},{message}").as_bytes());
    let half = hash.as_ref().first_chunk();
    *half.expect("a SHA-256 hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_request_is_new_until_it_was_seen_and_again_when_it_expired() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let mut seen = Seen::default();
        assert_eq!(seen.note("a", "1,2", at(10), at(5)), Novelty::New);
        assert_eq!(seen.note("a", "1,2", at(10), at(10)), Novelty::Known);
        assert_eq!(seen.note("b", "1,2", at(10), at(10)), Novelty::New);
        assert_eq!(seen.note("a", "1,3", at(11), at(10)), Novelty::New);
        assert_eq!(seen.note("a", "1,2", at(20), at(11)), Novelty::New);
        assert_eq!(seen.fingerprints.len(), 2, "what expired is forgotten");
        assert_eq!(seen.expiries.len(), 2);
    }

    #[test]
    fn a_full_memory_takes_nothing_more() {
        let mut seen = Seen::default();
        let (now, later) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1));
        for number in 0..MAX_SEEN {
            assert_eq!(seen.note("a", &number.to_string(), later, now), Novelty::New);
        }
        assert_eq!(seen.note("a", "one more", later, now), Novelty::Full);
        assert_eq!(seen.note("a", "7", later, now), Novelty::Known);
        let after = later + Duration::from_secs(1);
        assert_eq!(seen.note("a", "one more", after, after), Novelty::New);
    }
}
