//! Who speaks in a view that nobody watches, so that no mixer hears it.

use serde_json::json;

use crate::support::{
    guest::{Guest, Session},
    media_peer::{Codec, Pace, Running, Source},
    server::TestServer,
};

/// Publishes sound of this level and has the common view mix it.
async fn speak(guest: &mut Guest, level: u8) -> (Session, Running) {
    let (microphone, mut sources) = guest.publish(&[Codec::OPUS]).await;
    let mix = json!({"id": microphone.id, "operation": "mix", "data": "common"});
    guest.client.granted("stream-control", &mix).await;
    let source = sources.pop().expect("sound");
    (microphone, run(source, level))
}

fn run(mut source: Source, level: u8) -> Running {
    source.level = Some(level);
    source.run(Pace::AUDIO)
}

/// The next one of whom it is told that it speaks.
async fn speaker(guest: &mut Guest) -> String {
    loop {
        let update = guest.client.await_event("stream").await;
        if update["data"]["field"] == "activeInput" {
            assert_eq!(update["id"], "lobby-common");
            return update["data"]["value"].as_str().expect("a text").to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_is_told_by_the_levels_of_the_publishers() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let (anns, ann_runs) = speak(&mut ann, 90).await;
    let (bobs, bob_runs) = speak(&mut bob, 30).await;
    assert_eq!(speaker(&mut cat).await, bobs.id);
    let ann_runs = run(ann_runs.stop().await, 10);
    assert_eq!(speaker(&mut cat).await, anns.id);
    // She falls silent, and he has been speaking all the time.
    let _ann_runs = run(ann_runs.stop().await, 127);
    assert_eq!(speaker(&mut cat).await, bobs.id);
    ann.client.granted("unpublish", &json!({"id": anns.id})).await;
    bob.client.granted("unpublish", &json!({"id": bobs.id})).await;
    assert_eq!(speaker(&mut cat).await, "unknown");
    bob_runs.stop().await;
}
