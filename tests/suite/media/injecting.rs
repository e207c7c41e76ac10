//! What a mixing agent sends, on its way to subscribers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use portico::{
    formats::{AudioFormat, H264Profile, VideoCodec, VideoFormat},
    media::{Choice, Command, Event, InjectedPacket, Injector, OutputId, Source},
};

use super::stage::{Stage, id, peer};
use crate::support::media_peer::{Codec, Control, MediaPeer, Received};

const VP8: VideoFormat = VideoFormat::of(VideoCodec::Vp8);
const H264: VideoFormat =
    VideoFormat { codec: VideoCodec::H264, profile: Some(H264Profile::ConstrainedBaseline) };
const KEY: &[u8] = &[0x10, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];
const DELTA: &[u8] = &[0x10, 0x01, 0, 0];

/// From one picture to the next.
const INTERVAL: Duration = Duration::from_millis(33);

fn output<F: Copy>(output: u32, format: F) -> Choice<F> {
    Choice { output: OutputId(output), format }
}

fn one_of<F: Copy>(choices: &[Choice<F>]) -> Option<Source<F>> {
    Some(Source::Injected(choices.into()))
}

/// An encoder that the test plays.
struct Encoder {
    injector: Injector,
    output: u32,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    composed: Duration,
    /// Per packet.
    step: (u32, Duration),
}

impl Encoder {
    fn new(stage: &Stage, output: u32) -> Self {
        Self::with(stage.room.injector(), output, (2970, INTERVAL))
    }

    fn with(injector: Injector, output: u32, step: (u32, Duration)) -> Self {
        let composed = Duration::from_secs(77);
        Self { injector, output, ssrc: 5, sequence: 65_530, timestamp: 1000, composed, step }
    }

    fn send(&mut self, start: &[u8], number: u8) {
        let mut packet = vec![0x80, 0x80 | 96];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend_from_slice(start);
        packet.push(number);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.step.0);
        self.composed += self.step.1;
        let (output, composed) = (OutputId(self.output), self.composed);
        let packet = Bytes::from(packet);
        self.injector.inject(vec![InjectedPacket { output, composed, packet }]);
    }
}

fn number(packet: &Received) -> u8 {
    packet.payload[packet.payload.len() - 1]
}

/// The next packet of a payload type.
async fn next(peer: &mut MediaPeer, payload_type: u8) -> Received {
    let of_type = |packet: &Received| (packet.payload_type == payload_type).then(|| packet.clone());
    peer.packet_that(of_type).await
}

async fn chosen(stage: &mut Stage, name: &str) -> OutputId {
    stage
        .event_that(|_, event| match event {
            Event::Chosen { session, output } if session.as_str() == name => Some(output.output()),
            _ => None,
        })
        .await
}

async fn key_frame_wanted(stage: &mut Stage) -> OutputId {
    stage
        .event_that(|_, event| match event {
            Event::KeyFrameWanted { output } => Some(*output),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn the_first_choice_is_taken_unless_the_client_cannot_decode_it() {
    let mut stage = Stage::new();
    let choices = [output(1, VP8), output(2, H264)];
    for (name, codecs, expected) in [
        ("both", &[Codec::H264, Codec::VP8][..], 1),
        ("one", &[Codec::H264], 2),
        ("other", &[Codec::VP8], 1),
    ] {
        let mut subscriber = peer(codecs).await;
        let ready = stage.subscribe_to(&mut subscriber, name, None, one_of(&choices)).await;
        assert_eq!(chosen(&mut stage, name).await, OutputId(expected), "{name}");
        assert_eq!(ready.video, Some(if expected == 1 { VP8 } else { H264 }), "{name}");
    }
    let mut none = peer(&[Codec::VP9]).await;
    stage.offer_subscription_to(&mut none, "none", None, one_of(&choices)).await;
    assert_eq!(stage.failure("none").await, "No proper video codec");
}

#[tokio::test]
async fn another_agent_takes_over_without_the_subscribers_noticing() {
    let mut stage = Stage::new();
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.subscribe_to(&mut subscriber, "sub", None, one_of(&[output(1, VP8)])).await;
    assert_eq!(key_frame_wanted(&mut stage).await, OutputId(1));
    let mut received = Vec::new();
    for agent in 0..3_u8 {
        // Each agent begins with the same numbers.
        let mut encoder = Encoder::new(&stage, 1);
        if agent > 0 {
            // What the dead one left unfinished.
            encoder.send(DELTA, 99);
        }
        encoder.send(KEY, 0);
        for number in 1..10 {
            encoder.send(DELTA, number);
        }
        for _ in 0..10 {
            received.push(subscriber.packet().await);
        }
    }
    for (place, pair) in received.windows(2).enumerate() {
        let [before, packet] = pair else { unreachable!("pairs") };
        assert_eq!(packet.sequence, before.sequence + 1, "at {place}");
        assert_eq!(packet.ssrc, before.ssrc);
        assert_eq!(number(packet), (number(before) + 1) % 10, "at {place}");
        let step = packet.timestamp.wrapping_sub(before.timestamp);
        assert!((1..90_000).contains(&step), "a step of {step} at {place}");
    }
    assert_eq!(received[0].sequence, 1);
}

#[tokio::test]
async fn late_subscribers_and_lost_pictures_ask_for_key_frames_once() {
    let mut stage = Stage::new();
    let source = || one_of(&[output(1, VP8)]);
    let mut encoder = Encoder::new(&stage, 1);
    let mut first = peer(&[Codec::VP8]).await;
    stage.subscribe_to(&mut first, "first", None, source()).await;
    key_frame_wanted(&mut stage).await;
    encoder.send(KEY, 0);
    let ssrc = first.packet().await.ssrc;
    let mut late = peer(&[Codec::VP8]).await;
    stage.subscribe_to(&mut late, "late", None, source()).await;
    told_while_sending(&mut stage, &mut encoder).await;
    encoder.send(KEY, 3);
    assert_eq!(number(&late.packet().await), 3, "pictures begin with key frames");
    first.request_key_frame(ssrc).await;
    told_while_sending(&mut stage, &mut encoder).await;
}

/// Sends until a key frame is wanted: a wish that comes too soon is told with a later packet.
async fn told_while_sending(stage: &mut Stage, encoder: &mut Encoder) {
    for _ in 0..100 {
        encoder.send(DELTA, 1);
        if tokio::time::timeout(Duration::from_millis(10), key_frame_wanted(stage)).await.is_ok() {
            return;
        }
    }
    panic!("nobody wants a key frame");
}

#[tokio::test]
async fn a_subscriber_gets_again_what_it_misses() {
    let mut stage = Stage::new();
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.subscribe_to(&mut subscriber, "sub", None, one_of(&[output(1, VP8)])).await;
    let mut encoder = Encoder::new(&stage, 1);
    encoder.send(KEY, 0);
    encoder.send(DELTA, 1);
    let packets = [subscriber.packet().await, subscriber.packet().await];
    subscriber.request_retransmission(packets[0].ssrc, &[2]).await;
    let again = next(&mut subscriber, 97).await;
    assert_eq!(again.payload[2..], packets[1].payload);
}

fn switch(stage: &Stage, session: &str, to: Choice<AudioFormat>) {
    let (session, audio) = (id(session), one_of(&[to]));
    stage.room.send(Command::SwitchSubscription { session, audio, video: None });
}

#[tokio::test]
async fn a_switch_waits_for_the_other_encoder_and_leaves_no_gap() {
    let mut stage = Stage::new();
    let mut subscriber = peer(&[Codec::OPUS]).await;
    let shared = output(1, AudioFormat::OPUS);
    stage.subscribe_to(&mut subscriber, "sub", one_of(&[shared]), None).await;
    let injector = stage.room.injector();
    let step = (960, Duration::from_millis(20));
    let mut one = Encoder::with(injector.clone(), 1, step);
    let mut two = Encoder::with(injector, 2, step);
    (two.timestamp, two.sequence) = (4_000_000_000, 17);
    let own = output(2, AudioFormat::OPUS);
    switch(&stage, "sub", own);
    // One of another codec, and of another session, change nothing.
    switch(&stage, "sub", output(3, AudioFormat::PCMU));
    switch(&stage, "nobody", own);
    let mut received = Vec::new();
    for number in 0..5 {
        one.send(b"one", number);
        received.push(subscriber.packet().await);
    }
    two.composed = one.composed;
    for number in 5..10 {
        one.send(b"one", 99);
        two.send(b"two", number);
        // The last of the old one may still come before the first of the new one.
        while {
            received.push(subscriber.packet().await);
            received.last().is_some_and(|packet| self::number(packet) == 99)
        } {}
    }
    let strangers = received.iter().filter(|packet| number(packet) == 99).count();
    assert!(strangers <= 1, "{strangers} after the switch");
    for pair in received.windows(2) {
        let [before, packet] = pair else { unreachable!("pairs") };
        assert_eq!(packet.sequence, before.sequence + 1);
        let step = packet.timestamp.wrapping_sub(before.timestamp);
        assert!((900..=2000).contains(&step), "a step of {step}");
    }
    stage.room.send(Command::CloseOutput { output: OutputId(1) });
    two.send(b"two", 10);
    assert_eq!(number(&subscriber.packet().await), 10);
}

#[tokio::test]
async fn sender_reports_say_when_sound_and_picture_were_composed() {
    let mut stage = Stage::new();
    let mut subscriber = peer(&[Codec::OPUS, Codec::VP8]).await;
    let (sound, picture) = (output(1, AudioFormat::OPUS), output(2, VP8));
    stage.subscribe_to(&mut subscriber, "sub", one_of(&[sound]), one_of(&[picture])).await;
    let injector = stage.room.injector();
    let mut audio = Encoder::with(injector.clone(), 1, (960, Duration::from_millis(20)));
    let mut video = Encoder::with(injector, 2, (1800, Duration::from_millis(20)));
    // The picture takes 100 ms more to encode: what arrives together was not composed together.
    audio.composed += Duration::from_millis(100);
    let sending = tokio::spawn(async move {
        loop {
            audio.send(b"sound", 0);
            video.send(KEY, 0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let sound = next(&mut subscriber, 111).await;
    let picture = next(&mut subscriber, 96).await;
    let mut composed = Vec::new();
    for (packet, rate) in [(&sound, 48_000.0), (&picture, 90_000.0)] {
        let (ntp, rtp) = subscriber
            .control_that(|control| match control {
                Control::SenderReport(report) if report.ssrc == packet.ssrc => {
                    Some((report.ntp_time, report.rtp_time))
                }
                _ => None,
            })
            .await;
        let seconds = ntp as f64 / 2_f64.powi(32);
        composed.push(seconds + f64::from(packet.timestamp.wrapping_sub(rtp) as i32) / rate);
    }
    sending.abort();
    let lead = composed[0] - composed[1];
    assert!((lead - 0.1).abs() < 0.04, "the sound is {lead} s younger");
}

#[tokio::test]
async fn packets_that_nobody_asked_for_or_can_read_do_no_harm() {
    let mut stage = Stage::new();
    let mut subscriber = peer(&[Codec::VP8]).await;
    stage.subscribe_to(&mut subscriber, "sub", None, one_of(&[output(1, VP8)])).await;
    let mut encoder = Encoder::new(&stage, 1);
    let mut stranger = Encoder::with(encoder.injector.clone(), 42, (1, INTERVAL));
    stranger.send(KEY, 0);
    for bytes in [&b""[..], b"\x80", &[0xff; 30]] {
        let packet = Bytes::copy_from_slice(bytes);
        let broken = InjectedPacket { output: OutputId(1), composed: INTERVAL, packet };
        encoder.injector.inject(vec![broken]);
    }
    encoder.send(KEY, 1);
    assert_eq!(number(&subscriber.packet().await), 1);
    let late = Arc::new(stage.room.injector());
    drop(late);
    encoder.send(DELTA, 2);
    assert_eq!(number(&subscriber.packet().await), 2, "an agent counts from its first packet");
}
