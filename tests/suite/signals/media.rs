//! Media through the `signals` door: uplinks that clients offer, downlinks that the server offers.

use serde_json::{Value, json};

use crate::support::{
    media_peer::{Codec, ConnectionState, MediaPeer, Pace, mark},
    server::TestServer,
    signals::{Head, PICTURE, SOUND, SignalsGuest},
};

const BOTH: [Codec; 2] = [Codec::OPUS, Codec::VP8];

/// Waits until the list says that somebody's uplink is up.
async fn until_published(guest: &mut SignalsGuest, id: &str) -> Value {
    let published = |list: &[Value]| list.iter().any(|it| it["id"] == id && it["publish"] == true);
    let list = guest.client.list_that(published).await;
    list.into_iter().find(|it| it["id"] == id).expect("listed")
}

/// The offers of a `JOIN` ack.
fn sdps(joined: &Value) -> Vec<(String, String)> {
    let list = joined["es"]["sdps"].as_array().expect("an array").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.map(|it| (text(&it["id"]), text(&it["sdp"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_is_received_from_join_on_and_by_watch() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut early, _) = SignalsGuest::join(&server, "lobby", "m2m", "early").await;
    let (_uplink, mut sources) = ann.publish(&BOTH).await;
    let entry = until_published(&mut early, "ann").await;
    assert_eq!((&entry["video"], &entry["audio"]), (&json!(true), &json!(true)));
    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);

    // Whoever was there before asks for it.
    let mut watching = early.watch("ann", &BOTH).await;
    let first = watching.packet_that(mark(PICTURE)).await;
    assert!(first.key, "a key frame first");
    watching.packet_that(mark(SOUND)).await;

    // Whoever comes later is offered it at once.
    let (mut late, joined) = SignalsGuest::join(&server, "lobby", "m2m", "late").await;
    let [(id, sdp)] = &sdps(&joined)[..] else { panic!("one offer: {joined}") };
    assert_eq!(id, "ann");
    let mut receiving = late.receive(id, sdp, &BOTH).await;
    receiving.packet_that(mark(PICTURE)).await;
    receiving.packet_that(mark(SOUND)).await;
    // The answer counts once.
    let to = json!({"userId": "ann", "sessionId": "ann"});
    assert_eq!(late.refused("ANSWER", json!({"to": to, "sdp": "v=0"})).await, 4024);

    // Candidates are taken for either, in all their forms.
    let line = "candidate:1 1 udp 1 127.0.0.1 9 typ host";
    for sdp in [line.to_owned(), format!("a={line}"), json!({"candidate": line}).to_string()] {
        late.send("ICE", json!({"to": to, "sdp": sdp})).await;
        ann.send("ICE", json!({"to": ann.head.to(), "sdp": sdp})).await;
    }
    assert_eq!(late.refused("ICE", json!({"to": to, "sdp": "nonsense"})).await, 2001);

    // A fresh offer replaces the connection once it is answered.
    let mut again = late.watch("ann", &BOTH).await;
    again.packet_that(mark(PICTURE)).await;
    receiving.reached(ConnectionState::Disconnected).await;

    // Whoever stops to publish is seen to.
    ann.send("LEAVE", json!({})).await;
    early.client.list_that(<[Value]>::is_empty).await;
    let gone = json!({"to": {"userId": "ann", "sessionId": "ann"}});
    assert_eq!(early.refused("WATCH", gone).await, 4024);
    video.stop().await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paused_by_update_stops_for_everybody() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    let (_uplink, mut sources) = ann.publish(&[Codec::OPUS]).await;
    until_published(&mut bob, "ann").await;
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let mut watching = bob.watch("ann", &[Codec::OPUS]).await;
    watching.packet_that(mark(SOUND)).await;
    ann.send("UPDATE", json!({"ve": false, "ae": false})).await;
    bob.client.list_that(|list| list[0]["audio"] == false).await;
    ann.send("UPDATE", json!({"ve": false, "ae": true})).await;
    bob.client.list_that(|list| list[0]["audio"] == true).await;
    // What was on its way is followed by what comes now.
    while watching.packets.try_recv().is_ok() {}
    watching.packet_that(mark(SOUND)).await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_socket_leaves_role_and_media_as_they_are() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    let (mut uplink, mut sources) = ann.publish(&[Codec::OPUS]).await;
    until_published(&mut bob, "ann").await;
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let mut watching = bob.watch("ann", &[Codec::OPUS]).await;
    watching.packet_that(mark(SOUND)).await;

    ann.reconnect(&server).await;
    bob.reconnect(&server).await;
    server.until_away(2).await;
    while watching.packets.try_recv().is_ok() {}
    watching.packet_that(mark(SOUND)).await;
    assert_eq!(ann.rejoin(false).await["pt"], "admin");
    let joined = bob.rejoin(false).await;
    assert_eq!(joined["pps"][0]["publish"], true);
    // It is offered afresh; what runs goes on until that is answered.
    let [(id, sdp)] = &sdps(&joined)[..] else { panic!("one offer: {joined}") };
    while watching.packets.try_recv().is_ok() {}
    watching.packet_that(mark(SOUND)).await;
    let mut fresh = bob.receive(id, sdp, &[Codec::OPUS]).await;
    fresh.packet_that(mark(SOUND)).await;
    watching.reached(ConnectionState::Disconnected).await;

    // An offer of the same peer connection goes on with it: nobody sees the stream go.
    let sdp = uplink.offer().await;
    ann.send("OFFER", json!({"sdp": sdp, "op": {"restarting": true}})).await;
    let answer = ann.client.ack("OFFER").await;
    uplink.accept(answer["sdp"].as_str().expect("an SDP")).await;
    fresh.packet_that(mark(SOUND)).await;
    let listed = bob.heartbeat().await;
    assert_eq!(listed["pps"][0]["publish"], true);
    // One of another replaces it.
    let (_second, _silent) = ann.publish(&[Codec::OPUS]).await;
    fresh.reached(ConnectionState::Disconnected).await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audio_room_takes_the_sound_of_an_offer_and_refuses_its_picture() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "radio", "a2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "radio", "a2m", "bob").await;
    let mut peer = MediaPeer::builder().codecs(&BOTH).build().await;
    let audio = peer.add_source(Codec::OPUS).await;
    let _video = peer.add_source(Codec::VP8).await;
    let sdp = peer.offer().await;
    ann.send("OFFER", json!({"sdp": sdp})).await;
    let answer = ann.client.ack("OFFER").await["sdp"].as_str().expect("an SDP").to_owned();
    let section = answer.lines().find(|line| line.starts_with("m=video"));
    assert!(section.is_some_and(|line| line.starts_with("m=video 0 ")), "{answer}");
    // The test's peer wants to know formats of what is rejected, too.
    peer.accept(&format!("{answer}a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n")).await;
    peer.connected().await;
    let entry = until_published(&mut bob, "ann").await;
    assert_eq!((&entry["video"], &entry["audio"]), (&json!(false), &json!(true)));
    let audio = audio.run(Pace::AUDIO);
    let mut watching = bob.watch("ann", &[Codec::OPUS]).await;
    watching.packet_that(mark(SOUND)).await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_kicked_sends_and_receives_no_more() {
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let (mut bob, _) = SignalsGuest::join(&server, "lobby", "m2m", "bob").await;
    ann.send("PUBLISH_ACCEPT", json!({"to": bob.head.to()})).await;
    bob.client.signal("PUBLISH_ACCEPT").await;
    let (_anns, mut sources) = ann.publish(&[Codec::OPUS]).await;
    let (mut bobs, _silent) = bob.publish(&[Codec::OPUS]).await;
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    until_published(&mut bob, "ann").await;
    let mut watching = bob.watch("ann", &[Codec::OPUS]).await;
    watching.packet_that(mark(SOUND)).await;

    ann.send("KICK", json!({"to": bob.head.to()})).await;
    bob.client.signal("KICK").await;
    bobs.reached(ConnectionState::Disconnected).await;
    watching.reached(ConnectionState::Disconnected).await;
    ann.client.list_that(|list| list.len() == 1).await;
    // The socket is open: bob comes again, as a viewer.
    assert_eq!(bob.rejoin(false).await["pt"], "viewer");
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_publish_and_no_tenth() {
    const PUBLISHERS: usize = 9;
    let server = TestServer::start().await;
    let (mut ann, _) = SignalsGuest::found(&server, "lobby", "m2m", "ann").await;
    let mut guests = Vec::new();
    for number in 0..PUBLISHERS {
        let user = format!("user{number}");
        guests.push(SignalsGuest::join(&server, "lobby", "m2m", &user).await.0);
    }
    let (tenth, others) = guests.split_last_mut().expect("some");
    for guest in others.iter() {
        ann.send("PUBLISH_ACCEPT", json!({"to": guest.head.to()})).await;
    }
    tenth.client.list_that(|list| list.len() == PUBLISHERS).await;
    let to = tenth.head.to();
    assert_eq!(ann.refused("PUBLISH_ACCEPT", json!({"to": to})).await, 4051);
    let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\n";
    assert_eq!(tenth.refused("OFFER", json!({"sdp": sdp})).await, 4051);
    others[0].send("LEAVE", json!({})).await;
    let without_first = |list: &[Value]| {
        let has = |id: &str| list.iter().any(|it| it["id"] == id);
        has("user7") && !has("user0")
    };
    ann.client.list_that(without_first).await;
    ann.send("PUBLISH_ACCEPT", json!({"to": to})).await;
    tenth.client.signal("PUBLISH_ACCEPT").await;
}

/// What a stream is to be beside, and what it shows, goes with it to whoever looks for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_with_forwarding_is_published_as_such() {
    let server = TestServer::start().await;
    let mut head = Head::new("lobby", "m2m", "ann", "SCREEN");
    head.session["category"] = json!("screenshare");
    let (mut ann, _) = SignalsGuest::enter(&server, head, true).await;
    let mut owt = crate::support::guest::Guest::join(&server, "lobby", "olga").await;
    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    let _video = peer.add_source(Codec::VP8).await;
    let sdp = peer.offer().await;
    ann.send("OFFER", json!({"sdp": sdp, "op": {"hlsForwarding": true}})).await;
    let answer = ann.client.ack("OFFER").await;
    peer.accept(answer["sdp"].as_str().expect("an SDP")).await;
    let added = owt.client.expect_event("stream").await;
    assert_eq!(added["data"]["media"]["video"]["source"], "screen-cast");
    assert_eq!(added["data"]["info"]["attributes"], json!({"hlsForwarding": true}));
    let listed = ann.heartbeat().await;
    assert_eq!(listed["pps"][0]["category"], "screenshare");
}
