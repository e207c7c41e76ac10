//! A bare client of the room-signal dialect: frames as they are, so that tests see the wire; and a
//! session in a room, its media by [`MediaPeer`]s.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message},
};

use super::{
    media_peer::{Codec, MediaPeer, Source},
    protoo::query,
    server::TestServer,
};

/// Longer than anything a healthy server takes, shorter than a test runner's patience.
const PATIENCE: Duration = Duration::from_secs(20);

/// The payload types of one sound and one picture in an offer of the server's.
pub(crate) const SOUND: u8 = 96;
pub(crate) const PICTURE: u8 = 97;

/// What the server sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Frame {
    /// One JSON object.
    Message(Value),
    /// The connection is closed, with this code if it was said.
    Closed(Option<u16>),
}

/// Every signal's `s`.
pub(crate) const SIGNALS: [&str; 12] = [
    "JOIN",
    "LEAVE",
    "UPDATE",
    "HEARTBEAT",
    "KICK",
    "PUBLISH_REQUEST",
    "PUBLISH_ACCEPT",
    "PUBLISH_REJECT",
    "OFFER",
    "ANSWER",
    "ICE",
    "WATCH",
];

/// The `action` of a signal by its `s`.
pub(crate) fn action(s: &str) -> &str {
    match s {
        "JOIN" => "join",
        "LEAVE" => "leave",
        "UPDATE" => "updateVideo",
        "HEARTBEAT" => "heartbeat",
        "KICK" => "kick",
        "PUBLISH_REQUEST" => "publishRequest",
        "PUBLISH_ACCEPT" => "publishAccept",
        "PUBLISH_REJECT" => "publishReject",
        "OFFER" => "offer",
        "ANSWER" => "answer",
        "ICE" => "iceCandidate",
        "WATCH" => "watch",
        other => other,
    }
}

/// A connected client.
pub(crate) struct SignalsClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    early: VecDeque<Frame>,
}

impl SignalsClient {
    /// Connects with a fresh token.
    pub(crate) async fn connect(server: &TestServer, room: &str, user: &str) -> Self {
        let token = server.token(room, user, "presenter").await;
        Self::connect_with(server, &token).await.expect("let in")
    }

    /// Connects with a token.
    pub(crate) async fn connect_with(
        server: &TestServer,
        token: &str,
    ) -> Result<Self, tungstenite::Error> {
        Self::connect_by(server, &query("", Some(token))).await
    }

    /// Connects by a query.
    pub(crate) async fn connect_by(
        server: &TestServer,
        query: &str,
    ) -> Result<Self, tungstenite::Error> {
        let url = format!("{}/signals?{query}", server.http_url().replacen("http", "ws", 1));
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket, early: VecDeque::new() })
    }

    /// Sends a frame as it is.
    pub(crate) async fn send_raw(&mut self, frame: &str) {
        // A server that has closed the connection is found by the next read.
        drop(self.socket.send(Message::text(frame)).await);
    }

    /// Sends any WebSocket message.
    pub(crate) async fn send_message(&mut self, message: Message) {
        drop(self.socket.send(message).await);
    }

    /// Sends a signal by its `s`.
    pub(crate) async fn send(&mut self, data: &Value) {
        let action = data["s"].as_str().map_or("", action);
        self.send_raw(&json!({"action": action, "data": data}).to_string()).await;
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Frame {
        match self.early.pop_front() {
            Some(frame) => frame,
            None => self.read().await,
        }
    }

    /// The body of the next message that is an ack of that `s`; what comes before it is kept.
    pub(crate) async fn ack(&mut self, s: &str) -> Value {
        let mut message =
            self.find(|message| message["s"] == s && message["c"] != json!(null)).await;
        assert_eq!(message["c"], 200, "{message}");
        message["b"].take()
    }

    /// The code of the next message that is an error; what comes before it is kept.
    pub(crate) async fn error(&mut self) -> i64 {
        let is_error = |message: &Value| message["c"].as_i64().is_some_and(|code| code != 200);
        self.find(is_error).await["c"].as_i64().expect("a code")
    }

    /// The next message that is a bare signal of that `s`; what comes before it is kept.
    pub(crate) async fn signal(&mut self, s: &str) -> Value {
        self.find(|message| message["s"] == s && message["c"].is_null()).await
    }

    /// The first publisher list to come, or that was passed over, that is as wanted.
    pub(crate) async fn list_that(&mut self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let is_wanted = |message: &Value| {
            message["s"] == "PUBLISH_LIST_CHANGED"
                && message["b"]["pps"].as_array().is_some_and(|list| wanted(list))
        };
        let message = self.find(is_wanted).await;
        message["b"]["pps"].as_array().expect("a list").clone()
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let known = self.early.iter().position(|it| matches!(it, Frame::Message(it) if wanted(it)));
        if let Some(Frame::Message(message)) = known.and_then(|at| self.early.remove(at)) {
            return message;
        }
        loop {
            match self.read().await {
                Frame::Message(message) if wanted(&message) => return message,
                Frame::Closed(code) => panic!("closed ({code:?}); before: {}", self.passed()),
                other => self.early.push_back(other),
            }
        }
    }

    /// What was passed over, in short.
    fn passed(&self) -> String {
        let names = self.early.iter().map(|frame| match frame {
            Frame::Message(message) => format!("{} {}", message["s"], message["c"]),
            Frame::Closed(_) => "closed".into(),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    async fn read(&mut self) -> Frame {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            let next =
                next.unwrap_or_else(|_| panic!("a frame in time; before: {}", self.passed()));
            match next {
                Some(Ok(Message::Text(text))) => {
                    return Frame::Message(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Frame::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Err(_)) | None => return Frame::Closed(None),
                Some(Ok(_)) => {}
            }
        }
    }
}

/// What a session says of itself in each signal.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// The room.
    pub(crate) room: String,
    /// The room's type.
    pub(crate) channel: String,
    /// The `ss`.
    pub(crate) session: Value,
}

impl Head {
    /// A session of the user's own name on the web.
    pub(crate) fn new(room: &str, channel: &str, user: &str, session: &str) -> Self {
        let session = json!({
            "userId": user, "sessionId": session, "category": "stream", "host": "Web",
            "deviceId": format!("{session}-device"),
        });
        Self { room: room.into(), channel: channel.into(), session }
    }

    /// A whole signal.
    pub(crate) fn signal(&self, s: &str, members: &Value) -> Value {
        let mut data = Map::new();
        data.insert("s".into(), s.into());
        data.insert("ch".into(), self.channel.clone().into());
        data.insert("rid".into(), self.room.clone().into());
        data.insert("ss".into(), self.session.clone());
        for (key, value) in members.as_object().expect("members") {
            data.insert(key.clone(), value.clone());
        }
        data.into()
    }

    /// The `to` that means this session.
    pub(crate) fn to(&self) -> Value {
        json!({"userId": self.session["userId"], "sessionId": self.session["sessionId"]})
    }
}

/// A session in a room, by a connection of its own.
pub(crate) struct SignalsGuest {
    /// Its signaling.
    pub(crate) client: SignalsClient,
    /// What it says of itself.
    pub(crate) head: Head,
}

impl SignalsGuest {
    /// Connects with a fresh token and makes a room; yields the ack's body, too.
    pub(crate) async fn found(
        server: &TestServer,
        room: &str,
        channel: &str,
        user: &str,
    ) -> (Self, Value) {
        Self::enter(server, Head::new(room, channel, user, user), true).await
    }

    /// Connects with a fresh token and joins; yields the ack's body, too.
    pub(crate) async fn join(
        server: &TestServer,
        room: &str,
        channel: &str,
        user: &str,
    ) -> (Self, Value) {
        Self::enter(server, Head::new(room, channel, user, user), false).await
    }

    /// Comes in as a certain session.
    pub(crate) async fn enter(server: &TestServer, head: Head, founding: bool) -> (Self, Value) {
        let user = head.session["userId"].as_str().expect("a user");
        let client = SignalsClient::connect(server, &head.room, user).await;
        let mut guest = Self { client, head };
        let joined = guest.rejoin(founding).await;
        (guest, joined)
    }

    /// Sends `JOIN` and waits for its ack.
    pub(crate) async fn rejoin(&mut self, founding: bool) -> Value {
        let mut members = json!({"ve": true, "ae": true, "eg": "native"});
        if founding {
            members["op"] = json!({"roomCreating": true});
        }
        self.send("JOIN", members).await;
        self.client.ack("JOIN").await
    }

    /// Goes on by another connection, as if the first one were lost.
    pub(crate) async fn reconnect(&mut self, server: &TestServer) {
        let user = self.head.session["userId"].as_str().expect("a user");
        self.client = SignalsClient::connect(server, &self.head.room, user).await;
    }

    /// Sends a signal of its own.
    pub(crate) async fn send(&mut self, s: &str, members: Value) {
        self.client.send(&self.head.signal(s, &members)).await;
    }

    /// Sends a signal that must be refused; yields the code.
    pub(crate) async fn refused(&mut self, s: &str, members: Value) -> i64 {
        self.send(s, members).await;
        self.client.error().await
    }

    /// A heartbeat, whose ack comes after everything that was caused before it.
    pub(crate) async fn heartbeat(&mut self) -> Value {
        self.send("HEARTBEAT", json!({"bid": "beat", "send_ack": true})).await;
        self.client.ack("HEARTBEAT").await
    }

    /// Has the uplink up, with sources of the given codecs.
    pub(crate) async fn publish(&mut self, codecs: &[Codec]) -> (MediaPeer, Vec<Source>) {
        self.publish_with(json!({}), codecs).await
    }

    /// The same with options.
    pub(crate) async fn publish_with(
        &mut self,
        options: Value,
        codecs: &[Codec],
    ) -> (MediaPeer, Vec<Source>) {
        let mut peer = MediaPeer::builder().codecs(codecs).build().await;
        let mut sources = Vec::new();
        for codec in codecs {
            sources.push(peer.add_source(*codec).await);
        }
        let sdp = peer.offer().await;
        self.send("OFFER", json!({"sdp": sdp, "op": options})).await;
        let answer = self.client.ack("OFFER").await;
        let sdp = answer["sdp"].as_str().expect("an SDP");
        assert!(sdp.contains("a=candidate:") && sdp.contains("a=end-of-candidates"), "{sdp}");
        peer.accept(sdp).await;
        peer.connected().await;
        (peer, sources)
    }

    /// Answers an offer for a publisher's stream.
    pub(crate) async fn receive(&mut self, target: &str, sdp: &str, codecs: &[Codec]) -> MediaPeer {
        let mut peer = MediaPeer::builder().codecs(codecs).build().await;
        let answer = peer.answer(sdp).await;
        let to = json!({"userId": "whoever", "sessionId": target});
        self.send("ANSWER", json!({"to": to, "sdp": answer})).await;
        peer.connected().await;
        peer
    }

    /// Watches a publisher's stream.
    pub(crate) async fn watch(&mut self, target: &str, codecs: &[Codec]) -> MediaPeer {
        let to = json!({"userId": "whoever", "sessionId": target});
        self.send("WATCH", json!({"to": to})).await;
        let watched = self.client.ack("WATCH").await;
        let [entry] = &watched["pps"].as_array().expect("a list")[..] else {
            panic!("one publisher: {watched}")
        };
        assert_eq!(entry["id"], target);
        let sdp = entry["sdp"].as_str().expect("an SDP").to_owned();
        self.receive(target, &sdp, codecs).await
    }
}
