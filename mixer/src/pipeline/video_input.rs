//! From RTP packets to an input's newest picture.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{Codec, FromAgent, RtpFormat};

use super::rtp_source::RtpSource;
use super::{Face, MAX_PIXELS, PipelineError, Running, codecs, take_all};
use crate::clock;
use crate::link::Outbox;

/// How long a missing packet is waited for. In-order packets never wait, so it costs nothing while
/// all is well; it is long enough for the publisher's retransmission to come through the server.
const REORDER_WAIT: Duration = Duration::from_millis(150);

/// The least time between two requests for a key frame.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// A decoder of one video input.
#[derive(Debug)]
pub(crate) struct VideoDecoder {
    source: RtpSource,
    sink: gst_app::AppSink,
    _running: Running,
}

impl VideoDecoder {
    /// Starts decoding packets into `face`. The next picture needs a key frame, which is asked for.
    pub(crate) fn start(
        input: u32,
        format: &RtpFormat,
        face: Arc<Face>,
        outbox: &Arc<Outbox>,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let Codec::Video(codec) = format.codec else {
            return Err(PipelineError::Codec(format.codec));
        };
        let wanted = key_frame_requests(input, Arc::clone(outbox));
        wanted();
        let source = RtpSource::new(format, REORDER_WAIT, wanted)?;
        let sink = take_all(true, move |sample| face.show(sample));
        let chain = codecs::video_decoder(codec)?;
        refuse_giants(input, chain.last().expect("a decoder is last"));
        let mut elements = vec![&source.order];
        elements.extend(&chain);
        elements.push(sink.upcast_ref());
        let running = Running::start(&elements, failed)?;
        source.connect()?;
        Ok(Self { source, sink, _running: running })
    }

    /// Where its packets go.
    pub(crate) fn source(&self) -> &RtpSource {
        &self.source
    }

    /// Shows pictures so much later than they came, for lip sync.
    pub(crate) fn set_hold(&self, hold: Duration) {
        self.sink.set_property("ts-offset", i64::try_from(hold.as_nanos()).unwrap_or_default());
    }
}

/// Keeps pictures away from a decoder that claim to be larger than any real one.
fn refuse_giants(input: u32, decoder: &gst::Element) {
    let pad = decoder.static_pad("sink").expect("decoders have a sink pad");
    let giant = AtomicBool::new(false);
    let told = AtomicBool::new(false);
    let mask = gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::BUFFER;
    pad.add_probe(mask, move |_, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) {
            let side = |name| {
                let caps = caps.caps().structure(0)?;
                caps.get::<i32>(name).ok().and_then(|side| u64::try_from(side).ok())
            };
            let pixels = side("width").zip(side("height")).map(|(width, height)| width * height);
            let is_giant = pixels.is_some_and(|pixels| pixels > MAX_PIXELS);
            giant.store(is_giant, Ordering::Relaxed);
            // Once: a sender may claim another size with every key frame.
            if is_giant && !told.swap(true, Ordering::Relaxed) {
                tracing::warn!(input, pixels, "pictures claim to be too large and are left out");
            }
        } else if info.buffer().is_some() && giant.load(Ordering::Relaxed) {
            // Not `Drop`, after which GStreamer 1.22 frees the buffer a second time.
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
}

/// Tells the server that a key frame is wanted, not too often. A request too soon after another is
/// dropped: decoders ask again as long as they cannot go on.
fn key_frame_requests(input: u32, outbox: Arc<Outbox>) -> impl Fn() + Send + Sync + Clone {
    let last = Arc::new(Mutex::new(None::<Duration>));
    move || {
        let now = clock::now();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.saturating_sub(last) >= KEY_FRAME_INTERVAL) {
            *last = Some(now);
            outbox.tell(&FromAgent::KeyFrameWanted { input });
        }
    }
}
