//! What a live broadcast of a stream shows.

use std::sync::Arc;

use super::{
    DesiredView, Fit, LayoutSettings, Publication, Room, StreamInfo, TemplateBase, VideoEncoding,
    ViewAudio, ViewSettings, ViewVideo,
    bitrate::default_kbps,
    feed::whole_kbps,
    layout::Arrangement,
    transcoding::{assumed_resolution, whole_framerate},
};
use crate::{
    formats::{AudioFormat, H264Profile, VideoCodec, VideoFormat},
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
    /// It is somebody's, which a view of it alone shows: [`Room::alone`].
    Alone(Arc<StreamInfo>),
}

/// The highest frame rate of a broadcast.
const MAX_FRAMERATE: u32 = 30;

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
        match publication.stream() {
            Some(stream) => Broadcastable::Alone(Arc::clone(stream)),
            None => Broadcastable::Coming,
        }
    }

    /// A view of somebody's stream alone, as long as there is one. It is another one only when the
    /// stream is.
    pub fn alone(&self, stream: &StreamId) -> Option<DesiredView> {
        let publication = self.publications.get(stream.as_str())?;
        alone(publication, &self.account_of(publication))
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
fn alone(publication: &Publication, user: &Arc<str>) -> Option<DesiredView> {
    let stream = publication.stream()?;
    let input = publication.input(user, true, true)?;
    let own = stream.video.as_ref().and_then(|track| track.original.first());
    let settings = ViewSettings {
        label: "live".into(),
        audio: input.audio.map(|_| ViewAudio { format: AudioFormat::OPUS, voice_activity: false }),
        video: own.map(picture),
    };
    let mut arrangement = settings
        .video
        .as_ref()
        .map_or_else(Arrangement::none, |video| Arrangement::new(&video.layout, video.max_input));
    if input.video.is_some() {
        arrangement.add(input.stream.clone());
    }
    Some(DesiredView {
        settings: Arc::new(settings),
        inputs: vec![input],
        layout: Arc::clone(arrangement.layout()),
        speaker: None,
    })
}

fn picture(own: &VideoEncoding) -> ViewVideo {
    ViewVideo {
        format: H264,
        resolution: assumed_resolution(own),
        framerate: whole_framerate(own).min(MAX_FRAMERATE),
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
