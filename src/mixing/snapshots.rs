//! Pictures of views that somebody waits for.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::ids::StreamId;

/// How long whoever asked for a snapshot waits: an agent may have to be started.
const PATIENCE: Duration = Duration::from_secs(10);

/// Snapshots of a room that are waited for at most.
const MAX_WAITING: usize = 16;

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The room has no such view, or it has no picture.
    #[error("there is no such view with a picture")]
    NoPicture,
    /// Nothing is mixed, and why.
    #[error("{0}")]
    Unavailable(Arc<str>),
    /// Too many are waited for.
    #[error("too many snapshots are being taken")]
    Busy,
    /// It did not come in time.
    #[error("the mixer took too long")]
    TooLate,
}

/// Where a snapshot goes: a JPEG file.
pub type SnapshotSender = oneshot::Sender<Result<Bytes, SnapshotError>>;

struct Waiting {
    view: StreamId,
    respond: SnapshotSender,
    deadline: Instant,
    is_asked: bool,
}

/// The snapshots that are waited for.
#[derive(Default)]
pub(super) struct Snapshots {
    last: u32,
    waiting: BTreeMap<u32, Waiting>,
}

impl Snapshots {
    /// Waits for one more.
    pub(super) fn add(&mut self, view: StreamId, respond: SnapshotSender, now: Instant) {
        if self.waiting.len() >= MAX_WAITING {
            answer(respond, Err(SnapshotError::Busy));
            return;
        }
        self.last = self.last.wrapping_add(1);
        let waiting = Waiting { view, respond, deadline: now + PATIENCE, is_asked: false };
        self.waiting.insert(self.last, waiting);
    }

    /// Whether any is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Those that the agent was not asked for; it is now.
    pub(super) fn take_unasked(&mut self) -> Vec<(u32, StreamId)> {
        let unasked = self.waiting.iter_mut().filter(|(_, waiting)| !waiting.is_asked);
        let asked = unasked.map(|(request, waiting)| {
            waiting.is_asked = true;
            (*request, waiting.view.clone())
        });
        asked.collect()
    }

    /// The agent is another one, which was asked for nothing.
    pub(super) fn ask_again(&mut self) {
        self.waiting.values_mut().for_each(|waiting| waiting.is_asked = false);
    }

    /// Takes what the agent sent; nothing in it means that there is no picture.
    pub(super) fn fulfil(&mut self, request: u32, picture: Bytes) {
        if let Some(waiting) = self.waiting.remove(&request) {
            let picture = Some(picture).filter(|picture| !picture.is_empty());
            answer(waiting.respond, picture.ok_or(SnapshotError::NoPicture));
        }
    }

    /// None of them will come.
    pub(super) fn fail(&mut self, reason: &Arc<str>) {
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            answer(waiting.respond, Err(SnapshotError::Unavailable(Arc::clone(reason))));
        }
    }

    /// Waits no longer for those that are late.
    pub(super) fn expire(&mut self, now: Instant) {
        for (_, late) in self.waiting.extract_if(.., |_, waiting| waiting.deadline <= now) {
            answer(late.respond, Err(SnapshotError::TooLate));
        }
    }

    /// When to call [`Self::expire`].
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.deadline).min()
    }
}

pub(super) fn answer(respond: SnapshotSender, result: Result<Bytes, SnapshotError>) {
    // Whoever asked may have stopped waiting.
    respond.send(result).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(snapshots: &mut Snapshots, now: Instant) -> oneshot::Receiver<SnapshotResult> {
        let (respond, picture) = oneshot::channel();
        snapshots.add("mix".parse().expect("valid"), respond, now);
        picture
    }

    type SnapshotResult = Result<Bytes, SnapshotError>;

    #[test]
    fn each_is_asked_for_once_per_agent_and_answered_once() {
        let (mut snapshots, now) = (Snapshots::default(), Instant::now());
        let mut first = ask(&mut snapshots, now);
        let mut second = ask(&mut snapshots, now);
        let requests = snapshots.take_unasked();
        assert_eq!(requests.len(), 2);
        assert!(snapshots.take_unasked().is_empty());
        snapshots.fulfil(requests[0].0, Bytes::from_static(b"jpeg"));
        assert_eq!(first.try_recv(), Ok(Ok(Bytes::from_static(b"jpeg"))));
        snapshots.ask_again();
        assert_eq!(snapshots.take_unasked(), [requests[1].clone()]);
        snapshots.fulfil(requests[1].0, Bytes::new());
        snapshots.fulfil(requests[1].0, Bytes::new());
        assert_eq!(second.try_recv(), Ok(Err(SnapshotError::NoPicture)));
        assert!(snapshots.is_empty());
    }

    #[test]
    fn nobody_waits_for_ever_and_not_all_at_once() {
        let (mut snapshots, now) = (Snapshots::default(), Instant::now());
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| ask(&mut snapshots, now)).collect();
        assert_eq!(ask(&mut snapshots, now).try_recv(), Ok(Err(SnapshotError::Busy)));
        snapshots.expire(now + PATIENCE / 2);
        assert_eq!(snapshots.next_expiry(), Some(now + PATIENCE));
        snapshots.expire(now + PATIENCE);
        assert!(snapshots.is_empty());
        assert_eq!(waiting[0].try_recv(), Ok(Err(SnapshotError::TooLate)));
        let mut failed = ask(&mut snapshots, now);
        snapshots.fail(&"no mixer".into());
        let unavailable = SnapshotError::Unavailable("no mixer".into());
        assert_eq!(failed.try_recv(), Ok(Err(unavailable)));
    }
}
