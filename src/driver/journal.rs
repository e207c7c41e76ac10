//! Brings what rooms write down into the store, many changes at a time. Rooms never wait for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::mpsc;
use tracing::error;

use crate::{
    ids::{ParticipantId, RoomId, SessionId},
    room::RecordChange,
    store::{Note, Store},
};

/// What waits, by participant and by session below it; the participant itself comes first.
type Waiting = BTreeMap<(ParticipantId, Option<SessionId>), Note>;

/// A way to write down; clones share it. Only the last change of a thing waits, so that what waits
/// is bounded by what exists, however slow the disk is.
#[derive(Clone)]
pub(super) struct Journal {
    waiting: Arc<Mutex<Waiting>>,
    /// Holds one wake-up at most: whoever is woken takes everything that waits.
    wake: mpsc::Sender<()>,
}

impl Journal {
    /// Starts to write; this ends when the last clone is gone.
    pub(super) fn start(store: Store) -> Self {
        let waiting = Arc::new(Mutex::new(Waiting::new()));
        let (wake, mut woken) = mpsc::channel(1);
        let taking = Arc::clone(&waiting);
        tokio::spawn(async move {
            while woken.recv().await.is_some() {
                let notes = std::mem::take(&mut *lock(&taking));
                let changes = notes.len();
                let notes = notes.into_values().collect();
                if let Err(error) = store.note(notes, SystemTime::now()).await {
                    error!(%error, changes, "changes were not written to the session journal");
                }
            }
        });
        Self { waiting, wake }
    }

    /// Writes down what a room says.
    pub(super) fn record(&self, room: &RoomId, change: RecordChange) {
        let (key, note) = match change {
            RecordChange::Came(info) => {
                ((info.id.clone(), None), Note::Present { room: room.clone(), info })
            }
            RecordChange::Went(participant) => return self.forget(participant),
            RecordChange::Opened { owner, session } => {
                ((owner.clone(), Some(session.id.clone())), Note::Open { owner, session })
            }
            RecordChange::Closed { owner, session } => {
                ((owner.clone(), Some(session.clone())), Note::Closed { owner, session })
            }
        };
        lock(&self.waiting).insert(key, note);
        self.wake();
    }

    /// Forgets a participant and its seat.
    pub(super) fn forget(&self, participant: ParticipantId) {
        let mut waiting = lock(&self.waiting);
        let sessions = waiting.range((participant.clone(), None)..);
        let sessions: Vec<_> = sessions
            .map(|(key, _)| key.clone())
            .take_while(|(owner, _)| *owner == participant)
            .collect();
        for key in sessions {
            waiting.remove(&key);
        }
        waiting.insert((participant.clone(), None), Note::Gone(participant));
        drop(waiting);
        self.wake();
    }

    fn wake(&self) {
        // A full channel means that a wake-up is under way that will find this change, too.
        let _ = self.wake.try_send(());
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
