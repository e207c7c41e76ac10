//! From RTP packets to an input's samples.

use std::sync::Arc;
use std::time::Duration;

use gstreamer::prelude::*;
use portico_mixer_protocol::{Codec, RtpFormat};

use super::rtp_source::RtpSource;
use super::{PipelineError, Running, codecs, filter, make, take_all};
use crate::audio::{CHANNELS, RATE, SoundInput};

/// How long a missing packet is waited for: about what the cushion before the mix covers.
const REORDER_WAIT: Duration = Duration::from_millis(40);

/// A decoder of one audio input.
#[derive(Debug)]
pub(crate) struct AudioDecoder {
    source: RtpSource,
    _running: Running,
}

impl AudioDecoder {
    /// Starts decoding packets into `sound`.
    pub(crate) fn start(
        format: &RtpFormat,
        sound: Arc<SoundInput>,
        failed: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let Codec::Audio(codec) = format.codec else {
            return Err(PipelineError::Codec(format.codec));
        };
        let source = RtpSource::new(format, REORDER_WAIT, || {})?;
        let chain = codecs::audio_decoder(codec)?;
        let convert = make("audioconvert", &[])?;
        let resample = make("audioresample", &[])?;
        let caps =
            format!("audio/x-raw,format=S16LE,layout=interleaved,rate={RATE},channels={CHANNELS}");
        let caps = filter(&caps)?;
        let sink = take_all(false, move |sample| {
            let Some(buffer) = sample.buffer() else { return };
            let arrival = buffer.pts().map_or(Duration::ZERO, Duration::from);
            let Ok(bytes) = buffer.map_readable() else { return };
            let (samples, _) = bytes.as_chunks::<2>();
            sound.push(arrival, samples.iter().map(|bytes| i16::from_le_bytes(*bytes)));
        });
        let mut elements = vec![&source.order];
        elements.extend(&chain);
        elements.extend([&convert, &resample, &caps, sink.upcast_ref()]);
        let running = Running::start(&elements, failed)?;
        source.connect()?;
        Ok(Self { source, _running: running })
    }

    /// Where its packets go.
    pub(crate) fn source(&self) -> &RtpSource {
        &self.source
    }
}
