//! Which rooms run on this server, and the way into them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use super::{
    load::SharedLoad,
    outbox::{Outbox, Responder},
    room_task::{Message, RoomTask},
};
use crate::{
    config,
    ids::{ParticipantId, RoomId},
    media::{Media, Statistics},
    room::{Command, Managed, Order, Rejection, Reply, Room, RoomLoad, Settings},
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

/// Somebody who wants into a room.
pub struct JoinRequest {
    /// A fresh id.
    pub participant: ParticipantId,
    /// The account, as the token states it.
    pub user: Arc<str>,
    /// The role, as the token states it.
    pub role: Arc<str>,
    /// Where notifications go.
    pub outbox: Box<dyn Outbox>,
    /// Where the room's answer goes.
    pub respond: Responder,
}

/// Counts for health checks and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomCount {
    /// Rooms that run.
    pub running: usize,
}

/// The running rooms of this server. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    options: RegistryOptions,
    store: Store,
    media: Media,
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
    /// A registry without running rooms.
    pub fn new(options: RegistryOptions, store: Store, media: Media) -> Self {
        Self(Arc::new(Inner { options, store, media, rooms: Mutex::default() }))
    }

    /// A running room, which is started when it does not run.
    ///
    /// # Errors
    /// When there is no such room and none may be made.
    pub async fn room(&self, id: &RoomId) -> Result<RoomHandle, JoinError> {
        loop {
            if let Some(handle) = self.running(id) {
                return Ok(handle);
            }
            let closed = self.rooms().closed;
            let record = self.record(id).await?;
            let mut rooms = self.rooms();
            if let Some(running) = rooms.running.get(id) {
                return Ok(RoomHandle { inbox: running.inbox.clone() });
            }
            if rooms.closed != closed {
                continue;
            }
            let max_rooms = self.0.options.rooms.max_rooms;
            if rooms.running.len() >= max_rooms as usize {
                return Err(JoinError::TooManyRooms(max_rooms));
            }
            let running = self.start(id.clone(), &record);
            let inbox = running.inbox.clone();
            rooms.running.insert(id.clone(), running);
            return Ok(RoomHandle { inbox });
        }
    }

    /// A room if it runs.
    pub fn running(&self, id: &RoomId) -> Option<RoomHandle> {
        self.rooms().running.get(id).map(|running| RoomHandle { inbox: running.inbox.clone() })
    }

    /// How many rooms run.
    pub fn count(&self) -> RoomCount {
        RoomCount { running: self.rooms().running.len() }
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
        if let Some(record) = self.0.store.room(room).await? {
            return Ok(record);
        }
        let options = &self.0.options;
        if options.rooms.create_on_join || options.demo_room.as_ref() == Some(room) {
            return Ok(RoomRecord::with_defaults(room.clone(), room.as_str(), &options.rooms));
        }
        Err(JoinError::UnknownRoom(room.clone()))
    }

    /// The settings that a room of this record lives by.
    pub fn settings(&self, record: &RoomRecord) -> Settings {
        let options = &self.0.options;
        let demo = options.demo_room.as_ref() == Some(&record.id);
        let settings = record.to_settings(options.rooms.bounds());
        Settings { auto_mix: options.rooms.auto_mix || demo, ..settings }
    }

    fn start(&self, id: RoomId, record: &RoomRecord) -> Running {
        let (inbox, messages) = mpsc::channel(ROOM_INBOX);
        // Unbounded by type, bounded by construction: a session reports a handful of times in its
        // life and the room bounds its sessions. A worker thread must never wait for a room.
        let (report, media_events) = mpsc::unbounded_channel();
        let sink = Arc::new(move |event| drop(report.send(event)));
        let media = self.0.media.open_room(&id, sink);
        let room = Room::new(Instant::now(), id.clone(), self.settings(record));
        let load = Arc::new(SharedLoad::default());
        let task = RoomTask::new(id.clone(), room, messages, media, media_events, load.clone());
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

/// A way into a running room, which does not end while somebody holds one.
pub struct RoomHandle {
    inbox: mpsc::Sender<Message>,
}

impl RoomHandle {
    /// Orders something as an administrator. `None` if the server is being shut down.
    pub async fn manage(&self, order: Order) -> Option<Result<Managed, Rejection>> {
        let (respond, answer) = oneshot::channel();
        self.inbox.send(Message::Manage { order, respond }).await.ok()?;
        answer.await.ok()
    }

    /// Asks to be let in and waits until the room has answered, which it does to the request's
    /// responder. `None` when it refuses.
    pub async fn join(self, request: JoinRequest) -> Option<Member> {
        let JoinRequest { participant, user, role, outbox, respond } = request;
        let (granted, outcome) = oneshot::channel();
        let respond: Responder = Box::new(move |result| {
            // Whoever asked may be gone by now.
            granted.send(result.is_ok()).ok();
            respond(result);
        });
        let member = Member { participant: participant.clone(), inbox: self.inbox };
        let message = Message::Join { participant, user, role, outbox, respond };
        // The room is there as long as this handle is; at shutdown the answer is moot.
        drop(member.inbox.send(message).await);
        outcome.await.unwrap_or(false).then_some(member)
    }
}

/// A participant's way to its room.
#[derive(Debug)]
pub struct Member {
    participant: ParticipantId,
    inbox: mpsc::Sender<Message>,
}

impl Member {
    /// Its id.
    pub fn participant(&self) -> &ParticipantId {
        &self.participant
    }

    /// Asks the room for something; waits only while the room's inbox is full.
    pub async fn request(&self, command: Command, respond: Responder) {
        let from = self.participant.clone();
        let message = Message::Request { from, command, respond };
        if let Err(mpsc::error::SendError(Message::Request { respond, .. })) =
            self.inbox.send(message).await
        {
            respond(Err(Rejection::NotJoined));
        }
    }

    /// Asks the room for something and waits for its answer.
    ///
    /// # Errors
    /// The room's rejection.
    pub async fn ask(&self, command: Command) -> Result<Reply, Rejection> {
        let (respond, answer) = oneshot::channel();
        // Whoever asked may have stopped waiting.
        self.request(command, Box::new(|result| drop(respond.send(result)))).await;
        answer.await.unwrap_or(Err(Rejection::NotJoined))
    }

    /// Tells the room that this participant's connection is gone.
    pub async fn connection_lost(self) {
        let Self { participant, inbox } = self;
        // A room that has ended knows nobody who could be missed.
        drop(inbox.send(Message::ConnectionLost { participant }).await);
    }
}
