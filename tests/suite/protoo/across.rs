//! One room, two doors: everybody is in everybody's lists, in the words of each door.

use serde_json::json;

use crate::support::{
    guest::Guest,
    media_peer::{Codec, Pace, mark, receiver},
    protoo::ProtooGuest,
    server::TestServer,
};

const CODECS: [Codec; 2] = [Codec::OPUS, Codec::VP8];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_each_door_publishes_and_subscribes_to_the_other() {
    let server = TestServer::start().await;
    let mut owt = Guest::join(&server, "lobby", "olga").await;
    let (owt_camera, mut owt_sources) = owt.publish(&CODECS).await;
    owt.client.expect_event("stream").await;

    // The newcomer by protoo finds the other as peer and stream.
    let (mut protoo, found) = ProtooGuest::join(&server, "lobby", "petra").await;
    let mid = format!("olga#{}", owt_camera.id);
    let minfo = json!({"audio": true, "video": true, "audiotype": 0, "videotype": 0});
    assert_eq!(
        found,
        json!({
            "users": [{"rid": "lobby", "uid": "olga", "bizid": "portico"}],
            "pubs": [{
                "rid": "lobby", "uid": "olga", "mid": mid, "sfuid": "portico", "minfo": minfo,
            }],
        })
    );
    let joined = owt.client.expect_event("participant").await;
    assert_eq!(joined["action"], "join");
    assert_eq!(joined["data"]["user"], "petra");
    let petra = joined["data"]["id"].as_str().expect("an id").to_owned();

    // Media from owt to protoo.
    let owt_video = owt_sources.pop().expect("video").run(Pace::VIDEO);
    let owt_audio = owt_sources.pop().expect("audio").run(Pace::AUDIO);
    let mut to_protoo = receiver(&CODECS).await;
    protoo.subscribe(&mid, &mut to_protoo).await;
    assert!(to_protoo.packet_that(mark(Codec::VP8.payload_type)).await.key);
    to_protoo.packet_that(mark(Codec::OPUS.payload_type)).await;

    // Media from protoo to owt.
    let measured = owt.client.expect_event("stream").await;
    assert_eq!(measured["status"], "update", "its own camera's size: {measured}");
    let (mid, _publisher, mut sources) = protoo.publish(&CODECS).await;
    let id = mid.strip_prefix("petra#").expect("its own").to_owned();
    let added = owt.client.expect_event("stream").await;
    assert_eq!(added["id"], id.as_str());
    assert_eq!(added["data"]["info"]["owner"], petra.as_str());
    assert_eq!(added["data"]["media"]["audio"]["source"], "mic");
    assert_eq!(added["data"]["media"]["video"]["source"], "camera");
    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let measured = owt.client.expect_event("stream").await;
    assert_eq!(measured["id"], id.as_str(), "{measured}");
    let wanted = json!({"audio": {"from": id}, "video": {"from": id}});
    let mut to_owt = owt.subscribe(wanted, receiver(&CODECS).await).await;
    assert!(to_owt.peer.packet_that(mark(Codec::VP8.payload_type)).await.key);
    to_owt.peer.packet_that(mark(Codec::OPUS.payload_type)).await;

    // Ends of either are told to the other.
    owt.client.granted("unpublish", &json!({"id": owt_camera.id})).await;
    let removed = protoo.client.told("stream-remove").await;
    let mid = format!("olga#{}", owt_camera.id);
    assert_eq!(removed, json!({"rid": "lobby", "uid": "olga", "mid": mid}));
    assert_eq!(owt.client.expect_event("stream").await["status"], "remove", "its own");
    protoo.client.granted("leave", &json!({"rid": "lobby"})).await;
    let left = owt.client.expect_event("participant").await;
    assert_eq!(left, json!({"action": "leave", "data": petra}));
    for running in [owt_video, owt_audio, video, audio] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_through_one_door_is_heard_through_the_other() {
    let server = TestServer::start().await;
    let mut olga = Guest::join(&server, "lobby", "olga").await;
    let (mut petra, _) = ProtooGuest::join(&server, "lobby", "petra").await;
    let joined = olga.client.expect_event("participant").await;
    let id = joined["data"]["id"].clone();

    olga.client.granted("text", &json!({"to": "all", "message": "hello \"you\""})).await;
    olga.client.expect_event("text").await;
    let heard = petra.client.told("broadcast").await;
    assert_eq!(heard, json!({"rid": "lobby", "uid": "olga", "data": "hello \"you\""}));
    // The dialect cannot say that a text is private.
    olga.client.granted("text", &json!({"to": id, "message": "psst"})).await;
    let heard = petra.client.told("broadcast").await;
    assert_eq!(heard, json!({"rid": "lobby", "uid": "olga", "data": "psst"}));

    let say = async |petra: &mut ProtooGuest, olga: &mut Guest, data| {
        petra.client.granted("broadcast", &json!({"rid": "lobby", "data": data})).await;
        let heard = olga.client.expect_event("text").await;
        assert_eq!(heard["from"], id);
        assert_eq!(heard["to"], "all");
        heard["message"].as_str().expect("a text").to_owned()
    };
    assert_eq!(say(&mut petra, &mut olga, json!("good \"day\"")).await, "good \"day\"");
    assert_eq!(say(&mut petra, &mut olga, json!({"a": [1]})).await, r#"{"a":[1]}"#);
    assert_eq!(say(&mut petra, &mut olga, json!(null)).await, "null");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namesakes_are_told_apart_by_everybody_alike() {
    let server = TestServer::start().await;
    let mut first = Guest::join(&server, "lobby", "user").await;
    let mut second = Guest::join(&server, "lobby", "user").await;
    let (_, found) = ProtooGuest::join(&server, "lobby", "petra").await;
    let uids = |found: &serde_json::Value| {
        let users = found["users"].as_array().expect("a list").iter();
        users.map(|user| user["uid"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(uids(&found), ["user", "user~2"]);

    // The first one goes; whoever comes later still calls the second one the same.
    first.client.granted("logout", &json!(null)).await;
    second.client.expect_event("participant").await;
    second.client.expect_event("participant").await;
    let left = second.client.expect_event("participant").await;
    assert_eq!(left["action"], "leave");
    let (mut late, found) = ProtooGuest::join(&server, "lobby", "paul").await;
    assert!(uids(&found).contains(&"user~2".to_owned()), "{found}");
    second.client.expect_event("participant").await;
    let (camera, _sources) = second.publish(&[Codec::OPUS]).await;
    let mid = loop {
        let crate::support::protoo::Frame::Message(told) = late.client.next().await else {
            panic!("closed");
        };
        if told["method"] == "stream-add" {
            break told["data"]["mid"].clone();
        }
    };
    assert_eq!(mid, format!("user~2#{}", camera.id));
}
