//! A bare socket.io client over a WebSocket: frames as they are, so that tests see the wire.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

/// Longer than anything a healthy server takes, shorter than a test runner's patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which Engine.IO a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineIo {
    /// As socket.io-client 2 and OWT's 4.x SDKs.
    V3,
    /// As socket.io-client 3 and 4 and OWT's 5.x SDKs.
    V4,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Frame {
    /// The answer to a request: `("ok", ...)` or `("error", ...)`.
    Ack {
        /// The number that the request carried.
        id: u64,
        /// The arguments.
        arguments: Vec<Value>,
    },
    /// A notification.
    Event {
        /// Its name.
        name: String,
        /// Its argument, `Null` when there is none.
        data: Value,
    },
    /// The connection is closed.
    Closed,
}

/// A connected client that has not logged in.
pub(crate) struct RawClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_ack: u64,
    early: VecDeque<Frame>,
}

impl RawClient {
    /// Connects and completes the handshake of the given version.
    pub(crate) async fn connect(http_url: &str, version: EngineIo) -> Self {
        let number = if version == EngineIo::V3 { 3 } else { 4 };
        let host = http_url.strip_prefix("http://").expect("a plain URL");
        let url = format!("ws://{host}/socket.io/?EIO={number}&transport=websocket");
        let (socket, _) = tokio_tungstenite::connect_async(url).await.expect("a WebSocket");
        let mut client = Self { socket, last_ack: 0, early: VecDeque::new() };
        let open = client.text().await.expect("an open packet");
        assert!(open.starts_with("0{"), "{open}");
        if version == EngineIo::V4 {
            client.send_raw("40").await;
        }
        let connected = client.packet().await.expect("a connect packet");
        assert!(connected.starts_with("40"), "{connected}");
        client
    }

    /// Sends a frame as it is.
    pub(crate) async fn send_raw(&mut self, frame: &str) {
        // A server that has closed the connection is found by the next read.
        drop(self.socket.send(Message::text(frame)).await);
    }

    /// Sends a request and returns the number that its answer will carry.
    pub(crate) async fn emit(&mut self, name: &str, data: Option<&Value>) -> u64 {
        let id = self.last_ack;
        self.last_ack += 1;
        let arguments = match data {
            Some(data) => serde_json::json!([name, data]),
            None => serde_json::json!([name]),
        };
        self.send_raw(&format!("42{id}{arguments}")).await;
        id
    }

    /// Sends a request and waits for its answer; notifications before it are kept.
    pub(crate) async fn request(&mut self, name: &str, data: Option<&Value>) -> Vec<Value> {
        let wanted = self.emit(name, data).await;
        loop {
            match self.read().await {
                Frame::Ack { id, arguments } if id == wanted => return arguments,
                Frame::Closed => panic!("closed instead of an answer to {name}"),
                other => self.early.push_back(other),
            }
        }
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Frame {
        match self.early.pop_front() {
            Some(frame) => frame,
            None => self.read().await,
        }
    }

    /// The next notification of that name; anything else is a failure.
    pub(crate) async fn expect_event(&mut self, wanted: &str) -> Value {
        match self.next().await {
            Frame::Event { name, data } if name == wanted => data,
            other => panic!("{other:?} instead of {wanted}"),
        }
    }

    /// The next notification of that name; others are kept.
    pub(crate) async fn await_event(&mut self, wanted: &str) -> Value {
        self.await_event_that(wanted, |_| true).await
    }

    /// The next notification of that name that meets a condition; others are kept.
    pub(crate) async fn await_event_that(
        &mut self,
        wanted: &str,
        meets: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut passed = VecDeque::new();
        loop {
            match self.next().await {
                Frame::Event { name, data } if name == wanted && meets(&data) => {
                    passed.append(&mut self.early);
                    self.early = passed;
                    return data;
                }
                Frame::Closed => panic!("closed instead of {wanted}"),
                other => passed.push_back(other),
            }
        }
    }

    async fn read(&mut self) -> Frame {
        loop {
            let Some(text) = self.packet().await else { return Frame::Closed };
            if let Some(frame) = parse(&text) {
                return frame;
            }
        }
    }

    /// The next packet that is not an Engine.IO 4 server's ping, which is answered.
    async fn packet(&mut self) -> Option<String> {
        loop {
            let text = self.text().await?;
            if text != "2" {
                return Some(text);
            }
            self.send_raw("3").await;
        }
    }

    async fn text(&mut self) -> Option<String> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
            match next {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

fn parse(text: &str) -> Option<Frame> {
    match text.get(..2) {
        Some("42") => {
            let mut parts: VecDeque<Value> = serde_json::from_str(&text[2..]).expect("an array");
            let name = parts.pop_front().and_then(|name| name.as_str().map(str::to_owned));
            let data = parts.pop_front().unwrap_or_default();
            assert!(parts.is_empty(), "notifications have one argument: {text}");
            Some(Frame::Event { name: name.expect("a name"), data })
        }
        Some("43") => {
            let start = text.find('[').expect("an array");
            let id = text[2..start].parse().expect("the number of an answer");
            let arguments = serde_json::from_str(&text[start..]).expect("an array");
            Some(Frame::Ack { id, arguments })
        }
        // The namespace or the engine says good-bye.
        Some("41") => Some(Frame::Closed),
        None if text == "1" => Some(Frame::Closed),
        // The pong of an Engine.IO 3 client's ping, noops.
        _ => None,
    }
}
