//! A packaged output: encoders of a view's picture and sound, and what makes one movie of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gstreamer as gst;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{FromAgent, Packaging, Piece, VideoCodec};

use super::{AudioOutput, PipelineError, VideoOutput, VideoSettings, take_all};
use crate::canvas::Size;
use crate::link::Outbox;
use crate::package::{Encoded, Packager, SoundSetup, VideoSetup};

/// Encoders of a packaged output.
#[derive(Debug)]
pub(crate) struct PackagedOutput {
    pub(crate) picture: Option<Arc<VideoOutput>>,
    pub(crate) sound: Option<Arc<AudioOutput>>,
}

impl PackagedOutput {
    /// Starts encoding pictures of size `from`.
    pub(crate) fn start(
        output: u32,
        from: Size,
        packaging: Packaging,
        outbox: Arc<Outbox>,
        failed: impl Fn(String) + Clone + Send + Sync + 'static,
    ) -> Result<Self, PipelineError> {
        let packager = Packager::new(
            Duration::from_millis(packaging.part_ms.into()),
            Duration::from_secs(packaging.segment_secs.into()),
            packaging.picture.is_some(),
            packaging.sound,
        );
        let joint = Arc::new(Mutex::new(Joint { output, packager, outbox }));
        let picture = packaging.picture.map(|picture| {
            let settings = VideoSettings {
                codec: VideoCodec::H264ConstrainedBaseline,
                size: Size::new(picture.width, picture.height),
                framerate: picture.framerate,
                kbps: picture.kbps,
                key_frame_interval_secs: packaging.segment_secs,
            };
            let sink = sink(&joint, video_setup, Packager::set_video, Packager::push_video);
            VideoOutput::start_packaged(from, settings, &sink, failed.clone())
        });
        let sound = packaging.sound.then(|| {
            let sink = sink(&joint, sound_setup, Packager::set_sound, Packager::push_sound);
            AudioOutput::start_packaged(&sink, failed)
        });
        Ok(Self {
            picture: picture.transpose()?.map(Arc::new),
            sound: sound.transpose()?.map(Arc::new),
        })
    }
}

/// Where picture and sound meet.
#[derive(Debug)]
struct Joint {
    output: u32,
    packager: Packager,
    outbox: Arc<Outbox>,
}

impl Joint {
    fn send(&mut self) {
        while let Some(cut) = self.packager.next() {
            if cut.piece == Piece::Init
                && let Some(codecs) = self.packager.codecs()
            {
                self.outbox.tell(&FromAgent::PackageReady { output: self.output, codecs });
            }
            self.outbox.piece(self.output, cut.time, cut.piece, &cut.bytes);
        }
    }
}

/// A sink that hands an encoder's work to the packager.
fn sink<S: 'static>(
    joint: &Arc<Mutex<Joint>>,
    setup: fn(&gst::StructureRef) -> Option<S>,
    set: fn(&mut Packager, S),
    push: fn(&mut Packager, Encoded),
) -> gst_app::AppSink {
    let joint = Arc::clone(joint);
    let mut known = false;
    take_all(false, move |sample| {
        let Some(buffer) = sample.buffer() else { return };
        let Ok(bytes) = buffer.map_readable() else { return };
        let encoded = Encoded {
            time: buffer.pts().map_or(Duration::ZERO, Duration::from),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            bytes: bytes.to_vec(),
        };
        let mut joint = joint.lock().unwrap_or_else(PoisonError::into_inner);
        let caps = sample.caps().and_then(|caps| caps.structure(0)).filter(|_| !known);
        if let Some(setup) = caps.and_then(setup) {
            known = true;
            set(&mut joint.packager, setup);
        }
        push(&mut joint.packager, encoded);
        joint.send();
    })
}

fn video_setup(caps: &gst::StructureRef) -> Option<VideoSetup> {
    let side = |name: &str| u16::try_from(caps.get::<i32>(name).ok()?).ok();
    Some(VideoSetup {
        width: side("width")?,
        height: side("height")?,
        avc_config: codec_data(caps)?,
    })
}

fn sound_setup(caps: &gst::StructureRef) -> Option<SoundSetup> {
    let rate = u32::try_from(caps.get::<i32>("rate").ok()?).ok()?;
    Some(SoundSetup { rate, aac_config: codec_data(caps)? })
}

fn codec_data(caps: &gst::StructureRef) -> Option<Vec<u8>> {
    let data = caps.get::<gst::Buffer>("codec_data").ok()?;
    Some(data.map_readable().ok()?.to_vec())
}
