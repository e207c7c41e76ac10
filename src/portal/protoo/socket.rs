//! The WebSocket side of the door: who connects, frames in, how a connection ends.

use std::sync::Arc;

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
    connection::{Connection, Pass},
    message::Request,
    peers::{Peer, Peers},
    refusal::{Code, Refusal},
    seat::Client,
};
use crate::{
    config::{Auth, Protoo, Secret},
    portal::{
        Doorway,
        token::{MAX_NAME_BYTES, TokenError},
        websocket::{self, FRAMES_PER_SECOND, Farewell, Habits},
    },
};

/// The subprotocol that `protoo-client` insists on; older clients name none.
const SUBPROTOCOL: &str = "protoo";

/// The code after which `protoo-client` does not come back.
const FOR_GOOD: u16 = 4000;

/// Whoever is silent is noticed by its missing requests, so nobody is pinged.
const HABITS: Habits = Habits { frames_per_second: FRAMES_PER_SECOND, idle: None };

/// A newer connection of the same peer is there.
pub(super) const REPLACED: Farewell =
    Farewell { code: FOR_GOOD, reason: "a newer connection takes the place" };
/// An administrator removed the participant.
pub(super) const REMOVED: Farewell = Farewell { code: FOR_GOOD, reason: "removed from the room" };
/// The token does not count, and would not the next time.
pub(super) const NOT_ACCEPTED: Farewell = Farewell { code: FOR_GOOD, reason: "token refused" };
/// Nothing was asked for too long in a room.
pub(super) const SILENT: Farewell = Farewell { code: 4001, reason: "no keepalive" };
/// Nothing was asked for too long in no room.
pub(super) const IDLE: Farewell = Farewell { code: 4001, reason: "in no room for too long" };
/// The client takes in less than it is told (RFC 6455, 7.4.1: policy).
pub(super) const SLOW: Farewell = Farewell { code: 1008, reason: "too slow" };
/// The server ends (RFC 6455, 7.4.1).
pub(super) const SHUTDOWN: Farewell = Farewell { code: 1001, reason: "the server ends" };

/// The door: everything that its connections share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) doorway: Doorway,
    pub(super) settings: Arc<Protoo>,
    pub(super) node: Arc<str>,
    peers: Peers,
    shutdown: watch::Receiver<bool>,
}

/// The URL's query.
#[derive(Deserialize)]
struct Visit {
    #[serde(default)]
    peer: String,
    token: Option<String>,
}

/// `/ws`, where protoo clients connect until `shutdown` turns true.
pub fn router(doorway: Doorway, settings: Protoo, shutdown: watch::Receiver<bool>) -> Router {
    if settings.auth == Auth::Open {
        warn!("[protoo] auth = \"open\": everybody may enter every room as anybody at /ws");
    }
    let node = settings.node.as_str().into();
    let settings = Arc::new(settings);
    let door = Door { doorway, settings, node, peers: Peers::default(), shutdown };
    Router::new().route("/ws", get(connect)).with_state(door)
}

async fn connect(
    State(door): State<Door>,
    Query(visit): Query<Visit>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let peer = visit.peer;
    if !(1..=MAX_NAME_BYTES).contains(&peer.len()) || peer.contains(char::is_control) {
        return (StatusCode::BAD_REQUEST, "name yourself by ?peer=\n").into_response();
    }
    let Some(place) = door.doorway.place() else {
        debug!("connection refused: [portal] max_connections is reached");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let largest = door.doorway.settings().max_message_bytes;
    // Forms write a space as `+`; a base64 token that was not encoded for an URL means the `+`.
    let token = visit.token.map(|token| Secret::from(token.replace(' ', "+")));
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(websocket::READ_BUFFER_BYTES)
        .max_message_size(largest)
        .max_frame_size(largest);
    upgrade.on_upgrade(move |socket| async move {
        let _place = place;
        serve(socket, door, peer.into(), token).await;
    })
}

async fn serve(socket: WebSocket, door: Door, peer: Arc<str>, token: Option<Secret>) {
    let settings = door.doorway.settings();
    let (wire, outgoing) = websocket::wire(settings.outbox_length);
    let (requests, inbox) = mpsc::channel(settings.pending_requests);
    let client = Client { wire: wire.clone() };
    let hear = listener(client.clone(), requests);
    let pump = tokio::spawn(websocket::pump(socket, outgoing, HABITS, hear));

    let pass = door.pass(&peer, token).await;
    let hold = match pass.room() {
        Some(room) => Some(door.peers.take(Peer { room, name: peer.clone() }).await),
        None => None,
    };
    let shutdown = door.shutdown.clone();
    Connection::new(client, door, peer, pass, inbox).run(hold, shutdown).await;
    if let Err(error) = pump.await {
        warn!(%error, "a connection did not end well");
    }
}

/// Takes frames as requests that wait for their turn; one too many is refused at once. What is no
/// request is passed over, as protoo's own server does.
fn listener(client: Client, requests: mpsc::Sender<Request>) -> impl FnMut(&str) + Send {
    move |frame| {
        let Some(request) = Request::read(frame) else {
            return debug!(bytes = frame.len(), "a frame that is no request");
        };
        if let Err(mpsc::error::TrySendError::Full(request)) = requests.try_send(request) {
            client.refuse(&request.id, &Refusal::new(Code::Limit, "too many requests wait"));
        }
    }
}

impl Door {
    /// What a visitor's token is good for. It is used up here, so that nobody can take another's
    /// place without one.
    async fn pass(&self, peer: &Arc<str>, token: Option<Secret>) -> Pass {
        match (self.settings.auth, token) {
            (Auth::Open, _) => Pass::Open,
            (Auth::Token, None) => Pass::Refused("a token is needed".into()),
            (Auth::Token, Some(token)) => match self.doorway.tokens().admit(token.reveal()).await {
                Ok(admission) if admission.user == *peer => Pass::Admitted(admission),
                Ok(admission) => {
                    info!(%peer, user = %admission.user, "the token is another peer's");
                    Pass::Refused("the token is another peer's".into())
                }
                Err(TokenError::ForeignRoom(room)) => {
                    info!(%peer, %room, "the token is for a room of another service");
                    Pass::Nowhere(room)
                }
                Err(error) => {
                    info!(%peer, %error, "token refused");
                    Pass::Refused(error.to_string())
                }
            },
        }
    }
}
