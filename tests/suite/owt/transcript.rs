//! Transcripts of the `owt` door. `connects` is by Engine.IO 4, `connects by 3` by 3.

use serde_json::Value;

use crate::support::{
    guest::Session,
    media_peer::Codec,
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
    transcript::{self, Client, Heard},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts() {
    transcript::run_all::<Owt>("owt/transcripts").await;
}

struct Owt {
    client: RawClient,
    last_request: Option<u64>,
    published: Vec<Session>,
}

impl Client for Owt {
    async fn connect(server: &TestServer, how: &str) -> Self {
        let version = match how {
            "" => EngineIo::V4,
            "by 3" => EngineIo::V3,
            _ => panic!("how to connect {how}?"),
        };
        let client = RawClient::connect(&server.http_url(), version).await;
        Self { client, last_request: None, published: Vec::new() }
    }

    async fn ask(&mut self, name: &str, data: Option<&Value>) {
        self.last_request = Some(self.client.emit(name, data).await);
    }

    async fn send_raw(&mut self, frame: &str) {
        self.client.send_raw(frame).await;
    }

    async fn publish(&mut self) -> String {
        let (session, _silent) = self.client.publish(&[Codec::OPUS, Codec::VP8]).await;
        let id = session.id.clone();
        self.published.push(session);
        id
    }

    async fn hear(&mut self) -> Heard {
        let (word, data) = match self.client.next().await {
            Frame::Ack { id, arguments } => {
                assert_eq!(Some(id), self.last_request, "the answer to another request");
                let mut arguments = arguments.into_iter();
                let word = arguments.next().unwrap_or_default();
                let data = arguments.next().unwrap_or_default();
                assert_eq!(arguments.next(), None, "an answer has one argument");
                (word.as_str().expect("a word").to_owned(), data)
            }
            Frame::Event { name, data } => (name, data),
            Frame::Closed => ("closed".to_owned(), Value::Null),
        };
        Heard { word, data }
    }
}
