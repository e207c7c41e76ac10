//! Transcripts of the `signals` door.
//!
//! `connects ROOM:USER:ROLE TYPE SESSION` is with a fresh token, as a session of that room type.
//! A request is the `s` of a signal with its own members; what every signal has is added, unless
//! the line says it itself. The words that come back are the `s` of acks with their bodies,
//! `signal` with a bare one, and `error` with the code: that it repeats the signal, and that its
//! `s` is right, is checked here.

use serde_json::{Value, json};

use crate::support::{
    server::TestServer,
    signals::{Frame, Head, SIGNALS, SignalsClient, action},
    transcript::{self, Client, Heard},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts() {
    transcript::run_all::<Signals>("signals/transcripts").await;
}

struct Signals {
    client: SignalsClient,
    head: Head,
    /// The signal that an error must repeat, and the error's `s`.
    last: (Value, String),
}

/// The `s` of the errors of an action; empty if there is no such action.
fn error_name(known: &str) -> &'static str {
    match SIGNALS.into_iter().find(|s| action(s) == known) {
        Some("LEAVE") => "leave",
        Some(name) => name,
        None => "",
    }
}

impl Client for Signals {
    async fn connect(server: &TestServer, how: &str) -> Self {
        let words: Vec<_> = how.split([':', ' ']).collect();
        let [room, user, role, channel, session] = words[..] else { panic!("{how}: how?") };
        let token = server.token(room, user, role).await;
        let client = SignalsClient::connect_with(server, &token).await.expect("let in");
        let head = Head::new(room, channel, user, session);
        Self { client, head, last: Default::default() }
    }

    async fn ask(&mut self, name: &str, data: Option<&Value>) {
        let signal = self.head.signal(name, data.unwrap_or(&json!({})));
        self.last = (signal.clone(), error_name(action(name)).into());
        self.client.send(&signal).await;
    }

    async fn send_raw(&mut self, frame: &str) {
        let frame_read = serde_json::from_str::<Value>(frame).unwrap_or_default();
        let error = frame_read["action"].as_str().map_or("", error_name);
        self.last = (frame_read["data"].clone(), error.into());
        self.client.send_raw(frame).await;
    }

    async fn publish(&mut self) -> String {
        panic!("transcripts are about signaling alone")
    }

    async fn hear(&mut self) -> Heard {
        let mut message = match self.client.next().await {
            Frame::Message(message) => message,
            Frame::Closed(code) => return Heard { word: "closed".into(), data: json!(code) },
        };
        match message["c"].as_i64() {
            None => Heard { word: "signal".into(), data: message },
            Some(200) => {
                let word = message["s"].as_str().expect("a name").to_owned();
                Heard { word, data: message["b"].take() }
            }
            Some(_) => {
                let (req, s) = &self.last;
                assert_eq!(message["s"], s.as_str(), "{message}");
                assert_eq!(message["b"]["req"], *req, "{message}");
                let text = message["b"]["msg"].as_str().expect("a text");
                assert!(!text.is_empty(), "{message}");
                Heard { word: "error".into(), data: message["c"].take() }
            }
        }
    }
}
