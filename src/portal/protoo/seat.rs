//! A participant's place in a room as this door keeps it: how it is told things, and which of its
//! offers wait for their answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde::Serialize;
use serde_json::Number;
use tokio::time::Instant;

use super::{
    encode::{Reader, frame, name},
    message::{Granted, Jsep, Published, Refused, Subscribed},
    refusal::{Code, Refusal, SessionKind},
    socket::{NOT_ACCEPTED, REMOVED, SLOW},
};
use crate::{
    driver::{Outbox, OutboxFull},
    ids::{RoomId, SessionId},
    portal::websocket::Wire,
    room::Notification,
};

/// The way to a client, in this dialect's frames. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) wire: Wire,
}

impl Client {
    /// Grants a request.
    pub(super) fn grant(&self, id: &Number, data: impl Serialize) {
        self.answer(frame(&Granted { response: true, id, ok: true, data }));
    }

    /// Refuses a request. A token that does not count will not count the next time, so the
    /// connection ends with it.
    pub(super) fn refuse(&self, id: &Number, refusal: &Refusal) {
        let (error_code, error_reason) = (refusal.code as i8, refusal.reason.as_ref());
        self.answer(frame(&Refused { response: true, id, ok: false, error_code, error_reason }));
        if refusal.code == Code::Token {
            self.wire.hang_up(NOT_ACCEPTED);
        }
    }

    /// An answer that finds no place in the queue is one that the client will wait for in vain.
    fn answer(&self, frame: String) {
        if self.wire.send(frame).is_err() {
            self.wire.hang_up(SLOW);
        }
    }
}

/// An offer that waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The request's.
    pub(super) id: Number,
    /// Whether it publishes or subscribes.
    pub(super) kind: SessionKind,
    /// When it is given up.
    pub(super) deadline: Instant,
}

/// A participant's place.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) client: Client,
    pub(super) room: RoomId,
    node: Arc<str>,
    views: bool,
    /// What the room calls the participant, once it has let it in.
    uid: OnceLock<Arc<str>>,
    waiting: Mutex<BTreeMap<SessionId, Waiting>>,
}

impl Seat {
    /// A place for somebody who is about to come in.
    pub(super) fn new(client: Client, room: RoomId, node: Arc<str>, views: bool) -> Self {
        Self { client, room, node, views, uid: OnceLock::new(), waiting: Mutex::default() }
    }

    /// Notes what the room calls the participant.
    pub(super) fn called(&self, handle: Arc<str>) {
        // A place is taken once.
        self.uid.set(handle).ok();
    }

    /// How this participant is told things.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { rid: self.room.as_str(), uid: self.uid(), node: &self.node, views: self.views }
    }

    fn uid(&self) -> &str {
        self.uid.get().map_or("", AsRef::as_ref)
    }

    /// Has an offer wait for its answer.
    pub(super) fn wait(&self, session: SessionId, waiting: Waiting) {
        self.waiting().insert(session, waiting);
    }

    /// How many offers wait.
    pub(super) fn waiting_count(&self) -> usize {
        self.waiting().len()
    }

    /// When the first of them is to be given up.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.waiting().values().map(|waiting| waiting.deadline).min()
    }

    /// Refuses those that have waited for too long; yields their sessions.
    pub(super) fn give_up(&self, now: Instant) -> Vec<(SessionId, SessionKind)> {
        let late: Vec<(SessionId, Waiting)> =
            self.waiting().extract_if(.., |_, waiting| waiting.deadline <= now).collect();
        let refusal = Refusal::new(Code::NodeFailed, "the media node did not answer");
        let refused = late.into_iter().map(|(session, waiting)| {
            self.client.refuse(&waiting.id, &refusal);
            (session, waiting.kind)
        });
        refused.collect()
    }

    /// Refuses those that an ended session leaves behind.
    pub(super) fn fail(&self, session: &str, refuse: impl FnOnce(SessionKind) -> Refusal) {
        if let Some(Waiting { id, kind, .. }) = self.waiting().remove(session) {
            self.client.refuse(&id, &refuse(kind));
        }
    }

    /// Refuses all that wait: their participant has left.
    pub(super) fn abandon(&self) {
        for Waiting { id, .. } in std::mem::take(&mut *self.waiting()).into_values() {
            self.client.refuse(&id, &Refusal::new(Code::NotJoined, "left the room"));
        }
    }

    fn answered(&self, session: &str, sdp: &str) {
        // A later answer, to an ICE restart that this dialect does not have.
        let Some((session, waiting)) = self.waiting().remove_entry(session) else { return };
        let jsep = Jsep { kind: "answer", sdp };
        let name = name(self.uid(), &session);
        match waiting.kind {
            SessionKind::Subscription => {
                self.client.grant(&waiting.id, Subscribed { jsep, sid: name });
            }
            SessionKind::Publication => {
                self.client.grant(&waiting.id, Published { jsep, mid: name, sfuid: &self.node });
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<SessionId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the room tells things to whoever has the place.
pub(super) struct Teller(pub(super) Arc<Seat>);

impl Outbox for Teller {
    fn notify(&self, notification: &Notification) -> Result<(), OutboxFull> {
        let seat = &self.0;
        match notification {
            Notification::Answer { transport, sdp } => seat.answered(transport.as_str(), sdp),
            Notification::SessionFailed { session, reason, .. } => {
                let refuse = |kind: SessionKind| Refusal::new(kind.failed(), reason.to_string());
                seat.fail(session.as_str(), refuse);
            }
            // Clients of this dialect always offer.
            Notification::Offer { .. } => {}
            Notification::Dropped => seat.client.wire.hang_up(REMOVED),
            Notification::ParticipantJoined(_)
            | Notification::ParticipantLeft(_)
            | Notification::Text { .. }
            | Notification::Broadcast { .. }
            | Notification::StreamAdded(_)
            | Notification::StreamUpdated { .. }
            | Notification::StreamRemoved { .. }
            | Notification::Publishers(_)
            | Notification::Relayed { .. }
            | Notification::Kicked { .. }
            | Notification::Expired
            | Notification::SessionReady { .. } => {
                if let Some(frame) = seat.reader().notification(notification) {
                    return seat.client.wire.send(frame);
                }
            }
        }
        Ok(())
    }

    fn close(&self) {
        self.0.client.wire.hang_up(SLOW);
    }
}
