//! A session's place in a room as this door keeps it: how it is told things, and what it waits for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    downlinks::Downlinks,
    encode,
    message::{Ack, ErrorBody, Kind},
    refusal::Refusal,
    socket::{REMOVED, SLOW},
};
use crate::{
    driver::{Outbox, OutboxFull},
    ids::{RoomId, SessionId, TransportId},
    portal::websocket::Wire,
    room::{FloorView, Notification, PublisherInfo},
};

/// Frames that are held back until `JOIN` is answered; with more, the client is too slow.
const MAX_HELD: usize = 256;

/// The way to a client, in this dialect's frames. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) wire: Wire,
}

impl Client {
    /// Refuses a signal; one that cannot be read has no kind.
    pub(super) fn refuse(&self, kind: Option<Kind>, req: &Value, refusal: &Refusal) {
        let s = kind.map_or("", Kind::error_name);
        let b = ErrorBody { req, msg: &refusal.msg };
        self.answer(encode::frame(&Ack { c: refusal.code as u16, s, b }));
    }

    /// Answers a signal. An answer that finds no place in the queue is one that the client will
    /// wait for in vain.
    pub(super) fn answer(&self, frame: String) {
        if self.wire.send(frame).is_err() {
            self.wire.hang_up(SLOW);
        }
    }
}

/// What the media side says to an offer, or of the offer that it was to make: an SDP, or why there
/// is none.
pub(super) type Sdp = Result<Arc<str>, Arc<str>>;

/// A session's place.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) client: Client,
    pub(super) room: RoomId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What was told before `JOIN` is answered, which it is not yet.
    held: Option<Vec<String>>,
    /// The session is in the room no longer, or by another connection.
    over: bool,
    /// Whoever waits for an SDP of these transports.
    awaited: BTreeMap<TransportId, oneshot::Sender<Sdp>>,
    uplink: Option<SessionId>,
    downlinks: Downlinks,
    publishers: Arc<[PublisherInfo]>,
}

impl Seat {
    /// A place for a session that is about to come in.
    pub(super) fn new(client: Client, room: RoomId) -> Self {
        let state = State {
            held: Some(Vec::new()),
            over: false,
            awaited: BTreeMap::new(),
            uplink: None,
            downlinks: Downlinks::default(),
            publishers: Arc::new([]),
        };
        Self { client, room, state: Mutex::new(state) }
    }

    /// Takes over what the session has in the room. Yields offers of before, which nobody can
    /// answer any more.
    pub(super) fn adopt(&self, view: &FloorView) -> Vec<SessionId> {
        let mut state = self.state();
        state.publishers = Arc::clone(&view.publishers);
        let mut unanswered = Vec::new();
        for session in &view.sessions {
            let Some(from) = &session.from else {
                state.uplink = Some(session.id.clone());
                continue;
            };
            if !session.ready {
                unanswered.push(session.id.clone());
                continue;
            }
            let of_stream = |info: &&PublisherInfo| info.stream.as_ref() == Some(from);
            let publisher = view.publishers.iter().find(of_stream);
            let target = publisher.map_or(from.as_str(), encode::wire_id);
            state.downlinks.runs(target, session.id.clone());
        }
        unanswered
    }

    /// Answers `JOIN`, then tells what was held back.
    pub(super) fn welcome(&self, ack: String) {
        self.client.answer(ack);
        for frame in self.state().held.take().into_iter().flatten() {
            self.client.answer(frame);
        }
    }

    /// Whether the session is in the room by this connection.
    pub(super) fn is_over(&self) -> bool {
        self.state().over
    }

    /// Who publishes, as far as known.
    pub(super) fn publishers(&self) -> Arc<[PublisherInfo]> {
        Arc::clone(&self.state().publishers)
    }

    /// Waits for an SDP of a transport.
    pub(super) fn awaiting(&self, transport: TransportId) -> oneshot::Receiver<Sdp> {
        let (sender, awaited) = oneshot::channel();
        self.state().awaited.insert(transport, sender);
        awaited
    }

    /// Waits no longer.
    pub(super) fn forget(&self, transport: &TransportId) {
        self.state().awaited.remove(transport);
    }

    /// The session's publication.
    pub(super) fn uplink(&self) -> Option<SessionId> {
        self.state().uplink.clone()
    }

    /// Notes the session's publication.
    pub(super) fn set_uplink(&self, uplink: Option<SessionId>) {
        self.state().uplink = uplink;
    }

    /// Does something with what the session watches.
    pub(super) fn with_downlinks<T>(&self, change: impl FnOnce(&mut Downlinks) -> T) -> T {
        change(&mut self.state().downlinks)
    }

    fn tell(&self, frame: String) -> Result<(), OutboxFull> {
        let mut state = self.state();
        match &mut state.held {
            Some(held) if held.len() >= MAX_HELD => Err(OutboxFull),
            Some(held) => {
                held.push(frame);
                Ok(())
            }
            None => self.client.wire.send(frame),
        }
    }

    fn heard(&self, transport: &TransportId, sdp: Sdp) {
        if let Some(awaited) = self.state().awaited.remove(transport) {
            // Whoever waited may have stopped.
            awaited.send(sdp).ok();
        }
    }

    fn ended(&self, session: &SessionId) {
        let mut state = self.state();
        if state.uplink.as_ref() == Some(session) {
            state.uplink = None;
        }
        state.downlinks.ended(session);
    }

    fn end(&self) {
        self.state().over = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the room tells things to whoever has the place.
pub(super) struct Teller(pub(super) Arc<Seat>);

impl Teller {
    fn pass_on(&self, notification: &Notification) -> Result<(), OutboxFull> {
        let seat = &self.0;
        match notification {
            Notification::Publishers(list) => {
                seat.state().publishers = Arc::clone(list);
                seat.tell(encode::list_changed(&seat.room, list))
            }
            Notification::Relayed { message } => seat.tell(message.to_string()),
            Notification::Kicked { message } => {
                let told = seat.tell(message.to_string());
                seat.end();
                told
            }
            Notification::Expired => {
                seat.end();
                Ok(())
            }
            Notification::Answer { transport, sdp } | Notification::Offer { transport, sdp } => {
                seat.heard(transport, Ok(Arc::clone(sdp)));
                Ok(())
            }
            Notification::SessionFailed { session, transport, reason } => {
                seat.ended(session);
                seat.heard(transport, Err(Arc::clone(reason)));
                Ok(())
            }
            Notification::Dropped => {
                seat.end();
                seat.client.wire.hang_up(REMOVED);
                Ok(())
            }
            Notification::ParticipantJoined(_)
            | Notification::ParticipantLeft(_)
            | Notification::Text { .. }
            | Notification::Broadcast { .. }
            | Notification::StreamAdded(_)
            | Notification::StreamUpdated { .. }
            | Notification::StreamRemoved { .. }
            | Notification::SessionReady { .. } => Ok(()),
        }
    }
}

impl Outbox for Teller {
    fn notify(&self, notification: &Notification) -> Result<(), OutboxFull> {
        let told = self.pass_on(notification);
        if told.is_err() && self.is_connected() {
            self.0.client.wire.hang_up(SLOW);
        }
        told
    }

    fn is_connected(&self) -> bool {
        self.0.client.wire.is_open()
    }

    /// The connection may serve other sessions, and this one may come in again.
    fn close(&self) {
        self.0.end();
    }
}
