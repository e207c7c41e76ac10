//! The WebSocket side of the door: who connects, frames in, how a connection ends.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Router,
    extract::{Query, State, WebSocketUpgrade, ws::WebSocket},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use super::{
    connection::Connection,
    message::Frame,
    passes::{Pass, Passes},
    refusal::Refusal,
    seat::Client,
    stay::Stay,
};
use crate::{
    config::{Auth, Secret, Signals},
    ids::RoomId,
    portal::{
        Doorway,
        engines::{Admission, Engine, Engines, Guest},
        token::TokenError,
        websocket::{self, Farewell, Habits},
    },
    room::{RoomKind, Standing},
};

/// An administrator removed the session (RFC 6455, 7.4.1: policy).
pub(super) const REMOVED: Farewell = Farewell { code: 1008, reason: "removed from the room" };
/// The client takes in less than it is told (RFC 6455, 7.4.1: policy).
pub(super) const SLOW: Farewell = Farewell { code: 1008, reason: "too slow" };
/// The connection has lasted as long as one may (RFC 6455, 7.4.1: going away).
pub(super) const RENEW: Farewell = Farewell { code: 1001, reason: "connect again" };
/// The server ends (RFC 6455, 7.4.1: going away).
pub(super) const SHUTDOWN: Farewell = Farewell { code: 1001, reason: "the server ends" };

/// The door: everything that its connections share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) doorway: Doorway,
    pub(super) settings: Arc<Signals>,
    engines: Arc<Engines>,
    passes: Passes,
    shutdown: watch::Receiver<bool>,
}

/// The URL's query.
#[derive(Deserialize)]
struct Visitor {
    token: Option<String>,
}

/// `/signals`, where clients of this dialect connect until `shutdown` turns true. `passes` are the
/// tokens that they are connected by.
pub fn router(
    doorway: Doorway,
    settings: Signals,
    engines: Engines,
    passes: Passes,
    shutdown: watch::Receiver<bool>,
) -> Router {
    if settings.auth == Auth::Open {
        warn!("[signals] auth = \"open\": everybody may enter every room as anybody at /signals");
    }
    let (settings, engines) = (Arc::new(settings), Arc::new(engines));
    let door = Door { doorway, settings, engines, passes, shutdown };
    Router::new().route("/signals", get(connect)).with_state(door)
}

async fn connect(
    State(door): State<Door>,
    Query(visitor): Query<Visitor>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(place) = door.doorway.place() else {
        debug!("connection refused: [portal] max_connections is reached");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // Forms write a space as `+`; a base64 token that was not encoded for an URL means the `+`.
    let token = visitor.token.map(|token| Secret::from(token.replace(' ', "+")));
    let pass = match door.pass(token).await {
        Ok(pass) => pass,
        Err(status) => return status.into_response(),
    };
    let Signals { max_frame_bytes, max_message_bytes, .. } = *door.settings;
    let upgrade = upgrade
        .read_buffer_size(websocket::READ_BUFFER_BYTES)
        .max_frame_size(max_frame_bytes)
        .max_message_size(max_message_bytes);
    upgrade.on_upgrade(move |socket| async move {
        let _place = place;
        serve(socket, door, pass).await;
    })
}

async fn serve(socket: WebSocket, door: Door, pass: Pass) {
    let settings = door.doorway.settings();
    let (wire, outgoing) = websocket::wire(settings.outbox_length);
    let (frames, inbox) = mpsc::channel(settings.pending_requests);
    let client = Client { wire: wire.clone() };
    let hear = listener(client.clone(), frames);
    let habits = Habits {
        frames_per_second: door.settings.signals_per_second,
        idle: Some(door.settings.idle_timeout),
    };
    let pump = tokio::spawn(websocket::pump(socket, outgoing, habits, hear));
    let shutdown = door.shutdown.clone();
    Connection::new(client, door, pass, inbox).run(shutdown).await;
    if let Err(error) = pump.await {
        warn!(%error, "a connection did not end well");
    }
}

/// Takes frames that wait for their turn; one too many is refused at once.
fn listener(client: Client, frames: mpsc::Sender<String>) -> impl FnMut(&str) + Send {
    move |frame| {
        if let Err(mpsc::error::TrySendError::Full(frame)) = frames.try_send(frame.to_owned()) {
            let Frame { kind, data } = Frame::read(&frame);
            client.refuse(kind, &data, &Refusal::invalid("too many signals wait"));
        }
    }
}

impl Door {
    /// What a visitor's token is good for.
    async fn pass(&self, token: Option<Secret>) -> Result<Pass, StatusCode> {
        if self.settings.auth == Auth::Open {
            return Ok(Pass::Open);
        }
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        // A session is in its room until its heartbeat is missed.
        let grace = self.settings.heartbeat_timeout;
        match self.passes.admit(self.doorway.tokens(), token.reveal(), grace).await {
            Ok(visit) => Ok(Pass::Admitted(visit)),
            Err(TokenError::ForeignRoom(room)) => {
                info!(%room, "the token is for a room of another service");
                Ok(Pass::Nowhere)
            }
            Err(error) => {
                info!(%error, "token refused");
                Err(match error {
                    TokenError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                    TokenError::Malformed(_)
                    | TokenError::Signature
                    | TokenError::Unknown
                    | TokenError::Expired
                    | TokenError::ForeignRoom(_) => StatusCode::UNAUTHORIZED,
                })
            }
        }
    }

    /// Who serves a session's media that asked for an engine. Those of a call serve each other.
    pub(super) fn serving(
        &self,
        asked: Engine,
        room: &RoomId,
        stay: &Stay,
        standing: Standing,
    ) -> Admission {
        if stay.kind == RoomKind::Call {
            return Admission::Native {};
        }
        let (user, publishes) = (&*stay.session.user, standing != Standing::Viewer);
        self.engines.answer(asked, Guest { room, user, publishes }, SystemTime::now())
    }
}
