//! Lost packets are asked for and sent again, on both sides.

use std::collections::BTreeSet;

use super::{
    relay::Relay,
    stage::{Stage, peer},
};
use crate::support::media_peer::{Codec, Mark, MediaPeer, Pace, Received};

/// VP8 whose lost packets come again under their own numbers.
const WITHOUT_RTX: Codec = Codec { rtx: None, ..Codec::VP8 };

#[tokio::test]
async fn what_a_publisher_loses_is_repaired_before_it_reaches_subscribers() {
    for codec in [Codec::VP8, WITHOUT_RTX] {
        let mut stage = Stage::new();
        let mut publisher =
            MediaPeer::builder().codecs(&[codec]).lose(first_time_every(7)).build().await;
        let video = publisher.add_source(codec).await;
        stage.publish(&mut publisher, "pub").await;
        let mut subscriber = peer(&[codec]).await;
        stage.subscribe(&mut subscriber, "sub", None, Some("pub")).await;
        let _running = video.run(Pace::VIDEO);
        let mut sequences = BTreeSet::new();
        while sequences.len() < 200 {
            let packet = subscriber.packet().await;
            assert!(sequences.insert(packet.sequence), "{} came twice", packet.sequence);
        }
        assert!(publisher.lost.borrow().len() > 20);
        // Only the newest may still be on their way.
        let settled = sequences.iter().nth(150).copied().expect("so many");
        let first = *sequences.first().expect("not empty");
        let missing: Vec<u16> =
            (first..settled).filter(|sequence| !sequences.contains(sequence)).collect();
        assert!(missing.is_empty(), "{missing:?} of {codec:?}");
    }
}

/// Loses every `n`-th packet when it is sent first, not when it is repeated.
fn first_time_every(n: u16) -> impl FnMut(&rtc::rtp::Header) -> bool + Send + Sync + 'static {
    let mut lost = BTreeSet::new();
    move |header| {
        let chosen = header.sequence_number.is_multiple_of(n) && header.payload_type == 96;
        chosen && lost.insert(header.sequence_number)
    }
}

#[tokio::test]
async fn a_subscriber_gets_again_what_it_misses() {
    let mut stage = Stage::new();
    let (_publisher, video) = stage.published(Codec::VP8, "pub").await;
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.offer_subscription(&mut subscriber, "sub", None, Some("pub")).await;
    let answer = stage.answer("sub").await;
    // Losses end before the repairs begin.
    let loss = |number: u32| number.is_multiple_of(10) && number <= 60;
    let (relay, answer) = Relay::before(&answer, Box::new(loss)).await;
    subscriber.accept(&answer).await;
    subscriber.connected().await;
    let _running = video.run(Pace::VIDEO);
    let first = subscriber.packet().await;
    let mut seen = vec![first.clone()];
    while seen.len() < 65 {
        seen.push(subscriber.packet().await);
    }
    let came: BTreeSet<u16> = seen.iter().map(|packet| packet.sequence).collect();
    let last = *came.last().expect("not empty");
    let missing: Vec<u16> = (1..last).filter(|sequence| !came.contains(sequence)).collect();
    assert!(missing.len() >= 5 && relay.lost() >= 5, "{missing:?}");
    subscriber.request_retransmission(first.ssrc, &missing).await;
    for wanted in missing {
        let repair = |packet: &Received| {
            let original = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
            (packet.payload_type == 97 && original == wanted).then(|| packet.clone())
        };
        let packet = subscriber.packet_that(repair).await;
        assert_ne!(packet.ssrc, first.ssrc);
        assert!(Mark::of(&packet.payload).is_some(), "the payload is whole");
    }
}

#[tokio::test]
async fn without_rtx_the_packet_itself_comes_again() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[WITHOUT_RTX]).await;
    let video = publisher.add_source(WITHOUT_RTX).await;
    stage.publish(&mut publisher, "pub").await;
    let mut subscriber = peer(&[WITHOUT_RTX]).await;
    stage.offer_subscription(&mut subscriber, "sub", None, Some("pub")).await;
    let answer = stage.answer("sub").await;
    let (relay, answer) = Relay::before(&answer, Box::new(|number| number == 5)).await;
    subscriber.accept(&answer).await;
    subscriber.connected().await;
    let _running = video.run(Pace::VIDEO);
    let mut ssrc = 0;
    for sequence in [1, 2, 3, 4, 6, 7] {
        let packet = subscriber.packet().await;
        assert_eq!(packet.sequence, sequence);
        ssrc = packet.ssrc;
    }
    assert_eq!(relay.lost(), 1);
    subscriber.request_retransmission(ssrc, &[5]).await;
    let again = subscriber.packet_that(|packet| (packet.sequence == 5).then(|| packet.clone()));
    let again = again.await;
    assert_eq!((again.ssrc, again.payload_type), (ssrc, 96));
    assert!(Mark::of(&again.payload).is_some());
}
