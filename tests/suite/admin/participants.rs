//! Participants of running rooms.

use serde_json::{Value, json};

use super::client::BackEnd;
use crate::support::{guest::Guest, server::TestServer, socketio::Frame};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_are_listed_shown_and_dropped() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let path = format!("/v1/rooms/{room}/participants");
    assert_eq!(back_end.get(&path).await.granted(), json!([]), "nobody runs the room");
    back_end.get(&format!("{path}/x")).await.refused(404, 1005);
    back_end.delete(&format!("{path}/x")).await.refused(404, 1005);
    back_end.patch(&format!("{path}/x"), json!([])).await.refused(404, 1005);

    let mut ann = Guest::join(&server, &room, "ann").await;
    let mut bob = Guest::join(&server, &room, "bob").await;
    ann.client.expect_event("participant").await;
    let all = json!({"audio": true, "video": true});
    let permission = json!({"publish": all, "subscribe": all});
    let describe = |guest: &Guest, user: &str| json!({"id": guest.id, "user": user, "role": "presenter", "permission": permission});
    let listed = back_end.get(&format!("{path}/")).await.granted();
    assert_eq!(listed, json!([describe(&ann, "ann"), describe(&bob, "bob")]));
    let one = format!("{path}/{}", bob.id);
    assert_eq!(back_end.get(&one).await.granted(), describe(&bob, "bob"));

    assert_eq!(back_end.delete(&one).await.text(), "");
    let dropped = bob.client.next().await;
    assert_eq!(dropped, Frame::Event { name: "drop".into(), data: Value::Null });
    assert_eq!(bob.client.next().await, Frame::Closed);
    let left = ann.client.expect_event("participant").await;
    assert_eq!(left, json!({"action": "leave", "data": bob.id}));
    for answer in [
        back_end.get(&one).await,
        back_end.delete(&one).await,
        back_end.patch(&one, json!([])).await,
        back_end.get(&format!("{path}/no%2Fid")).await,
    ] {
        assert_eq!(answer.refused(404, 1005), "Participant not found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_can_be_taken_and_given() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let mut ann = Guest::join(&server, &room, "ann").await;
    let path = format!("/v1.1/rooms/{room}/participants/{}", ann.id);
    let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});

    let neither = json!({"audio": false, "video": false});
    let patch = json!([replace("/permission/publish", neither.clone())]);
    let told = back_end.patch(&path, patch).await.granted();
    let all = json!({"audio": true, "video": true});
    assert_eq!(told["permission"], json!({"publish": neither, "subscribe": all}));
    let publish = json!({"media": {"audio": {"source": "mic"}, "video": false}});
    assert_eq!(ann.client.refused("publish", &publish).await, "unauthorized");

    let patch = json!([
        replace("/permission/publish/audio", json!(true)),
        replace("/permission/subscribe/video", json!(false)),
    ]);
    let told = back_end.patch(&path, patch).await.granted();
    let sound = json!({"audio": true, "video": false});
    assert_eq!(told["permission"], json!({"publish": sound, "subscribe": sound}));
    assert!(ann.client.granted("publish", &publish).await["id"].is_string());
    assert_eq!(back_end.get(&path).await.granted(), told);

    for bad in [
        json!({}),
        json!([5]),
        json!([replace("/permission", all.clone())]),
        json!([replace("/permission/", all.clone())]),
        json!([replace("/permission/publish/", all.clone())]),
        json!([replace("/permission/publish/smell", json!(true))]),
        json!([replace("/permission/listen", all.clone())]),
        json!([replace("/permission/publish", json!({"audio": true, "smell": true}))]),
        json!([replace("/permission/publish", json!(true))]),
        json!([replace("/permission/publish/audio", json!("yes"))]),
        json!([{"op": "add", "path": "/permission/publish", "value": all}]),
        json!([{"op": "replace", "path": "/permission/publish"}]),
        json!([{"op": "replace", "path": "/permission/publish", "value": all, "more": 1}]),
        json!([replace("/permission/publish/audio", json!(false)), replace("/role", json!("x"))]),
        Value::Array(vec![replace("/permission/publish", all.clone()); 65]),
    ] {
        back_end.patch(&path, bad).await.refused(400, 1201);
    }
    assert_eq!(back_end.get(&path).await.granted(), told, "nothing of a bad request is done");
}
