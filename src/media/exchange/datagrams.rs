//! Datagrams: whose they are and what they are.

use std::time::Instant;

use super::{
    Exchange,
    transport::{CONSENT_TIMEOUT, MAX_PATHS, ProvedPath},
};
use crate::media::{
    forward::rtp,
    outbox::Path,
    session::ice::{self, Check, Reply},
};

impl Exchange {
    /// Takes a datagram that came by `path`. What it is shows in its first byte (RFC 7983, 7).
    pub(crate) fn handle_datagram(&mut self, path: Path, datagram: &mut [u8], now: Instant) {
        self.current = None;
        self.tally.packets_in += 1;
        self.tally.bytes_in += datagram.len() as u64;
        let taken = match datagram.first() {
            Some(0..=3) => self.handle_check(path, datagram, now),
            Some(20..=63) => self.handle_dtls_datagram(path, datagram, now),
            Some(128..=191) if rtp::is_rtcp(datagram) => self.handle_rtcp(path, datagram, now),
            Some(128..=191) => self.handle_rtp(path, datagram, now),
            _ => None,
        };
        if taken.is_none() {
            self.tally.dropped_in += 1;
        }
    }

    /// The transport whose peer was proved to be at the other end of `path`.
    pub(super) fn transport_at(&mut self, path: Path) -> Option<usize> {
        let key = *self.by_path.get(&path)?;
        self.current = Some(key);
        Some(key)
    }

    fn handle_check(&mut self, path: Path, datagram: &[u8], now: Instant) -> Option<()> {
        let check = Check::read(datagram)?;
        let key = *self.by_ufrag.get(check.local_ufrag())?;
        self.current = Some(key);
        let transport = self.transports.get(key)?;
        let remote = transport.remote.as_ref()?;
        let provider = &*self.identity.provider;
        let reply = ice::answer(check, path.remote, &transport.local, &remote.ufrag, provider)?;
        match reply {
            Reply::Refused { datagram } => self.outbox.push(path, &datagram),
            Reply::Valid { datagram, nominated } => {
                self.outbox.push(path, &datagram);
                self.admit_path(key, path, now);
                let transport = &mut self.transports[key];
                if transport.path.is_none() || nominated || transport.path_is_silent(now) {
                    if transport.path.is_some_and(|before| before != path) {
                        let (room, id) = (&transport.room_id, &transport.id);
                        tracing::debug!(%room, transport = %id, to = %path.remote, "path changed");
                    }
                    transport.path = Some(path);
                }
                if transport.is_connected() {
                    transport.deadline = now + CONSENT_TIMEOUT;
                } else {
                    self.begin_dtls(key, now);
                }
            }
        }
        Some(())
    }

    /// From now on, what comes by `path` is this transport's.
    fn admit_path(&mut self, key: usize, path: Path, now: Instant) {
        let before = self.by_path.insert(path, key);
        let transport = &mut self.transports[key];
        if before == Some(key) {
            let mut proved = transport.paths.iter_mut();
            if let Some(proved) = proved.find(|proved| proved.path == path) {
                proved.at = now;
            }
            return;
        }
        if transport.paths.len() >= MAX_PATHS {
            let in_use = transport.path;
            let oldest = transport.paths.iter().position(|proved| Some(proved.path) != in_use);
            if let Some(oldest) = oldest {
                let oldest = transport.paths.remove(oldest);
                self.by_path.remove(&oldest.path);
            }
        }
        transport.paths.push(ProvedPath { path, at: now });
        if let Some(other) = before.and_then(|before| self.transports.get_mut(before)) {
            other.paths.retain(|proved| proved.path != path);
            other.path = other.path.filter(|in_use| *in_use != path);
        }
    }
}
