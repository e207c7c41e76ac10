//! One room, two doors: everybody is in everybody's lists, in the words of each door.

use serde_json::json;

use crate::support::{
    guest::Guest,
    media_peer::{Codec, Pace, mark, receiver},
    server::TestServer,
    signals::{PICTURE, SOUND, SignalsGuest},
};

const CODECS: [Codec; 2] = [Codec::OPUS, Codec::VP8];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_each_door_publishes_and_receives_the_other() {
    let server = TestServer::start().await;
    let mut owt = Guest::join(&server, "lobby", "olga").await;
    let (camera, mut sources) = owt.publish(&CODECS).await;
    let added = owt.client.expect_event("stream").await;
    let olga = added["data"]["info"]["owner"].as_str().expect("an id").to_owned();
    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);

    // A room of another door is a group chat, in which roles decide.
    let (mut ann, joined) = SignalsGuest::join(&server, "lobby", "m2m", "ann").await;
    assert_eq!(joined["pt"], "publisher");
    assert_eq!(joined["pps"][0]["id"], olga.as_str());
    assert_eq!(joined["pps"][0]["role"], "admin");
    assert_eq!(joined["pps"][0]["userId"], "olga");
    assert_eq!(joined["pps"][0]["publish"], true);
    assert_eq!(joined["es"]["sdps"][0]["id"], olga.as_str());
    let sdp = joined["es"]["sdps"][0]["sdp"].as_str().expect("an SDP");
    let mut to_ann = ann.receive(&olga, sdp, &CODECS).await;
    to_ann.packet_that(mark(PICTURE)).await;
    to_ann.packet_that(mark(SOUND)).await;
    let came = owt.client.skip_to_event("participant", |told| told["action"] == "join").await;
    assert_eq!((&came["data"]["id"], &came["data"]["user"]), (&json!("ann"), &json!("ann")));

    // A second stream is an entry of its own, and can be watched.
    let (screen, _silent) = owt.publish(&[Codec::OPUS]).await;
    let list = ann.client.list_that(|list| list.iter().any(|it| it["id"] == screen.id)).await;
    assert_eq!(list.len(), 3, "{list:?}");
    ann.watch(&screen.id, &[Codec::OPUS]).await;

    // The other way.
    let (_uplink, mut sources) = ann.publish(&CODECS).await;
    let anns = |told: &serde_json::Value| told["data"]["info"]["owner"] == "ann";
    let added = owt.client.skip_to_event("stream", anns).await;
    assert_eq!(added["data"]["media"]["video"]["source"], "camera");
    let id = added["id"].as_str().expect("an id").to_owned();
    assert!(id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-'), "{id}");
    let anns_video = sources.pop().expect("video").run(Pace::VIDEO);
    let anns_audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let wanted = json!({"audio": {"from": id}, "video": {"from": id}});
    let mut to_owt = owt.subscribe(wanted, receiver(&CODECS).await).await;
    to_owt.peer.packet_that(mark(Codec::VP8.payload_type)).await;
    to_owt.peer.packet_that(mark(Codec::OPUS.payload_type)).await;

    // What is paused through one door is seen through the other.
    ann.send("UPDATE", json!({"ve": false, "ae": true})).await;
    let paused = |told: &serde_json::Value| {
        told["id"] == id.as_str() && told["data"]["field"] == "video.status"
    };
    let told = owt.client.skip_to_event("stream", paused).await;
    assert_eq!(told["data"]["value"], "inactive");
    let pause = json!({"id": camera.id, "operation": "pause", "data": "video"});
    owt.client.granted("stream-control", &pause).await;
    ann.client.list_that(|list| list[0]["id"] == olga && list[0]["video"] == false).await;
    owt.client.granted("unpublish", &json!({"id": camera.id})).await;
    ann.client.list_that(|list| list[0]["id"] == olga && list.len() == 2).await;
    for running in [video, audio, anns_video, anns_audio] {
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_signals_made_counts_everybody_and_kicks_everybody() {
    let server = TestServer::with(|config| config.signals.max_publishers = 2).await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let mut olga = Guest::join(&server, "lobby", "olga").await;
    let (mut bob, joined) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    assert_eq!(joined["pps"].as_array().map(Vec::len), Some(1), "olga does not publish");
    let (_camera, _silent) = olga.publish(&[Codec::OPUS]).await;
    let list = ann.client.list_that(|list| list.len() == 2).await;
    let id = list[1]["id"].as_str().expect("an id").to_owned();
    assert_eq!((&list[1]["role"], &list[1]["userId"]), (&json!("publisher"), &json!("olga")));
    assert_eq!(ann.refused("PUBLISH_ACCEPT", json!({"to": "bob"})).await, 4051);

    ann.send("KICK", json!({"to": {"userId": "olga", "sessionId": id}})).await;
    olga.client.skip_to_event("drop", |_| true).await;
    bob.client.list_that(|list| list.len() == 1).await;
    ann.send("PUBLISH_ACCEPT", json!({"to": "bob"})).await;
    bob.client.signal("PUBLISH_ACCEPT").await;
    // By another door there is no place on the floor now.
    let mut paul = Guest::join(&server, "lobby", "paul").await;
    let media = json!({"audio": {"source": "mic"}, "video": false});
    let publish = json!({"media": media, "attributes": {}});
    let refused = paul.client.refused("publish", &publish).await;
    assert!(refused.to_string().contains("Too many inputs"), "{refused:?}");
}
