//! Who may connect, how connections end, and what their bounds are.

use std::time::Duration;

use portico::config::Auth;
use serde_json::json;
use tokio_tungstenite::tungstenite::{
    self, Message,
    protocol::frame::{
        Frame as WireFrame,
        coding::{Data, OpCode},
    },
};

use crate::support::{
    protoo::query,
    server::TestServer,
    signals::{Frame, Head, SignalsClient, SignalsGuest},
};

fn refused(result: Result<SignalsClient, tungstenite::Error>) -> u16 {
    match result {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_nobody_connects() {
    let server = TestServer::start().await;
    assert_eq!(refused(SignalsClient::connect_by(&server, "").await), 401);
    assert_eq!(refused(SignalsClient::connect_with(&server, "nonsense").await), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_brings_its_client_back_while_its_session_can_be_in_the_room() {
    let server = TestServer::with(|config| {
        config.signals.heartbeat_timeout = Duration::from_millis(1500);
    })
    .await;
    let token = server.token("lobby", "ann", "presenter").await;
    let head = Head::new("lobby", "m2m", "ann", "ANN-1");
    let connect = async || SignalsClient::connect_with(&server, &token).await;
    let mut ann = SignalsGuest { client: connect().await.expect("let in"), head };
    ann.rejoin(true).await;
    // The same token again, while the first connection is still there and after it is gone.
    ann.client = connect().await.expect("let in again");
    assert_eq!(ann.rejoin(false).await["pt"], "admin");
    drop(ann);
    let mut waited = 0;
    while connect().await.is_ok() {
        // Each attempt is a connection of its own, whose end starts the wait anew.
        waited += 1;
        tokio::time::sleep(Duration::from_millis(1600)).await;
        assert!(waited < 10, "the token is forgotten in time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_door_takes_everybody_at_their_word() {
    let server = TestServer::with(|config| config.signals.auth = Auth::Open).await;
    let client = SignalsClient::connect_by(&server, "").await.expect("let in");
    let head = Head::new("anywhere", "m2m", "random-user-77", "S-1");
    let mut guest = SignalsGuest { client, head };
    let options = json!({"roomCreating": true, "userFaking": true});
    guest.send("JOIN", json!({"ve": true, "ae": true, "op": options})).await;
    let joined = guest.client.ack("JOIN").await;
    assert_eq!(joined["pps"][0]["userId"], "random-user-77");
    // Another user does not take the session over.
    let other = SignalsClient::connect_by(&server, &query("", None)).await.expect("let in");
    let head = Head::new("anywhere", "m2m", "other", "S-1");
    let mut other = SignalsGuest { client: other, head };
    assert_eq!(other.refused("JOIN", json!({"ve": true, "ae": true})).await, 2001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_pictures_come_from_the_token() {
    let server = TestServer::start().await;
    let claims = json!({
        "room": "lobby", "user": "ann", "role": "presenter", "exp": 4_000_000_000_u64,
        "jti": "signals-1", "name": "Ann Example", "picture": "https://example.org/ann.png",
    });
    let key = server.server().store().token_key().reveal().to_owned();
    let key = jsonwebtoken::EncodingKey::from_secret(key.as_bytes());
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key);
    let client = SignalsClient::connect_with(&server, &token.expect("signed")).await;
    let head = Head::new("lobby", "m2m", "ann", "ANN-1");
    let mut ann = SignalsGuest { client: client.expect("let in"), head };
    let joined = ann.rejoin(true).await;
    assert_eq!(joined["pps"][0]["fullname"], "Ann Example");
    assert_eq!(joined["pps"][0]["avatar"], "https://example.org/ann.png");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_of_the_stun_servers_that_are_configured() {
    let url = "stun:stun.example.org:3478";
    let server = TestServer::with(|config| config.signals.ice_servers = vec![url.into()]).await;
    let (_ann, joined) = SignalsGuest::found(&server, "lobby", "p2p", "ann").await;
    assert_eq!(joined["es"]["icfg"]["is"], json!([url]));
}

/// A session that asks for a service that is configured is sent there; others are served here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_a_configured_engine_gets_what_its_client_needs() {
    let secret = "a secret of LiveKit's";
    let server = TestServer::with(|config| {
        config.engines.livekit.url = "wss://livekit.example.org".into();
        config.engines.livekit.api_key = "key".into();
        config.engines.livekit.api_secret = secret.to_owned().into();
    })
    .await;
    let (_ann, joined) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    assert_eq!(joined["eg"], "native");
    let client = SignalsClient::connect(&server, "lobby", "bob").await;
    let mut bob = SignalsGuest { client, head: Head::new("lobby", "m2m", "bob", "BOB-1") };
    bob.send("JOIN", json!({"ve": true, "ae": true, "eg": "livekit"})).await;
    let joined = bob.client.ack("JOIN").await;
    assert_eq!((&joined["eg"], &joined["pt"]), (&json!("livekit"), &json!("viewer")));
    assert_eq!(joined["es"]["url"], "wss://livekit.example.org");
    assert_eq!(joined["es"].as_object().map(serde_json::Map::len), Some(2), "{joined}");
    let token = joined["es"]["token"].as_str().expect("a token");
    let key = jsonwebtoken::DecodingKey::from_secret(secret.as_bytes());
    let validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation);
    let claims = claims.expect("signed by the secret").claims;
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("key"), &json!("bob")));
    assert_eq!(claims["video"]["canPublish"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_larger_than_it_may_be_ends_the_connection() {
    let server = TestServer::start().await;
    // A frame of more than 32 KiB.
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    ann.client.send_raw(&"x".repeat(32 * 1024 + 1)).await;
    assert!(matches!(ann.client.next().await, Frame::Closed(None | Some(1009))));
    // A message of 128 KiB in frames of 32 is taken, one byte more is not.
    let (mut bob, _) =
        SignalsGuest::enter(&server, Head::new("lobby", "m2m", "ann", "ann"), false).await;
    let pieces = |last: usize| {
        let part = |size: usize, opcode, fin| {
            Message::Frame(WireFrame::message(vec![b'x'; size], OpCode::Data(opcode), fin))
        };
        let whole = 32 * 1024;
        vec![
            part(whole, Data::Text, false),
            part(whole, Data::Continue, false),
            part(whole, Data::Continue, false),
            part(whole, Data::Continue, last == 0),
            part(last, Data::Continue, true),
        ]
    };
    let fits = pieces(0);
    for frame in fits.into_iter().take(4) {
        bob.client.send_message(frame).await;
    }
    assert_eq!(bob.client.error().await, 2001, "it is no JSON, but it was read");
    for frame in pieces(1) {
        bob.client.send_message(frame).await;
    }
    assert!(matches!(bob.client.next().await, Frame::Closed(None | Some(1009))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lasts_as_long_as_it_may_and_its_session_goes_on() {
    let server = TestServer::with(|config| {
        config.signals.connection_lifetime = Duration::from_millis(700);
    })
    .await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    assert_eq!(ann.client.next().await, Frame::Closed(Some(1001)));
    ann.reconnect(&server).await;
    assert_eq!(ann.rejoin(false).await["pt"], "admin");
}

/// The test's client answers pings while it reads, and says nothing when it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_pings_stays_connected_and_whoever_is_mute_does_not() {
    let server = TestServer::with(|config| {
        config.signals.idle_timeout = Duration::from_secs(2);
        config.signals.heartbeat_timeout = Duration::from_secs(60);
    })
    .await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    // Ann reads for longer than the timeout.
    let quiet = tokio::time::timeout(Duration::from_secs(5), ann.client.next()).await;
    assert!(quiet.is_err(), "nothing but pings came: {quiet:?}");
    // Bob read nothing meanwhile.
    assert_eq!(bob.client.next().await, Frame::Closed(Some(1001)));
    ann.heartbeat().await;
}
