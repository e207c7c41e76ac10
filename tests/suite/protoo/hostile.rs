//! Clients that mean harm, or are broken: each gets its error or loses its connection, and nobody
//! else notices.

use serde_json::{Value, json};

use crate::support::{
    hostile::{places, wrong_values},
    protoo::{Frame, ProtooClient, ProtooGuest},
    server::TestServer,
};

/// Passes when a participant that was there before is still served.
async fn assert_served(guest: &mut ProtooGuest) {
    let rid = json!({"rid": "lobby"});
    assert_eq!(guest.client.granted("keepalive", &rid).await, json!({}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_every_request_may_be_wrong() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let jsep = json!({"type": "offer", "sdp": "v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 111"});
    let minfo = json!({"audio": true, "video": false, "audiotype": 0, "videotype": 0});
    let candidate = json!({"candidate": "candidate:1", "sdpMid": "0"});
    let node = "portico";
    let requests = [
        ("join", json!({"rid": "lobby"})),
        ("keepalive", json!({"rid": "lobby"})),
        ("getusers", json!({"rid": "lobby"})),
        ("getpubs", json!({"rid": "lobby"})),
        ("publish", json!({"rid": "lobby", "jsep": jsep, "minfo": minfo})),
        ("unpublish", json!({"rid": "lobby", "mid": "ann#1", "sfuid": node})),
        ("subscribe", json!({"rid": "lobby", "mid": "ann#1", "jsep": jsep, "sfuid": node})),
        ("unsubscribe", json!({"rid": "lobby", "mid": "ann#1", "sid": "a#1", "sfuid": node})),
        ("trickle", json!({"rid": "lobby", "mid": "ann#1", "candidate": candidate})),
        ("broadcast", json!({"rid": "lobby", "data": {"a": ["b"]}})),
    ];
    let mut asked = 0;
    for (name, request) in &requests {
        for place in places(request) {
            for wrong in wrong_values() {
                let mut damaged = request.clone();
                *damaged.pointer_mut(&place).expect("the place") = wrong;
                let answer = ann.client.request(name, &damaged).await;
                if answer["ok"] == true {
                    assert!(answer["data"].is_object(), "{name} {damaged}: {answer}");
                } else {
                    let code = answer["errorCode"].as_i64().expect("a code");
                    assert!((-17..0).contains(&code), "{name} {damaged}: {answer}");
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 300, "{asked} requests");
    assert_served(&mut ann).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_frame_is_refused_by_its_contents_and_a_larger_one_ends_its_connection() {
    const MEGABYTE: usize = 1_000_000;
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    ann.client.told("peer-join").await;
    let large = "x".repeat(MEGABYTE);
    let refused = bob.client.refused("broadcast", &json!({"rid": "lobby", "data": large})).await;
    assert_eq!(refused.0, -17);
    let jsep = json!({"type": "offer", "sdp": format!("v=0\n{large}")});
    let publish = json!({"rid": "lobby", "jsep": jsep, "minfo": {"audio": true}});
    assert_eq!(bob.client.refused("publish", &publish).await.0, -17);
    assert_eq!(bob.client.refused(&large, &json!({"rid": "lobby"})).await.0, -14);
    assert_served(&mut bob).await;

    let deep = format!("{}{}", "[".repeat(MEGABYTE / 2), "]".repeat(MEGABYTE / 2));
    bob.client.send_raw(&deep).await;
    assert_served(&mut bob).await;
    let too_large = format!(r#"{{"request":true,"id":1,"method":"join","data":"{large}{large}"}}"#);
    bob.client.send_raw(&too_large).await;
    assert!(matches!(bob.client.next().await, Frame::Closed(None | Some(1009))));
    assert_eq!(ann.client.told("peer-leave").await["uid"], "bob");
    assert_served(&mut ann).await;
}

/// Requests beyond those that may wait are refused, notifications are passed over, and both are
/// read no faster than they may come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_hurt_only_their_sender() {
    const FLOOD: usize = 1000;
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let mut eve = ProtooClient::connect(&server, "lobby", "eve").await;
    let mut mallory = ProtooClient::connect(&server, "lobby", "mallory").await;
    for _ in 0..FLOOD {
        mallory.send_raw(r#"{"notification":true,"method":"peer-join","data":{}}"#).await;
        eve.emit("dance", None).await;
    }
    assert_served(&mut ann).await;
    // Everything was answered, one way or the other.
    for _ in 0..FLOOD {
        let Frame::Message(answer) = eve.next().await else { panic!("closed") };
        assert!([-14, -17].map(Value::from).contains(&answer["errorCode"]), "{answer}");
    }
    let answer = mallory.request("dance", &json!({})).await;
    assert_eq!(answer["errorCode"], -14);
}

/// A participant that reads nothing while others talk loses its connection, not the room's memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_let_go() {
    // The kernel's socket buffers hold megabytes before the outbox fills.
    const BROADCASTS_MAX: usize = 2000;
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.outbox_length = 16;
    })
    .await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (_deaf, _) = ProtooGuest::join(&server, "lobby", "deaf").await;
    ann.client.told("peer-join").await;
    let text = json!({"rid": "lobby", "data": "x".repeat(60_000)});
    for _ in 0..BROADCASTS_MAX {
        ann.client.granted("broadcast", &text).await;
        let there = ann.client.granted("getusers", &json!({"rid": "lobby"})).await;
        if there["users"] == json!([]) {
            break;
        }
    }
    assert_eq!(ann.client.told("peer-leave").await["uid"], "deaf");
    assert_served(&mut ann).await;
}
