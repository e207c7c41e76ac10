//! The socket.io side of the door: frames in, acks and notifications out.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::{ConnectHandler, FromMessageParts},
    socket::Socket,
};
use tokio::sync::{mpsc, watch};
use tracing::debug;

use super::{
    connection::Connection,
    encode::{self, Event},
    login::ErrorForm,
    message::ErrorDescription,
    refusal::Refusal,
};
use crate::{
    config::ErrorFormat,
    driver::{Outbox, OutboxFull},
    portal::Doorway,
    room::Notification,
};

/// Lets clients in through a socket.io server.
///
/// Each handler does its work before it returns its (empty) future: socketioxide calls handlers in
/// the order of the frames, but runs their futures as tasks, in any order.
///
/// Clients are taken up by the middleware, which runs before they are told that they are connected;
/// the connect handler runs after, and would miss what a quick client sends first.
pub fn open(io: &SocketIo, doorway: Doorway) {
    let take_up = move |socket: SocketRef| {
        accept(&socket, doorway.clone());
        ready(Ok::<_, Infallible>(()))
    };
    io.ns("/", (|_: SocketRef| ready(())).with(take_up));
}

fn accept(socket: &SocketRef, doorway: Doorway) {
    let Some(place) = doorway.place() else {
        debug!(socket = %socket.id, "connection refused: [portal] max_connections is reached");
        return drop(socket.clone().disconnect());
    };
    let (requests, inbox) = mpsc::channel(doorway.settings().pending_requests);
    let (closed, closing) = watch::channel(false);
    socket.on_fallback(move |socket: SocketRef, arguments: Arguments, ack: AckSender| {
        if requests.try_send(Request { arguments, ack: Ack(ack) }).is_err() {
            debug!(socket = %socket.id, "connection closed: too many requests wait");
            drop(socket.disconnect());
        }
        ready(())
    });
    socket.on_disconnect(move |_: SocketRef| {
        closed.send(true).ok();
        ready(())
    });
    let client = Client::new(socket.clone(), doorway.settings().error_format);
    tokio::spawn(async move {
        let _place = place;
        Connection::new(client, doorway, inbox, closing).run().await;
    });
}

/// A request that waits for its turn.
pub(super) struct Request {
    pub(super) arguments: Arguments,
    pub(super) ack: Ack,
}

/// A frame's event name and first argument. Later arguments have no meaning in this protocol, and
/// a client that sends none gets [`Value::Null`].
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) event: String,
    pub(super) data: Value,
}

/// A frame that is no event of this protocol: not text, or not an array that starts with a name.
#[derive(Debug, thiserror::Error)]
#[error("the frame is not an event")]
pub(super) struct NotAnEvent;

impl FromMessageParts<socketioxide::adapter::LocalAdapter> for Arguments {
    type Error = NotAnEvent;

    fn from_message_parts(
        _: &Arc<Socket>,
        value: &mut socketioxide_core::Value,
        _: &Option<i64>,
    ) -> Result<Self, NotAnEvent> {
        let socketioxide_core::Value::Str(text, _) = value else { return Err(NotAnEvent) };
        let mut arguments: Vec<Value> = serde_json::from_str(text).map_err(|_| NotAnEvent)?;
        let data = arguments.get_mut(1).map(Value::take).unwrap_or_default();
        match arguments.into_iter().next() {
            Some(Value::String(event)) => Ok(Self { event, data }),
            _ => Err(NotAnEvent),
        }
    }
}

/// The way to answer one request; a client that asked for no answer gets none.
pub(super) struct Ack(AckSender);

impl Ack {
    /// `("ok")`.
    pub(super) fn ok(self) {
        self.send(&("ok",));
    }

    /// `("ok", data)`.
    pub(super) fn ok_with<T: Serialize + ?Sized>(self, data: &T) {
        self.send(&("ok", data));
    }

    /// `("error", ...)` in the client's form.
    pub(super) fn error(self, refusal: &Refusal, form: ErrorForm) {
        let description = refusal.description.as_ref();
        match form {
            ErrorForm::Text => self.send(&("error", description)),
            ErrorForm::Object => {
                self.send(&("error", ErrorDescription { code: refusal.code, description }));
            }
        }
    }

    fn send(self, answer: &impl Serialize) {
        if let Err(error) = self.0.send(answer) {
            debug!(%error, "an answer was not sent");
        }
    }
}

/// A client at the other end of a socket. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    socket: SocketRef,
    errors_as_text: Arc<AtomicBool>,
    format: ErrorFormat,
}

impl Client {
    fn new(socket: SocketRef, format: ErrorFormat) -> Self {
        let errors_as_text = Arc::new(AtomicBool::new(format == ErrorFormat::Owt));
        Self { socket, errors_as_text, format }
    }

    /// Notes which form a client of unforced form reads, once its login tells.
    pub(super) fn prefer(&self, form: ErrorForm) {
        if self.format == ErrorFormat::Auto {
            self.errors_as_text.store(form == ErrorForm::Text, Ordering::Relaxed);
        }
    }

    /// The form in which this client gets its errors.
    pub(super) fn error_form(&self) -> ErrorForm {
        if self.errors_as_text.load(Ordering::Relaxed) {
            ErrorForm::Text
        } else {
            ErrorForm::Object
        }
    }

    /// Closes the connection after what is queued.
    pub(super) fn disconnect(&self) {
        // It fails only when the socket is gone or its queue is full; in both cases engine.io
        // closes the transport by itself.
        drop(self.socket.clone().disconnect());
    }
}

impl Outbox for Client {
    fn notify(&self, notification: &Notification) -> Result<(), OutboxFull> {
        let socket = &self.socket;
        let sent = match encode::event(notification) {
            Event::Participant(action) => socket.emit("participant", &action),
            Event::Text(text) => socket.emit("text", &text),
            Event::Stream(message) => socket.emit("stream", &message),
            Event::Progress(progress) => socket.emit("progress", &progress),
            // OWT's frame is `["drop",null]`.
            Event::Drop => socket.emit("drop", &Value::Null),
        };
        sent.map_err(|_| OutboxFull)
    }

    fn close(&self) {
        self.disconnect();
    }
}
