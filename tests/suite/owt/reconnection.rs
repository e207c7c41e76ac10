//! Coming back in time, too late, too often, and all at once.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{
    guest::Guest,
    media_peer::{Codec, MediaPeer, Pace},
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
};

/// Somebody who logged in, and its ticket.
struct Ticketed {
    client: RawClient,
    id: String,
    ticket: String,
}

async fn login(server: &TestServer, user: &str) -> Ticketed {
    let token = server.token("lobby", user, "presenter").await;
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    let login = json!({
        "token": token,
        "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
        "protocol": "1.1",
    });
    let joined = client.granted("login", &login).await;
    let text = |key: &str| joined[key].as_str().expect("a text").to_owned();
    Ticketed { id: text("id"), ticket: text("reconnectionTicket"), client }
}

async fn relogin(server: &TestServer, ticket: &Value) -> (RawClient, Vec<Value>) {
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    let answer = client.request("relogin", Some(ticket)).await;
    (client, answer)
}

/// Comes back with a good ticket; yields the next one.
async fn back(server: &TestServer, ticket: &str) -> (RawClient, String) {
    let (client, answer) = relogin(server, &ticket.into()).await;
    assert_eq!(answer.first(), Some(&json!("ok")), "{answer:?}");
    (client, answer[1].as_str().expect("a plain text").to_owned())
}

async fn refused(server: &TestServer, ticket: &Value) -> String {
    let (mut client, answer) = relogin(server, ticket).await;
    assert_eq!(answer.first(), Some(&json!("error")), "{answer:?}");
    assert_eq!(client.next().await, Frame::Closed);
    answer[1]["description"].as_str().expect("a description").to_owned()
}

fn object(ticket: &str) -> Value {
    let json = STANDARD.decode(ticket).expect("base64");
    serde_json::from_slice(&json).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_may_come_as_an_object_in_both_spellings() {
    let server = TestServer::start().await;
    let ann = login(&server, "ann").await;
    let (_, answer) = relogin(&server, &object(&ann.ticket)).await;
    assert_eq!(answer[0], "ok", "{answer:?}");
    let mut documented = object(answer[1].as_str().expect("a plain text"));
    let id = documented.as_object_mut().expect("an object").remove("participantId");
    documented["ParticipantId"] = id.expect("was there");
    let (_, answer) = relogin(&server, &documented).await;
    assert_eq!(answer[0], "ok", "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bit_of_a_ticket_counts() {
    let server = TestServer::start().await;
    let ann = login(&server, "ann").await;
    let bytes = STANDARD.decode(&ann.ticket).expect("base64");
    for position in (0..bytes.len()).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        refused(&server, &STANDARD.encode(&flipped).into()).await;
    }
    let bob = login(&server, "bob").await;
    let mut stolen = object(&ann.ticket);
    stolen["participantId"] = bob.id.as_str().into();
    assert_eq!(refused(&server, &stolen).await, "Invalid reconnection ticket signature");
    back(&server, &ann.ticket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stays_away_leaves_and_cannot_come_back() {
    let keep = Duration::from_secs(1);
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.reconnection_timeout = keep;
    })
    .await;
    let mut bob = login(&server, "bob").await;
    let ann = login(&server, "ann").await;
    bob.client.expect_event("participant").await;
    let since = Instant::now();
    drop(ann.client);
    let told = bob.client.expect_event("participant").await;
    assert_eq!(told, json!({"action": "leave", "data": ann.id}));
    assert!(since.elapsed() >= keep, "after {:?}", since.elapsed());
    assert_eq!(refused(&server, &ann.ticket.into()).await, "Client does NOT exist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_ticket_is_refused() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.reconnection_ticket_lifetime = Duration::from_secs(1);
    })
    .await;
    let ann = login(&server, "ann").await;
    let ends = object(&ann.ticket)["notAfter"].as_u64().expect("a time");
    let ends = std::time::UNIX_EPOCH + Duration::from_millis(ends + 1);
    let left = ends.duration_since(std::time::SystemTime::now()).unwrap_or_default();
    tokio::time::sleep(left).await;
    assert_eq!(refused(&server, &ann.ticket.into()).await, "Ticket is expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_time_to_come_back_a_lost_connection_ends_the_participant() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.reconnection_timeout = Duration::ZERO;
    })
    .await;
    let mut bob = login(&server, "bob").await;
    let ann = login(&server, "ann").await;
    bob.client.expect_event("participant").await;
    // While the connection lives, another one may take its place all the same.
    let (client, ticket) = back(&server, &ann.ticket).await;
    drop(client);
    let told = bob.client.expect_event("participant").await;
    assert_eq!(told, json!({"action": "leave", "data": ann.id}));
    assert_eq!(refused(&server, &ticket.into()).await, "Client does NOT exist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sockets_with_one_ticket_exactly_one_comes_back() {
    let server = TestServer::start().await;
    let ann = login(&server, "ann").await;
    drop(ann.client);
    let mut attempts = JoinSet::new();
    for _ in 0..16 {
        let client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let ticket = json!(ann.ticket);
        attempts.spawn(async move {
            let mut client = client;
            let answer = client.request("relogin", Some(&ticket)).await;
            (client, answer)
        });
    }
    let mut winners = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        let (client, answer) = attempt.expect("answered");
        if answer[0] == "ok" {
            winners.push((client, answer));
        } else {
            assert_eq!(answer[1]["description"], "Ticket is expired");
        }
    }
    assert_eq!(winners.len(), 1);
    let (mut client, _) = winners.remove(0);
    client.granted("text", &json!({"to": "all", "message": "it is me"})).await;
    assert_eq!(client.expect_event("text").await["from"], ann.id.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_misses_too_much_is_dropped() {
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.outbox_length = 32;
    })
    .await;
    let fits = 32 - 8;
    let mut bob = login(&server, "bob").await;
    let ann = login(&server, "ann").await;
    bob.client.expect_event("participant").await;
    let whisper = |text: String| json!({"to": ann.id, "message": text});

    drop(ann.client);
    server.until_away(1).await;
    for number in 0..fits {
        bob.client.granted("text", &whisper(number.to_string())).await;
    }
    let (mut client, ticket) = back(&server, &ann.ticket).await;
    for number in 0..fits {
        assert_eq!(client.expect_event("text").await["message"], number.to_string());
    }

    drop(client);
    server.until_away(1).await;
    for number in 0..=fits {
        bob.client.granted("text", &whisper(number.to_string())).await;
    }
    let told = bob.client.expect_event("participant").await;
    assert_eq!(told, json!({"action": "leave", "data": ann.id}));
    assert_eq!(refused(&server, &ticket.into()).await, "Client does NOT exist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_flows_on_while_both_ends_are_away() {
    let server = TestServer::start().await;
    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    ann.client.expect_event("participant").await;
    let (camera, mut sources) = ann.publish(&[Codec::VP8]).await;
    assert_eq!(bob.client.expect_event("stream").await["status"], "add");
    let video = sources.pop().expect("video").run(Pace::VIDEO);
    assert_eq!(bob.client.expect_event("stream").await["status"], "update");
    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    peer.add_receiver(Codec::VP8.kind()).await;
    let wanted = json!({"audio": false, "video": {"from": camera.id}});
    let mut session = bob.subscribe(wanted, peer).await;

    drop((ann.client, bob.client));
    server.until_away(2).await;
    while session.peer.packets.try_recv().is_ok() {}
    let first = session.peer.packet().await.sequence;
    let next = session.peer.packet_that(|it| (it.sequence != first).then_some(it.sequence)).await;
    assert_eq!(next, first.wrapping_add(1), "nothing is missing");

    // Both find their sessions as they left them.
    let (mut bob, _) = back(&server, &bob.ticket).await;
    bob.granted("unsubscribe", &json!({"id": session.id})).await;
    let (mut ann, _) = back(&server, &ann.ticket).await;
    ann.granted("unpublish", &json!({"id": camera.id})).await;
    assert_eq!(bob.expect_event("stream").await, json!({"id": camera.id, "status": "remove"}));
    video.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_come_back_at_once() {
    const CROWD: usize = 1_000;
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.rooms.max_participants = 2_000;
        config.portal.outbox_length = 4_096;
    })
    .await;
    let mut arrivals = JoinSet::new();
    for room in 0..CROWD {
        let token = server.token(&format!("room-{}", room % 50), "ann", "viewer").await;
        let url = server.http_url();
        arrivals.spawn(async move {
            let mut client = RawClient::connect(&url, EngineIo::V4).await;
            let sdk = json!({"sdk": {"type": "JavaScript", "version": "4.3"}});
            let login = json!({"token": token, "userAgent": sdk, "protocol": "1.1"});
            let joined = client.granted("login", &login).await;
            joined["reconnectionTicket"].as_str().expect("a ticket").to_owned()
        });
    }
    let tickets = arrivals.join_all().await;
    server.until_away(CROWD).await;

    let since = Instant::now();
    let mut returns = JoinSet::new();
    for ticket in tickets {
        let url = server.http_url();
        returns.spawn(async move {
            let mut client = RawClient::connect(&url, EngineIo::V4).await;
            client.granted("relogin", &ticket.into()).await;
            // Only who has its place again has a ticket to refresh.
            client.granted("refreshReconnectionTicket", &Value::Null).await;
            client
        });
    }
    let clients = returns.join_all().await;
    assert_eq!((clients.len(), server.away()), (CROWD, 0));
    let took = since.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
