//! The socket.io side of the door: frames in, acks and notifications out.

use std::{
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::{ConnectHandler as _, FromMessageParts},
    socket::Socket,
};
use tokio::sync::{mpsc, watch};
use tracing::debug;

use super::{
    client::Client, connection::Connection, login::ErrorForm, message::ErrorDescription,
    refusal::Refusal,
};
use crate::portal::Doorway;

/// Lets clients in through a socket.io server.
///
/// Each handler does its work before it returns its (empty) future: socketioxide calls handlers in
/// the order of the frames, but runs their futures as tasks, in any order. A client may ask as
/// soon as it reads that it is connected, which is before the connect handler runs; so requests
/// are taken in from the middleware on, which runs before the client is told.
pub fn open(io: &SocketIo, doorway: Doorway) {
    let pending = doorway.settings().pending_requests;
    let connected = move |socket: SocketRef| {
        accept(&socket, doorway);
        ready(())
    };
    let listening = move |socket: SocketRef| {
        socket.extensions.insert(Waiting::on(&socket, pending));
        ready(Ok::<(), Infallible>(()))
    };
    io.ns("/", connected.with(listening));
}

/// What a socket brings before its connection is served.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<Inbox>>>);

/// Requests, and whether the socket is gone.
type Inbox = (mpsc::Receiver<Request>, watch::Receiver<bool>);

impl Waiting {
    fn on(socket: &SocketRef, pending: usize) -> Self {
        let (requests, inbox) = mpsc::channel(pending);
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
        Self(Arc::new(Mutex::new(Some((inbox, closing)))))
    }

    fn take(&self) -> Option<Inbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn accept(socket: &SocketRef, doorway: Doorway) {
    let waiting = socket.extensions.remove::<Waiting>().and_then(|waiting| waiting.take());
    let Some((inbox, closing)) = waiting else { return };
    let Some(place) = doorway.place() else {
        debug!(socket = %socket.id, "connection refused: [portal] max_connections is reached");
        return drop(socket.clone().disconnect());
    };
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
