//! Coming up, going down, and being attacked meanwhile.

use std::net::UdpSocket;

use portico::media::{Command, Event};

use super::{
    relay::{Relay, candidate},
    stage::{Stage, peer},
};
use crate::support::media_peer::{
    Codec, Control, Mark, MediaPeer, Pace, Received, SrtpProtectionProfile,
};

#[tokio::test]
async fn a_wrong_fingerprint_is_refused() {
    let mut stage = Stage::new();
    let mut publisher =
        MediaPeer::builder().codecs(&[Codec::VP8]).wrong_fingerprint().build().await;
    let _video = publisher.add_source(Codec::VP8).await;
    stage.offer_publication(&mut publisher, "pub").await;
    publisher.accept(&stage.answer("pub").await).await;
    assert_eq!(stage.failure("pub").await, "DTLS fingerprint does not match the SDP.");
}

#[tokio::test]
async fn an_unacceptable_offer_fails_its_session_with_the_reason() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::OPUS]).await;
    let _audio = publisher.add_source(Codec::OPUS).await;
    let offer = publisher.offer().await;
    let session = super::stage::id("pub");
    let transport = (&session).into();
    let video = Some([portico::formats::VideoFormat::of(portico::formats::VideoCodec::Vp8)].into());
    stage.room.send(Command::OpenPublication { session, transport, audio: None, video });
    stage.offer("pub", &offer);
    assert_eq!(stage.failure("pub").await, "video is required but not contained by offer sdp");
}

#[tokio::test]
async fn every_srtp_cipher_connects_and_carries_media() {
    for profile in [
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    ] {
        let mut stage = Stage::new();
        let builder = || MediaPeer::builder().codecs(&[Codec::VP8]).srtp_profiles(&[profile]);
        let mut publisher = builder().build().await;
        let mut video = publisher.add_source(Codec::VP8).await;
        stage.publish(&mut publisher, "pub").await;
        let mut subscriber = builder().build().await;
        stage.subscribe(&mut subscriber, "sub", None, Some("pub")).await;
        video.send_frame(true, Pace::VIDEO).await;
        let packet = subscriber.packet().await;
        assert!(Mark::of(&packet.payload).is_some_and(|mark| mark.key), "{profile:?}");
        subscriber.request_key_frame(packet.ssrc).await;
        publisher.asked_for_key_frame(video.ssrc, 2).await;
    }
}

#[tokio::test]
async fn a_peer_that_closes_is_noticed_at_once() {
    let mut stage = Stage::new();
    let (publisher, _audio) = stage.published(Codec::OPUS, "pub").await;
    publisher.close().await;
    assert_eq!(stage.failure("pub").await, "The peer closed the connection.");
}

#[tokio::test]
async fn a_closed_session_says_goodbye_to_its_peer() {
    let mut stage = Stage::new();
    let (_publisher, mut audio) = stage.published(Codec::OPUS, "pub").await;
    let mut subscriber = peer(&[Codec::OPUS]).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), None).await;
    audio.send_frame(false, Pace::AUDIO).await;
    let ssrc = subscriber.packet().await.ssrc;
    stage.close("sub");
    let ended = |control: &Control| {
        let Control::Goodbye { ssrcs } = control else { return None };
        Some(ssrcs.clone())
    };
    assert_eq!(subscriber.control_that(ended).await, [ssrc]);
}

#[tokio::test]
async fn a_room_that_is_dropped_ends_its_sessions() {
    let mut stage = Stage::new();
    let (_publisher, mut audio) = stage.published(Codec::OPUS, "pub").await;
    let mut subscriber = peer(&[Codec::OPUS]).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), None).await;
    audio.send_frame(false, Pace::AUDIO).await;
    subscriber.packet().await;
    let Stage { media, room, .. } = stage;
    drop(room);
    let ended = |control: &Control| matches!(control, Control::Goodbye { .. }).then_some(());
    subscriber.control_that(ended).await;
    media.shutdown();
    assert_eq!(media.statistics().transports, 0);
}

#[tokio::test]
async fn a_peer_that_changes_its_address_is_followed() {
    let mut stage = Stage::new();
    let (_publisher, audio) = stage.published(Codec::OPUS, "pub").await;
    let mut subscriber = peer(&[Codec::OPUS]).await;
    stage.offer_subscription(&mut subscriber, "sub", Some("pub"), None).await;
    let (relay, answer) = Relay::before(&stage.answer("sub").await, Box::new(|_| false)).await;
    subscriber.accept(&answer).await;
    subscriber.connected().await;
    let mut running = audio.run(Pace::AUDIO);
    subscriber.packet().await;
    relay.roam().await;
    let moved_at = running.sent().frames;
    running.reached(|sent| sent.frames > moved_at + 5).await;
    // What is sent now can only come by the new way.
    let newer =
        |packet: &Received| Mark::of(&packet.payload).filter(|mark| mark.frame > moved_at + 5);
    subscriber.packet_that(newer).await;
}

#[tokio::test]
async fn a_second_offer_of_the_same_is_answered_and_media_goes_on() {
    let mut stage = Stage::new();
    let (mut publisher, mut audio) = stage.published(Codec::OPUS, "pub").await;
    let mut subscriber = peer(&[Codec::OPUS]).await;
    stage.subscribe(&mut subscriber, "sub", Some("pub"), None).await;
    audio.send_frame(false, Pace::AUDIO).await;
    subscriber.packet().await;
    let offer = publisher.offer().await;
    stage.offer("pub", &offer);
    publisher.accept(&stage.answer("pub").await).await;
    audio.send_frame(false, Pace::AUDIO).await;
    assert_eq!(subscriber.packet().await.sequence, 2);
}

#[tokio::test]
async fn a_flood_of_junk_changes_nothing() {
    let mut stage = Stage::new();
    let mut publisher = peer(&[Codec::VP8]).await;
    let video = publisher.add_source(Codec::VP8).await;
    stage.offer_publication(&mut publisher, "pub").await;
    let answer = stage.answer("pub").await;
    publisher.accept(&answer).await;
    publisher.connected().await;
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.subscribe(&mut subscriber, "sub", None, Some("pub")).await;
    let _running = video.run(Pace::VIDEO);
    subscriber.packet().await;
    let target = candidate(&answer);
    let flood = tokio::task::spawn_blocking(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback can be bound");
        let mut state = 99_u32;
        for round in 0..40_000_usize {
            let mut junk: Vec<u8> = (0..round % 300)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            // Each kind of packet that the plane takes, as far as its first bytes.
            let starts: [&[u8]; 5] = [&[0, 1], &[22, 254, 253], &[0x80, 96], &[0x80, 200], &[7]];
            let start = starts[round % starts.len()];
            junk.splice(..start.len().min(junk.len()), start.iter().copied());
            socket.send_to(&junk, target).expect("loopback takes it");
        }
    });
    flood.await.expect("the flood went out");
    let mut late = peer(&[Codec::VP8]).await;
    stage.subscribe(&mut late, "late", None, Some("pub")).await;
    late.packet().await;
    let statistics = stage.media.statistics();
    assert!(statistics.dropped_in > 1000, "{statistics:?}");
    let failed = |event: &Event| matches!(event, Event::SessionFailed { .. });
    assert!(!stage.heard().any(failed));
}
