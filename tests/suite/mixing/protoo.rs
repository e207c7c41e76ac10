//! A mixed view through the `protoo` door, which knows streams by `mid` alone.

use serde_json::json;

use super::{
    gst,
    stage::{BLACK, BLUE, FIRST, HIGH, LOW, RED, SECOND, Speaker, THIRD, Viewer, server_with},
};
use crate::support::{media_peer::Codec, protoo::ProtooGuest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_listed_and_subscribed_to_like_any_stream() {
    let server = server_with(|config| {
        config.protoo.list_views = true;
        config.rooms.auto_mix = true;
    })
    .await;
    let mut olga = Speaker::join(&server, "olga", RED, LOW).await;
    let (mut petra, found) = ProtooGuest::join(&server, "lobby", "petra").await;
    let view = json!({
        "rid": "lobby", "uid": "", "mid": "lobby-common", "sfuid": "portico",
        "minfo": {"audio": true, "video": true, "audiotype": 1, "videotype": 2},
    });
    let listed = |pubs: &serde_json::Value| {
        pubs["pubs"].as_array().expect("a list").iter().filter(|it| **it == view).count()
    };
    assert_eq!(listed(&found), 1, "{found}");
    let found = petra.client.granted("getpubs", &json!({"rid": "lobby"})).await;
    assert_eq!(listed(&found), 1, "{found}");

    let both = [Codec::OPUS, Codec::VP8];
    let (mid, _publisher, mut sources) = petra.publish(&both).await;
    let _video = gst::colour(sources.pop().expect("video"), BLUE);
    let _audio = gst::tone(sources.pop().expect("audio"), HIGH);
    let (paul, _) = &mut ProtooGuest::join(&server, "lobby", "paul").await;
    let mut viewer = Viewer::by_protoo(paul, "lobby-common", &both).await;
    assert!(viewer.session.id.starts_with("paul#"), "{}", viewer.session.id);
    let both_seen =
        |it: &Viewer| it.sees(RED, FIRST) && it.sees(BLUE, SECOND) && it.sees(BLACK, THIRD);
    viewer.until("both doors' colours", both_seen).await;
    viewer.until("both doors' tones", |it| it.hears(LOW) && it.hears(HIGH)).await;

    // Who is mixed hears the others alone, whatever the door; and the picture comes as H.264, too.
    let mut own = Viewer::by_protoo(&mut petra, "lobby-common", &[Codec::OPUS, Codec::H264]).await;
    own.until("oneself seen, not heard", |it| {
        it.sees(BLUE, SECOND) && it.hears(LOW) && it.misses(HIGH)
    })
    .await;
    olga.control("unmix", json!("common")).await;
    viewer.until("the other alone", |it| it.sees(BLUE, FIRST) && it.misses(LOW)).await;

    let subscription = json!({"rid": "lobby", "mid": "lobby-common", "sid": viewer.session.id});
    paul.client.granted("unsubscribe", &subscription).await;
    assert_eq!(paul.client.refused("unsubscribe", &subscription).await.0, -4);
    let unpublish = json!({"rid": "lobby", "mid": "lobby-common", "sfuid": "portico"});
    assert_eq!(paul.client.refused("unpublish", &unpublish).await.0, -3, "a view is nobody's");
    petra.client.granted("unpublish", &json!({"rid": "lobby", "mid": mid})).await;
    own.until("an empty picture", |it| it.sees(BLACK, FIRST)).await;
}
