//! Transcripts of the `protoo` door.
//!
//! `connects ROOM:USER:ROLE` is with a fresh token, `connects QUERY` by that query. Beside `ok` and
//! `error` (with the code alone) the words are the methods of notifications. An answer to a raw
//! frame is `frame` with all that came. `closed` has the code.

use serde_json::{Value, json};

use crate::support::{
    media_peer::{Codec, MediaPeer},
    protoo::{Frame, ProtooClient, query},
    server::TestServer,
    transcript::{self, Client, Heard},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts() {
    transcript::run_all::<Protoo>("protoo/transcripts").await;
}

struct Protoo {
    client: ProtooClient,
    last_request: Option<u64>,
    /// The room that was asked for last.
    rid: String,
    published: Vec<MediaPeer>,
}

impl Client for Protoo {
    async fn connect(server: &TestServer, how: &str) -> Self {
        let query = match how.split(':').collect::<Vec<_>>()[..] {
            [room, user, role] => query(user, Some(&server.token(room, user, role).await)),
            _ => how.to_owned(),
        };
        let client = ProtooClient::connect_by(server, &query, Some("protoo")).await;
        let client = client.expect("let in");
        Self { client, last_request: None, rid: String::new(), published: Vec::new() }
    }

    async fn ask(&mut self, name: &str, data: Option<&Value>) {
        if let Some(rid) = data.and_then(|data| data["rid"].as_str()) {
            rid.clone_into(&mut self.rid);
        }
        self.last_request = Some(self.client.emit(name, data).await);
    }

    async fn send_raw(&mut self, frame: &str) {
        self.last_request = None;
        self.client.send_raw(frame).await;
    }

    async fn publish(&mut self) -> String {
        let published = self.client.publish(&self.rid, &[Codec::OPUS, Codec::VP8]).await;
        let (mid, peer, _silent) = published;
        self.published.push(peer);
        mid
    }

    async fn hear(&mut self) -> Heard {
        let mut message = match self.client.next().await {
            Frame::Message(message) => message,
            Frame::Closed(code) => return Heard { word: "closed".into(), data: json!(code) },
        };
        if let Some(method) = message["method"].as_str().map(str::to_owned) {
            assert_eq!(message["notification"], true, "{message}");
            return Heard { word: method, data: message["data"].take() };
        }
        assert_eq!(message["response"], true, "{message}");
        let answers_last = self.last_request.is_some_and(|id| message["id"] == id);
        let (word, data) = match (answers_last, message["ok"] == true) {
            (false, _) => ("frame", message),
            (true, true) => ("ok", message["data"].take()),
            (true, false) => {
                assert!(message["errorReason"].is_string(), "{message}");
                ("error", message["errorCode"].take())
            }
        };
        Heard { word: word.into(), data }
    }
}
