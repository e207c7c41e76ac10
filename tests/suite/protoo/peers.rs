//! Who may connect as whom, and for how long.

use std::time::{Duration, Instant};

use portico::config::Auth;
use serde_json::json;

use crate::support::{
    guest::Guest,
    protoo::{Frame, ProtooClient, ProtooGuest, query},
    server::TestServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subprotocol_is_selected_when_offered_and_not_needed() {
    let server = TestServer::start().await;
    for subprotocol in [Some("protoo"), None] {
        let token = server.token("lobby", "ann", "presenter").await;
        let query = query("ann", Some(&token));
        let mut ann = ProtooClient::connect_by(&server, &query, subprotocol).await.expect("let in");
        ann.granted("join", &json!({"rid": "lobby"})).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_say_who_it_is_is_not_let_in() {
    let server = TestServer::start().await;
    for query in ["", "peer=", "peer=a%00b", &format!("peer={}", "x".repeat(513))] {
        let refused = ProtooClient::connect_by(&server, query, None).await;
        let told = refused.err().expect("refused").to_string();
        assert!(told.contains("400"), "{query:.20}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_name_may_be_had() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (_odd, _) = ProtooGuest::join(&server, "lobby", "Zoë #1 &+").await;
    assert_eq!(ann.client.told("peer-join").await["uid"], "Zoë #1 &+");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_connection_of_the_same_peer_takes_the_place() {
    let server = TestServer::start().await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    let (mut older, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    bob.client.told("peer-join").await;

    // One without a token for that name replaces nobody.
    for token in [None, Some(server.token("lobby", "eve", "presenter").await)] {
        let query = query("ann", token.as_deref());
        let mut eve = ProtooClient::connect_by(&server, &query, None).await.expect("a WebSocket");
        assert_eq!(eve.refused("join", &json!({"rid": "lobby"})).await.0, -16);
    }
    // Nor does the same name in another room, which may be another person's.
    let (_elsewhere, _) = ProtooGuest::join(&server, "attic", "ann").await;
    older.client.granted("keepalive", &json!({"rid": "lobby"})).await;

    let (mut newer, found) = ProtooGuest::join(&server, "lobby", "ann").await;
    assert_eq!(older.client.next().await, Frame::Closed(Some(4000)));
    assert_eq!(found["users"], json!([{"rid": "lobby", "uid": "bob", "bizid": "portico"}]));
    assert_eq!(bob.client.told("peer-leave").await["uid"], "ann");
    assert_eq!(bob.client.told("peer-join").await["uid"], "ann", "the name was free again");
    newer.client.granted("keepalive", &json!({"rid": "lobby"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_newer_connections_at_once_leave_one() {
    const CONNECTIONS: usize = 8;
    let server = TestServer::start().await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = ProtooClient::connect(&server, "lobby", "ann").await;
        client.emit("join", Some(&json!({"rid": "lobby"}))).await;
        clients.push(client);
    }
    let last = clients.last_mut().expect("several");
    assert!(matches!(last.next().await, Frame::Message(answer) if answer["ok"] == true));
    for client in &mut clients[..CONNECTIONS - 1] {
        while let Frame::Message(answer) = client.next().await {
            assert_eq!(answer["ok"], true, "{answer}");
        }
    }
    let found = bob.client.granted("getusers", &json!({"rid": "lobby"})).await;
    assert_eq!(found["users"], json!([{"rid": "lobby", "uid": "ann", "bizid": "portico"}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_nothing_is_taken_for_gone() {
    let timeout = Duration::from_secs(1);
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.protoo.keepalive_timeout = timeout;
    })
    .await;
    let (mut silent, _) = ProtooGuest::join(&server, "lobby", "silent").await;
    let started = Instant::now();
    assert_eq!(silent.client.next().await, Frame::Closed(Some(4001)));
    let waited = started.elapsed();
    assert!(waited >= timeout - Duration::from_millis(100), "closed after {waited:?}");

    // Who shows signs of life stays: over more than two timeouts, and then is missed.
    let (mut lively, _) = ProtooGuest::join(&server, "lobby", "lively").await;
    let mut guest = Guest::join(&server, "lobby", "watcher").await;
    lively.client.told("peer-join").await;
    let mut beat = tokio::time::interval(timeout / 4);
    for _ in 0..9 {
        beat.tick().await;
        lively.client.granted("keepalive", &json!({"rid": "lobby"})).await;
    }
    let left = guest.client.expect_event("participant").await;
    assert_eq!(left["action"], "leave");
    assert_eq!(lively.client.next().await, Frame::Closed(Some(4001)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_in_no_room_does_not_stay_for_ever_whatever_it_asks() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.login_timeout = Duration::from_secs(1);
    })
    .await;
    let mut idle = ProtooClient::connect(&server, "lobby", "ann").await;
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    loop {
        beat.tick().await;
        idle.emit("keepalive", Some(&json!({"rid": "lobby"}))).await;
        match idle.next().await {
            Frame::Message(answer) => assert_eq!(answer["errorCode"], -15),
            Frame::Closed(code) => break assert_eq!(code, Some(4001)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_door_needs_no_token() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.protoo.auth = Auth::Open;
        config.protoo.node = "shenzhen_1".into();
        config.protoo.list_views = true;
    })
    .await;
    let connect = async |name| {
        ProtooClient::connect_by(&server, &query(name, None), Some("protoo")).await.expect("let in")
    };
    let mut ann = connect("ann").await;
    let found = ann.granted("join", &json!({"rid": "anywhere"})).await;
    let view = json!({
        "rid": "anywhere", "uid": "", "mid": "anywhere-common", "sfuid": "shenzhen_1",
        "minfo": {"audio": true, "video": true, "audiotype": 1, "videotype": 2},
    });
    assert_eq!(found, json!({"users": [], "pubs": [view]}));
    let mut bob = connect("bob").await;
    let found = bob.granted("join", &json!({"rid": "anywhere"})).await;
    assert_eq!(found["users"][0], json!({"rid": "anywhere", "uid": "ann", "bizid": "shenzhen_1"}));
    // The same name anywhere in the server is the same peer.
    let mut again = connect("ann").await;
    assert_eq!(
        ann.next().await,
        Frame::Message(json!({
            "notification": true, "method": "peer-join",
            "data": {"rid": "anywhere", "uid": "bob", "bizid": "shenzhen_1"},
        }))
    );
    assert_eq!(ann.next().await, Frame::Closed(Some(4000)));
    again.granted("join", &json!({"rid": "elsewhere"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_does_not_exist_admits_nobody() {
    let server = TestServer::with(|config| config.rooms.create_on_join = false).await;
    let mut ann = ProtooClient::connect(&server, "nowhere", "ann").await;
    assert_eq!(ann.refused("join", &json!({"rid": "nowhere"})).await.0, -2);
    let mut bob = ProtooClient::connect(&server, "demo", "bob").await;
    bob.granted("join", &json!({"rid": "demo"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_have_a_limit_and_end_with_the_server() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.max_connections = 2;
    })
    .await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    let refused = ProtooClient::connect_by(&server, "peer=eve", None).await;
    assert!(refused.err().expect("refused").to_string().contains("503"));
    ann.client.told("peer-join").await;
    server.shut_down().await;
    for client in [&mut ann.client, &mut bob.client] {
        // The one that is closed later may still hear that the other has left.
        let end = match client.next().await {
            Frame::Message(told) if told["method"] == "peer-leave" => client.next().await,
            end => end,
        };
        assert_eq!(end, Frame::Closed(Some(1001)));
    }
}
