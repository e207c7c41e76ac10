//! Sources of RTP for the agent: a solid colour, a tone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer::canvas::Colour;
use portico_mixer_protocol::{AudioCodec, Codec, ToAgent, VideoCodec};

use crate::harness::{Agent, Sender, format};

/// Colours that differ by more than any codec's error, by input.
pub(crate) const COLOURS: [[u8; 3]; 17] = [
    [255, 255, 255],
    [230, 20, 20],
    [20, 200, 20],
    [20, 20, 230],
    [230, 220, 20],
    [220, 20, 220],
    [20, 210, 220],
    [230, 120, 0],
    [110, 110, 110],
    [120, 0, 0],
    [0, 100, 0],
    [0, 0, 110],
    [110, 110, 0],
    [110, 0, 110],
    [0, 100, 110],
    [250, 160, 160],
    [150, 220, 150],
];

/// What a canvas makes of an input's colour.
pub(crate) fn colour(input: u32) -> [u8; 3] {
    Colour::from_rgb(COLOURS[input as usize]).yuv
}

/// A pipeline that sends packets as an input until it is dropped.
pub(crate) struct Source {
    pipeline: gst::Pipeline,
    paused: Arc<AtomicBool>,
}

impl Source {
    /// Lets packets through or not, without a word to the agent.
    pub(crate) fn stall(&self, stalled: bool) {
        self.paused.store(stalled, Ordering::Relaxed);
    }

    /// Changes the size in the middle of the stream.
    pub(crate) fn resize(&self, width: i32, height: i32) {
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", width)
            .field("height", height)
            .field("framerate", gst::Fraction::new(30, 1))
            .build();
        self.pipeline.by_name("size").expect("named").set_property("caps", caps);
    }

    /// Starts a pipeline whose packets are sent as `input`, `late` after they were made. `edit` may
    /// change them first.
    pub(crate) fn start(
        description: &str,
        sender: Sender,
        input: u32,
        late: Duration,
        edit: impl FnMut(&mut Vec<u8>) + Send + 'static,
    ) -> Self {
        Self::start_prepared(description, sender, input, late, edit, |_| {})
    }

    /// As `start`, with something done to the pipeline before it plays.
    pub(crate) fn start_prepared(
        description: &str,
        sender: Sender,
        input: u32,
        late: Duration,
        mut edit: impl FnMut(&mut Vec<u8>) + Send + 'static,
        prepare: impl FnOnce(&gst::Pipeline),
    ) -> Self {
        gst::init().expect("GStreamer");
        let description = format!("{description} ! appsink name=sink sync=true");
        let pipeline = gst::parse::launch(&description).expect("a pipeline");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("more than one element");
        let sink = pipeline.by_name("sink").expect("named");
        let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
        let paused = Arc::new(AtomicBool::new(false));
        let of_sink = Arc::clone(&paused);
        let (queue, queued) = std::sync::mpsc::channel::<(Duration, Vec<u8>)>();
        let making = sender.clone();
        // The sender's way: later by always the same.
        std::thread::spawn(move || {
            for (due, packet) in queued {
                std::thread::sleep(due.saturating_sub(sender.now()));
                sender.packet(input, sender.now(), &packet);
            }
        });
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let buffer = sample.buffer().expect("a buffer").map_readable().expect("readable");
            let mut packet = buffer.to_vec();
            edit(&mut packet);
            if !of_sink.load(Ordering::Relaxed) {
                let _ = queue.send((making.now() + late, packet));
            }
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        prepare(&pipeline);
        pipeline.set_state(gst::State::Playing).expect("plays");
        Self { pipeline, paused }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).expect("ends");
    }
}

/// An encoder for test pictures and its payloader.
pub(crate) fn video_encoder(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => {
            "vp8enc deadline=1 cpu-used=8 target-bitrate=300000 keyframe-max-dist=30 threads=1 \
             error-resilient=default ! rtpvp8pay mtu=1200 pt=96"
        }
        VideoCodec::Vp9 => {
            "vp9enc deadline=1 cpu-used=8 target-bitrate=300000 keyframe-max-dist=30 threads=1 \
             ! rtpvp9pay mtu=1200 pt=96"
        }
        VideoCodec::H265 => {
            "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=30 log-level=0 \
             option-string=open-gop=0:repeat-headers=1 \
             ! h265parse ! rtph265pay mtu=1200 pt=96 config-interval=-1"
        }
        VideoCodec::H264ConstrainedBaseline
        | VideoCodec::H264Baseline
        | VideoCodec::H264Main
        | VideoCodec::H264High
        | VideoCodec::Av1 => {
            "openh264enc bitrate=300000 gop-size=30 complexity=low \
             ! video/x-h264,profile=constrained-baseline \
             ! rtph264pay mtu=1200 pt=96 config-interval=-1 aggregate-mode=zero-latency"
        }
    }
}

/// A description of a solid colour. Sources are few pictures a second where motion is no matter.
pub(crate) fn solid(rgb: [u8; 3], width: u32, height: u32, rate: u32) -> String {
    let [r, g, b] = rgb.map(u32::from);
    let argb = 0xff00_0000 | r << 16 | g << 8 | b;
    format!(
        "videotestsrc is-live=true pattern=solid-color foreground-color={argb} \
         ! videoconvert \
         ! capsfilter name=size caps=video/x-raw,format=I420,width={width},height={height},\
           framerate={rate}/1,colorimetry=bt601"
    )
}

/// Adds an input of the colour of its number and starts it.
pub(crate) fn add_solid(agent: &Agent, input: u32, width: u32, height: u32) -> Source {
    add_solid_as(agent, input, VideoCodec::Vp8, width, height)
}

pub(crate) fn add_solid_as(
    agent: &Agent,
    input: u32,
    codec: VideoCodec,
    width: u32,
    height: u32,
) -> Source {
    let format = format(Codec::Video(codec));
    agent.send(ToAgent::AddInput { input, source: None, format, label: Some(name(input)) });
    let rate = if width * height > 200_000 { 10 } else { 15 };
    let raw = solid(COLOURS[input as usize], width, height, rate);
    let description = format!("{raw} ! {}", video_encoder(codec));
    Source::start(&description, agent.sender.clone(), input, Duration::ZERO, |_| {})
}

/// What an input is called.
pub(crate) fn name(input: u32) -> String {
    const NAMES: [&str; 9] =
        ["Ada", "Grace", "Alan", "Barbara", "Edsger", "Radia", "Дмитрий", "Zoë", "Θάλεια"];
    NAMES[input as usize % NAMES.len()].to_owned()
}

/// An encoder for test sounds and its payloader.
pub(crate) fn audio_encoder(codec: AudioCodec) -> &'static str {
    match codec {
        AudioCodec::Opus => {
            "audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20 ! rtpopuspay pt=111"
        }
        AudioCodec::Pcmu => "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay pt=0",
        AudioCodec::Pcma => "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay pt=8",
        AudioCodec::G722 => "audio/x-raw,rate=16000,channels=1 ! avenc_g722 ! rtpg722pay pt=9",
        AudioCodec::Aac => {
            "audio/x-raw,rate=48000,channels=2 ! voaacenc ! aacparse ! rtpmp4gpay pt=97"
        }
    }
}

/// The tone of an audio input in Hz.
pub(crate) fn tone(input: u32) -> f64 {
    [440.0, 700.0, 1100.0, 1900.0, 540.0, 880.0, 1400.0, 2300.0][input as usize % 8]
}

/// Adds an audio input with the tone of its number.
pub(crate) fn add_tone(agent: &Agent, input: u32, volume: f64) -> Source {
    add_tone_as(agent, input, AudioCodec::Opus, volume)
}

pub(crate) fn add_tone_as(agent: &Agent, input: u32, codec: AudioCodec, volume: f64) -> Source {
    let mut format = format(Codec::Audio(codec));
    if codec == AudioCodec::Aac {
        format.fmtp = "streamtype=5;mode=AAC-hbr;config=1190;sizelength=13;indexlength=3;\
                       indexdeltalength=3"
            .into();
    }
    agent.send(ToAgent::AddInput { input, source: None, format, label: None });
    let description = format!(
        "audiotestsrc is-live=true samplesperbuffer=960 wave=sine freq={} volume={volume} \
         ! audioconvert ! audioresample ! {}",
        tone(input),
        audio_encoder(codec)
    );
    Source::start(&description, agent.sender.clone(), input, Duration::ZERO, |_| {})
}
