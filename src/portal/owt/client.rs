//! A client at the other end of a socket, and the dialect in which it is spoken to.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;
use serde_json::Value;
use socketioxide::{SendError, SocketError, extract::SocketRef};

use super::{
    encode::{self, Event},
    login::ErrorForm,
    message::{Progress, ProgressState},
    protocol::{Dialect, Protocol},
};
use crate::{
    config::ErrorFormat,
    driver::{Outbox, OutboxFull},
    ids::TransportId,
    room::Notification,
};

/// Transports that are remembered to be known as ready. A participant has far fewer, and being told
/// once more does no harm.
const MAX_READY_TRANSPORTS: usize = 1024;

/// A client. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    socket: SocketRef,
    format: ErrorFormat,
    gone: Arc<AtomicBool>,
    state: Arc<Mutex<State>>,
}

struct State {
    dialect: Dialect,
    /// Transports of which the client knows that they are up (protocol 1.2).
    ready: BTreeSet<TransportId>,
}

impl Client {
    /// A client that has not said yet what it speaks.
    pub(super) fn new(socket: SocketRef, format: ErrorFormat) -> Self {
        let errors = match format {
            ErrorFormat::Owt => ErrorForm::Text,
            ErrorFormat::Auto | ErrorFormat::Document => ErrorForm::Object,
        };
        let dialect = Dialect { protocol: Protocol::default(), errors };
        let state = State { dialect, ready: BTreeSet::new() };
        Self { socket, format, gone: Arc::default(), state: Arc::new(Mutex::new(state)) }
    }

    /// Notes which form of errors a client of unforced form reads, once its login tells.
    pub(super) fn prefer(&self, form: ErrorForm) {
        if self.format == ErrorFormat::Auto {
            self.state().dialect.errors = form;
        }
    }

    /// Notes which version of the protocol the client speaks.
    pub(super) fn speak(&self, protocol: Protocol) {
        self.state().dialect.protocol = protocol;
    }

    /// The form in which this client gets its errors.
    pub(super) fn error_form(&self) -> ErrorForm {
        self.state().dialect.errors
    }

    /// The version of the protocol.
    pub(super) fn protocol(&self) -> Protocol {
        self.state().dialect.protocol
    }

    /// What must be known of the client again when it comes back by a connection on which it does
    /// not say it.
    pub(super) fn note(&self) -> String {
        self.state().dialect.note()
    }

    /// Recalls what was noted.
    pub(super) fn recall(&self, note: &str) {
        let Dialect { protocol, errors } = Dialect::recalled(note);
        self.speak(protocol);
        self.prefer(errors);
    }

    /// Closes the connection after what is queued.
    pub(super) fn disconnect(&self) {
        // It fails only when the socket is gone or its queue is full; in both cases engine.io
        // closes the transport by itself.
        drop(self.socket.clone().disconnect());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn emit(&self, event: &str, data: &impl Serialize) -> Result<(), OutboxFull> {
        self.socket.emit(event, data).map_err(|error| {
            if matches!(error, SendError::Socket(SocketError::Closed)) {
                self.gone.store(true, Ordering::Relaxed);
            }
            OutboxFull
        })
    }

    /// Whether the client hears of this transport for the first time that it is up.
    fn is_news(&self, transport: &TransportId) -> bool {
        let ready = &mut self.state().ready;
        if ready.len() >= MAX_READY_TRANSPORTS {
            ready.clear();
        }
        ready.insert(transport.clone())
    }
}

impl Outbox for Client {
    fn notify(&self, notification: &Notification) -> Result<(), OutboxFull> {
        let protocol = self.protocol();
        if let (Protocol::V12, Notification::SessionReady { transport, .. }) =
            (protocol, notification)
            && self.is_news(transport)
        {
            let id = transport.as_str();
            let up = Progress { id, session_id: None, state: ProgressState::Ready };
            self.emit("progress", &up)?;
        }
        match encode::event(notification, protocol) {
            Event::Participant(action) => self.emit("participant", &action),
            Event::Text(text) => self.emit("text", &text),
            Event::Stream(message) => self.emit("stream", &message),
            Event::Progress(progress) => self.emit("progress", &progress),
            // OWT's frame is `["drop",null]`.
            Event::Nothing => Ok(()),
            Event::Drop => self.emit("drop", &Value::Null),
        }
    }

    fn is_connected(&self) -> bool {
        !self.gone.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.disconnect();
    }
}
