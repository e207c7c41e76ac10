//! Two peers, one against the other.

use super::*;

const VIDEO: RtpCodecKind = RtpCodecKind::Video;

async fn connect(publisher: &mut MediaPeer, subscriber: &mut MediaPeer) {
    let offer = publisher.offer().await;
    let answer = subscriber.answer(&offer).await;
    publisher.accept(&answer).await;
    publisher.connected().await;
    subscriber.connected().await;
}

async fn peer(codecs: &[Codec]) -> MediaPeer {
    MediaPeer::builder().codecs(codecs).build().await
}

#[tokio::test]
async fn frames_arrive_in_order_and_recognisable() {
    let codecs = [Codec::OPUS, Codec::VP8];
    let (mut publisher, mut subscriber) = (peer(&codecs).await, peer(&codecs).await);
    let mut audio = publisher.add_source(Codec::OPUS).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    connect(&mut publisher, &mut subscriber).await;
    assert_eq!(audio.send_frame(false, Pace::AUDIO).await, 0);
    assert_eq!(video.send_frame(true, Pace::VIDEO).await, 0);
    assert_eq!(video.send_frame(false, Pace::VIDEO).await, 1);
    let mut seen = Vec::new();
    for _ in 0..7 {
        let packet = subscriber.packet().await;
        let mark = Mark::of(&packet.payload).expect("a synthetic packet");
        seen.push((packet.payload_type, packet.ssrc, packet.sequence, packet.timestamp, mark));
    }
    let mark = |frame, index, count, key| Mark { frame, index, count, key };
    assert_eq!(
        seen,
        [
            (111, audio.ssrc, 100, 1000, mark(0, 0, 1, false)),
            (96, video.ssrc, 100, 1000, mark(0, 0, 3, true)),
            (96, video.ssrc, 101, 1000, mark(0, 1, 3, true)),
            (96, video.ssrc, 102, 1000, mark(0, 2, 3, true)),
            (96, video.ssrc, 103, 3970, mark(1, 0, 3, false)),
            (96, video.ssrc, 104, 3970, mark(1, 1, 3, false)),
            (96, video.ssrc, 105, 3970, mark(1, 2, 3, false)),
        ]
    );
}

#[tokio::test]
async fn a_running_source_answers_requests_with_key_frames() {
    let codecs = [Codec::H264];
    let (mut publisher, mut subscriber) = (peer(&codecs).await, peer(&codecs).await);
    let video = publisher.add_source(Codec::H264).await;
    let ssrc = video.ssrc;
    connect(&mut publisher, &mut subscriber).await;
    let mut running = video.run(Pace::VIDEO);
    let first = subscriber.packet_that(|packet| Mark::of(&packet.payload)).await;
    assert!(first.key && first.frame == 0);
    subscriber.request_key_frame(ssrc).await;
    publisher.asked_for_key_frame(ssrc, 1).await;
    let again =
        |packet: &Received| Mark::of(&packet.payload).filter(|mark| mark.key && mark.frame > 0);
    subscriber.packet_that(again).await;
    assert_eq!(running.reached(|sent| sent.key_frames == 2).await.key_frames, 2);
    let video = running.stop().await;
    assert_eq!(video.key_frame_requests(), 1);
}

#[tokio::test]
async fn lost_packets_can_be_asked_for_again() {
    let codecs = [Codec::VP8];
    let mut publisher = MediaPeer::builder().codecs(&codecs).lose_every(3).build().await;
    let mut subscriber = peer(&codecs).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    connect(&mut publisher, &mut subscriber).await;
    video.send_frame(true, Pace::VIDEO).await;
    video.send_frame(false, Pace::VIDEO).await;
    let sequences = [
        subscriber.packet().await.sequence,
        subscriber.packet().await.sequence,
        subscriber.packet().await.sequence,
        subscriber.packet().await.sequence,
    ];
    assert_eq!(sequences, [100, 101, 103, 104]);
    assert_eq!(*publisher.lost.borrow(), [102, 105]);
    subscriber.request_retransmission(video.ssrc, &[102]).await;
    let nack = |control: &Control| match control {
        Control::Nack { ssrc, sequences } => Some((*ssrc, sequences.clone())),
        _ => None,
    };
    assert_eq!(publisher.control_that(nack).await, (video.ssrc, vec![102]));
    let repair = subscriber.packet().await;
    assert_eq!((repair.ssrc, repair.payload_type), (video.ssrc + 1, 97));
    assert_eq!(repair.payload[..2], 102_u16.to_be_bytes());
    let mark = Mark::of(&repair.payload).expect("the lost packet");
    assert_eq!((mark.frame, mark.index), (0, 2));
}

#[tokio::test]
async fn both_ends_report() {
    let codecs = [Codec::PCMU];
    let (mut publisher, mut subscriber) = (peer(&codecs).await, peer(&codecs).await);
    let audio = publisher.add_source(Codec::PCMU).await;
    let ssrc = audio.ssrc;
    connect(&mut publisher, &mut subscriber).await;
    let running = audio.run(Pace::AUDIO);
    let of_sender = |control: &Control| match control {
        Control::SenderReport(report) => Some((report.ssrc, report.packet_count)),
        _ => None,
    };
    let (reported, packets) = subscriber.control_that(of_sender).await;
    assert_eq!(reported, ssrc);
    assert!(packets > 0 && packets <= running.sent().frames);
    let of_receiver = |control: &Control| match control {
        Control::ReceptionReport(report) => Some((report.ssrc, report.total_lost)),
        _ => None,
    };
    assert_eq!(publisher.control_that(of_receiver).await, (ssrc, 0));
}

#[tokio::test]
async fn every_video_codec_can_be_negotiated() {
    let codecs = [Codec::VP9, Codec::H264, Codec::H264_HIGH, Codec::H265, Codec::AV1, Codec::VP8];
    for codec in codecs {
        let (mut publisher, mut subscriber) = (peer(&codecs).await, peer(&[codec]).await);
        let mut video = publisher.add_source(codec).await;
        connect(&mut publisher, &mut subscriber).await;
        assert_eq!(video.codec(), codec);
        video.send_frame(true, Pace::VIDEO).await;
        let packet = subscriber.packet().await;
        assert_eq!(packet.payload_type, codec.payload_type);
        assert!(Mark::of(&packet.payload).is_some_and(|mark| mark.key), "{codec:?}");
    }
}

#[tokio::test]
async fn a_wrong_fingerprint_does_not_connect() {
    let codecs = [Codec::VP8];
    let mut publisher = MediaPeer::builder().codecs(&codecs).wrong_fingerprint().build().await;
    let mut subscriber = peer(&codecs).await;
    let _video = publisher.add_source(Codec::VP8).await;
    let offer = publisher.offer().await;
    let answer = subscriber.answer(&offer).await;
    publisher.accept(&answer).await;
    // `rtc` reports no failure of a handshake; a pair that starts later overtakes this one.
    let (mut late, mut later) = (peer(&codecs).await, peer(&codecs).await);
    let _video = late.add_source(Codec::VP8).await;
    connect(&mut late, &mut later).await;
    assert_eq!(subscriber.state(), ConnectionState::Connecting);
}

#[tokio::test]
async fn one_srtp_profile_is_enough() {
    let codecs = [Codec::VP8];
    let profile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
    let mut publisher =
        MediaPeer::builder().codecs(&codecs).srtp_profiles(&[profile]).build().await;
    let mut subscriber = peer(&codecs).await;
    let mut video = publisher.add_source(Codec::VP8).await;
    connect(&mut publisher, &mut subscriber).await;
    video.send_frame(true, Pace::VIDEO).await;
    assert!(Mark::of(&subscriber.packet().await.payload).is_some());
}

#[tokio::test]
async fn a_subscriber_offers_to_receive() {
    let codecs = [Codec::OPUS, Codec::VP8];
    let mut subscriber = peer(&codecs).await;
    subscriber.add_receiver(RtpCodecKind::Audio).await;
    subscriber.add_receiver(VIDEO).await;
    let offer = subscriber.offer().await;
    assert_eq!(offer.matches("a=recvonly").count(), 2);
    assert!(offer.contains("a=rtpmap:97 rtx/90000") && offer.contains("127.0.0.1"));
    assert!(offer.contains("a=rtcp-fb:96 nack pli"));
    subscriber.close().await;
}
