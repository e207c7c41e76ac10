//! What viewers see and hear of a mix.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    gst,
    stage::{
        BLACK, BLUE, FIRST, HIGH, LOW, RED, SECOND, Speaker, THIRD, Viewer, agents, server, signal,
    },
};
use crate::support::{guest::Guest, media_peer::Codec, server::TestServer};

/// Whether a notification says that a picture flows, or does not.
fn picture_is(status: &str) -> impl Fn(&Value) -> bool {
    move |update| update["data"] == json!({"field": "video.status", "value": status})
}

async fn two_speakers(server: &TestServer) -> (Speaker, Speaker) {
    let mut ann = Speaker::join(server, "ann", RED, LOW).await;
    let mut bob = Speaker::join(server, "bob", BLUE, HIGH).await;
    ann.control("mix", json!("common")).await;
    bob.control("mix", json!("common")).await;
    (ann, bob)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_sees_and_hears_everybody_and_a_speaker_does_not_hear_itself() {
    let server = server().await;
    assert!(agents().is_empty() || agents().len() == 1, "only the look at the codecs");
    let (mut ann, mut bob) = two_speakers(&server).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = Viewer::of(&mut cat, &[Codec::OPUS, Codec::VP8]).await;
    viewer
        .until("both colours where the layout says", |it| {
            it.sees(RED, FIRST) && it.sees(BLUE, SECOND) && it.sees(BLACK, THIRD)
        })
        .await;
    viewer.until("both tones", |it| it.hears(LOW) && it.hears(HIGH)).await;

    let mut own = Viewer::of(&mut ann.guest, &[Codec::OPUS]).await;
    own.until("the other tone alone", |it| it.hears(HIGH) && it.misses(LOW)).await;

    bob.control("set-region", json!({"view": "common", "region": "1"})).await;
    viewer.until("exchanged", |it| it.sees(BLUE, FIRST) && it.sees(RED, SECOND)).await;

    ann.control("unmix", json!("common")).await;
    viewer.until("one alone fills the picture", |it| it.sees(BLUE, SECOND)).await;
    viewer.until("the tone is gone", |it| it.hears(HIGH) && it.misses(LOW)).await;
    own.until("still the other tone", |it| it.hears(HIGH)).await;
    ann.control("mix", json!("common")).await;
    viewer.until("back again", |it| it.hears(HIGH) && it.hears(LOW)).await;
    own.until("without oneself again", |it| it.hears(HIGH) && it.misses(LOW)).await;
    assert_eq!(agents().len(), 1, "one agent for the room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_comes_in_the_codec_that_the_viewer_decodes() {
    let server = server().await;
    let mut ann = Speaker::join(&server, "ann", RED, LOW).await;
    ann.control("mix", json!("common")).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = Viewer::of(&mut cat, &[Codec::H264]).await;
    viewer.until("red by H.264", |it| it.sees(RED, FIRST)).await;
    let mut other = Guest::join(&server, "lobby", "dan").await;
    let mut beside = Viewer::of(&mut other, &[Codec::VP8]).await;
    beside.until("red by VP8", |it| it.sees(RED, FIRST)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_killed_or_hangs_is_replaced_within_the_same_session() {
    let server = server().await;
    let (_ann, _bob) = two_speakers(&server).await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = Viewer::of(&mut cat, &[Codec::VP8]).await;
    let whole = |it: &Viewer| it.sees(RED, FIRST) && it.sees(BLUE, SECOND);
    viewer.until("the mix", whole).await;
    for (name, limit) in [("KILL", 2), ("STOP", 8), ("KILL", 2)] {
        let (ssrc, before) = viewer.last.expect("packets came");
        signal(name).await;
        let killed = Instant::now();
        cat.client.skip_to_event("stream", picture_is("inactive")).await;
        viewer.picture = None;
        viewer.until("the mix again", whole).await;
        let took = killed.elapsed();
        assert!(took < Duration::from_secs(limit), "{name}: back after {took:?}");
        let (after_ssrc, after) = viewer.last.expect("packets came");
        assert_eq!(after_ssrc, ssrc);
        assert!(after.wrapping_sub(before) < 2000, "{name}: numbers go on: {before}, {after}");
        cat.client.skip_to_event("stream", picture_is("active")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_dies_again_and_again_is_given_up_with_a_reason() {
    let server = server().await;
    let mut cat = Guest::join(&server, "lobby", "cat").await;
    let mut viewer = Viewer::of(&mut cat, &[Codec::VP8]).await;
    viewer.until("an empty picture", |it| it.sees(BLACK, FIRST)).await;
    for death in 1..=5 {
        signal("KILL").await;
        if death < 5 {
            cat.client.skip_to_event("stream", picture_is("inactive")).await;
            cat.client.skip_to_event("stream", picture_is("active")).await;
        }
    }
    let session = viewer.session.id.clone();
    let ended = cat.client.await_event("progress").await;
    assert_eq!((&ended["id"], &ended["status"]), (&json!(session), &json!("error")));
    let reason = ended["data"].as_str().expect("a reason");
    assert!(reason.starts_with("The mixer failed: "), "{reason}");
    let mixed = json!({"media": {"video": {"from": "lobby-common"}, "audio": false}});
    cat.client.refused("subscribe", &mixed).await;
    let room = "lobby".parse().expect("valid");
    let room = server.server().registry().room(&room).await.expect("it runs");
    let view = "lobby-common".parse().expect("valid");
    let error = room.snapshot(view).await.expect("the room runs").expect_err("nobody mixes");
    assert_eq!(error.to_string(), reason);
    assert_eq!(agents(), [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_shows_the_mix_without_any_viewer() {
    let server = server().await;
    let (_ann, _bob) = two_speakers(&server).await;
    let room = "lobby".parse().expect("valid");
    let room = server.server().registry().room(&room).await.expect("it runs");
    let view = || "lobby-common".parse().expect("valid");
    let start = Instant::now();
    loop {
        let file = room.snapshot(view()).await.expect("the room runs").expect("a picture");
        assert_eq!(&file[..2], &[0xFF, 0xD8], "a JPEG file");
        let picture = gst::jpeg(&file).await;
        let sees = |colour, at| gst::alike(gst::probe(&picture, at), colour);
        if sees(RED, FIRST) && sees(BLUE, SECOND) {
            break;
        }
        assert!(start.elapsed() < super::stage::PATIENCE, "never both colours");
    }
    let strange = "lobby-other".parse().expect("valid");
    let error = room.snapshot(strange).await.expect("the room runs").expect_err("no such view");
    assert_eq!(error, portico::mixing::SnapshotError::NoPicture);
}
