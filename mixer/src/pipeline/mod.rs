//! GStreamer: a small pipeline for each input and each output, so that building, failing and ending
//! one touches no other. What connects them is plain Rust.

mod audio_input;
mod audio_output;
mod codecs;
mod face;
mod packaged;
mod rtp_source;
mod snapshot;
mod video_input;
mod video_output;

pub(crate) use self::audio_input::AudioDecoder;
pub(crate) use self::audio_output::AudioOutput;
pub use self::codecs::probe;
pub(crate) use self::face::Face;
pub(crate) use self::packaged::PackagedOutput;
pub(crate) use self::rtp_source::rtp_time;
pub(crate) use self::snapshot::jpeg;
pub(crate) use self::video_input::VideoDecoder;
pub(crate) use self::video_output::{VideoOutput, VideoSettings};

use std::sync::Arc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{Codec, RtpFormat};

use crate::link::Outbox;

/// Bytes of RTP payload in a packet: fits every path with room for SRTP and extensions.
const MTU: u32 = 1200;

/// The largest picture that is decoded, in pixels: 4K. A key frame of some bytes can claim to be
/// 16383 pixels wide and high, and a decoder would take gigabytes for it.
const MAX_PIXELS: u64 = 4096 * 2304;

/// Why a pipeline does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    /// No element on this machine does it.
    #[error("GStreamer here has no {0}")]
    Missing(String),
    /// The codec is not for this purpose, or not built in.
    #[error("{0:?} is not possible here")]
    Codec(Codec),
    /// GStreamer refuses.
    #[error("GStreamer refuses: {0}")]
    Refused(#[from] gst::glib::BoolError),
    /// Elements do not start.
    #[error("the pipeline does not start")]
    Start(#[from] gst::StateChangeError),
}

/// Makes an element and sets what it has of the given properties; versions of GStreamer differ.
fn make(name: &str, properties: &[(&str, &str)]) -> Result<gst::Element, PipelineError> {
    let element = gst::ElementFactory::make(name)
        .build()
        .map_err(|_| PipelineError::Missing(name.to_owned()))?;
    for (property, value) in properties {
        if element.has_property(property) {
            element.set_property_from_str(property, value);
        } else {
            tracing::debug!(element = name, property, "this version has no such property");
        }
    }
    Ok(element)
}

/// A filter that lets only these caps through.
fn filter(caps: &str) -> Result<gst::Element, PipelineError> {
    make("capsfilter", &[("caps", caps)])
}

/// A running pipeline, which ends when this is dropped.
#[derive(Debug)]
struct Running {
    pipeline: gst::Pipeline,
}

impl Running {
    /// Starts elements in a row. Time in the pipeline is [`clock::now`](crate::clock::now), and
    /// nothing in it waits for a latency. `failed` is called with what goes wrong later.
    fn start(
        elements: &[&gst::Element],
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let pipeline = gst::Pipeline::new();
        pipeline.add_many(elements)?;
        gst::Element::link_many(elements)?;
        pipeline.use_clock(Some(&gst::SystemClock::obtain()));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(gst::ClockTime::ZERO);
        pipeline.set_latency(gst::ClockTime::ZERO);
        let bus = pipeline.bus().expect("pipelines have a bus");
        bus.set_sync_handler(move |_, message| {
            if let gst::MessageView::Error(error) = message.view() {
                let source = error.src().map(|s| s.name().to_string()).unwrap_or_default();
                failed(format!("{source}: {}", error.error()));
            }
            gst::BusSyncReply::Drop
        });
        let running = Self { pipeline };
        running.pipeline.set_state(gst::State::Playing)?;
        Ok(running)
    }
}

impl Drop for Running {
    /// Ends it on a thread of its own: a codec that hangs must not hang whoever ends it.
    fn drop(&mut self) {
        let pipeline = self.pipeline.clone();
        let end = move || {
            if pipeline.set_state(gst::State::Null).is_err() {
                tracing::warn!("a pipeline did not end as it should");
            }
        };
        let thread = std::thread::Builder::new().name("ending".into());
        if let Err(error) = thread.spawn(end) {
            tracing::warn!(%error, "no thread to end a pipeline on");
            // A state change only fails where the pipeline is unusable anyway.
            let _ = self.pipeline.set_state(gst::State::Null);
        }
    }
}

/// Memory that GStreamer reads while it is shared with others.
struct Shared<T>(Arc<T>);

impl<T: AsRef<[u8]>> AsRef<[u8]> for Shared<T> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref().as_ref()
    }
}

fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1))
}

/// A sink that hands every buffer to `take` at once.
fn take_all(sync: bool, mut take: impl FnMut(&gst::Sample) + Send + 'static) -> gst_app::AppSink {
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            take(&sample);
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    gst_app::AppSink::builder()
        .sync(sync)
        .async_(false)
        .enable_last_sample(false)
        .wait_on_eos(false)
        .callbacks(callbacks)
        .build()
}

/// A source into which others push raw media.
fn raw_source(caps: &gst::Caps, buffers: u64) -> gst_app::AppSrc {
    gst_app::AppSrc::builder()
        .caps(caps)
        .format(gst::Format::Time)
        .is_live(true)
        .max_buffers(buffers)
        .max_bytes(0)
        .leaky_type(gst_app::AppLeakyType::Downstream)
        .build()
}

/// Sends an output's packets to the server, and before the first of them what they hold.
fn packet_sink(
    output: u32,
    outbox: Arc<Outbox>,
    format: impl Fn(&gst::StructureRef) -> RtpFormat + Send + 'static,
) -> gst_app::AppSink {
    let mut told = false;
    take_all(false, move |sample| {
        let Some(buffer) = sample.buffer() else { return };
        if !told && let Some(caps) = sample.caps().and_then(|caps| caps.structure(0)) {
            let format = format(caps);
            outbox.tell(&portico_mixer_protocol::FromAgent::OutputReady { output, format });
            told = true;
        }
        let time = buffer.pts().map_or(Duration::ZERO, Duration::from);
        let Ok(bytes) = buffer.map_readable() else { return };
        outbox.packet(output, time, bytes.to_vec());
    })
}
