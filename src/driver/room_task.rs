//! One room's task: takes inputs one at a time and performs what the room says.

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
    dispatch::{media_command, room_event},
    load::SharedLoad,
    outbox::{Outbox, Responder},
};
use crate::{
    ids::{ParticipantId, RoomId},
    media::{self, RoomMedia},
    room::{Command, Effect, Event, Input, Managed, Order, Output, Rejection, RequestId, Room},
};

/// What a room's task is asked to do.
pub(super) enum Message {
    /// Somebody wants in.
    Join {
        /// A fresh id.
        participant: ParticipantId,
        /// The account.
        user: Arc<str>,
        /// The role.
        role: Arc<str>,
        /// Where notifications go.
        outbox: Box<dyn Outbox>,
        /// Where the answer goes.
        respond: Responder,
    },
    /// A participant asks for something.
    Request {
        /// Who.
        from: ParticipantId,
        /// What.
        command: Command,
        /// Where the answer goes.
        respond: Responder,
    },
    /// An administrator orders something.
    Manage {
        /// What.
        order: Order,
        /// Where the answer goes.
        respond: oneshot::Sender<Result<Managed, Rejection>>,
    },
    /// A participant's connection is gone.
    ConnectionLost {
        /// Whose.
        participant: ParticipantId,
    },
    /// Everybody is thrown out, and the room ends.
    Close,
}

/// A room and everything its task needs.
pub(super) struct RoomTask {
    id: RoomId,
    room: Room,
    inbox: mpsc::Receiver<Message>,
    media: RoomMedia,
    media_events: mpsc::UnboundedReceiver<media::Event>,
    outboxes: BTreeMap<ParticipantId, Box<dyn Outbox>>,
    pending: BTreeMap<RequestId, Pending>,
    orders: BTreeMap<RequestId, oneshot::Sender<Result<Managed, Rejection>>>,
    last_request: u64,
    /// The room said that it may be forgotten and has not been asked anything since.
    idle: bool,
    /// The room was closed.
    closed: bool,
    load: Arc<SharedLoad>,
}

/// A request that the room has not answered.
struct Pending {
    from: ParticipantId,
    joins: bool,
    respond: Responder,
}

/// How long to wait before an idle room that could not be forgotten is tried again: somebody held
/// a way into it at that moment.
const FORGET_RETRY: Duration = Duration::from_secs(1);

impl RoomTask {
    pub(super) fn new(
        id: RoomId,
        room: Room,
        inbox: mpsc::Receiver<Message>,
        media: RoomMedia,
        media_events: mpsc::UnboundedReceiver<media::Event>,
        load: Arc<SharedLoad>,
    ) -> Self {
        Self {
            id,
            room,
            inbox,
            media,
            media_events,
            outboxes: BTreeMap::new(),
            pending: BTreeMap::new(),
            orders: BTreeMap::new(),
            last_request: 0,
            idle: false,
            closed: false,
            load,
        }
    }

    /// Lives until the room is closed, or is idle and `forget` agrees that nobody holds a way into
    /// it.
    pub(super) async fn run(mut self, forget: impl Fn() -> bool) {
        info!(room = %self.id, "room opened");
        self.drain();
        loop {
            if self.idle && self.inbox.is_empty() && forget() {
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
            message = self.inbox.recv() => match message {
                Some(message) => self.take(message),
                None => return false,
            },
            Some(event) = self.media_events.recv() => self.input(Input::Event(room_event(event))),
            () = wait_until(deadline) => {
                self.room.handle_timeout(Instant::now());
                self.drain();
            }
        }
        true
    }

    fn take(&mut self, message: Message) {
        // Looking does not keep an empty room.
        self.idle &= matches!(message, Message::Manage { order: Order::Report, .. });
        match message {
            Message::Join { participant, user, role, outbox, respond } => {
                self.outboxes.insert(participant.clone(), outbox);
                let command = Command::Join { user, role };
                self.request(Pending { from: participant, joins: true, respond }, command);
            }
            Message::Request { from, command, respond } => {
                let leaves = matches!(command, Command::Leave).then(|| from.clone());
                self.request(Pending { from, joins: false, respond }, command);
                if let Some(participant) = leaves {
                    self.outboxes.remove(&participant);
                }
            }
            Message::Manage { order, respond } => self.manage(order, respond),
            Message::Close => {
                let (respond, _) = oneshot::channel();
                self.manage(Order::Close, respond);
                self.closed = true;
            }
            Message::ConnectionLost { participant } => self.lose(participant),
        }
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

    fn lose(&mut self, participant: ParticipantId) {
        self.outboxes.remove(&participant);
        self.input(Input::Event(Event::ConnectionLost { participant }));
    }

    fn input(&mut self, input: Input) {
        self.room.handle(Instant::now(), input);
        self.drain();
    }

    /// Performs every output, in order. Whoever could not be told loses its connection afterwards,
    /// because a room takes no input before it is drained.
    fn drain(&mut self) {
        let mut unreachable = Vec::new();
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Reply { to, request, result } => {
                    let pending = self.pending.remove(&request);
                    let pending = pending.expect("a request is answered once");
                    debug_assert_eq!(pending.from, to, "an answer goes to whoever asked");
                    if pending.joins && result.is_err() {
                        self.outboxes.remove(&to);
                    }
                    (pending.respond)(result);
                }
                Output::Notify { to, notification } => {
                    let outbox = self.outboxes.get(&to);
                    if outbox.is_some_and(|outbox| outbox.notify(&notification).is_err()) {
                        unreachable.push(to);
                    }
                }
                Output::Managed { request, result } => {
                    let respond = self.orders.remove(&request);
                    // Whoever ordered may have stopped waiting.
                    respond.expect("an order is answered once").send(result).ok();
                }
                Output::Effect(effect) => self.perform(effect),
            }
        }
        self.load.set(self.room.load());
        for participant in unreachable {
            self.disconnect_slow(participant);
        }
    }

    fn disconnect_slow(&mut self, participant: ParticipantId) {
        let Some(outbox) = self.outboxes.remove(&participant) else { return };
        info!(room = %self.id, %participant, "connection closed: its outbox is full or it is gone");
        outbox.close();
        self.input(Input::Event(Event::ConnectionLost { participant }));
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Disconnect { participant } => {
                if let Some(outbox) = self.outboxes.remove(&participant) {
                    outbox.close();
                }
            }
            Effect::CloseRoom => self.idle = true,
            // Nobody mixes on this server, so the room's views stay unavailable.
            Effect::ViewChanged { .. } => {}
            Effect::OpenPublication { .. }
            | Effect::OpenSubscription { .. }
            | Effect::Negotiate { .. }
            | Effect::CloseSession { .. }
            | Effect::SetTrackActive { .. } => {
                if let Some(command) = media_command(effect) {
                    self.media.send(command);
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
