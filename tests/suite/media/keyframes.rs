//! Key frames for those who need them, and no more than that.

use std::time::Duration;

use super::stage::{Stage, peer};
use crate::support::media_peer::{Codec, Mark, Pace, Received};

/// Within this a late subscriber sees a picture.
const PROMPT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_late_subscriber_begins_with_a_key_frame_at_once() {
    let mut stage = Stage::new();
    let (_publisher, video) = stage.published(Codec::VP8, "pub").await;
    let mut running = video.run(Pace::VIDEO);
    running.reached(|sent| sent.frames > 5).await;
    for name in ["first", "second", "third"] {
        let mut subscriber = peer(&[Codec::VP8]).await;
        let ready = stage.subscribe(&mut subscriber, name, None, Some("pub")).await;
        let packet = subscriber.packet().await;
        let mark = Mark::of(&packet.payload).expect("a synthetic packet");
        assert!(mark.key && mark.index == 0, "{name} began with {mark:?}");
        assert_eq!(packet.sequence, 1);
        let waited = packet.arrival.saturating_duration_since(ready.at);
        assert!(waited < PROMPT, "{name} waited {waited:?}");
    }
}

#[tokio::test]
async fn requests_are_passed_on_and_throttled() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let video = publisher.add_source(Codec::VP8).await;
    let ssrc = video.ssrc;
    stage.publish(&mut publisher, "pub").await;
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.subscribe(&mut subscriber, "sub", None, Some("pub")).await;
    let mut running = video.run(Pace::VIDEO);
    let theirs = subscriber.packet().await.ssrc;
    let before = running.sent().key_frames;
    subscriber.request_key_frame(theirs).await;
    running.reached(|sent| sent.key_frames > before).await;
    // A subscriber that asks all the time.
    let (frames, requests) = (running.sent().frames, count(&publisher, ssrc));
    while running.sent().frames < frames + 30 {
        subscriber.request_key_frame(theirs).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let asked = count(&publisher, ssrc) - requests;
    assert!((3..=7).contains(&asked), "{asked} requests in a second");
}

fn count(publisher: &crate::support::media_peer::MediaPeer, ssrc: u32) -> u32 {
    publisher.key_frame_requests.borrow().get(&ssrc).copied().unwrap_or_default()
}

#[tokio::test]
async fn nothing_but_key_frames_begins_a_picture() {
    let mut stage = Stage::new();
    let (_publisher, mut video) = stage.published(Codec::H264, "pub").await;
    let mut subscriber = peer(&[Codec::H264]).await;
    stage.subscribe(&mut subscriber, "sub", None, Some("pub")).await;
    for _ in 0..5 {
        video.send_frame(false, Pace::VIDEO).await;
    }
    let key = video.send_frame(true, Pace::VIDEO).await;
    let mark = |packet: &Received| Mark::of(&packet.payload);
    assert_eq!(subscriber.packet_that(mark).await.frame, key);
}
