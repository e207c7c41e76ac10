//! From mixed blocks to RTP packets.

use std::sync::Arc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{AudioCodec, Codec, RtpFormat};

use super::video_output::payload_type;
use super::{PipelineError, Running, clock_time, codecs, make, packet_sink, raw_source};
use crate::audio::{BLOCK, Block, CHANNELS, RATE};
use crate::link::Outbox;

/// Blocks that wait for an encoder; the older ones are lost when it is too slow.
const QUEUED_BLOCKS: u64 = 10;

/// An encoder of a view's sound.
#[derive(Debug)]
pub(crate) struct AudioOutput {
    source: gst_app::AppSrc,
    _running: Running,
}

impl AudioOutput {
    /// Starts encoding.
    pub(crate) fn start(
        output: u32,
        codec: AudioCodec,
        outbox: Arc<Outbox>,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let sink = packet_sink(output, outbox, move |caps| format_of(codec, caps));
        Self::assemble(&codecs::audio_encoder(codec)?, &sink, failed)
    }

    /// Starts encoding AAC for a movie: `sink` gets each frame with its configuration in the caps.
    pub(crate) fn start_packaged(
        sink: &gst_app::AppSink,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        Self::assemble(&codecs::packaged_audio_encoder()?, sink, failed)
    }

    fn assemble(
        chain: &[gst::Element],
        sink: &gst_app::AppSink,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", RATE.cast_signed())
            .field("channels", CHANNELS as i32)
            .field("channel-mask", gst::Bitmask::new(3))
            .build();
        let source = raw_source(&caps, QUEUED_BLOCKS);
        let convert = make("audioconvert", &[])?;
        let resample = make("audioresample", &[])?;
        let mut elements = vec![source.upcast_ref(), &convert, &resample];
        elements.extend(chain);
        elements.push(sink.upcast_ref());
        let running = Running::start(&elements, failed)?;
        Ok(Self { source, _running: running })
    }

    /// Encodes a block mixed at `time`.
    pub(crate) fn push(&self, block: &Block, time: Duration) {
        let bytes: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let fresh = buffer.get_mut().expect("nobody else has it");
        fresh.set_pts(clock_time(time));
        fresh.set_duration(clock_time(BLOCK));
        // A pipeline that failed takes nothing; that it failed is told elsewhere.
        let _ = self.source.push_buffer(buffer);
    }
}

fn format_of(codec: AudioCodec, caps: &gst::StructureRef) -> RtpFormat {
    let (channels, fmtp) = match codec {
        AudioCodec::Opus => (2, "minptime=10;useinbandfec=1".to_owned()),
        AudioCodec::Pcmu | AudioCodec::Pcma | AudioCodec::G722 => (1, String::new()),
        AudioCodec::Aac => {
            let parameters = [
                "streamtype",
                "profile-level-id",
                "mode",
                "config",
                "sizelength",
                "indexlength",
                "indexdeltalength",
            ];
            let value = |name: &&str| Some(format!("{name}={}", caps.get::<&str>(*name).ok()?));
            (2, parameters.iter().filter_map(value).collect::<Vec<_>>().join(";"))
        }
    };
    let clock_rate = caps.get::<i32>("clock-rate").ok().and_then(|rate| u32::try_from(rate).ok());
    RtpFormat {
        codec: Codec::Audio(codec),
        payload_type: payload_type(caps),
        clock_rate: clock_rate.unwrap_or(RATE),
        channels,
        fmtp,
    }
}
