//! Changes of a subscription that is up: the peer notices nothing but other pictures.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Mark, MediaPeer, Pace, Received, Running},
    server::TestServer,
};

/// Many times the time between two packets of a running camera.
const SILENCE: Duration = Duration::from_millis(500);

/// Ann publishes two cameras; bob sees the first one.
struct Party {
    _server: TestServer,
    ann: Guest,
    bob: Guest,
    cameras: [Session; 2],
    running: Vec<Running>,
    seen: Session,
}

impl Party {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let mut ann = Guest::join(&server, "lobby", "ann").await;
        let mut cameras = Vec::new();
        let mut running = Vec::new();
        for _ in 0..2 {
            let (camera, mut sources) = ann.publish(&[Codec::VP8]).await;
            assert_eq!(ann.client.expect_event("stream").await["status"], "add");
            running.push(sources.pop().expect("video").run(Pace::VIDEO));
            assert_eq!(ann.client.expect_event("stream").await["status"], "update");
            cameras.push(camera);
        }
        let mut bob = Guest::join(&server, "lobby", "bob").await;
        let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
        peer.add_receiver(Codec::VP8.kind()).await;
        let wanted = json!({"audio": false, "video": {"from": cameras[0].id}});
        let seen = bob.subscribe(wanted, peer).await;
        let cameras = cameras.try_into().unwrap_or_else(|_| panic!("two"));
        Self { _server: server, ann, bob, cameras, running, seen }
    }

    async fn granted(&mut self, operation: &str, data: Value) {
        let request = self.request(operation, &data);
        let answer = self.bob.client.granted("subscription-control", &request).await;
        assert_eq!(answer, Value::Null);
    }

    async fn refused(&mut self, operation: &str, data: Value) -> String {
        let request = self.request(operation, &data);
        self.bob.client.refused("subscription-control", &request).await
    }

    fn request(&self, operation: &str, data: &Value) -> Value {
        json!({"id": self.seen.id, "operation": operation, "data": data})
    }

    /// What comes until the start of a key frame, that included.
    async fn until_key_frame(&mut self) -> Vec<Received> {
        let mut packets = Vec::new();
        loop {
            let packet = self.seen.peer.packet().await;
            let mark = Mark::of(&packet.payload).expect("a frame");
            packets.push(packet);
            if mark.key && mark.index == 0 {
                return packets;
            }
        }
    }

    async fn end(self) {
        for running in self.running {
            running.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_camera_comes_under_the_same_numbers_with_a_key_frame() {
    let mut party = Party::start().await;
    let mut before = party.until_key_frame().await.pop().expect("the start");
    let second_camera = party.cameras[1].id.clone();
    party.granted("update", json!({"video": {"from": second_camera}})).await;
    let packets = party.until_key_frame().await;
    for packet in &packets {
        assert_eq!((packet.ssrc, packet.payload_type), (before.ssrc, before.payload_type));
        assert_eq!(packet.sequence, before.sequence.wrapping_add(1), "no gap");
        let step = packet.timestamp.wrapping_sub(before.timestamp);
        assert!(step < 90_000, "time goes on: {step}");
        before = packet.clone();
    }
    // The second camera started later and counts its own frames.
    let frames: Vec<u32> =
        packets.iter().filter_map(|it| Some(Mark::of(&it.payload)?.frame)).collect();
    let [.., last_of_first, first_of_second] = frames[..] else { panic!("{frames:?}") };
    assert!(first_of_second < last_of_first, "{frames:?}");
    // The subscription no longer depends on the first camera.
    let gone = json!({"id": party.cameras[0].id});
    party.ann.client.granted("unpublish", &gone).await;
    let removed = json!({"id": party.cameras[0].id, "status": "remove"});
    assert_eq!(party.bob.client.expect_event("stream").await, removed);
    while party.seen.peer.packets.try_recv().is_ok() {}
    party.seen.peer.packet().await;
    party.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_is_silent_and_ends_with_a_key_frame_without_a_gap() {
    let mut party = Party::start().await;
    let mut last = party.until_key_frame().await.pop().expect("the start");
    party.granted("pause", json!("video")).await;
    // What was on its way still arrives.
    while let Ok(packet) = timeout(SILENCE, party.seen.peer.packet()).await {
        last = packet;
    }
    party.granted("play", json!("video")).await;
    let next = party.seen.peer.packet().await;
    assert_eq!((next.ssrc, next.sequence), (last.ssrc, last.sequence.wrapping_add(1)));
    let mark = Mark::of(&next.payload).expect("a frame");
    assert!(mark.key && mark.index == 0, "{mark:?}");
    party.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_refused_in_owts_words() {
    let mut party = Party::start().await;
    let refusals = [
        ("pause", json!("audio"), "Subscription does NOT contain audio track"),
        ("play", json!("av"), "Subscription does NOT contain audio track"),
        ("pause", json!("smell"), "Invalid subscription control operation"),
        ("rewind", json!("av"), "Invalid subscription control operation"),
        (
            "update",
            json!({"audio": {"from": "x"}}),
            "Target subscription does NOT have audio to update",
        ),
        (
            "update",
            json!({"video": {"from": "nowhere"}}),
            "Target video stream does NOT satisfy:Requested video stream",
        ),
        (
            "update",
            json!({"video": {"parameters": {"framerate": 7}}}),
            "Target video stream does NOT satisfy:Framerate is not acceptable",
        ),
        (
            "update",
            json!({"video": {"from": 7}}),
            "request.data.video.from should be string \"string\"",
        ),
        ("querybwe", json!(null), "Bandwidth estimate is not available"),
    ];
    for (operation, data, expected) in refusals {
        assert_eq!(party.refused(operation, data).await, expected, "{operation}");
    }
    let foreign = json!({"id": party.seen.id, "operation": "pause", "data": "video"});
    let told = party.ann.client.refused("subscription-control", &foreign).await;
    assert_eq!(told, "unauthorized");
    let unknown = json!({"id": "nothing", "operation": "pause", "data": "video"});
    let told = party.ann.client.refused("subscription-control", &unknown).await;
    assert_eq!(told, "Subscription does NOT exist");
    // Nothing of it did any harm.
    while party.seen.peer.packets.try_recv().is_ok() {}
    party.seen.peer.packet().await;
    party.end().await;
}
