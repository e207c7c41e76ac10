//! Media through the `protoo` door.

use serde_json::json;

use crate::support::{
    media_peer::{Codec, MediaPeer, Pace, mark, receiver},
    protoo::ProtooGuest,
    server::TestServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_published_subscribed_and_ended() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    ann.client.told("peer-join").await;

    let codecs = [Codec::OPUS, Codec::VP8];
    let (mid, _publisher, mut sources) = ann.publish(&codecs).await;
    let (uid, id) = mid.rsplit_once('#').expect("<uid>#<id>");
    assert_eq!(uid, "ann");
    assert!(id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{mid}");
    let minfo = json!({"audio": true, "video": true, "audiotype": 0, "videotype": 0});
    let stream = json!({
        "rid": "lobby", "uid": "ann", "mid": mid, "sfuid": "portico", "minfo": minfo,
    });
    assert_eq!(bob.client.told("stream-add").await, stream);
    let found = bob.client.granted("getpubs", &json!({"rid": "lobby"})).await;
    assert_eq!(found, json!({"pubs": [stream]}));

    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let audio = sources.pop().expect("audio").run(Pace::AUDIO);
    let mut subscriber = receiver(&codecs).await;
    let sid = bob.subscribe(&mid, &mut subscriber).await;
    assert!(sid.starts_with("bob#"), "{sid}");
    assert!(subscriber.packet_that(mark(Codec::VP8.payload_type)).await.key, "a key frame first");
    subscriber.packet_that(mark(Codec::OPUS.payload_type)).await;

    let candidate = json!({"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"});
    let trickle = json!({"rid": "lobby", "sid": sid, "candidate": candidate});
    assert_eq!(bob.client.granted("trickle", &trickle).await, json!({}));
    // Somebody else's is as good as unknown.
    assert_eq!(ann.client.refused("trickle", &trickle).await.0, -4);
    let unsubscribe = json!({"rid": "lobby", "mid": mid, "sid": sid});
    assert_eq!(ann.client.refused("unsubscribe", &unsubscribe).await.0, -4);
    let unpublish = json!({"rid": "lobby", "mid": mid, "sfuid": "portico"});
    assert_eq!(bob.client.refused("unpublish", &unpublish).await.0, -3);

    bob.client.granted("unsubscribe", &unsubscribe).await;
    assert_eq!(bob.client.refused("unsubscribe", &unsubscribe).await.0, -4);
    let mut again = receiver(&codecs).await;
    bob.subscribe(&mid, &mut again).await;
    ann.client.granted("unpublish", &unpublish).await;
    let removed = json!({"rid": "lobby", "uid": "ann", "mid": mid});
    assert_eq!(bob.client.told("stream-remove").await, removed);
    // Whoever ended it is not told: the next thing that ann hears is something else.
    bob.client.granted("broadcast", &json!({"rid": "lobby", "data": 1})).await;
    ann.client.told("broadcast").await;
    video.stop().await;
    audio.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_could_receive_more_than_there_is_receives_what_there_is() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    let both = [Codec::OPUS, Codec::VP8];
    // The test client looks for candidates in no section without media, so what flows comes first.
    for [published, other] in [both, [Codec::VP8, Codec::OPUS]] {
        let (mid, _publisher, mut sources) = ann.publish(&[published]).await;
        let added = bob.client.told("stream-add").await;
        assert_eq!(added["minfo"]["audio"], published == Codec::OPUS);
        assert_eq!(added["minfo"]["video"], published == Codec::VP8);
        let pace = if published == Codec::OPUS { Pace::AUDIO } else { Pace::VIDEO };
        let source = sources.pop().expect("one").run(pace);
        let mut subscriber = receiver(&[published, other]).await;
        bob.subscribe(&mid, &mut subscriber).await;
        subscriber.packet_that(mark(published.payload_type)).await;
        source.stop().await;
    }
    // And one kind alone of a stream of two.
    let (mid, _publisher, mut sources) = ann.publish(&both).await;
    bob.client.told("stream-add").await;
    let video = sources.pop().expect("video").run(Pace::VIDEO);
    let mut subscriber = receiver(&[Codec::VP8]).await;
    bob.subscribe(&mid, &mut subscriber).await;
    subscriber.packet_that(mark(Codec::VP8.payload_type)).await;
    video.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stream_is_of_is_told_as_it_was_said() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let (mut bob, _) = ProtooGuest::join(&server, "lobby", "bob").await;
    for (audiotype, videotype) in [(0, 1), (1, 2)] {
        let mut peer = MediaPeer::builder().codecs(&[Codec::OPUS, Codec::VP8]).build().await;
        let _audio = peer.add_source(Codec::OPUS).await;
        let _video = peer.add_source(Codec::VP8).await;
        let minfo = json!({
            "audio": true, "video": true, "audiotype": audiotype, "videotype": videotype,
        });
        let jsep = json!({"type": "offer", "sdp": peer.offer().await});
        let request = json!({"rid": "lobby", "jsep": jsep, "minfo": minfo});
        let published = ann.client.granted("publish", &request).await;
        peer.accept(published["jsep"]["sdp"].as_str().expect("an SDP")).await;
        assert_eq!(bob.client.told("stream-add").await["minfo"], minfo);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_that_wait_when_their_participant_leaves_are_answered() {
    let server = TestServer::start().await;
    let (mut ann, _) = ProtooGuest::join(&server, "lobby", "ann").await;
    let mut peer = MediaPeer::builder().codecs(&[Codec::OPUS]).build().await;
    peer.add_source(Codec::OPUS).await;
    let jsep = json!({"type": "offer", "sdp": peer.offer().await});
    let request = json!({"rid": "lobby", "jsep": jsep, "minfo": {"audio": true}});
    // The answer may be faster than the leave; there is one in any case, and only one.
    let published = ann.client.emit("publish", Some(&request)).await;
    ann.client.granted("leave", &json!({"rid": "lobby"})).await;
    let crate::support::protoo::Frame::Message(answer) = ann.client.next().await else {
        panic!("closed");
    };
    assert_eq!(answer["id"], published);
    assert!(answer["ok"] == true || answer["errorCode"] == -15, "{answer}");
    ann.client.granted("join", &json!({"rid": "lobby"})).await;
}
