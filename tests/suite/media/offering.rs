//! Subscribers that answer the plane's own offer.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use portico::{
    formats::{AudioFormat, VideoCodec, VideoFormat},
    media::Event,
};

use super::{
    relay::Relay,
    stage::{Stage, peer},
};
use crate::support::media_peer::{Codec, Mark, MediaPeer, Outgoing, Pace, Received};

/// Within this a subscriber that is up sees a picture.
const PROMPT: Duration = Duration::from_millis(300);

/// The payload types that offers of one sound and one picture give out.
const SOUND: u8 = 96;
const PICTURE: u8 = 97;
const REPAIR: u8 = 98;

const BOTH: [Codec; 2] = [Codec::OPUS, Codec::VP8];
const VP8: Option<VideoFormat> = Some(VideoFormat::of(VideoCodec::Vp8));

/// Begins as a VP8 key frame does.
fn payload(number: u16) -> Bytes {
    let mut bytes = vec![0x10, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];
    bytes.extend((0..number % 700).map(|index| (index ^ number) as u8));
    bytes.into()
}

#[tokio::test]
async fn payloads_arrive_bit_exact_in_the_streams_name() {
    let mut stage = Stage::new();
    let mut publisher = peer(&BOTH).await;
    let audio = publisher.add_source(Codec::OPUS).await;
    let video = publisher.add_source(Codec::VP8).await;
    stage.publish(&mut publisher, "pub").await;
    let offer = stage.open_offered("sub", Some("pub"), Some("pub")).await;
    assert!(offer.contains("a=msid:pub a0\r\n") && offer.contains("a=msid:pub v0\r\n"), "{offer}");
    let mut subscriber = peer(&BOTH).await;
    let answer = subscriber.answer(&offer).await;
    stage.send_answer("sub", &answer);
    let ready = stage.ready("sub").await;
    assert_eq!((ready.audio, ready.video), (Some(AudioFormat::OPUS), VP8));
    subscriber.connected().await;
    const PACKETS: u16 = 200;
    let mut received: [Vec<Received>; 2] = Default::default();
    for number in 0..PACKETS {
        let (sequence, timestamp) = (number, u32::from(number) * 3000);
        for source in [&audio, &video] {
            let payload = payload(number);
            source.send(Outgoing { sequence, timestamp, payload, ..Default::default() }).await;
        }
        while received.iter().any(|packets| packets.len() <= usize::from(number)) {
            let packet = subscriber.packet().await;
            assert!([SOUND, PICTURE].contains(&packet.payload_type), "{packet:?}");
            received[usize::from(packet.payload_type == PICTURE)].push(packet);
        }
    }
    for packets in &received {
        for (number, packet) in packets.iter().enumerate() {
            let number = u16::try_from(number).expect("few");
            assert_eq!((packet.sequence, packet.ssrc), (number + 1, packets[0].ssrc));
            assert_eq!(packet.payload, payload(number), "packet {number}");
        }
        assert!(offer.contains(&format!("a=ssrc:{} msid:pub ", packets[0].ssrc)), "{offer}");
    }
}

#[tokio::test]
async fn every_codec_is_offered_as_it_is_published() {
    let mut stage = Stage::new();
    let all = [Codec::VP8, Codec::VP9, Codec::H264, Codec::H265, Codec::AV1];
    for (number, codec) in all.into_iter().enumerate() {
        let (source, sink) = (format!("pub-{number}"), format!("sub-{number}"));
        let (_publisher, mut video) = stage.published(codec, &source).await;
        let mut subscriber = peer(&all).await;
        stage.subscribe_offered(&mut subscriber, &sink, None, Some(&source)).await;
        video.send_frame(true, Pace::VIDEO).await;
        let mark = |packet: &Received| Mark::of(&packet.payload);
        assert!(subscriber.packet_that(mark).await.key, "{codec:?}");
    }
}

#[tokio::test]
async fn the_subscriber_may_begin_the_handshake_or_wait() {
    let mut stage = Stage::new();
    let (_publisher, mut audio) = stage.published(Codec::OPUS, "pub").await;
    let waits = MediaPeer::builder().codecs(&[Codec::OPUS]);
    let begins = MediaPeer::builder().codecs(&[Codec::OPUS]).dtls_client();
    for (name, builder, role) in [("one", waits, "passive"), ("two", begins, "active")] {
        let mut subscriber = builder.build().await;
        let offer = stage.open_offered(name, Some("pub"), None).await;
        let answer = subscriber.answer(&offer).await;
        assert!(answer.contains(&format!("a=setup:{role}\r\n")), "{answer}");
        stage.send_answer(name, &answer);
        stage.ready(name).await;
        subscriber.connected().await;
        audio.send_frame(false, Pace::AUDIO).await;
        assert!(Mark::of(&subscriber.packet().await.payload).is_some(), "{role}");
    }
}

#[tokio::test]
async fn a_picture_begins_at_once() {
    let mut stage = Stage::new();
    let (_publisher, video) = stage.published(Codec::VP8, "pub").await;
    let mut running = video.run(Pace::VIDEO);
    running.reached(|sent| sent.frames > 5).await;
    let mut subscriber = peer(&[Codec::VP8]).await;
    let ready = stage.subscribe_offered(&mut subscriber, "sub", None, Some("pub")).await;
    let packet = subscriber.packet().await;
    let mark = Mark::of(&packet.payload).expect("a synthetic packet");
    assert!(mark.key && mark.index == 0 && packet.sequence == 1, "began with {mark:?}");
    let waited = packet.arrival.saturating_duration_since(ready.at);
    assert!(waited < PROMPT, "waited {waited:?}");
}

#[tokio::test]
async fn lost_packets_come_again_as_it_was_offered() {
    let mut stage = Stage::new();
    let (_publisher, video) = stage.published(Codec::VP8, "pub").await;
    let offer = stage.open_offered("sub", None, Some("pub")).await;
    let loss = |number: u32| number.is_multiple_of(10) && number <= 60;
    let (relay, offer) = Relay::before(&offer, Box::new(loss)).await;
    let mut subscriber = peer(&[Codec::VP8]).await;
    let answer = subscriber.answer(&offer).await;
    stage.send_answer("sub", &answer);
    subscriber.connected().await;
    let _running = video.run(Pace::VIDEO);
    let first = subscriber.packet().await;
    let mut came = BTreeSet::from([first.sequence]);
    while came.len() < 65 {
        came.insert(subscriber.packet().await.sequence);
    }
    let last = *came.last().expect("not empty");
    let missing: Vec<u16> = (1..last).filter(|sequence| !came.contains(sequence)).collect();
    assert!(missing.len() >= 5 && relay.lost() >= 5, "{missing:?}");
    subscriber.request_retransmission(first.ssrc, &missing).await;
    for wanted in missing {
        // Without a sound, the picture has the first numbers.
        let repair = |packet: &Received| {
            let original = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
            (packet.payload_type == REPAIR - 1 && original == wanted).then(|| packet.clone())
        };
        let packet = subscriber.packet_that(repair).await;
        assert!(offer.contains(&format!("a=ssrc-group:FID {} {}\r\n", first.ssrc, packet.ssrc)));
        assert!(Mark::of(&packet.payload).is_some(), "the payload is whole");
    }
}

/// A change of an answer.
type Edit = fn(&str) -> String;

/// A publisher of sound and picture, and a subscriber that answers as `edit` has it.
async fn answered(edit: impl Fn(&str) -> String) -> (Stage, [MediaPeer; 2]) {
    let mut stage = Stage::new();
    let mut publisher = peer(&BOTH).await;
    publisher.add_source(Codec::OPUS).await;
    publisher.add_source(Codec::VP8).await;
    stage.publish(&mut publisher, "pub").await;
    let offer = stage.open_offered("sub", Some("pub"), Some("pub")).await;
    let mut subscriber = peer(&BOTH).await;
    let answer = subscriber.answer(&offer).await;
    stage.send_answer("sub", &edit(&answer));
    (stage, [publisher, subscriber])
}

#[tokio::test]
async fn what_the_client_does_not_want_is_not_sent() {
    let edits: [Edit; 2] = [
        |answer| answer.replace("m=video 9", "m=video 0"),
        |answer| {
            let at = answer.find("m=video").expect("a picture");
            format!("{}{}", &answer[..at], answer[at..].replace("a=recvonly", "a=inactive"))
        },
    ];
    for edit in edits {
        let (mut stage, _peers) = answered(edit).await;
        let ready = stage.ready("sub").await;
        assert_eq!((ready.audio, ready.video), (Some(AudioFormat::OPUS), None));
    }
}

#[tokio::test]
async fn a_bad_answer_fails_its_session_and_no_other() {
    let cases: [(Edit, &str); 4] = [
        (|answer| answer.replace("a=setup:passive", "a=setup:actpass"), "setup:active"),
        (|answer| answer.replace("a=recvonly", "a=sendrecv"), "recvonly"),
        (
            |answer| answer.replace("m=audio 9", "m=audio 0").replace("m=video 9", "m=video 0"),
            "none",
        ),
        (|_| "hello".to_owned(), "cannot be read"),
    ];
    for (edit, reason) in cases {
        let (mut stage, _peers) = answered(edit).await;
        let told = stage.failure("sub").await;
        assert!(told.contains(reason), "{told}");
        let mut other = peer(&BOTH).await;
        let ready = stage.subscribe_offered(&mut other, "other", Some("pub"), Some("pub")).await;
        assert_eq!(ready.video, VP8);
    }
}

#[tokio::test]
async fn another_certificate_than_that_of_the_answer_is_refused() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::OPUS]).await;
    publisher.add_source(Codec::OPUS).await;
    stage.publish(&mut publisher, "pub").await;
    let offer = stage.open_offered("sub", Some("pub"), None).await;
    let mut forger = MediaPeer::builder().codecs(&[Codec::OPUS]).wrong_fingerprint().build().await;
    let answer = forger.answer(&offer).await;
    stage.send_answer("sub", &answer);
    let told = stage.failure("sub").await;
    assert!(told.contains("fingerprint"), "{told}");
}

#[tokio::test]
async fn an_answer_counts_once_and_offers_do_not() {
    let mut stage = Stage::new();
    let (_publisher, mut audio) = stage.published(Codec::OPUS, "pub").await;
    // Nobody is asked for an answer here.
    stage.send_answer("pub", "hello");
    let offer = stage.open_offered("sub", Some("pub"), None).await;
    stage.offer("sub", &offer);
    let mut subscriber = peer(&[Codec::OPUS]).await;
    let answer = subscriber.answer(&offer).await;
    stage.send_answer("sub", &answer);
    stage.send_answer("sub", "hello");
    stage.ready("sub").await;
    subscriber.connected().await;
    stage.send_answer("sub", &answer);
    audio.send_frame(false, Pace::AUDIO).await;
    assert!(Mark::of(&subscriber.packet().await.payload).is_some());
    let refused = |event: &Event| matches!(event, Event::SessionFailed { .. });
    assert!(!stage.heard().any(refused));
}

#[tokio::test]
async fn a_stream_that_is_gone_is_neither_offered_nor_sent() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::OPUS]).await;
    publisher.add_source(Codec::OPUS).await;
    stage.publish(&mut publisher, "pub").await;
    let offer = stage.open_offered("late", Some("pub"), None).await;
    stage.close("pub");
    let mut subscriber = peer(&[Codec::OPUS]).await;
    let answer = subscriber.answer(&offer).await;
    stage.send_answer("late", &answer);
    assert_eq!(stage.failure("late").await, "The stream is no longer there.");
}
