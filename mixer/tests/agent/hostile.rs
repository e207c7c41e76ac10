//! Packets made to hurt: they hurt nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portico_mixer_protocol::{
    AudioCodec, Codec, Encoding, FromAgent, Kind, Scope, ToAgent, VideoCodec,
};

use crate::harness::{Agent, format, grid, picture};
use crate::media::{
    COLOURS, Source, add_solid, add_tone, audio_encoder, colour, solid, tone, video_encoder,
};
use crate::probe::{Listener, Watcher};

/// Reproducible nonsense.
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

#[test]
fn garbage_as_payload_hurts_nobody_else() {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let _good: Vec<_> = (1..=2).map(|n| add_solid(&agent, n, 320, 180)).collect();
    let _tone = add_tone(&agent, 3, 0.3);
    let hostile = [
        Codec::Video(VideoCodec::Vp8),
        Codec::Video(VideoCodec::Vp9),
        Codec::Video(VideoCodec::H264High),
        Codec::Video(VideoCodec::H265),
        Codec::Audio(AudioCodec::Opus),
        Codec::Audio(AudioCodec::G722),
        Codec::Audio(AudioCodec::Aac),
    ];
    let numbers: Vec<u32> = (20..).take(hostile.len()).collect();
    for (input, codec) in numbers.iter().zip(hostile) {
        let format = format(codec);
        agent.send(ToAgent::AddInput { input: *input, source: None, format, label: None });
    }
    let mut inputs = vec![1, 2];
    inputs.extend(&numbers[..4]);
    let regions = grid(&inputs);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let heard = [&[3], &numbers[4..]].concat();
    agent.send(ToAgent::SetSound { view: 1, inputs: heard, loudest: 0 });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    let encoding = Encoding::Audio { codec: AudioCodec::Opus, without: Vec::new() };
    let listener = Listener::start(&agent, 2, &agent.open(2, 1, encoding));
    let sender = agent.sender.clone();
    let attack = std::thread::spawn(move || {
        let mut noise = Noise(42);
        for sequence in 0..1500_u32 {
            for (input, codec) in numbers.iter().zip(hostile) {
                let payload_type = format(codec).payload_type;
                let mut packet = vec![0x80, payload_type];
                packet.extend((sequence as u16).to_be_bytes());
                packet.extend((sequence * 960).to_be_bytes());
                packet.extend(input.to_be_bytes());
                packet[1] |= noise.byte() & 0x80;
                let length = usize::from(noise.byte()) * 4;
                packet.extend((0..length).map(|_| noise.byte()));
                sender.packet(*input, sender.now(), &packet);
                // And what is no RTP at all.
                let shorter = usize::from(noise.byte()) % packet.len();
                sender.packet(*input, Duration::MAX, &packet[..shorter]);
            }
            // A frame kind that only the agent sends, and an input that nobody knows.
            sender.raw(Kind::Snapshot, 5, Duration::ZERO, &[1, 2, 3]);
            sender.packet(4711, Duration::ZERO, &[0x80; 40]);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let good = |frame: &crate::probe::Frame| {
        frame.shows(&regions[0], colour(1)) && frame.shows(&regions[1], colour(2))
    };
    watcher.wait("the good ones", good);
    watcher.assert_steady(30.0, |frame| assert!(good(frame)));
    attack.join().expect("no panic");
    watcher.wait("the good ones after it", good);
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![3], loudest: 0 });
    listener.wait(&[tone(3)], &[300.0]);
    agent.settle();
}

/// Real streams with flipped bits get deeper into decoders than noise does.
#[test]
fn damaged_streams_hurt_nobody_else() {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let _good = add_solid(&agent, 1, 320, 180);
    let codecs = [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264ConstrainedBaseline];
    let damage = |seed: u64| {
        let mut noise = Noise(seed);
        move |packet: &mut Vec<u8>| {
            if noise.byte() < 100 && packet.len() > 13 {
                let at = 12 + (usize::from(noise.byte()) * 5) % (packet.len() - 12);
                packet[at] ^= noise.byte();
            }
        }
    };
    let _bad: Vec<Source> = (2..)
        .zip(codecs)
        .map(|(input, codec)| {
            let format = format(Codec::Video(codec));
            agent.send(ToAgent::AddInput { input, source: None, format, label: None });
            let raw = solid([200, 100, 50], 320, 180, 30).replace("solid-color", "ball");
            let description = format!("{raw} ! {}", video_encoder(codec));
            let damage = damage(u64::from(input));
            Source::start(&description, agent.sender.clone(), input, Duration::ZERO, damage)
        })
        .collect();
    let opus = format(Codec::Audio(AudioCodec::Opus));
    agent.send(ToAgent::AddInput { input: 9, source: None, format: opus, label: None });
    let raw = "audiotestsrc is-live=true samplesperbuffer=960 wave=pink-noise ! audioconvert";
    let description = format!("{raw} ! {}", audio_encoder(AudioCodec::Opus));
    let _noise = Source::start(&description, agent.sender.clone(), 9, Duration::ZERO, damage(9));
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![9], loudest: 0 });
    let regions = grid(&[1, 2, 3, 4]);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    watcher.wait("the good one", |frame| frame.shows(&regions[0], colour(1)));
    watcher.assert_steady(30.0, |frame| assert!(frame.shows(&regions[0], colour(1))));
    agent.settle();
}

/// A publisher who sends garbage until the agent has enough of it, and then a stream.
fn returns_after_garbage(codec: VideoCodec) {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let format = format(Codec::Video(codec));
    let payload_type = format.payload_type;
    agent.send(ToAgent::AddInput { input: 1, source: None, format, label: None });
    let regions = grid(&[1]);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    let sender = agent.sender.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let attack = std::thread::spawn(move || {
        let mut noise = Noise(7);
        for sequence in 0_u32.. {
            if stopping.load(Ordering::Relaxed) {
                return;
            }
            let mut packet = vec![0x80, payload_type | 0x80];
            packet.extend((sequence as u16).to_be_bytes());
            packet.extend((sequence * 3000).to_be_bytes());
            packet.extend(1_u32.to_be_bytes());
            packet.extend((0..400).map(|_| noise.byte()));
            sender.packet(1, sender.now(), &packet);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let failed = |m: &FromAgent| matches!(m, FromAgent::Failed { scope: Scope::Input(1), .. });
    agent.wait_for("the failure", failed);
    stop.store(true, Ordering::Relaxed);
    attack.join().expect("no panic");
    let description = format!("{} ! {}", solid(COLOURS[1], 320, 180, 15), video_encoder(codec));
    let _good = Source::start(&description, agent.sender.clone(), 1, Duration::ZERO, |_| {});
    watcher.wait("the publisher again", |frame| frame.shows(&regions[0], colour(1)));
    let told = agent.received(|received| received.messages.iter().filter(|m| failed(m)).count());
    assert_eq!(told, 1);
}

#[test]
fn who_sends_garbage_for_a_moment_returns() {
    returns_after_garbage(VideoCodec::H264High);
}

/// A key frame that claims to be 16383 pixels wide and high is not decoded.
#[test]
fn a_giant_picture_takes_no_memory() {
    let agent = Agent::start();
    let view = picture(320, 180);
    agent.create_view(1, view);
    let giant = |packet: &mut Vec<u8>| {
        // RFC 7741: the payload descriptor; RFC 6386: a key frame's start code, width and height.
        let start = packet.windows(3).position(|bytes| bytes == [0x9d, 0x01, 0x2a]);
        if let Some(start) = start.filter(|start| packet.len() > start + 7) {
            packet[start + 3..start + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
        }
    };
    let format = format(Codec::Video(VideoCodec::Vp8));
    agent.send(ToAgent::AddInput { input: 1, source: None, format, label: None });
    let description =
        format!("{} ! {}", solid([9, 9, 9], 320, 180, 30), video_encoder(VideoCodec::Vp8));
    let _source = Source::start(&description, agent.sender.clone(), 1, Duration::ZERO, giant);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: grid(&[1]) });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    watcher.watch(75, |_| {});
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.pid())).expect("lives");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 300_000, "{kib} KiB");
}
