//! A picture as a JPEG file.

use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use super::{PipelineError, Running, clock_time, make, raw_source, video_output::raw_caps};
use crate::canvas::{Picture, Still};

/// How long an encoder may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Encodes a picture; empty when the encoder gives nothing.
///
/// # Errors
/// When there is no encoder here.
pub(crate) fn jpeg(picture: &Picture) -> Result<Vec<u8>, PipelineError> {
    let source = raw_source(&raw_caps(picture.i420().size, 1), 1);
    let encoder = make("jpegenc", &[("quality", "85")])?;
    let sink = gst_app::AppSink::builder().sync(false).async_(false).build();
    let failed = |reason| tracing::warn!(reason, "a snapshot failed");
    let _running = Running::start(&[source.upcast_ref(), &encoder, sink.upcast_ref()], failed)?;
    let mut buffer = gst::Buffer::from_mut_slice(picture.full_range());
    buffer.get_mut().expect("nobody else has it").set_pts(gst::ClockTime::ZERO);
    // When it takes nothing, nothing comes out either.
    let _ = source.push_buffer(buffer);
    let sample = sink.try_pull_sample(clock_time(PATIENCE));
    let bytes = sample.and_then(|sample| Some(sample.buffer()?.map_readable().ok()?.to_vec()));
    Ok(bytes.unwrap_or_default())
}
