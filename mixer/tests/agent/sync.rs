//! Lip sync: a flash and a beep of one source come out together, whatever way they came.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use portico_mixer_protocol::{AudioCodec, Codec, Encoding, ToAgent, VideoCodec};

use crate::harness::{Agent, format, grid, picture};
use crate::media::{Source, audio_encoder, solid, video_encoder};
use crate::probe::{Listener, RATE, Watcher};

/// Sound and picture are there in every other span of this length.
const SPAN: Duration = Duration::from_millis(600);

fn is_on(pts: gst::ClockTime) -> bool {
    (pts.nseconds() / SPAN.as_nanos() as u64).is_multiple_of(2)
}

/// Starts a source of flashes or beeps; all of them flash and beep at the same time, but for the time
/// from the beginning of a span to the next picture, which `begun` is set to.
fn start(
    agent: &Agent,
    input: u32,
    description: &str,
    late: Duration,
    begun: &Arc<AtomicU64>,
) -> Source {
    let begun = Arc::clone(begun);
    let prepare = |pipeline: &gst::Pipeline| {
        pipeline.use_clock(Some(&gst::SystemClock::obtain()));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(gst::ClockTime::ZERO);
        let raw = pipeline.by_name("raw").expect("named");
        let pad = raw.static_pad("src").expect("an identity");
        let was_on = AtomicBool::new(true);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let buffer = info.buffer_mut().expect("a buffer");
            let pts = buffer.pts().expect("a time");
            let on = is_on(pts);
            if !was_on.swap(on, Ordering::Relaxed) && on {
                let late = pts.nseconds() % SPAN.as_nanos() as u64;
                begun.store(late, Ordering::Relaxed);
            }
            if !on {
                let mut bytes = buffer.make_mut().map_writable().expect("writable");
                bytes.fill(0);
            }
            gst::PadProbeReturn::Ok
        });
    };
    Source::start_prepared(description, agent.sender.clone(), input, late, |_| {}, prepare)
}

/// Fails unless the milliseconds by which sound comes out later than the picture get to be as they
/// should be. `source` says whether both inputs are told to be of one source.
fn expect_skew(
    sound_late: u64,
    picture_late: u64,
    source: Option<u32>,
    expected: RangeInclusive<f64>,
) {
    let agent = Agent::start();
    let view = picture(320, 180);
    agent.create_view(1, view);
    gst::init().expect("GStreamer");
    let now = gst::SystemClock::obtain().time();
    for (input, codec) in [(1, Codec::Video(VideoCodec::Vp8)), (2, Codec::Audio(AudioCodec::Opus))]
    {
        let format = format(codec);
        let rtp = rtp_at(now, format.clock_rate);
        agent.send(ToAgent::AddInput { input, source, format, label: None });
        agent.send(ToAgent::MapClock { input, rtp, source_us: 5_000_000 });
    }
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: grid(&[1]) });
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![2], loudest: 0 });
    let picture_source = format!(
        "{} ! identity name=raw ! {} timestamp-offset=0",
        solid([255, 255, 255], 320, 180, 30),
        video_encoder(VideoCodec::Vp8)
    );
    let sound_source = format!(
        "audiotestsrc is-live=true samplesperbuffer=480 freq=1000 volume=0.5 ! audioconvert \
         ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! identity name=raw ! {} \
         timestamp-offset=0",
        audio_encoder(AudioCodec::Opus)
    );
    let (flash, beep) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let late = Duration::from_millis;
    let _picture = start(&agent, 1, &picture_source, late(picture_late), &flash);
    let _sound = start(&agent, 2, &sound_source, late(sound_late), &beep);
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    let encoding = Encoding::Audio { codec: AudioCodec::Opus, without: Vec::new() };
    let listener = Listener::start(&agent, 2, &agent.open(2, 1, encoding));
    watcher.wait("a flash", |frame| frame.at(160, 90)[0] > 200);
    // Long enough for the delays to be known and the holds to be set.
    listener.blocks(RATE as usize * 2);
    let millis = |begun: &AtomicU64| begun.load(Ordering::Relaxed) as f64 / 1_000_000.0;
    // Other work shares the machine: what it disturbed is put right, and measured again.
    let measured: Vec<f64> = (0..3)
        .map(|_| measured_skew(&watcher, &listener) - (millis(&beep) - millis(&flash)))
        .map_while(|skew| (!expected.contains(&skew)).then_some(skew))
        .collect();
    assert!(measured.len() < 3, "sound is {measured:?} ms late instead of {expected:?}");
}

/// The RTP time of a moment. The payloaders count from the clock's zero, which is so long ago that
/// their times may have wrapped: a claim about the zero would say nothing of the present.
fn rtp_at(moment: gst::ClockTime, clock_rate: u32) -> u32 {
    let ticks = u128::from(moment.nseconds()) * u128::from(clock_rate) / 1_000_000_000;
    u32::try_from(ticks % (1 << 32)).expect("below 2^32")
}

/// The median of what the next seconds have.
fn measured_skew(watcher: &Watcher, listener: &Listener) -> f64 {
    let blocks = listener.blocks((RATE * 4.0) as usize);
    let beeps = beginnings(&blocks);
    let frames = watcher.kept();
    let pairs = frames
        .windows(2)
        .filter(|pair| pair[0].at(160, 90)[0] < 128 && pair[1].at(160, 90)[0] >= 128);
    let flashes: Vec<Duration> = pairs.map(|pair| pair[1].time).collect();
    let mut skews: Vec<f64> = beeps
        .iter()
        .filter_map(|beep| {
            let skew = |flash: &Duration| (beep.as_secs_f64() - flash.as_secs_f64()) * 1000.0;
            flashes.iter().map(skew).min_by(|a, b| a.abs().total_cmp(&b.abs()))
        })
        .filter(|skew| skew.abs() < 600.0)
        .collect();
    skews.sort_by(f64::total_cmp);
    assert!(skews.len() >= 2, "{} beeps, {} flashes", beeps.len(), flashes.len());
    skews[skews.len() / 2]
}

/// When sound begins after silence.
fn beginnings(blocks: &[(Duration, Vec<f64>)]) -> Vec<Duration> {
    let mut silent_for = 0;
    let mut found = Vec::new();
    for (time, samples) in blocks {
        for (n, sample) in samples.iter().enumerate() {
            if sample.abs() < 0.1 {
                silent_for += 1;
                continue;
            }
            if silent_for > RATE as usize / 10 {
                found.push(*time + Duration::from_secs_f64(n as f64 / RATE));
            }
            silent_for = 0;
        }
    }
    found
}

#[test]
fn a_late_picture_holds_its_sound_back() {
    expect_skew(0, 200, Some(1), -40.0..=40.0);
}

#[test]
fn late_sound_holds_its_picture_back() {
    expect_skew(250, 0, Some(1), -40.0..=40.0);
}

#[test]
fn even_ways_need_no_correction() {
    expect_skew(20, 20, Some(1), -40.0..=40.0);
}

#[test]
fn strangers_are_not_held() {
    expect_skew(0, 200, None, -250.0..=-60.0);
}
