//! One of every message that the server sends through the `owt` door, as a client of each version of
//! the protocol hears it from a running server.

use portico::room::Order;
use serde_json::{Value, json};

use super::{
    guest::Guest,
    media_peer::{Codec, MediaPeer, Pace, receiver},
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
};

/// The versions.
pub(crate) const PROTOCOLS: [&str; 3] = ["1.0", "1.1", "1.2"];

/// A message of the server.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The version of the client that heard it.
    pub(crate) protocol: &'static str,
    /// A request's name, if it is the answer; a notification's otherwise.
    pub(crate) name: String,
    /// `ok` or `error` of an answer.
    pub(crate) status: Option<String>,
    /// What came with it; of an answer nothing may.
    pub(crate) data: Option<Value>,
}

struct Watcher {
    protocol: &'static str,
    client: RawClient,
    id: String,
    samples: Vec<Sample>,
}

impl Watcher {
    async fn join(server: &TestServer, protocol: &'static str) -> Self {
        let token = server.token("lobby", &format!("watcher {protocol}"), "presenter").await;
        let client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let mut watcher = Self { protocol, client, id: String::new(), samples: Vec::new() };
        let login = json!({
            "token": token,
            "userAgent": {"sdk": {"type": "JavaScript", "version": "5.0"}},
            "protocol": protocol,
        });
        let joined = watcher.ask("login", login).await;
        watcher.id = joined["id"].as_str().expect("an id").to_owned();
        watcher
    }

    /// Asks and notes the answer; yields its data.
    async fn ask(&mut self, name: &str, data: Value) -> Value {
        let data = (!data.is_null()).then_some(data);
        let mut answer = self.client.request(name, data.as_ref()).await.into_iter();
        let status = answer.next().and_then(|status| status.as_str().map(str::to_owned));
        let data = answer.next();
        let told = data.clone().unwrap_or_default();
        let (protocol, name) = (self.protocol, name.to_owned());
        self.samples.push(Sample { protocol, name, status, data });
        told
    }

    /// Notes what is told, until something.
    async fn hear(&mut self, last: &str, meets: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Frame::Event { name, data } = self.client.next().await else {
                panic!("{}: no {last}", self.protocol);
            };
            let found = name == last && meets(&data);
            let (protocol, status) = (self.protocol, None);
            self.samples.push(Sample { protocol, name, status, data: Some(data.clone()) });
            if found {
                return data;
            }
        }
    }

    /// Subscribes to sound and picture of a stream; yields the session, which is up.
    async fn subscribe(&mut self, stream: &str) -> (String, MediaPeer) {
        let mut peer = receiver(&[Codec::OPUS, Codec::VP8]).await;
        let request = match self.protocol {
            "1.2" => json!({
                "media": {"tracks": [
                    {"type": "audio", "mid": "0", "from": format!("{stream}:audio")},
                    {"type": "video", "mid": "1", "from": stream},
                ]},
                "transport": {"type": "webrtc"},
            }),
            _ => json!({"media": {"audio": {"from": stream}, "video": {"from": stream}}}),
        };
        let opened = self.ask("subscribe", request).await;
        let id = opened["id"].as_str().expect("a session").to_owned();
        let offer = json!({"type": "offer", "sdp": peer.offer().await});
        self.ask("soac", json!({"id": id, "signaling": offer})).await;
        let answer = self.hear("progress", |progress| progress["status"] == "soac").await;
        peer.accept(answer["data"]["sdp"].as_str().expect("an SDP")).await;
        peer.connected().await;
        let of_session = self.protocol == "1.2";
        self.hear("progress", |progress| {
            progress["status"] == "ready" && (!of_session || progress["sessionId"] == id)
        })
        .await;
        (id, peer)
    }
}

/// Everything that clients of all versions hear in a room where everything happens.
pub(crate) async fn all() -> Vec<Sample> {
    let server = TestServer::start().await;
    let mut watchers = Vec::new();
    for protocol in PROTOCOLS {
        watchers.push(Watcher::join(&server, protocol).await);
    }
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (camera, mut sources) = ann.publish(&[Codec::OPUS, Codec::VP8]).await;
    let picture = sources.pop().expect("video").run(Pace::VIDEO);
    ann.client.skip_to_event("stream", |told| told["data"]["field"] == ".").await;
    for operation in ["mix", "pause", "play"] {
        let data = if operation == "mix" { "common" } else { "av" };
        let control = json!({"id": camera.id, "operation": operation, "data": data});
        ann.client.granted("stream-control", &control).await;
    }
    let attributed = json!({
        "media": {"audio": {"source": "encoded-file"}, "video": false},
        "attributes": {"name": "a record"},
    });
    let mut peer = MediaPeer::builder().codecs(&[Codec::OPUS]).build().await;
    let _record = peer.add_source(Codec::OPUS).await;
    let record = ann.client.negotiate("publish", &attributed, peer).await;
    let to_all = json!({"to": "all", "message": "hello"});
    ann.client.granted("text", &to_all).await;

    let mut sessions = Vec::new();
    for watcher in &mut watchers {
        watcher.hear("text", |_| true).await;
        let (session, peer) = watcher.subscribe(&camera.id).await;
        let control = json!({"id": session, "operation": "pause", "data": "av"});
        watcher.ask("subscription-control", control).await;
        sessions.push(peer);
        let place = json!({"id": camera.id, "operation": "get-region", "data": "common"});
        for (name, data) in [
            ("refreshReconnectionTicket", Value::Null),
            ("text", json!({"to": watcher.id, "message": "to myself"})),
            ("stream-control", place.clone()),
            ("publish", json!({})),
            ("nonsense", Value::Null),
            ("soac", json!({"id": "nowhere", "signaling": {"type": "answer", "sdp": ""}})),
        ] {
            watcher.ask(name, data).await;
        }
        // Whoever comes later finds all of it in the answer to its login.
        let mut late = Watcher::join(&server, watcher.protocol).await;
        late.ask("logout", Value::Null).await;
        watcher.samples.append(&mut late.samples);
    }
    let place = json!({"id": camera.id, "operation": "get-region", "data": "common"});
    ann.client.granted("stream-control", &place).await;
    for session in [&camera.id, &record.id] {
        ann.client.granted("unpublish", &json!({"id": session})).await;
    }
    ann.client.granted("logout", &Value::Null).await;

    let room = server.server().registry().running(&"lobby".parse().expect("an id"));
    let room = room.expect("it runs");
    let mut samples = Vec::new();
    for mut watcher in watchers {
        let leave = json!({"action": "leave", "data": ann.id});
        watcher.hear("participant", |told| *told == leave).await;
        let participant = watcher.id.parse().expect("an id");
        let dropped = room.manage(Order::DropParticipant { participant }).await;
        assert!(matches!(dropped, Some(Ok(_))), "{dropped:?}");
        watcher.hear("drop", |_| true).await;
        samples.append(&mut watcher.samples);
    }
    picture.stop().await;
    samples
}
