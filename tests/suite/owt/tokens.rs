//! Tokens at the door: who gets in, and what everyone else hears.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portico::store::{RoomRecord, ServiceKey};
use serde_json::{Value, json};

use crate::support::{
    protoo::{ProtooClient, query},
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
};

/// Logs in with a token; the refusal's description, or nothing when the token admits.
async fn refusal(server: &TestServer, token: &str) -> Option<String> {
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    let answer = client.request("login", Some(&login(token))).await;
    if answer[0] == "ok" {
        return None;
    }
    assert_eq!(client.next().await, Frame::Closed, "a refused login closes the connection");
    Some(answer[1]["description"].as_str().expect("a description").to_owned())
}

fn login(token: &str) -> Value {
    json!({
        "token": token,
        "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
        "protocol": "1.1",
    })
}

/// A token whose JSON was changed after it was signed.
fn forged(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let json = STANDARD.decode(token).expect("base64");
    let mut token: Value = serde_json::from_slice(&json).expect("JSON");
    change(&mut token);
    STANDARD.encode(token.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owts_tokens_admit_once() {
    let server = TestServer::start().await;
    let token = server.token("lobby", "ann", "presenter").await;
    assert_eq!(refusal(&server, &token).await, None);
    assert_eq!(refusal(&server, &token).await.as_deref(), Some("Unknown"));

    let fresh = server.token("lobby", "ann", "presenter").await;
    for (change, text) in [("tokenId", "0123456789abcdef01234567"), ("host", "elsewhere:80")] {
        let forged = forged(&fresh, |token| token[change] = text.into());
        let told = refusal(&server, &forged).await;
        assert_eq!(told.as_deref(), Some("Invalid token signature"), "{change}");
    }
    assert_eq!(refusal(&server, &fresh).await, None, "a forgery does not use it up");
    for garbage in ["", "e30=", "....", "not base64!", &"A".repeat(100_000)] {
        assert!(refusal(&server, garbage).await.is_some(), "{garbage:.20}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_signs_its_own_tokens() {
    let server = TestServer::start().await;
    let service = server.server().store().create_service("shop").await.expect("a service");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let sign = |algorithm: Algorithm, key: &str, expires: u64, id: &str| {
        let mut header = Header::new(algorithm);
        header.kid = Some(service.id.to_string());
        let claims = json!({
            "room": "lobby", "user": "ann", "role": "presenter", "exp": expires, "jti": id,
        });
        encode(&header, &claims, &EncodingKey::from_secret(key.as_bytes())).expect("a JWT")
    };
    let key = service.key.reveal();
    let good = sign(Algorithm::HS256, key, now + 60, "1");
    assert_eq!(refusal(&server, &good).await, None);
    assert_eq!(refusal(&server, &good).await.as_deref(), Some("Unknown"), "once");
    let expired = sign(Algorithm::HS256, key, now - 60, "2");
    assert_eq!(refusal(&server, &expired).await.as_deref(), Some("Expired"));
    let wrong = Some("Invalid token signature");
    let other_key = sign(Algorithm::HS256, "guessed", now + 60, "3");
    assert_eq!(refusal(&server, &other_key).await.as_deref(), wrong);
    let other_algorithm = sign(Algorithm::HS512, key, now + 60, "4");
    assert_eq!(refusal(&server, &other_algorithm).await.as_deref(), wrong);
    let unsigned = good.rsplit_once('.').expect("three parts").0.to_owned() + ".";
    assert!(refusal(&server, &unsigned).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anothers_room_is_as_good_as_none_at_every_door() {
    let server = TestServer::with(|config| config.rooms.create_on_join = false).await;
    let store = server.server().store();
    store.create_service("super").await.expect("a service");
    let shop = store.create_service("shop").await.expect("a service");
    let other = store.create_service("other").await.expect("a service");
    let room = RoomRecord::new("lobby".parse().expect("an id"), "the shop's");
    store.create_room_of(Some(shop.id.clone()), room, 10).await.expect("made");
    let sign = |service: &ServiceKey, room: &str, id: &str| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(service.id.to_string());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({
            "room": room, "user": "ann", "role": "presenter", "exp": now + 60, "jti": id,
        });
        let key = EncodingKey::from_secret(service.key.reveal().as_bytes());
        encode(&header, &claims, &key).expect("a JWT")
    };

    let own = query("ann", Some(&sign(&shop, "lobby", "1")));
    let mut ann = ProtooClient::connect_by(&server, &own, None).await.expect("a WebSocket");
    ann.granted("join", &json!({"rid": "lobby"})).await;
    let mut told = Vec::new();
    for (room, id) in [("lobby", "2"), ("nowhere", "3")] {
        let token = sign(&other, room, id);
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let answer = client.request("login", Some(&login(&token))).await;
        assert_eq!(client.next().await, Frame::Closed);
        let again = refusal(&server, &token).await;

        let visit = query("ann", Some(&sign(&other, room, &format!("{id}p"))));
        let visitor = ProtooClient::connect_by(&server, &visit, None).await;
        let mut visitor = visitor.expect("a WebSocket");
        let joined = visitor.refused("join", &json!({"rid": room})).await;
        let elsewhere = visitor.refused("join", &json!({"rid": "attic"})).await;
        let early = visitor.refused("keepalive", &json!({"rid": room})).await;
        told.push((answer, again, joined, elsewhere, early));
    }
    assert_eq!(told[0], told[1]);
    let (answer, again, ..) = &told[0];
    let no_room = json!({"code": 1003, "description": "Joining room failed"});
    assert_eq!(answer, &[json!("error"), no_room]);
    assert_eq!(again.as_deref(), Some("Unknown"));
    // Nobody took the place of her whose name the foreign token says.
    ann.granted("keepalive", &json!({"rid": "lobby"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_does_not_exist_admits_nobody() {
    let server = TestServer::with(|config| config.rooms.create_on_join = false).await;
    let token = server.token("nowhere", "ann", "presenter").await;
    assert_eq!(refusal(&server, &token).await.as_deref(), Some("Joining room failed"));
    let demo = server.token("demo", "ann", "presenter").await;
    assert_eq!(refusal(&server, &demo).await, None, "the demo room needs no record");
}
