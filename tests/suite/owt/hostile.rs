//! Clients that mean harm, or are broken: each gets its error or loses its connection, and nobody
//! else notices.

use serde_json::{Value, json};

use crate::support::{
    guest::Guest,
    hostile::{places, wrong_values},
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
};

/// Passes when a participant that was there before is still served.
async fn assert_served(guest: &mut Guest) {
    guest.client.granted("text", &json!({"to": guest.id, "message": "still here?"})).await;
    let told = guest.client.expect_event("text").await;
    assert_eq!(told["message"], "still here?");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_are_no_requests_hurt_only_their_sender() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let deep = format!("42[\"text\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    let frames = [
        "451-[\"login\",{\"_placeholder\":true,\"num\":0}]",
        "459999999999-[\"login\"]",
        "450-[\"login\"]",
        "42",
        "42[]",
        "42[7]",
        "42{}",
        "42[\"login\"",
        "42/other,[\"login\"]",
        "4299999999999999999999[\"login\"]",
        "43-1[]",
        "44",
        "49",
        "4",
        "",
        "\u{0}",
        &deep,
    ];
    for frame in frames {
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        client.send_raw(frame).await;
        client.send_raw("420[\"after\"]").await;
        // Either it was closed, or what follows is answered.
        match client.next().await {
            Frame::Closed => {}
            Frame::Ack { .. } => {}
            other => panic!("{frame:.40}: {other:?}"),
        }
        assert_served(&mut ann).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_that_declares_attachments_ends_its_connection() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    for version in [EngineIo::V3, EngineIo::V4] {
        let mut client = RawClient::connect(&server.http_url(), version).await;
        client.send_raw("451-0[\"login\",{\"_placeholder\":true,\"num\":0}]").await;
        assert_eq!(client.next().await, Frame::Closed);
    }
    assert_served(&mut ann).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_have_a_length() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let fits = "\u{e9}".repeat(2048);
    ann.client.granted("text", &json!({"to": "all", "message": fits})).await;
    assert_eq!(ann.client.expect_event("text").await["message"], fits.as_str());
    let told = ann.client.refused("text", &json!({"to": "all", "message": fits + "x"})).await;
    assert_eq!(told, "Message is too long");
}

/// Puts each wrong value into each place of each request: an answer must come every time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_every_request_may_be_wrong() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let size = json!({"width": 640, "height": 480});
    let parameters = json!({
        "resolution": size, "framerate": 30, "bitrate": 500, "keyFrameInterval": 2,
    });
    let video = json!({"source": "camera", "parameters": parameters});
    let wanted = json!({
        "from": "lobby-common", "format": {"codec": "h264", "profile": "CB"},
        "parameters": parameters, "simulcastRid": "h",
    });
    let audio = json!({"from": "lobby-common", "format": {"codec": "opus", "sampleRate": 48000}});
    let candidate = json!({"candidate": "a=candidate:1", "sdpMid": "0", "sdpMLineIndex": 0});
    let requests = [
        ("text", json!({"to": "all", "message": "hello"})),
        (
            "publish",
            json!({
                "media": {"audio": {"source": "mic"}, "video": video}, "attributes": {"a": "b"},
            }),
        ),
        ("subscribe", json!({"media": {"audio": audio, "video": wanted}})),
        ("unpublish", json!({"id": "1"})),
        ("unsubscribe", json!({"id": "1"})),
        ("soac", json!({"id": "1", "signaling": {"type": "offer", "sdp": "v=0"}})),
        ("soac", json!({"id": "1", "signaling": {"type": "candidate", "candidate": candidate}})),
        (
            "soac",
            json!({
                "id": "1", "signaling": {"type": "removed-candidates", "candidates": [candidate]},
            }),
        ),
        ("stream-control", json!({"id": "1", "operation": "pause", "data": "av"})),
        ("refreshReconnectionTicket", json!({"a": 1})),
        ("login", json!({"token": "x", "userAgent": {"sdk": {"type": "x", "version": "1"}}})),
    ];
    let mut asked = 0;
    for (name, request) in &requests {
        for place in places(request) {
            for wrong in wrong_values() {
                let mut damaged = request.clone();
                *damaged.pointer_mut(&place).expect("the place") = wrong;
                let answer = ann.client.request(name, Some(&damaged)).await;
                assert!(["ok", "error"].map(Value::from).contains(&answer[0]), "{answer:?}");
                if answer[0] == "error" {
                    assert!(answer[1]["code"].is_u64(), "{name} {damaged}: {answer:?}");
                    assert!(answer[1]["description"].is_string(), "{name} {damaged}: {answer:?}");
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked} requests");
}

/// A participant that reads nothing while others talk loses its connection, not the room's memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_let_go() {
    // The kernel's socket buffers hold megabytes before the outbox fills.
    const TEXTS_MAX: usize = 20_000;
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.outbox_length = 16;
    })
    .await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let deaf = Guest::join(&server, "lobby", "deaf").await;
    ann.client.expect_event("participant").await;
    let text = json!({"to": deaf.id, "message": "x".repeat(2000)});
    for _ in 0..TEXTS_MAX {
        let answer = ann.client.request("text", Some(&text)).await;
        if answer[0] == "error" {
            break;
        }
    }
    let left = ann.client.expect_event("participant").await;
    assert_eq!(left, json!({"action": "leave", "data": deaf.id}));
    assert_served(&mut ann).await;
}

/// A client that sends faster than it is answered loses its connection or is served; the others
/// are served in any case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_hurts_only_its_sender() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    for number in 0..5000 {
        client.send_raw(&format!("42{number}[\"publish\",{{}}]")).await;
    }
    assert_served(&mut ann).await;
}
