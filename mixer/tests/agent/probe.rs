//! Decoding what the agent sends, and looking at it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use portico_mixer::canvas::{Area, Outline, Size, place};
use portico_mixer_protocol::{AudioCodec, Codec, Region, RtpFormat, VideoCodec};

use crate::harness::{Agent, PATIENCE};

/// Sums of differences up to this are the same colour.
pub(crate) const SAME: i32 = 40;

/// A decoded picture.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) size: Size,
    /// When the agent composed it, by its clock.
    pub(crate) time: Duration,
    planes: [Vec<u8>; 3],
    strides: [usize; 3],
}

impl Frame {
    pub(crate) fn at(&self, x: u32, y: u32) -> [u8; 3] {
        std::array::from_fn(|plane| {
            let shift = u32::from(plane > 0);
            self.planes[plane][(y >> shift) as usize * self.strides[plane] + (x >> shift) as usize]
        })
    }

    pub(crate) fn is(&self, x: u32, y: u32, colour: [u8; 3]) -> bool {
        distance(self.at(x, y), colour) <= SAME
    }

    /// Whether a region has a colour at its centre and just inside its edges.
    pub(crate) fn shows(&self, region: &Region, colour: [u8; 3]) -> bool {
        probes(region, self.size).into_iter().all(|(x, y)| self.is(x, y, colour))
    }
}

pub(crate) fn distance(a: [u8; 3], b: [u8; 3]) -> i32 {
    a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).sum()
}

/// A region's centre and points a few pixels inside its edges. A codec blurs edges by a few pixels.
pub(crate) fn probes(region: &Region, size: Size) -> Vec<(u32, u32)> {
    const INSIDE: i64 = 6;
    let place = place(region, size).expect("a valid region");
    let Area { left, top, size: Size { width, height } } = place.area;
    let (l, t, w, h) = (i64::from(left), i64::from(top), i64::from(width), i64::from(height));
    let (cx, cy) = (l + w / 2, t + h / 2);
    let mut points = vec![
        (cx, cy),
        (l + INSIDE, cy),
        (l + w - INSIDE, cy),
        (cx, t + INSIDE),
        (cx, t + h - INSIDE),
    ];
    if matches!(place.outline, Outline::Rectangle(_)) {
        points.extend([(l + INSIDE, t + INSIDE), (l + w - INSIDE, t + h - INSIDE)]);
    }
    let number = |n: i64| u32::try_from(n).expect("within the picture");
    points.into_iter().map(|(x, y)| (number(x), number(y))).collect()
}

#[derive(Default)]
struct Shared<T> {
    newest: Mutex<VecDeque<T>>,
    /// How many came in all.
    count: Mutex<u64>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn push(&self, item: T, keep: usize) {
        let mut newest = self.newest.lock().expect("no panic");
        newest.push_back(item);
        while newest.len() > keep {
            newest.pop_front();
        }
        *self.count.lock().expect("no panic") += 1;
        self.changed.notify_all();
    }
}

/// When the last packet came that was composed at a time of the agent's clock.
type Arrivals = Arc<Mutex<HashMap<Duration, Instant>>>;

/// Feeds an output of the agent into a decoder.
fn decode(
    agent: &Agent,
    output: u32,
    format: &RtpFormat,
    rest: &str,
) -> (gst::Pipeline, gst_app::AppSink, Arrivals) {
    gst::init().expect("GStreamer");
    let encoding = match format.codec {
        Codec::Video(VideoCodec::Vp8) => "VP8",
        Codec::Video(VideoCodec::Vp9) => "VP9",
        Codec::Video(VideoCodec::H265) => "H265",
        Codec::Video(_) => "H264",
        Codec::Audio(AudioCodec::Opus) => "OPUS",
        Codec::Audio(AudioCodec::Pcmu) => "PCMU",
        Codec::Audio(AudioCodec::Pcma) => "PCMA",
        Codec::Audio(AudioCodec::G722) => "G722",
        Codec::Audio(AudioCodec::Aac) => "MPEG4-GENERIC",
    };
    let media = if matches!(format.codec, Codec::Video(_)) { "video" } else { "audio" };
    let mut caps = gst::Structure::builder("application/x-rtp")
        .field("media", media)
        .field("encoding-name", encoding)
        .field("clock-rate", i32::try_from(format.clock_rate).expect("small"))
        .field("payload", i32::from(format.payload_type));
    if format.codec == Codec::Audio(AudioCodec::Aac) {
        for (name, value) in format.fmtp.split(';').filter_map(|pair| pair.split_once('=')) {
            caps = caps.field(name, value);
        }
    }
    let caps = gst::Caps::from_iter([caps.build()]);
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=source format=time ! {rest} ! appsink name=sink sync=false async=false"
    ));
    let pipeline = pipeline.expect("a pipeline").downcast::<gst::Pipeline>().expect("a pipeline");
    let source = pipeline.by_name("source").expect("named");
    let source = source.downcast::<gst_app::AppSrc>().expect("an appsrc");
    source.set_caps(Some(&caps));
    let sink = pipeline.by_name("sink").expect("named");
    let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    agent.tap(output, move |time, packet| {
        noted.lock().expect("no panic").insert(time, Instant::now());
        let mut buffer = gst::Buffer::from_slice(packet.to_vec());
        let nanos = u64::try_from(time.as_nanos()).expect("small");
        buffer.get_mut().expect("own").set_pts(gst::ClockTime::from_nseconds(nanos));
        let _ = source.push_buffer(buffer);
    });
    (pipeline, sink, arrivals)
}

/// Watches a video output.
pub(crate) struct Watcher {
    pipeline: gst::Pipeline,
    shared: Arc<Shared<Frame>>,
    arrivals: Arrivals,
}

impl Watcher {
    /// Watches an output that just opened, from its first packet on if it is new.
    pub(crate) fn start(agent: &Agent, output: u32, format: &RtpFormat) -> Self {
        let rest = match format.codec {
            Codec::Video(VideoCodec::Vp8) => "rtpvp8depay ! vp8dec",
            Codec::Video(VideoCodec::Vp9) => "rtpvp9depay ! vp9dec",
            Codec::Video(VideoCodec::H265) => "rtph265depay ! h265parse ! avdec_h265 max-threads=1",
            Codec::Video(_) | Codec::Audio(_) => {
                "rtph264depay ! h264parse ! avdec_h264 max-threads=1"
            }
        };
        let (pipeline, sink, arrivals) = decode(agent, output, format, rest);
        let shared = Arc::new(Shared {
            newest: Mutex::default(),
            count: Mutex::new(0),
            changed: Condvar::new(),
        });
        let of_sink = Arc::clone(&shared);
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            of_sink.push(frame(&sample), 200);
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        pipeline.set_state(gst::State::Playing).expect("plays");
        Self { pipeline, shared, arrivals }
    }

    /// When the last packet of a picture came.
    pub(crate) fn arrival(&self, frame: &Frame) -> Instant {
        self.arrivals.lock().expect("no panic")[&frame.time]
    }

    /// Waits until the newest picture is as wanted, and two after it too.
    pub(crate) fn wait(&self, what: &str, mut good: impl FnMut(&Frame) -> bool) -> Frame {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        let mut in_a_row = 0;
        loop {
            let frame = self.next(what, deadline, &mut seen);
            in_a_row = if good(&frame) { in_a_row + 1 } else { 0 };
            if in_a_row >= 3 {
                return frame;
            }
        }
    }

    /// The next picture that comes.
    fn next(&self, what: &str, deadline: Instant, seen: &mut u64) -> Frame {
        let mut newest = self.shared.newest.lock().expect("no panic");
        loop {
            let count = *self.shared.count.lock().expect("no panic");
            if count > *seen {
                *seen = count;
                return newest.back().expect("there is one").clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} was never seen ({count} pictures)");
            newest = self.shared.changed.wait_timeout(newest, left).expect("no panic").0;
        }
    }

    /// Waits for so many more pictures, looks at each, and gives the rate at which they were
    /// composed.
    pub(crate) fn watch(&self, pictures: usize, mut look: impl FnMut(&Frame)) -> f64 {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = *self.shared.count.lock().expect("no panic");
        let mut times = Vec::new();
        while times.len() < pictures {
            let frame = self.next("a picture", deadline, &mut seen);
            look(&frame);
            times.push((frame.time, seen));
        }
        let ((first, from), (last, to)) = (times[0], times[times.len() - 1]);
        (to - from) as f64 / (last - first).as_secs_f64()
    }

    /// Fails unless pictures come at the nominal rate, or nearly; `look` is called with each. Other
    /// work shares the machine, so one of some stretches has to be good.
    pub(crate) fn assert_steady(&self, nominal: f64, mut look: impl FnMut(&Frame)) {
        const STEADY: f64 = 0.95;
        let rates: Vec<f64> = (0..4)
            .map_while(|_| {
                let rate = self.watch(60, &mut look);
                (rate < STEADY * nominal).then_some(rate)
            })
            .collect();
        assert!(rates.len() < 4, "{rates:?} pictures per second instead of {nominal}");
    }

    /// All pictures that are still kept.
    pub(crate) fn kept(&self) -> Vec<Frame> {
        self.shared.newest.lock().expect("no panic").iter().cloned().collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

pub(crate) fn frame(sample: &gst::Sample) -> Frame {
    let info = gst_video::VideoInfo::from_caps(sample.caps().expect("caps")).expect("raw video");
    let buffer = sample.buffer_owned().expect("a buffer");
    let time = buffer.pts().map_or(Duration::ZERO, Duration::from);
    let mapped = gst_video::VideoFrame::from_buffer_readable(buffer, &info).expect("readable");
    let planes = [0, 1, 2].map(|plane| mapped.plane_data(plane).expect("three planes").to_vec());
    let strides = [0, 1, 2].map(|plane| mapped.plane_stride()[plane] as usize);
    Frame { size: Size::new(info.width(), info.height()), time, planes, strides }
}

/// Decodes a JPEG picture.
pub(crate) fn decode_jpeg(bytes: &[u8]) -> Frame {
    gst::init().expect("GStreamer");
    let pipeline = gst::parse::launch(
        "appsrc name=source caps=image/jpeg ! jpegdec ! videoconvert \
         ! video/x-raw,format=I420,colorimetry=bt601 ! appsink name=sink sync=false",
    );
    let pipeline = pipeline.expect("a pipeline").downcast::<gst::Pipeline>().expect("a pipeline");
    let source = pipeline.by_name("source").expect("named").downcast::<gst_app::AppSrc>();
    let sink = pipeline.by_name("sink").expect("named").downcast::<gst_app::AppSink>();
    pipeline.set_state(gst::State::Playing).expect("plays");
    let source = source.expect("an appsrc");
    source.push_buffer(gst::Buffer::from_slice(bytes.to_vec())).expect("accepted");
    source.end_of_stream().expect("accepted");
    let sample = sink.expect("an appsink").pull_sample().expect("a picture");
    let frame = frame(&sample);
    pipeline.set_state(gst::State::Null).expect("ends");
    frame
}

/// Listens to an audio output.
pub(crate) struct Listener {
    pipeline: gst::Pipeline,
    shared: Arc<Shared<(Duration, Vec<f64>)>>,
}

/// The rate of what a listener hears.
pub(crate) const RATE: f64 = 48_000.0;

impl Listener {
    pub(crate) fn start(agent: &Agent, output: u32, format: &RtpFormat) -> Self {
        let rest = match format.codec {
            Codec::Audio(AudioCodec::Pcmu) => "rtppcmudepay ! mulawdec",
            Codec::Audio(AudioCodec::Pcma) => "rtppcmadepay ! alawdec",
            Codec::Audio(AudioCodec::G722) => "rtpg722depay ! avdec_g722",
            Codec::Audio(AudioCodec::Aac) => "rtpmp4gdepay ! aacparse ! avdec_aac",
            Codec::Audio(_) | Codec::Video(_) => "rtpopusdepay ! opusdec",
        };
        let rest = format!(
            "{rest} ! audioconvert ! audioresample ! audio/x-raw,format=F32LE,rate=48000,channels=1"
        );
        let (pipeline, sink, _) = decode(agent, output, format, &rest);
        let shared = Arc::new(Shared {
            newest: Mutex::default(),
            count: Mutex::new(0),
            changed: Condvar::new(),
        });
        let of_sink = Arc::clone(&shared);
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let buffer = sample.buffer().expect("a buffer");
            let time = buffer.pts().map_or(Duration::ZERO, Duration::from);
            let bytes = buffer.map_readable().expect("readable");
            let (samples, _) = bytes.as_chunks::<4>();
            let samples = samples.iter().map(|s| f64::from(f32::from_le_bytes(*s))).collect();
            of_sink.push((time, samples), 500);
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        pipeline.set_state(gst::State::Playing).expect("plays");
        Self { pipeline, shared }
    }

    /// The next half second.
    fn listen(&self) -> Vec<f64> {
        self.blocks(RATE as usize / 2).into_iter().flat_map(|(_, samples)| samples).collect()
    }

    /// The next blocks, until they have so many samples, each with its time.
    pub(crate) fn blocks(&self, samples: usize) -> Vec<(Duration, Vec<f64>)> {
        self.shared.newest.lock().expect("no panic").clear();
        let deadline = Instant::now() + PATIENCE;
        let mut newest = self.shared.newest.lock().expect("no panic");
        loop {
            if newest.iter().map(|(_, block)| block.len()).sum::<usize>() >= samples {
                return newest.drain(..).collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no sound comes");
            newest = self.shared.changed.wait_timeout(newest, left).expect("no panic").0;
        }
    }

    /// Waits until all of some tones and none of some others are heard, for half a second.
    pub(crate) fn wait(&self, heard: &[f64], absent: &[f64]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sound = self.listen();
            let level = |tone: &f64| goertzel(&sound, *tone);
            let good = heard.iter().all(|tone| level(tone) > 0.05)
                && absent.iter().all(|tone| level(tone) < 0.01);
            if good {
                return;
            }
            let levels: Vec<_> =
                heard.iter().chain(absent).map(|tone| (*tone, level(tone))).collect();
            assert!(
                Instant::now() < deadline,
                "{heard:?} without {absent:?} was never heard, but {levels:?}"
            );
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// The amplitude of a tone in a sound.
pub(crate) fn goertzel(sound: &[f64], tone: f64) -> f64 {
    let step = 2.0 * std::f64::consts::PI * tone / RATE;
    let (mut real, mut imaginary, mut weight) = (0.0, 0.0, 0.0);
    for (n, sample) in sound.iter().enumerate() {
        // A Hann window, so that other tones do not leak in.
        let phase = 2.0 * std::f64::consts::PI * n as f64 / sound.len() as f64;
        let window = 0.5 - 0.5 * phase.cos();
        real += sample * window * (step * n as f64).cos();
        imaginary += sample * window * (step * n as f64).sin();
        weight += window;
    }
    2.0 * real.hypot(imaginary) / weight
}
