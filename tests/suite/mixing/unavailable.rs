//! A server without a mixer.

use serde_json::json;

use crate::support::{
    guest::Guest,
    media_peer::{Codec, Mark, MediaPeer, Pace},
    server::TestServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_forward_and_views_say_why_they_do_not_work() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.mixing.program = Some("/nonexistent/portico-mixer".into());
    })
    .await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (camera, mut sources) = ann.publish(&[Codec::VP8]).await;
    let _running = sources.pop().expect("video").run(Pace::VIDEO);
    let mix = json!({"id": camera.id, "operation": "mix", "data": "common"});
    ann.client.granted("stream-control", &mix).await;

    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    peer.add_receiver(Codec::VP8.kind()).await;
    let forward = json!({"video": {"from": camera.id}, "audio": false});
    let mut session = ann.subscribe(forward, peer).await;
    session.peer.packet_that(|packet| Mark::of(&packet.payload)).await;

    let mixed = json!({"media": {"video": {"from": "lobby-common"}, "audio": false}});
    let refusal = ann.client.refused("subscribe", &mixed).await;
    assert!(!refusal.is_empty());
    let room = "lobby".parse().expect("valid");
    let room = server.server().registry().room(&room).await.expect("it runs");
    let view = "lobby-common".parse().expect("valid");
    let error = room.snapshot(view).await.expect("the room runs").expect_err("nobody mixes");
    let words = error.to_string();
    assert!(words.starts_with("Mixing is not available: "), "{words}");
}
