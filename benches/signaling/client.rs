//! A socket.io 4 client that spends as little as possible: frames are texts, put together and
//! taken apart by hand.

use std::{net::SocketAddr, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::support::Result;

/// Longer than an answer takes while thousands of others connect.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server says that matters to a load.
#[derive(Debug)]
pub(super) enum Frame {
    /// The answer to a request: its number, and whether it begins with "ok".
    Ack { number: u64, ok: bool, text: String },
    /// A notification, or another frame that wants nothing.
    Other,
}

/// A client in the main namespace.
pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

impl Client {
    /// Connects with Engine.IO 4 over a WebSocket from the start.
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = client_async(url, stream).await?;
        let mut client = Self { socket, next: 0 };
        let open = client.text().await?;
        if !open.starts_with("0{") {
            return Err(format!("no open packet: {open}").into());
        }
        client.socket.send(Message::text("40")).await?;
        loop {
            let text = client.text().await?;
            match text.get(..2) {
                Some("40") => return Ok(client),
                // A server may ping at once.
                None if text == "2" => client.socket.send(Message::text("3")).await?,
                _ => return Err(format!("not connected: {text}").into()),
            }
        }
    }

    /// Logs in at an owt door; the participant's id.
    pub(super) async fn log_in(&mut self, token: &str) -> Result<String> {
        let login = json!(["login", {
            "token": token,
            "userAgent": {"sdk": {"type": "JavaScript", "version": "5.0"}},
            "protocol": "1.1",
        }]);
        let wanted = self.queue(&login.to_string()).await?;
        self.socket.flush().await?;
        loop {
            if let Frame::Ack { number, ok, text } = self.frame().await?
                && number == wanted
            {
                let arguments: Value = serde_json::from_str(&text)?;
                let id = arguments.pointer("/1/id").and_then(Value::as_str);
                return match id {
                    Some(id) if ok => Ok(id.to_owned()),
                    _ => Err(format!("login refused: {text}").into()),
                };
            }
        }
    }

    /// Puts a request (an array with the event's name) into the outgoing buffer; its number.
    pub(super) async fn queue(&mut self, request: &str) -> Result<u64> {
        let number = self.next;
        self.next += 1;
        self.socket.feed(Message::text(format!("42{number}{request}"))).await?;
        Ok(number)
    }

    /// The next frame. What was queued leaves before waiting, so that requests that follow answers
    /// read at once share a system call.
    pub(super) async fn frame(&mut self) -> Result<Frame> {
        let text = self.text().await?;
        if text == "2" {
            self.socket.send(Message::text("3")).await?;
            return Ok(Frame::Other);
        }
        let Some(ack) = text.strip_prefix("43") else { return Ok(Frame::Other) };
        let start = ack.find('[').ok_or("an answer without arguments")?;
        let (number, arguments) = ack.split_at(start);
        Ok(Frame::Ack {
            number: number.parse()?,
            ok: arguments.starts_with("[\"ok\""),
            text: arguments.to_owned(),
        })
    }

    async fn text(&mut self) -> Result<String> {
        loop {
            let next = match self.socket.next().now_or_never() {
                Some(next) => next,
                None => {
                    self.socket.flush().await?;
                    timeout(PATIENCE, self.socket.next()).await.map_err(|_| "no answer")?
                }
            };
            match next {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_))) | None => return Err("the server closed".into()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}
