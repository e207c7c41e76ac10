//! Media through the whole house: signaling by the `owt` door, packets through the media plane.

use serde_json::json;

use crate::support::{
    guest::Guest,
    media_peer::{Codec, MediaPeer, Pace, mark, receiver},
    server::TestServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_published_subscribed_paused_and_lost() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    ann.client.expect_event("participant").await;

    let codecs = [Codec::OPUS, Codec::VP8];
    let (camera, mut sources) = ann.publish(&codecs).await;
    let added = ann.client.expect_event("stream").await;
    assert_eq!(added["status"], "add");
    assert_eq!(added["id"], camera.id.as_str());
    assert_eq!(added["data"]["info"]["owner"], ann.id.as_str());
    assert_eq!(added["data"]["media"]["audio"]["format"]["codec"], "opus");
    assert_eq!(added["data"]["media"]["video"]["original"][0]["format"]["codec"], "vp8");
    assert_eq!(bob.client.expect_event("stream").await, added, "everybody hears the same");

    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let wanted = json!({"audio": {"from": camera.id}, "video": {"from": camera.id}});
    // The video's size became known meanwhile, from the first key frame.
    let measured = bob.client.expect_event("stream").await;
    assert_eq!(measured["data"]["field"], ".", "{measured}");
    let mut session = bob.subscribe(wanted, receiver(&codecs).await).await;
    let first = session.peer.packet_that(mark(Codec::VP8.payload_type)).await;
    assert!(first.key, "a subscriber starts with a key frame: {first:?}");
    session.peer.packet_that(mark(Codec::OPUS.payload_type)).await;

    let pause = json!({"id": camera.id, "operation": "pause", "data": "video"});
    ann.client.granted("stream-control", &pause).await;
    let update = bob.client.expect_event("stream").await;
    let inactive = json!({"field": "video.status", "value": "inactive"});
    assert_eq!(update, json!({"id": camera.id, "status": "update", "data": inactive}));
    let play = json!({"id": camera.id, "operation": "play", "data": "video"});
    ann.client.granted("stream-control", &play).await;
    bob.client.expect_event("stream").await;

    ann.client.granted("logout", &json!(null)).await;
    let left = bob.client.expect_event("participant").await;
    assert_eq!(left, json!({"action": "leave", "data": ann.id}));
    let lost = bob.client.expect_event("progress").await;
    assert_eq!(lost, json!({"id": session.id, "status": "error", "data": "Source stream loss"}));
    let removed = bob.client.expect_event("stream").await;
    assert_eq!(removed, json!({"id": camera.id, "status": "remove"}));
    video.stop().await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_of_one_stream_and_picture_of_another() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (microphone, mut sound) = ann.publish(&[Codec::OPUS]).await;
    ann.client.expect_event("stream").await;
    let (camera, mut picture) = ann.publish(&[Codec::H264]).await;
    ann.client.expect_event("stream").await;
    let audio = sound.pop().expect("audio").run(Pace::AUDIO);
    let video = picture.pop().expect("video").run(Pace::VIDEO);

    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let wanted = json!({"audio": {"from": microphone.id}, "video": {"from": camera.id}});
    let mut session = bob.subscribe(wanted, receiver(&[Codec::OPUS, Codec::H264]).await).await;
    assert!(session.peer.packet_that(mark(Codec::H264.payload_type)).await.key);
    session.peer.packet_that(mark(Codec::OPUS.payload_type)).await;

    // The end of either source ends the subscription as a whole.
    ann.client.granted("unpublish", &json!({"id": microphone.id})).await;
    let lost = bob.client.expect_event("progress").await;
    assert_eq!(lost["data"], "Source stream loss", "{lost}");
    audio.stop().await;
    video.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_that_cannot_be_answered_end_in_a_reason() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut peer = MediaPeer::builder().codecs(&[Codec::OPUS]).build().await;
    peer.add_source(Codec::OPUS).await;
    let good = peer.offer().await;
    let no_fingerprint: String = good
        .lines()
        .filter(|line| !line.contains("fingerprint"))
        .map(|l| format!("{l}\r\n"))
        .collect();
    let many = format!("{good}{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n".repeat(1000));
    let long = format!("{good}{}", "a=x\r\n".repeat(200_000));
    assert!(long.len() > 1_000_000);
    let cases = [
        (String::new(), "SDP"),
        ("hello".to_owned(), "SDP"),
        (no_fingerprint, "SDP has no sha-256 fingerprint"),
        (many, "SDP has too many media sections"),
        (long, "SDP is too long"),
    ];
    let request = json!({"media": {"audio": {"source": "mic"}, "video": false}});
    for (sdp, reason) in cases {
        let opened = ann.client.granted("publish", &request).await;
        let offer = json!({"type": "offer", "sdp": sdp});
        let soac = json!({"id": opened["id"], "signaling": offer});
        ann.client.granted("soac", &soac).await;
        let progress = ann.client.expect_event("progress").await;
        assert_eq!(progress["id"], opened["id"]);
        assert_eq!(progress["status"], "error");
        let told = progress["data"].as_str().expect("a reason");
        assert!(told.starts_with(reason), "{told}");
    }
    // And a good one still works.
    let (_session, _sources) = ann.publish(&[Codec::OPUS]).await;
}
