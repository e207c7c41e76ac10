//! The mixed view as the room-signal dialect watches it.

use serde_json::json;

use super::stage::{BLUE, FIRST, HIGH, LOW, RED, SECOND, Speaker, Viewer, server};
use crate::support::{media_peer::Codec, signals::SignalsGuest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_watches_the_mix_by_its_name() {
    let server = server().await;
    let mut ann = Speaker::join(&server, "ann", RED, LOW).await;
    let mut bob = Speaker::join(&server, "bob", BLUE, HIGH).await;
    ann.control("mix", json!("common")).await;
    bob.control("mix", json!("common")).await;
    let (mut cat, joined) = SignalsGuest::join(&server, "lobby", "m2m", "cat").await;
    let ids = joined["pps"].as_array().expect("a list").iter().map(|it| it["userId"].clone());
    assert_eq!(ids.collect::<Vec<_>>(), ["ann", "bob", "cat"], "the mix is nobody's");
    let mut viewer = Viewer::by_signals(&mut cat, &[Codec::OPUS, Codec::VP8]).await;
    viewer.until("both colours", |it| it.sees(RED, FIRST) && it.sees(BLUE, SECOND)).await;
    viewer.until("both tones", |it| it.hears(LOW) && it.hears(HIGH)).await;
    bob.control("unmix", json!("common")).await;
    viewer.until("one tone", |it| it.hears(LOW) && it.misses(HIGH)).await;
}
