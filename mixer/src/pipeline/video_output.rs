//! From a canvas's pictures to RTP packets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use portico_mixer_protocol::{Codec, RtpFormat, VideoCodec};

use super::{PipelineError, Running, Shared, clock_time, codecs, make, packet_sink, raw_source};
use crate::canvas::{Picture, Size};
use crate::link::Outbox;
use crate::raster::Raster;

/// Pictures that wait for an encoder. When it is too slow the older ones are lost, so that delay
/// does not grow.
const QUEUED_PICTURES: u64 = 2;

/// The least time between two key frames that somebody asked for.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// What an encoder is set to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VideoSettings {
    pub(crate) codec: VideoCodec,
    pub(crate) size: Size,
    pub(crate) framerate: u32,
    pub(crate) kbps: u32,
    pub(crate) key_frame_interval_secs: u32,
}

/// An encoder of a view's picture.
#[derive(Debug)]
pub(crate) struct VideoOutput {
    source: gst_app::AppSrc,
    sink: gst_app::AppSink,
    pace: Mutex<Pace>,
    period: Duration,
    _running: Running,
}

#[derive(Debug)]
struct Pace {
    /// The moments of an output that has fewer pictures than its view; set by the first picture.
    raster: Option<Raster>,
    framerate: u32,
    key_frame_wanted: bool,
    last_key_frame: Option<Duration>,
}

impl VideoOutput {
    /// Starts encoding pictures of size `from`.
    pub(crate) fn start(
        output: u32,
        from: Size,
        settings: VideoSettings,
        outbox: Arc<Outbox>,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let codec = settings.codec;
        let sink = packet_sink(output, outbox, move |caps| format_of(codec, caps));
        Self::assemble(from, settings, &codecs::video_encoder(&settings)?, &sink, failed)
    }

    /// Starts encoding H.264 pictures of size `from` for a movie: `sink` gets each with its decoder
    /// configuration in the caps.
    pub(crate) fn start_packaged(
        from: Size,
        settings: VideoSettings,
        sink: &gst_app::AppSink,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let chain = codecs::packaged_video_encoder(&settings)?;
        Self::assemble(from, settings, &chain, sink, failed)
    }

    fn assemble(
        from: Size,
        settings: VideoSettings,
        chain: &[gst::Element],
        sink: &gst_app::AppSink,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let VideoSettings { size, framerate, .. } = settings;
        let source = raw_source(&raw_caps(from, framerate), QUEUED_PICTURES);
        // `add-borders` keeps the picture's proportions in an output of other proportions.
        let scale = make("videoscale", &[("method", "bilinear"), ("add-borders", "true")])?;
        let caps = make("capsfilter", &[])?;
        caps.set_property("caps", raw_caps(size, framerate));
        let mut elements: Vec<&gst::Element> = vec![source.upcast_ref()];
        if from != size {
            elements.extend([&scale, &caps]);
        }
        elements.extend(chain);
        elements.push(sink.upcast_ref());
        let running = Running::start(&elements, failed)?;
        let pace = Pace { raster: None, framerate, key_frame_wanted: false, last_key_frame: None };
        let period = Duration::from_secs(1) / framerate.max(1);
        Ok(Self { source, sink: sink.clone(), pace: Mutex::new(pace), period, _running: running })
    }

    /// Encodes a picture composed at `time`, unless this output has fewer pictures than its view.
    pub(crate) fn push(&self, picture: &Arc<Picture>, time: Duration) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let framerate = pace.framerate;
        let raster = pace.raster.get_or_insert_with(|| Raster::new(time, framerate));
        // A picture that comes a little before its moment is meant for it.
        if time + self.period / 4 < raster.due() {
            return;
        }
        raster.advance(time, 1);
        let key_frame = pace.key_frame_wanted
            && pace.last_key_frame.is_none_or(|l| time.saturating_sub(l) >= KEY_FRAME_INTERVAL);
        if key_frame {
            pace.key_frame_wanted = false;
            pace.last_key_frame = Some(time);
        }
        drop(pace);
        if key_frame {
            let event = gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
            self.sink.send_event(event);
        }
        let mut buffer = gst::Buffer::from_slice(Shared(Arc::clone(picture)));
        let fresh = buffer.get_mut().expect("nobody else has it");
        fresh.set_pts(clock_time(time));
        fresh.set_duration(clock_time(self.period));
        // A pipeline that failed takes nothing; that it failed is told elsewhere.
        let _ = self.source.push_buffer(buffer);
    }

    /// Encodes one of the next pictures as a key frame.
    pub(crate) fn request_key_frame(&self) {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).key_frame_wanted = true;
    }
}

/// The canvas's pictures.
pub(super) fn raw_caps(size: Size, framerate: u32) -> gst::Caps {
    let signed = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", signed(size.width))
        .field("height", signed(size.height))
        .field("framerate", gst::Fraction::new(signed(framerate), 1))
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .field("interlace-mode", "progressive")
        .field("colorimetry", "bt601")
        .build()
}

/// What a payloader's caps say.
fn format_of(codec: VideoCodec, caps: &gst::StructureRef) -> RtpFormat {
    let fmtp = match codec {
        VideoCodec::Vp8 => String::new(),
        VideoCodec::Vp9 => "profile-id=0".into(),
        VideoCodec::H264ConstrainedBaseline
        | VideoCodec::H264Baseline
        | VideoCodec::H264Main
        | VideoCodec::H264High => {
            let profile = caps.get::<&str>("profile-level-id").unwrap_or("42e01f");
            format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}")
        }
        VideoCodec::H265 | VideoCodec::Av1 => String::new(),
    };
    RtpFormat {
        codec: Codec::Video(codec),
        payload_type: payload_type(caps),
        clock_rate: 90_000,
        channels: 0,
        fmtp,
    }
}

pub(super) fn payload_type(caps: &gst::StructureRef) -> u8 {
    caps.get::<i32>("payload").ok().and_then(|pt| u8::try_from(pt).ok()).unwrap_or(96)
}
