//! How many files the process may have open. Every connection is one, and systems start processes
//! with a limit of 1024 that they may raise themselves.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Files beside the clients' connections: the store, sockets for media, pipes to mixing agents.
const BESIDES: u64 = 1024;

/// Has the system let this process open enough files for so many connections, or as many as it may
/// at most.
pub(super) fn allow(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(BESIDES);
    let limit = getrlimit(Resource::Nofile);
    if covers(limit.current, wanted) {
        return;
    }
    let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let asked = Rlimit { current: Some(raised), maximum: limit.maximum };
    let allowed = match setrlimit(Resource::Nofile, asked) {
        Ok(()) => Some(raised),
        Err(_) => limit.current,
    };
    if !covers(allowed, wanted) {
        warn!(
            allowed,
            wanted,
            "the system lets this process open too few files for [portal] max_connections; \
             raise the limit (ulimit -Hn, or LimitNOFILE= of systemd)"
        );
    }
}

/// Whether a limit lets so many files be open; none lets any number.
fn covers(limit: Option<u64>, wanted: u64) -> bool {
    limit.is_none_or(|limit| limit >= wanted)
}
