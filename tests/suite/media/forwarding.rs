//! Packets from publishers to subscribers.

use std::collections::BTreeSet;

use bytes::Bytes;
use portico::{
    formats::{AudioFormat, Resolution, TrackKind, VideoCodec, VideoFormat},
    media::Event,
};

use super::stage::{Stage, peer};
use crate::support::media_peer::{
    AUDIO_LEVEL, Codec, Mark, MediaPeer, Outgoing, Pace, Picture, Received,
};

/// A key frame's first VP8 packet, then bytes of no meaning.
fn payload(number: u16, len: usize) -> Bytes {
    let mut bytes = vec![0x10, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];
    let mut state = u32::from(number);
    while bytes.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes.into()
}

#[tokio::test]
async fn payloads_are_bit_exact_and_sequences_continuous() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut publisher = peer(&codecs).await;
    let audio = publisher.add_source(Codec::OPUS).await;
    let video = publisher.add_source(Codec::VP8).await;
    let ready = stage.publish(&mut publisher, "pub").await;
    assert_eq!(ready.audio, Some(AudioFormat::OPUS));
    assert_eq!(ready.video, Some(VideoFormat::of(VideoCodec::Vp8)));
    let mut subscribers = Vec::new();
    for name in ["one", "two", "three"] {
        let mut subscriber = peer(&codecs).await;
        let ready = stage.subscribe(&mut subscriber, name, Some("pub"), Some("pub")).await;
        assert_eq!(ready.video, Some(VideoFormat::of(VideoCodec::Vp8)));
        subscribers.push(subscriber);
    }
    // Over the wrap of the publisher's sequence numbers, in sizes that get padded and not.
    const PACKETS: u16 = 400;
    let sizes = |number: u16| 11 + usize::from(number % 7) * 170 + usize::from(number % 3);
    let mut received: Vec<[Vec<Received>; 2]> = vec![Default::default(); subscribers.len()];
    for number in 0..PACKETS {
        let sequence = 65_400_u16.wrapping_add(number);
        let timestamp = u32::from(number) * 3000;
        let payload = payload(number, sizes(number));
        for source in [&audio, &video] {
            let payload = payload.clone();
            source.send(Outgoing { sequence, timestamp, payload, ..Default::default() }).await;
        }
        // In bursts that the sockets of the peers can hold.
        if number % 20 < 19 {
            continue;
        }
        for (subscriber, by_kind) in subscribers.iter_mut().zip(&mut received) {
            while by_kind.iter().any(|packets| packets.len() <= usize::from(number)) {
                let packet = subscriber.packet().await;
                by_kind[usize::from(packet.payload_type == 96)].push(packet);
            }
        }
    }
    for packets in received.iter().flatten() {
        check(packets, sizes);
    }
}

/// Everything came, in order, from 1 on, with the right bytes and time steps.
fn check(packets: &[Received], sizes: impl Fn(u16) -> usize) {
    for (number, packet) in packets.iter().enumerate() {
        let number = number as u16;
        assert_eq!(packet.sequence, number + 1);
        assert_eq!(packet.timestamp, packets[0].timestamp + u32::from(number) * 3000);
        assert_eq!(packet.ssrc, packets[0].ssrc);
        assert_eq!(packet.payload, payload(number, sizes(number)), "packet {number}");
    }
}

#[tokio::test]
async fn sound_and_picture_may_come_from_different_publishers() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut speaker = peer(&codecs).await;
    let mut audio = speaker.add_source(Codec::OPUS).await;
    stage.publish(&mut speaker, "speaker").await;
    let mut camera = peer(&codecs).await;
    let mut video = camera.add_source(Codec::VP8).await;
    stage.publish(&mut camera, "camera").await;
    let mut viewer = peer(&codecs).await;
    stage.subscribe(&mut viewer, "viewer", Some("speaker"), Some("camera")).await;
    audio.send_frame(false, Pace::AUDIO).await;
    video.send_frame(true, Pace::VIDEO).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let packet = viewer.packet().await;
        assert!(Mark::of(&packet.payload).is_some());
        seen.insert(packet.payload_type);
    }
    assert_eq!(seen, BTreeSet::from([96, 111]));
}

#[tokio::test]
async fn every_codec_passes_and_pictures_are_measured() {
    let mut stage = Stage::new();
    let all = [Codec::VP8, Codec::VP9, Codec::H264, Codec::H265, Codec::AV1];
    for (number, codec) in all.into_iter().enumerate() {
        let (source, sink) = (format!("pub-{number}"), format!("sub-{number}"));
        let (_publisher, mut video) = stage.published(codec, &source).await;
        video.picture = Picture { width: 640, height: 368 };
        let mut subscriber = peer(&all).await;
        stage.subscribe(&mut subscriber, &sink, None, Some(&source)).await;
        video.send_frame(true, Pace::VIDEO).await;
        let packet = subscriber.packet().await;
        assert_eq!(packet.payload_type, codec.payload_type);
        assert!(Mark::of(&packet.payload).is_some_and(|mark| mark.key), "{codec:?}");
        let size = stage
            .event_that(|_, event| {
                let Event::Measured { stream, resolution, .. } = event else { return None };
                (stream.as_str() == source).then_some(*resolution)
            })
            .await;
        assert_eq!(size, Resolution { width: 640, height: 368 }, "{codec:?}");
    }
}

#[tokio::test]
async fn the_audio_level_passes_under_the_subscribers_number() {
    let mut stage = Stage::new();
    let (_publisher, audio) = stage.published(Codec::OPUS, "pub").await;
    let number = audio.extension(AUDIO_LEVEL).expect("agreed on");
    let mut subscriber = peer(&[Codec::OPUS]).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), None).await;
    let extensions = vec![(number, Bytes::from_static(&[0x85]))];
    audio
        .send(Outgoing { sequence: 1, extensions, payload: "sound".into(), ..Default::default() })
        .await;
    let packet = subscriber.packet().await;
    assert_eq!(packet.payload, "sound");
    assert!(packet.extensions.iter().any(|(_, value)| value[..] == [0x85]));
}

#[tokio::test]
async fn a_pause_stops_the_track_and_play_resumes_it_without_a_gap() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut publisher = peer(&codecs).await;
    let audio = publisher.add_source(Codec::OPUS).await;
    let video = publisher.add_source(Codec::VP8).await;
    let video_ssrc = video.ssrc;
    stage.publish(&mut publisher, "pub").await;
    let mut subscriber = peer(&codecs).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), Some("pub")).await;
    let (_audio, mut video) = (audio.run(Pace::AUDIO), video.run(Pace::VIDEO));
    let is_video = |packet: &Received| (packet.payload_type == 96).then(|| packet.clone());
    let mut last = subscriber.packet_that(is_video).await;
    stage.set_active("pub", TrackKind::Video, false);
    // Sound that goes on tells when the pause has certainly begun.
    let mut sounds = 0;
    while sounds < 15 {
        let packet = subscriber.packet().await;
        sounds += 1;
        if packet.payload_type == 96 {
            last = packet;
            sounds = 0;
        }
    }
    let before = video.sent().frames;
    video.reached(|sent| sent.frames > before + 10).await;
    let asked = publisher.key_frame_requests.borrow().get(&video_ssrc).copied().unwrap_or(0);
    stage.set_active("pub", TrackKind::Video, true);
    let next = subscriber.packet_that(is_video).await;
    assert_eq!(next.sequence, last.sequence + 1);
    let mark = Mark::of(&next.payload).expect("a synthetic packet");
    assert!(mark.key && mark.index == 0, "resumed with {mark:?}");
    assert!(next.timestamp.wrapping_sub(last.timestamp) > 10 * 2900, "time went on");
    publisher.asked_for_key_frame(video_ssrc, asked + 1).await;
}

#[tokio::test]
async fn subscribers_of_a_publisher_that_leaves_get_nothing_more_and_stay() {
    let mut stage = Stage::new();
    let codecs = [Codec::OPUS];
    let mut publisher = peer(&codecs).await;
    let mut audio = publisher.add_source(Codec::OPUS).await;
    stage.publish(&mut publisher, "pub").await;
    let mut subscriber = peer(&codecs).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), None).await;
    audio.send_frame(false, Pace::AUDIO).await;
    subscriber.packet().await;
    stage.close("pub");
    // A subscription to what is gone fails, which also shows that the closing is done.
    let mut late = peer(&codecs).await;
    stage.offer_subscription(&mut late, "late", Some("pub"), None).await;
    assert_eq!(stage.failure("late").await, "The stream is no longer there.");
    // The subscriber can be fed by another publisher afterwards: it is alive.
    let mut other: MediaPeer = peer(&codecs).await;
    let _audio = other.add_source(Codec::OPUS).await;
    stage.publish(&mut other, "other").await;
    assert_eq!(stage.media.statistics().transports, 2);
    assert!(subscriber.packets.is_empty());
}
