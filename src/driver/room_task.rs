//! One room's task: takes inputs one at a time and performs what the room says.

mod seating;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant as TokioInstant, sleep_until},
};
use tracing::info;

use super::{
    broadcasting::Broadcasts,
    dispatch::{media_command, room_event},
    journal::Journal,
    load::SharedLoad,
    message::Message,
    outbox::Responder,
    seat::{Arrival, ConnectionId, Seat, Trouble},
};
use crate::{
    ids::{ParticipantId, RoomId},
    media::{self, RoomMedia},
    mixing::RoomMixing,
    room::{
        Command, Effect, Input, Managed, Notification, Order, Output, Rejection, RequestId, Room,
    },
};

/// A room and everything its task needs.
pub(super) struct RoomTask {
    id: RoomId,
    room: Room,
    parts: TaskParts,
    seats: BTreeMap<ParticipantId, Seat>,
    pending: BTreeMap<RequestId, Pending>,
    orders: BTreeMap<RequestId, oneshot::Sender<Result<Managed, Rejection>>>,
    broadcasts: Broadcasts,
    last_request: u64,
    /// The room said that it may be forgotten and has not been asked anything since.
    idle: bool,
    /// The room was closed.
    closed: bool,
}

/// What a room's task works with.
pub(super) struct TaskParts {
    /// What it is asked.
    pub(super) inbox: mpsc::Receiver<Message>,
    /// The room's media.
    pub(super) media: Arc<RoomMedia>,
    /// What the media plane reports of it.
    pub(super) media_events: mpsc::UnboundedReceiver<media::Event>,
    /// The room's views.
    pub(super) mixing: RoomMixing,
    /// Where it is written down who is in the room.
    pub(super) journal: Journal,
    /// Notifications that are kept for a participant that is away.
    pub(super) max_missed: usize,
    /// Where it says what the room carries.
    pub(super) load: Arc<SharedLoad>,
}

/// A request that the room has not answered.
struct Pending {
    from: ParticipantId,
    /// Whoever asks to come in gets its seat when that is granted.
    arrival: Option<Arrival>,
    respond: Responder,
}

/// How long to wait before an idle room that could not be forgotten is tried again: somebody held
/// a way into it at that moment.
const FORGET_RETRY: Duration = Duration::from_secs(1);

impl RoomTask {
    pub(super) fn new(id: RoomId, room: Room, parts: TaskParts) -> Self {
        Self {
            id,
            room,
            parts,
            seats: BTreeMap::new(),
            pending: BTreeMap::new(),
            orders: BTreeMap::new(),
            broadcasts: Broadcasts::default(),
            last_request: 0,
            idle: false,
            closed: false,
        }
    }

    /// Lives until the room is closed, or is idle and `forget` agrees that nobody holds a way into
    /// it.
    pub(super) async fn run(mut self, forget: impl Fn() -> bool) {
        info!(room = %self.id, "room opened");
        self.drain();
        loop {
            if self.idle && self.parts.inbox.is_empty() && forget() {
                break;
            }
            if !self.step().await || self.closed {
                break;
            }
        }
        info!(room = %self.id, "room closed");
    }

    async fn step(&mut self) -> bool {
        let retry = self.idle.then(|| Instant::now() + FORGET_RETRY);
        let deadline = self.room.poll_timeout().into_iter().chain(retry).min();
        tokio::select! {
            message = self.parts.inbox.recv() => match message {
                Some(message) => self.take(message),
                None => return false,
            },
            event = self.parts.mixing.event() => self.input(Input::Event(event)),
            Some(event) = self.parts.media_events.recv() => {
                self.parts.mixing.media_event(&event);
                if let Some(event) = room_event(event) {
                    self.input(Input::Event(event));
                }
            }
            () = wait_until(deadline) => {
                self.room.handle_timeout(Instant::now());
                self.drain();
            }
        }
        true
    }

    fn take(&mut self, message: Message) {
        // Looking does not keep an empty room.
        self.idle &= matches!(
            message,
            Message::Manage { order: Order::Report, .. }
                | Message::Broadcast { .. }
                | Message::EndBroadcast { .. }
        );
        match message {
            Message::Join {
                participant,
                connection,
                user,
                role,
                manner,
                keep,
                outbox,
                respond,
            } => {
                let arrival = Some(Arrival { connection, outbox, keep });
                let command = Command::Join { user, role, manner };
                self.request(Pending { from: participant, arrival, respond }, command);
            }
            Message::Resume { participant, connection, outbox, respond } => {
                self.resume(&participant, connection, outbox, respond);
            }
            Message::Restore { participants } => self.restore(participants),
            Message::Request { from, connection, command, respond } => {
                if !self.is_at(&from, connection) {
                    return respond(Err(Rejection::NotJoined));
                }
                let leaves = matches!(command, Command::Leave).then(|| from.clone());
                self.request(Pending { from, arrival: None, respond }, command);
                if let Some(participant) = leaves {
                    self.seats.remove(&participant);
                }
            }
            Message::ConnectionLost { participant, connection } => {
                if self.is_at(&participant, connection) {
                    self.lose(participant);
                }
            }
            Message::Manage { order, respond } => self.manage(order, respond),
            Message::Close => {
                let (respond, _) = oneshot::channel();
                self.manage(Order::Close, respond);
                self.closed = true;
            }
            Message::Snapshot { view, respond } => self.parts.mixing.snapshot(view, respond),
            Message::Broadcast { stream, address } => {
                self.broadcasts.start(stream, address);
                self.broadcasts.follow(&self.room, &mut self.parts.mixing);
            }
            Message::EndBroadcast { stream } => {
                self.broadcasts.end(&stream, &mut self.parts.mixing);
            }
        }
    }

    /// Whether this is the present connection of somebody in the room.
    fn is_at(&self, participant: &ParticipantId, connection: ConnectionId) -> bool {
        self.seats.get(participant).is_some_and(|seat| seat.is_at(connection))
    }

    fn request(&mut self, pending: Pending, command: Command) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        let from = pending.from.clone();
        self.pending.insert(request, pending);
        self.input(Input::Command { from, request, command });
        debug_assert!(self.pending.is_empty(), "every request is answered at once");
    }

    fn manage(&mut self, order: Order, respond: oneshot::Sender<Result<Managed, Rejection>>) {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        self.orders.insert(request, respond);
        self.input(Input::Manage { request, order });
        debug_assert!(self.orders.is_empty(), "every order is answered at once");
    }

    fn input(&mut self, input: Input) {
        self.room.handle(Instant::now(), input);
        self.drain();
    }

    /// Performs every output, in order. Whoever could not be told is dealt with afterwards, because
    /// a room takes no input before it is drained.
    fn drain(&mut self) {
        let mut troubles = Vec::new();
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Reply { to, request, result } => {
                    let pending = self.pending.remove(&request);
                    let pending = pending.expect("a request is answered once");
                    debug_assert_eq!(pending.from, to, "an answer goes to whoever asked");
                    self.answer(pending, result, &mut troubles);
                }
                Output::Notify { to, notification } => self.tell(&to, &notification, &mut troubles),
                Output::Managed { request, result } => {
                    let respond = self.orders.remove(&request);
                    // Whoever ordered may have stopped waiting.
                    respond.expect("an order is answered once").send(result).ok();
                }
                Output::Effect(effect) => self.perform(effect),
            }
        }
        self.broadcasts.follow(&self.room, &mut self.parts.mixing);
        self.parts.load.set(self.room.load());
        while let Some(change) = self.room.poll_record() {
            self.parts.journal.record(&self.id, change);
        }
        self.settle(troubles);
    }

    fn tell(
        &mut self,
        to: &ParticipantId,
        notification: &Arc<Notification>,
        troubles: &mut Vec<(ParticipantId, Trouble)>,
    ) {
        let Some(seat) = self.seats.get_mut(to) else { return };
        if let Err(trouble) = seat.tell(notification, self.parts.max_missed) {
            troubles.push((to.clone(), trouble));
        }
    }

    fn close(&mut self, participant: &ParticipantId) {
        if let Some(seat) = self.seats.remove(participant) {
            seat.close();
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Disconnect { participant } => self.close(&participant),
            Effect::CloseRoom => self.idle = true,
            Effect::ViewChanged { .. }
            | Effect::OpenPublication { .. }
            | Effect::OpenSubscription { .. }
            | Effect::SwitchSubscription { .. }
            | Effect::Negotiate { .. }
            | Effect::CloseSession { .. }
            | Effect::SetSubscriptionActive { .. }
            | Effect::SetTrackActive { .. } => {
                if let Some(command) = media_command(effect, &mut self.parts.mixing) {
                    self.parts.media.send(command);
                }
            }
        }
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(TokioInstant::from_std(deadline)).await,
        None => std::future::pending().await,
    }
}
