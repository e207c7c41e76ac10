//! A bare protoo client: frames as they are, so that tests see the wire; and a participant that
//! came in through that door, its media by a [`MediaPeer`].

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{
    media_peer::{Codec, MediaPeer, Source},
    server::TestServer,
};

/// Longer than anything a healthy server takes, shorter than a test runner's patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the server sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Frame {
    /// One JSON object.
    Message(Value),
    /// The connection is closed, with this code if it was said.
    Closed(Option<u16>),
}

/// A connected client that has not joined.
pub(crate) struct ProtooClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    early: VecDeque<Frame>,
}

impl ProtooClient {
    /// Connects as a peer with a fresh token, as `protoo-client` does.
    pub(crate) async fn connect(server: &TestServer, room: &str, peer: &str) -> Self {
        let token = server.token(room, peer, "presenter").await;
        Self::connect_by(server, &query(peer, Some(&token)), Some("protoo")).await.expect("let in")
    }

    /// Connects by a query, offering a subprotocol or none.
    pub(crate) async fn connect_by(
        server: &TestServer,
        query: &str,
        subprotocol: Option<&'static str>,
    ) -> Result<Self, tungstenite::Error> {
        let url = format!("{}/ws?{query}", server.http_url().replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a URL");
        if let Some(name) = subprotocol {
            let header = HeaderValue::from_static(name);
            request.headers_mut().insert("Sec-WebSocket-Protocol", header);
        }
        let (socket, response) = tokio_tungstenite::connect_async(request).await?;
        let selected = response.headers().get("Sec-WebSocket-Protocol");
        assert_eq!(selected.and_then(|name| name.to_str().ok()), subprotocol, "as it is offered");
        Ok(Self { socket, last_id: 0, early: VecDeque::new() })
    }

    /// Sends a frame as it is.
    pub(crate) async fn send_raw(&mut self, frame: &str) {
        // A server that has closed the connection is found by the next read.
        drop(self.socket.send(Message::text(frame)).await);
    }

    /// Sends a request and returns the number that its answer will carry.
    pub(crate) async fn emit(&mut self, method: &str, data: Option<&Value>) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let frame = match data {
            Some(data) => json!({"request": true, "id": id, "method": method, "data": data}),
            None => json!({"request": true, "id": id, "method": method}),
        };
        self.send_raw(&frame.to_string()).await;
        id
    }

    /// Sends a request and waits for its answer; what comes before it is kept.
    pub(crate) async fn request(&mut self, method: &str, data: &Value) -> Value {
        let id = self.emit(method, Some(data)).await;
        loop {
            match self.read().await {
                Frame::Message(answer) if answer["response"] == true && answer["id"] == id => {
                    return answer;
                }
                Frame::Closed(code) => panic!("closed ({code:?}) instead of an answer to {method}"),
                other => self.early.push_back(other),
            }
        }
    }

    /// Sends a request that must be granted; yields the answer's data.
    pub(crate) async fn granted(&mut self, method: &str, data: &Value) -> Value {
        let mut answer = self.request(method, data).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["data"].take()
    }

    /// Sends a request that must be refused; yields the error's code and reason.
    pub(crate) async fn refused(&mut self, method: &str, data: &Value) -> (i64, String) {
        let answer = self.request(method, data).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        let reason = answer["errorReason"].as_str().expect("a reason").to_owned();
        (answer["errorCode"].as_i64().expect("a code"), reason)
    }

    /// Publishes as [`ProtooGuest::publish`] does, in the room where the client is.
    pub(crate) async fn publish(
        &mut self,
        rid: &str,
        codecs: &[Codec],
    ) -> (String, MediaPeer, Vec<Source>) {
        let mut peer = MediaPeer::builder().codecs(codecs).build().await;
        let mut sources = Vec::new();
        for codec in codecs {
            sources.push(peer.add_source(*codec).await);
        }
        let has = |kind: &str| codecs.iter().any(|codec| codec.mime_type.starts_with(kind));
        let minfo = json!({"audio": has("audio"), "video": has("video")});
        let jsep = json!({"type": "offer", "sdp": peer.offer().await});
        let request = json!({"rid": rid, "jsep": jsep, "minfo": minfo});
        let published = self.granted("publish", &request).await;
        let mid = connect(&mut peer, &published, "mid").await;
        (mid, peer, sources)
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Frame {
        match self.early.pop_front() {
            Some(frame) => frame,
            None => self.read().await,
        }
    }

    /// The data of the next notification, which must have that name.
    pub(crate) async fn told(&mut self, method: &str) -> Value {
        match self.next().await {
            Frame::Message(mut message) if message["notification"] == true => {
                assert_eq!(message["method"], method, "{message}");
                message["data"].take()
            }
            other => panic!("{other:?} instead of {method}"),
        }
    }

    async fn read(&mut self) -> Frame {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
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

/// The query of a URL.
pub(crate) fn query(peer: &str, token: Option<&str>) -> String {
    let encoded = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        });
        bytes.collect::<String>()
    };
    let token = token.map(|token| format!("&token={}", encoded(token)));
    format!("peer={}{}", encoded(peer), token.unwrap_or_default())
}

/// A participant in a room.
pub(crate) struct ProtooGuest {
    /// Its signaling.
    pub(crate) client: ProtooClient,
    rid: String,
}

impl ProtooGuest {
    /// Connects with a fresh token and joins; yields what it found as well.
    pub(crate) async fn join(server: &TestServer, room: &str, peer: &str) -> (Self, Value) {
        let mut client = ProtooClient::connect(server, room, peer).await;
        let found = client.granted("join", &json!({"rid": room})).await;
        (Self { client, rid: room.to_owned() }, found)
    }

    /// Publishes sources of the given codecs; yields the stream's `mid`.
    pub(crate) async fn publish(&mut self, codecs: &[Codec]) -> (String, MediaPeer, Vec<Source>) {
        self.client.publish(&self.rid, codecs).await
    }

    /// Subscribes with a peer that is ready to offer; yields the subscription's `sid`.
    pub(crate) async fn subscribe(&mut self, mid: &str, peer: &mut MediaPeer) -> String {
        let jsep = json!({"type": "offer", "sdp": peer.offer().await});
        let request = json!({"rid": self.rid, "mid": mid, "jsep": jsep});
        let subscribed = self.client.granted("subscribe", &request).await;
        connect(peer, &subscribed, "sid").await
    }
}

async fn connect(peer: &mut MediaPeer, answer: &Value, id: &str) -> String {
    assert_eq!(answer["jsep"]["type"], "answer");
    let sdp = answer["jsep"]["sdp"].as_str().expect("an SDP");
    assert!(sdp.contains("a=candidate:") && sdp.contains("a=end-of-candidates"), "complete: {sdp}");
    peer.accept(sdp).await;
    peer.connected().await;
    answer[id].as_str().expect("a name").to_owned()
}
