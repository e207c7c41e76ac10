//! Clients that mean harm, or are broken: each gets its error or loses its connection, and nobody
//! else notices.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    hostile::{places, wrong_values},
    server::TestServer,
    signals::{Frame, Head, SIGNALS, SignalsClient, SignalsGuest, action},
};

const CODES: [i64; 10] = [500, 2001, 2002, 4001, 4002, 4003, 4022, 4023, 4024, 4051];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_every_signal_may_be_wrong() {
    let server = TestServer::with(|config| config.signals.signals_per_second = 10_000).await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let head = Head::new("lobby", "m2m", "eve", "EVE-1");
    let mut eve = SignalsClient::connect(&server, "lobby", "eve").await;
    let to = json!({"userId": "ann", "sessionId": "NOBODY"});
    let members = json!({
        "ve": true, "ae": true, "eg": "native", "bid": "1", "send_ack": true, "msg": "hi",
        "to": to, "sdp": "v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 111",
        "op": {"restarting": false, "hlsForwarding": false, "userFaking": false},
    });
    let mut asked = 0;
    for s in SIGNALS {
        let whole = json!({"action": action(s), "data": head.signal(s, &members)});
        for place in places(&whole) {
            for wrong in wrong_values() {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&place).expect("the place") = wrong;
                eve.send_raw(&damaged.to_string()).await;
                asked += 1;
            }
            // What most signals are answered with is nothing, so something else is asked.
            eve.send_raw(r#"{"action": "barrier"}"#).await;
            loop {
                let Frame::Message(message) = eve.next().await else { panic!("closed: {place}") };
                let code = message["c"].as_i64().expect("an ack");
                if message["s"] == "" && message["b"]["req"].is_null() && code == 2001 {
                    let left = eve_is_done(&mut eve).await;
                    assert!(left, "{s} {place}");
                    break;
                }
                assert!(code == 200 || CODES.contains(&code), "{message}");
            }
        }
    }
    assert!(asked > 2000, "{asked} signals");
    ann.heartbeat().await;
}

/// Frames without a known action are answered like the barrier, so one more is sent that tells
/// that all were.
async fn eve_is_done(eve: &mut SignalsClient) -> bool {
    eve.send_raw(r#"{"action": "barrier", "data": "last"}"#).await;
    loop {
        let Frame::Message(message) = eve.next().await else { return false };
        if message["b"]["req"] == "last" {
            return true;
        }
    }
}

/// Ten thousand signals as fast as they can be sent are read as fast as they may come, and others
/// are served as if nothing was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_hurt_only_their_sender() {
    const FLOOD: usize = 10_000;
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut eve, _) = SignalsGuest::join(&server, "lobby", "m2m", "eve").await;
    let beat = eve.head.signal("HEARTBEAT", &json!({"bid": "flood", "send_ack": true}));
    let frame = json!({"action": "heartbeat", "data": beat}).to_string();
    let started = Instant::now();
    let flood = tokio::spawn(async move {
        for _ in 0..FLOOD {
            eve.client.send_raw(&frame).await;
        }
        eve
    });
    for _ in 0..20 {
        let asked = Instant::now();
        ann.heartbeat().await;
        assert!(asked.elapsed() < Duration::from_secs(5), "ann is served meanwhile");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Of what was sent no more was taken than may be: 100 a second after a burst of 200.
    let allowed = 200.0 + 100.0 * (started.elapsed().as_secs_f64() + 1.0);
    flood.abort();
    if let Ok(mut eve) = flood.await {
        let mut answered = 0.0;
        let until = tokio::time::Instant::now() + Duration::from_millis(500);
        while let Ok(Frame::Message(_)) = tokio::time::timeout_at(until, eve.client.next()).await {
            answered += 1.0;
        }
        assert!(answered <= allowed + 100.0, "{answered} of at most {allowed} were taken");
    }
    ann.heartbeat().await;
}

/// More signals than may wait for their turn are refused, not stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_sessions_by_one_connection_are_refused() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    for number in 1..8 {
        ann.head.session["sessionId"] = json!(format!("ANN-{number}"));
        ann.rejoin(false).await;
    }
    ann.head.session["sessionId"] = json!("ANN-8");
    assert_eq!(ann.refused("JOIN", json!({"ve": true, "ae": true})).await, 2001);
    ann.head.session["sessionId"] = json!("ANN-7");
    ann.heartbeat().await;
}

/// A session that reads nothing while others talk loses its place, not the room its memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_let_go() {
    const SIGNALS_MAX: usize = 4000;
    let server = TestServer::with(|config| {
        config.portal.outbox_length = 16;
        config.signals.signals_per_second = 10_000;
    })
    .await;
    let (mut ann, _) = SignalsGuest::found(&server, "call", "p2p", "ann").await;
    let (_deaf, _) = SignalsGuest::join(&server, "call", "p2p", "deaf").await;
    ann.client.list_that(|list| list.len() == 2).await;
    let sdp = "x".repeat(30_000);
    for _ in 0..SIGNALS_MAX {
        ann.send("ICE", json!({"to": "deaf", "sdp": sdp})).await;
        let list: Value = ann.heartbeat().await["pps"].take();
        if list.as_array().is_some_and(|list| list.len() == 1) {
            return;
        }
    }
    panic!("the deaf one is still there");
}
