//! Heartbeats: a session that falls silent is released, one that only loses its socket is not.

use std::time::Duration;

use serde_json::json;

use crate::support::{server::TestServer, signals::SignalsGuest};

async fn impatient() -> TestServer {
    TestServer::with(|config| config.signals.heartbeat_timeout = Duration::from_secs(3)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_falls_silent_is_released_and_succeeded() {
    let server = impatient().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    ann.send("PUBLISH_ACCEPT", json!({"to": "bob"})).await;
    bob.client.list_that(|list| list.len() == 2).await;
    // Ann's socket is open and silent, bob's heart beats.
    let silent_since = tokio::time::Instant::now();
    let owner = loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let list = bob.heartbeat().await["pps"].take();
        if list.as_array().expect("a list").len() == 1 {
            break list[0].clone();
        }
        assert!(silent_since.elapsed() < Duration::from_secs(20), "ann is released");
    };
    assert_eq!((&owner["id"], &owner["role"]), (&json!("bob"), &json!("admin")));
    assert!(silent_since.elapsed() >= Duration::from_millis(2500), "not before its time");
    let beat = json!({"bid": "late", "send_ack": true});
    assert_eq!(ann.refused("HEARTBEAT", beat).await, 4001);
    // The socket serves on.
    assert_eq!(ann.rejoin(false).await["pt"], "viewer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_loses_its_socket_keeps_its_place_and_hears_what_it_missed() {
    let server = impatient().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    ann.heartbeat().await;
    ann.reconnect(&server).await;
    server.until_away(1).await;
    bob.send("PUBLISH_REQUEST", json!({"ve": true, "ae": true, "msg": "hello?"})).await;
    bob.heartbeat().await;
    assert_eq!(ann.rejoin(false).await["pt"], "admin");
    assert_eq!(ann.client.signal("PUBLISH_REQUEST").await["msg"], "hello?");
    assert_eq!(server.away(), 0);
}

/// A socket that is replaced serves its session no longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_socket_takes_the_place_of_an_older_one() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let mut old = SignalsGuest { client: ann.client, head: ann.head.clone() };
    ann = SignalsGuest::enter(&server, ann.head, true).await.0;
    let beat = json!({"bid": "old", "send_ack": true});
    assert_eq!(old.refused("HEARTBEAT", beat).await, 4001);
    drop(old);
    assert_eq!(ann.heartbeat().await["pps"][0]["id"], "ann");
    assert_eq!(server.away(), 0, "the older one's end is nobody's");
}
