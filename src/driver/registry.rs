//! Which rooms run on this server, and the way into them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use tokio::sync::mpsc;
use tracing::warn;

use super::{
    handle::RoomHandle,
    journal::Journal,
    load::SharedLoad,
    message::Message,
    room_task::{RoomTask, TaskParts},
};
use crate::{
    config,
    ids::RoomId,
    media::{Media, Statistics},
    mixing::Mixing,
    room::{FormerParticipant, Room, RoomKind, RoomLoad, Settings},
    store::{RoomRecord, Store, StoreError},
};

/// Messages that may wait for a room. When it is full, the connections that ask wait, and their own
/// bounded queues fill.
const ROOM_INBOX: usize = 1024;

/// What the registry goes by.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// What rooms are like of which the store knows nothing, whether they are made on join, and the
    /// bounds of all.
    pub rooms: config::Rooms,
    /// A room that is made on join in any case: the demo room.
    pub demo_room: Option<RoomId>,
    /// Notifications that are kept for a participant that is away; one more and it is dropped.
    pub max_missed: usize,
}

/// Why nobody could be let into a room.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The store knows no such room and it may not be made.
    #[error("there is no room {0}")]
    UnknownRoom(RoomId),
    /// As many rooms run as may.
    #[error("the server runs as many rooms as it may ([rooms] max_rooms = {0})")]
    TooManyRooms(u32),
    /// The room could not be looked up.
    #[error("the room cannot be looked up: {0}")]
    Store(#[from] StoreError),
}

/// Counts for health checks and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomCount {
    /// Rooms that run.
    pub running: usize,
    /// Participants whose connection is lost and whose place is kept.
    pub away: usize,
}

/// What becomes of a room that the store does not know.
#[derive(Debug, Clone, Copy)]
enum Unknown {
    /// It is made where the configuration says so.
    AsConfigured,
    /// There is none.
    Refused,
    /// It is made, of this kind and with so many publishers.
    Founded(RoomKind, u32),
}

/// The running rooms of this server. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    options: RegistryOptions,
    store: Store,
    media: Media,
    mixing: Mixing,
    journal: Journal,
    rooms: Mutex<Rooms>,
}

#[derive(Default)]
struct Rooms {
    running: HashMap<RoomId, Running>,
    /// How many rooms were closed so far: a record that was read before may be gone.
    closed: u64,
}

struct Running {
    inbox: mpsc::Sender<Message>,
    load: Arc<SharedLoad>,
}

impl Registry {
    /// A registry without running rooms. Needs a runtime.
    pub fn new(options: RegistryOptions, store: Store, media: Media, mixing: Mixing) -> Self {
        let journal = Journal::start(store.clone());
        Self(Arc::new(Inner { options, store, media, mixing, journal, rooms: Mutex::default() }))
    }

    /// A running room, which is started when it does not run.
    ///
    /// # Errors
    /// When there is no such room and none may be made.
    pub async fn room(&self, id: &RoomId) -> Result<RoomHandle, JoinError> {
        self.enter(id, Unknown::AsConfigured).await
    }

    /// A room as [`Registry::room`] yields it, but none is made that the store does not know.
    ///
    /// # Errors
    /// When there is no such room.
    pub async fn existing(&self, id: &RoomId) -> Result<RoomHandle, JoinError> {
        self.enter(id, Unknown::Refused).await
    }

    /// A room that its first participant makes, unless there is one of that id: whether that one
    /// lets anybody found it is its own affair. `publishers` may be on the floor of a meeting.
    ///
    /// # Errors
    /// When as many rooms run as may, or the store fails.
    pub async fn founded(
        &self,
        id: &RoomId,
        kind: RoomKind,
        publishers: u32,
    ) -> Result<RoomHandle, JoinError> {
        self.enter(id, Unknown::Founded(kind, publishers)).await
    }

    async fn enter(&self, id: &RoomId, unknown: Unknown) -> Result<RoomHandle, JoinError> {
        loop {
            if let Some(handle) = self.running(id) {
                return Ok(handle);
            }
            let closed = self.rooms().closed;
            let settings = self.settings_of(id, unknown).await?;
            let mut rooms = self.rooms();
            if let Some(running) = rooms.running.get(id) {
                return Ok(self.way_to(id, &running.inbox));
            }
            if rooms.closed != closed {
                continue;
            }
            let max_rooms = self.0.options.rooms.max_rooms;
            if rooms.running.len() >= max_rooms as usize {
                return Err(JoinError::TooManyRooms(max_rooms));
            }
            let running = self.start(id.clone(), settings);
            let inbox = running.inbox.clone();
            rooms.running.insert(id.clone(), running);
            return Ok(self.way_to(id, &inbox));
        }
    }

    /// A room if it runs.
    pub fn running(&self, id: &RoomId) -> Option<RoomHandle> {
        self.rooms().running.get(id).map(|running| self.way_to(id, &running.inbox))
    }

    /// Starts the rooms of which a process before this one left records, so that their
    /// participants can come back. Called once, before anybody is let in. Rooms to which nobody
    /// can come back are forgotten, and so are those that may not run any more.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn restore(&self) -> Result<RoomCount, StoreError> {
        for (room, participants) in self.0.store.former_participants(SystemTime::now()).await? {
            if participants.iter().all(|it| it.keep.is_zero()) {
                self.forget(participants);
                continue;
            }
            match self.room(&room).await {
                Ok(handle) => handle.restore(participants).await,
                Err(error) => {
                    warn!(%room, %error, "a room was not restored");
                    self.forget(participants);
                }
            }
        }
        Ok(self.count())
    }

    fn forget(&self, participants: Vec<FormerParticipant>) {
        for participant in participants {
            self.0.journal.forget(participant.info.id);
        }
    }

    fn way_to(&self, room: &RoomId, inbox: &mpsc::Sender<Message>) -> RoomHandle {
        RoomHandle::new(room.clone(), inbox.clone(), self.0.store.clone())
    }

    /// What outlives the process.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// How many rooms run.
    pub fn count(&self) -> RoomCount {
        let rooms = self.rooms();
        let away = rooms.running.values().map(|running| running.load.get().away).sum();
        RoomCount { running: rooms.running.len(), away }
    }

    /// Every running room and what it carries, by id.
    pub fn loads(&self) -> BTreeMap<RoomId, RoomLoad> {
        let rooms = self.rooms();
        rooms.running.iter().map(|(id, running)| (id.clone(), running.load.get())).collect()
    }

    /// What the media plane counted so far.
    pub fn media_statistics(&self) -> Statistics {
        self.0.media.statistics()
    }

    /// Ends a room if it runs: everybody is thrown out. Whoever comes later finds what the store
    /// says then.
    pub async fn close(&self, id: &RoomId) {
        let running = {
            let mut rooms = self.rooms();
            rooms.closed += 1;
            rooms.running.remove(id)
        };
        if let Some(running) = running {
            // A room that has ended already needs no closing.
            drop(running.inbox.send(Message::Close).await);
        }
    }

    /// What a room is or would be like: as the store says, or as joining would make it.
    ///
    /// # Errors
    /// When there is no such room and none may be made.
    pub async fn record(&self, room: &RoomId) -> Result<RoomRecord, JoinError> {
        match self.known(room).await? {
            Some(record) => Ok(record),
            None => self.made_on_join(room),
        }
    }

    /// What a room is like that the store knows, or that is the demo room.
    async fn known(&self, room: &RoomId) -> Result<Option<RoomRecord>, StoreError> {
        let stored = self.0.store.room(room).await?;
        let demo = self.0.options.demo_room.as_ref() == Some(room);
        Ok(stored.or_else(|| demo.then(|| self.default_record(room))))
    }

    /// What a room is like that joining makes, where the configuration says so.
    fn made_on_join(&self, room: &RoomId) -> Result<RoomRecord, JoinError> {
        let makes = self.0.options.rooms.create_on_join;
        makes.then(|| self.default_record(room)).ok_or_else(|| JoinError::UnknownRoom(room.clone()))
    }

    fn default_record(&self, room: &RoomId) -> RoomRecord {
        RoomRecord::with_defaults(room.clone(), room.as_str(), &self.0.options.rooms)
    }

    /// The settings that a room of this record lives by.
    pub fn settings(&self, record: &RoomRecord) -> Settings {
        let options = &self.0.options;
        let demo = options.demo_room.as_ref() == Some(&record.id);
        let settings = record.to_settings(options.rooms.bounds());
        Settings { auto_mix: options.rooms.auto_mix || demo, ..settings }
    }

    /// The settings that a room would start with.
    async fn settings_of(&self, id: &RoomId, unknown: Unknown) -> Result<Settings, JoinError> {
        if let Some(record) = self.known(id).await? {
            return Ok(self.settings(&record));
        }
        match unknown {
            Unknown::AsConfigured => Ok(self.settings(&self.made_on_join(id)?)),
            Unknown::Refused => Err(JoinError::UnknownRoom(id.clone())),
            Unknown::Founded(kind, publishers) => {
                Ok(self.settings(&self.default_record(id)).founded(kind, publishers))
            }
        }
    }

    fn start(&self, id: RoomId, settings: Settings) -> Running {
        let (inbox, messages) = mpsc::channel(ROOM_INBOX);
        // Unbounded by type, bounded by construction: a session reports a handful of times in its
        // life and the room bounds its sessions. A worker thread must never wait for a room.
        let (report, media_events) = mpsc::unbounded_channel();
        let sink = Arc::new(move |event| drop(report.send(event)));
        let media = Arc::new(self.0.media.open_room(&id, sink));
        let mixing = self.0.mixing.open_room(id.clone(), Arc::clone(&media));
        let room = Room::new(Instant::now(), id.clone(), settings);
        let load = Arc::new(SharedLoad::default());
        let parts = TaskParts {
            inbox: messages,
            media,
            media_events,
            mixing,
            journal: self.0.journal.clone(),
            max_missed: self.0.options.max_missed,
            load: load.clone(),
        };
        let task = RoomTask::new(id.clone(), room, parts);
        let registry = self.clone();
        tokio::spawn(task.run(move || registry.forget_if_unused(&id)));
        Running { inbox, load }
    }

    /// Forgets a room unless somebody holds a way into it. Ways in are given out under the same
    /// lock, so nobody can come in between.
    fn forget_if_unused(&self, room: &RoomId) -> bool {
        let mut rooms = self.rooms();
        let unused = rooms.running.get(room).is_none_or(|Running { inbox, .. }| {
            inbox.strong_count() == 1 && inbox.capacity() == inbox.max_capacity()
        });
        if unused {
            rooms.running.remove(room);
        }
        unused
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
