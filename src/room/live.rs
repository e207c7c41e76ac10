//! What a live broadcast of a stream shows.

use std::sync::Arc;

use super::{
    DesiredView, Fit, InputTrack, LayoutSettings, Publication, Room, TemplateBase, ViewAudio,
    ViewInput, ViewSettings, ViewVideo, bitrate::default_kbps, feed::whole_kbps,
    layout::Arrangement,
};
use crate::{
    formats::{AudioFormat, H264Profile, Resolution, VideoCodec, VideoFormat},
    ids::StreamId,
};

/// What a broadcast of a stream shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Broadcastable {
    /// There is no such stream.
    Gone,
    /// It is being negotiated.
    Coming,
    /// It is a view, which is mixed anyway.
    View,
    /// It is somebody's, which a view of it alone shows.
    Alone(Arc<DesiredView>),
}

/// What a picture is taken for as long as nobody has said or measured it, as in OWT.
const ASSUMED_RESOLUTION: Resolution = Resolution { width: 640, height: 480 };
const ASSUMED_FRAMERATE: f64 = 30.0;

/// The highest frame rate of a broadcast.
const MAX_FRAMERATE: f64 = 30.0;

/// What browsers' players decode everywhere.
const H264: VideoFormat =
    VideoFormat { codec: VideoCodec::H264, profile: Some(H264Profile::ConstrainedBaseline) };

impl Room {
    /// What a broadcast of this stream shows at present.
    pub fn broadcastable(&self, stream: &StreamId) -> Broadcastable {
        if self.view(stream).is_some() {
            return Broadcastable::View;
        }
        let Some(publication) = self.publications.get(stream.as_str()) else {
            return Broadcastable::Gone;
        };
        let owner = self.participants.get(&publication.owner);
        let user = owner.map(|owner| Arc::clone(&owner.info.user)).unwrap_or_default();
        match alone(publication, user) {
            Some(view) => Broadcastable::Alone(Arc::new(view)),
            None => Broadcastable::Coming,
        }
    }
}

impl ViewVideo {
    /// The kbit/s of this picture as H.264.
    pub fn h264_kbps(&self) -> u32 {
        let default = || default_kbps(H264, self.resolution, self.framerate, self.motion_factor);
        whole_kbps(self.kbps.unwrap_or_else(default))
    }
}

/// A view of one publication; `None` until it is a stream.
fn alone(publication: &Publication, user: Arc<str>) -> Option<DesiredView> {
    let stream = publication.stream()?;
    let track = stream.audio.as_ref();
    let audio = track.map(|track| InputTrack { format: track.format, status: track.status });
    let own = stream.video.as_ref().and_then(|track| Some((track.original.first()?, track.status)));
    let video = own.map(|(own, status)| InputTrack { format: own.format, status });
    let settings = ViewSettings {
        label: "live".into(),
        audio: audio.map(|_| ViewAudio { format: AudioFormat::OPUS, voice_activity: false }),
        video: own.map(|(own, _)| {
            let parameters = &own.parameters;
            picture(parameters.resolution, parameters.framerate)
        }),
    };
    let layout = LayoutSettings { base: TemplateBase::Fluid, custom: Vec::new() };
    let mut arrangement = Arrangement::new(&layout, 1);
    if video.is_some() {
        arrangement.add(stream.id.clone());
    }
    let owner = publication.owner.clone();
    let input = ViewInput { stream: stream.id.clone(), owner, user, audio, video };
    Some(DesiredView {
        settings: Arc::new(settings),
        inputs: vec![input],
        layout: Arc::clone(arrangement.layout()),
        speaker: None,
    })
}

fn picture(resolution: Option<Resolution>, framerate: Option<f64>) -> ViewVideo {
    let framerate = framerate.unwrap_or(ASSUMED_FRAMERATE).clamp(1.0, MAX_FRAMERATE).round();
    ViewVideo {
        format: H264,
        resolution: resolution.unwrap_or(ASSUMED_RESOLUTION),
        // Not a number is nothing.
        framerate: (framerate as u32).max(1),
        kbps: None,
        key_frame_interval_secs: 2,
        max_input: 1,
        motion_factor: 1.0,
        background: [0, 0, 0],
        fit: Fit::Letterbox,
        keep_active_input_primary: false,
        layout: LayoutSettings { base: TemplateBase::Fluid, custom: Vec::new() },
    }
}
