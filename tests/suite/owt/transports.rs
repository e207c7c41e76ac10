//! Protocol 1.2: one peer connection that carries many sessions and is negotiated again for each.

use serde_json::{Value, json};

use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Mark, MediaPeer, Pace},
    server::TestServer,
    socketio::{EngineIo, RawClient},
};

/// A client of protocol 1.2 with its one peer connection.
pub(super) struct Multiplexer {
    pub(super) client: RawClient,
    pub(super) peer: MediaPeer,
    transport: Option<String>,
}

impl Multiplexer {
    pub(super) async fn join(server: &TestServer) -> Self {
        let token = server.token("lobby", "mia", "presenter").await;
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let login = json!({
            "token": token,
            "userAgent": {"sdk": {"type": "JavaScript", "version": "5.0"}},
            "protocol": "1.2",
        });
        client.granted("login", &login).await;
        let peer = MediaPeer::builder().codecs(&[Codec::OPUS, Codec::VP8]).build().await;
        Self { client, peer, transport: None }
    }

    /// Opens a session and offers what the peer has by now; yields the session.
    pub(super) async fn open(&mut self, name: &str, tracks: Value) -> String {
        let mut transport = json!({"type": "webrtc"});
        if let Some(id) = &self.transport {
            transport["id"] = id.as_str().into();
        }
        let request = json!({"media": {"tracks": tracks}, "transport": transport});
        let opened = self.client.granted(name, &request).await;
        let session = opened["id"].as_str().expect("a session").to_owned();
        let carrier = opened["transportId"].as_str().expect("a transport").to_owned();
        let is_first = self.transport.is_none();
        let known = self.transport.get_or_insert_with(|| session.clone());
        assert_eq!(*known, carrier);
        self.negotiate().await;
        if is_first {
            self.peer.connected().await;
            let up = self.client.expect_event("progress").await;
            assert_eq!(up, json!({"id": carrier, "status": "ready"}));
        }
        let ready = self.client.expect_event("progress").await;
        assert_eq!(ready, json!({"id": carrier, "sessionId": session, "status": "ready"}));
        session
    }

    /// Asks for a stream's picture in an m-line, if it matters in which; yields the session.
    async fn ask_for(&mut self, stream: &Session, mid: Option<&str>) -> String {
        let mut track = json!({"type": "video", "from": stream.id});
        let mut transport = json!({"type": "webrtc"});
        if let Some(mid) = mid {
            track["mid"] = mid.into();
        }
        if let Some(id) = &self.transport {
            transport["id"] = id.as_str().into();
        }
        let request = json!({"media": {"tracks": [track]}, "transport": transport});
        let opened = self.client.granted("subscribe", &request).await;
        opened["id"].as_str().expect("a session").to_owned()
    }

    /// Offers, whatever else is told meanwhile; yields the answer.
    async fn answered(&mut self) -> String {
        let carrier = self.transport.clone().expect("a transport");
        let offer = json!({"type": "offer", "sdp": self.peer.offer().await});
        self.client.granted("soac", &json!({"id": carrier, "signaling": offer})).await;
        let is_answer = |progress: &Value| progress["status"] == "soac";
        let answer = self.client.skip_to_event("progress", is_answer).await;
        let answer = answer["data"]["sdp"].as_str().expect("an answer").to_owned();
        self.peer.accept(&answer).await;
        answer
    }

    async fn negotiate(&mut self) {
        let carrier = self.transport.clone().expect("a transport");
        let offer = json!({"type": "offer", "sdp": self.peer.offer().await});
        self.client.granted("soac", &json!({"id": carrier, "signaling": offer})).await;
        let answer = self.client.expect_event("progress").await;
        assert_eq!((&answer["id"], &answer["status"]), (&json!(carrier), &json!("soac")));
        self.peer.accept(answer["data"]["sdp"].as_str().expect("an answer")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_come_and_go_on_one_peer_connection() {
    let server = TestServer::start().await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let (camera, mut sources) = bob.publish(&[Codec::VP8]).await;
    bob.client.expect_event("stream").await;
    let bobs_video = sources.pop().expect("video").run(Pace::VIDEO);
    bob.client.expect_event("stream").await;
    let mut mia = Multiplexer::join(&server).await;
    bob.client.expect_event("participant").await;

    // A microphone.
    let microphone = mia.peer.add_source(Codec::OPUS).await;
    let sound = mia.open("publish", json!([{"type": "audio", "mid": "0", "source": "mic"}])).await;
    let microphone = microphone.run(Pace::AUDIO);
    assert_eq!(mia.client.expect_event("stream").await["id"], sound.as_str());
    assert_eq!(bob.client.expect_event("stream").await["id"], sound.as_str());

    // Then a screen, on the same connection.
    let screen = mia.peer.add_source(Codec::VP8).await;
    let tracks = json!([{"type": "video", "mid": "1", "source": "screen-cast"}]);
    let picture = mia.open("publish", tracks).await;
    let screen = screen.run(Pace::VIDEO);
    let added = mia.client.expect_event("stream").await;
    assert_eq!((&added["id"], &added["status"]), (&json!(picture), &json!("add")));
    assert_eq!(bob.client.expect_event("stream").await["id"], picture.as_str());
    let measured = mia.client.expect_event("stream").await;
    assert_eq!((&measured["id"], &measured["status"]), (&json!(picture), &json!("update")));
    bob.client.expect_event("stream").await;

    // Then bob's camera, by the name of its track.
    mia.peer.add_receiver(Codec::VP8.kind()).await;
    let from = format!("{}:video", camera.id);
    let tracks = json!([{"type": "video", "mid": "2", "from": from}]);
    let seen = mia.open("subscribe", tracks).await;
    let first = mia.peer.packet_that(|packet| Mark::of(&packet.payload)).await;
    assert!(first.key, "{first:?}");

    // Both of hers arrive at bob's, each on a connection of its own.
    for (stream, codec, kind) in [(&sound, Codec::OPUS, "audio"), (&picture, Codec::VP8, "video")] {
        let mut peer = MediaPeer::builder().codecs(&[codec]).build().await;
        peer.add_receiver(codec.kind()).await;
        let mut media = json!({"audio": false, "video": false});
        media[kind] = json!({"from": stream});
        let mut session = bob.subscribe(media, peer).await;
        session.peer.packet_that(|packet| Mark::of(&packet.payload)).await;
    }

    // The screen goes; the rest goes on, also over another offer that still has its m-line.
    mia.client.granted("unpublish", &json!({"id": picture})).await;
    let removed = json!({"id": picture, "status": "remove"});
    assert_eq!(mia.client.expect_event("stream").await, removed);
    mia.negotiate().await;
    while mia.peer.packets.try_recv().is_ok() {}
    mia.peer.packet_that(|packet| Mark::of(&packet.payload)).await;
    mia.client.granted("unsubscribe", &json!({"id": seen})).await;
    for running in [bobs_video, microphone, screen] {
        running.stop().await;
    }
}

/// What an answer sends in the m-line of a name.
fn ssrc_at(answer: &str, mid: &str) -> u32 {
    let named = format!("a=mid:{mid}\r");
    let section = answer.split("\nm=").find(|section| section.contains(&named));
    let after = section.and_then(|section| section.split_once("a=ssrc:")).map(|(_, after)| after);
    let number = after.and_then(|after| after.split_once(' ')).expect("something is sent").0;
    number.parse().expect("a number")
}

/// Two pictures are asked for, then offered at once and in the other order: each arrives in the m-line
/// that was named for it, and what has ended leaves its m-line to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracks_arrive_where_their_mids_say() {
    let server = TestServer::start().await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let mut mia = Multiplexer::join(&server).await;
    let (early, mut sources) = bob.publish(&[Codec::VP8]).await;
    let early_video = sources.pop().expect("video").run(Pace::VIDEO);
    let (late, mut sources) = bob.publish(&[Codec::VP8]).await;

    for _ in 0..2 {
        mia.peer.add_receiver(Codec::VP8.kind()).await;
    }
    let first = mia.ask_for(&early, Some("1")).await;
    mia.transport = Some(first);
    let second = mia.ask_for(&late, Some("0")).await;
    let answer = mia.answered().await;
    mia.peer.connected().await;
    // Only the early one sends yet.
    let heard = mia.peer.packet_that(|packet| Mark::of(&packet.payload).map(|_| packet.ssrc));
    assert_eq!(heard.await, ssrc_at(&answer, "1"));
    let late_video = sources.pop().expect("video").run(Pace::VIDEO);
    let ssrc = ssrc_at(&answer, "0");
    mia.peer.packet_that(|packet| (packet.ssrc == ssrc).then_some(())).await;

    // What ended leaves its m-line to nobody, unless it is named.
    mia.client.granted("unsubscribe", &json!({"id": second})).await;
    mia.peer.add_receiver(Codec::VP8.kind()).await;
    for (mid, expected) in [(None, "2"), (Some("0"), "0")] {
        mia.ask_for(&late, mid).await;
        let ssrc = ssrc_at(&mia.answered().await, expected);
        mia.peer.packet_that(|packet| (packet.ssrc == ssrc).then_some(())).await;
    }
    early_video.stop().await;
    late_video.stop().await;
}
