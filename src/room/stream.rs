//! Streams as participants see them: forward streams with their owner, mixed ones with their view.

use std::sync::Arc;

use super::{
    AgreedMedia, Layout, MediaOut, ParticipantInfo, PublishMedia, Rejection, ViewSettings,
    ViewVideo, publication::Layer,
};
use crate::{
    formats::{
        AudioFormat, AudioSource, Bitrate, Resolution, TrackKind, TrackSelection, VideoFormat,
        VideoParameters, VideoSource,
    },
    ids::{InvalidId, ParticipantId, RoomId, SessionId, StreamId},
};

/// A stream's whole description.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Its id.
    pub id: StreamId,
    /// Sound, if it has any.
    pub audio: Option<AudioTrack>,
    /// Picture, if it has one.
    pub video: Option<VideoTrack>,
    /// What kind of stream it is.
    pub origin: StreamOrigin,
}

/// Whether a track's media flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackStatus {
    /// It does.
    Active,
    /// It is paused.
    Inactive,
}

/// A stream's sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioTrack {
    /// Flowing or paused.
    pub status: TrackStatus,
    /// Where it comes from, if its publisher said so; mixed streams have none.
    pub source: Option<AudioSource>,
    /// What it is encoded as.
    pub format: AudioFormat,
    /// Other formats that can be asked for.
    pub optional: Vec<AudioFormat>,
}

/// A stream's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoTrack {
    /// Flowing or paused.
    pub status: TrackStatus,
    /// Where it comes from, if its publisher said so; mixed streams have none.
    pub source: Option<VideoSource>,
    /// The encodings its source sends: one, or one per simulcast layer.
    pub original: Vec<VideoEncoding>,
    /// What else can be asked for.
    pub optional: VideoOptions,
}

/// One encoding of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoEncoding {
    /// What it is encoded as.
    pub format: VideoFormat,
    /// What it looks like, as far as known.
    pub parameters: VideoParameters,
    /// The simulcast layer's name.
    pub simulcast_rid: Option<Arc<str>>,
}

/// Formats and parameters, beside the stream's own, that a subscriber may ask for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VideoOptions {
    /// Other formats.
    pub formats: Vec<VideoFormat>,
    /// Other sizes.
    pub resolutions: Vec<Resolution>,
    /// Other frame rates, in frames per second.
    pub framerates: Vec<u32>,
    /// Multiples of the stream's bit rate, as OWT writes them (`"x0.6"`).
    pub bitrates: Vec<Arc<str>>,
    /// Other key frame intervals, in seconds.
    pub key_frame_intervals_secs: Vec<u32>,
}

/// Where a stream comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamOrigin {
    /// A participant publishes it.
    Forward {
        /// Who.
        owner: ParticipantId,
        /// The owner's [`ParticipantInfo::handle`].
        owner_handle: Arc<str>,
        /// The labels of the views that mix it.
        in_views: Vec<Arc<str>>,
        /// The owner's own JSON object, as text.
        attributes: Arc<str>,
    },
    /// The room mixes it.
    Mixed {
        /// The view's label.
        label: Arc<str>,
        /// The input that spoke last, as far as known.
        active_input: Option<StreamId>,
        /// The picture's regions; empty until there was a picture.
        layout: Layout,
    },
}

/// A change of a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamUpdate {
    /// A track was paused or resumed.
    Status {
        /// Which track.
        kind: TrackKind,
        /// Its new status.
        status: TrackStatus,
    },
    /// A mixed picture's regions, or what they show, changed.
    Layout(Layout),
    /// Another input of a mixed stream speaks, or the one that did is gone.
    ActiveInput(Option<StreamId>),
    /// The description changed, for example because the picture's real size became known.
    Whole(Arc<StreamInfo>),
}

impl StreamInfo {
    /// The forward stream of a publication: the tracks that were both asked for and agreed on.
    pub(super) fn of_publication(
        session: &SessionId,
        owner: &ParticipantInfo,
        (media, attributes): (&PublishMedia, &Arc<str>),
        agreed: AgreedMedia,
        layers: &[Layer],
    ) -> Self {
        let audio = media.audio.zip(agreed.audio).map(|(asked, format)| AudioTrack {
            status: TrackStatus::Active,
            source: asked.source,
            format,
            optional: Vec::new(),
        });
        let video = media.video.as_ref().zip(agreed.video).map(|(asked, format)| VideoTrack {
            status: TrackStatus::Active,
            source: asked.source,
            original: originals(format, &asked.parameters, layers),
            optional: VideoOptions::default(),
        });
        let origin = StreamOrigin::Forward {
            owner: owner.id.clone(),
            owner_handle: Arc::clone(&owner.handle),
            in_views: Vec::new(),
            attributes: Arc::clone(attributes),
        };
        Self { id: session.into(), audio, video, origin }
    }

    /// The mixed stream of a view, whose mixer does not run yet.
    pub(super) fn of_view(
        room: &RoomId,
        view: &ViewSettings,
        out: &MediaOut,
    ) -> Result<Self, InvalidId> {
        let status = TrackStatus::Inactive;
        let audio = view.audio.map(|audio| AudioTrack {
            status,
            source: None,
            format: audio.format,
            optional: out.audio_options(audio.format, None),
        });
        let video = view.video.as_ref().map(|video| {
            let own = video.encoding();
            let optional = out.video_options(&own, None);
            VideoTrack { status, source: None, original: vec![own], optional }
        });
        let label = Arc::clone(&view.label);
        let origin = StreamOrigin::Mixed { label, active_input: None, layout: Arc::new([]) };
        Ok(Self { id: StreamId::of_view(room, &view.label)?, audio, video, origin })
    }

    /// Whether it has such a track.
    pub(super) fn has(&self, kind: TrackKind) -> bool {
        match kind {
            TrackKind::Audio => self.audio.is_some(),
            TrackKind::Video => self.video.is_some(),
        }
    }

    /// Refuses a selection of tracks that are not all there.
    pub(super) fn check_tracks(&self, tracks: TrackSelection) -> Result<(), Rejection> {
        match tracks.kinds().iter().find(|kind| !self.has(**kind)) {
            None => Ok(()),
            Some(TrackKind::Audio) => Err(Rejection::NoAudioTrack),
            Some(TrackKind::Video) => Err(Rejection::NoVideoTrack),
        }
    }

    /// A track's status, if there is such a track.
    pub(super) fn status(&self, kind: TrackKind) -> Option<TrackStatus> {
        match kind {
            TrackKind::Audio => self.audio.as_ref().map(|track| track.status),
            TrackKind::Video => self.video.as_ref().map(|track| track.status),
        }
    }

    /// Notes that a track was paused or resumed, if there is one.
    pub(super) fn set_status(&mut self, kind: TrackKind, status: TrackStatus) {
        let audio = self.audio.as_mut().map(|track| &mut track.status);
        let video = self.video.as_mut().map(|track| &mut track.status);
        let known = match kind {
            TrackKind::Audio => audio,
            TrackKind::Video => video,
        };
        if let Some(known) = known {
            *known = status;
        }
    }

    /// The views that mix it, if it is a forward stream.
    pub(super) fn in_views_mut(&mut self) -> Option<&mut Vec<Arc<str>>> {
        match &mut self.origin {
            StreamOrigin::Forward { in_views, .. } => Some(in_views),
            StreamOrigin::Mixed { .. } => None,
        }
    }

    /// The size of the picture or of one of its layers as far as known, if there is one.
    pub(super) fn size_mut(&mut self, layer: Option<&Arc<str>>) -> Option<&mut Option<Resolution>> {
        let mut encodings = self.video.as_mut()?.original.iter_mut();
        let encoding = encodings.find(|it| it.simulcast_rid.as_ref() == layer)?;
        Some(&mut encoding.parameters.resolution)
    }
}

impl VideoTrack {
    /// Whether it comes in layers.
    pub(super) fn is_simulcast(&self) -> bool {
        self.original.iter().any(|encoding| encoding.simulcast_rid.is_some())
    }
}

/// What a publisher sends: one encoding as it says, or layers, of which it says nothing that would
/// hold for each.
fn originals(
    format: VideoFormat,
    declared: &VideoParameters,
    layers: &[Layer],
) -> Vec<VideoEncoding> {
    if layers.is_empty() {
        return vec![VideoEncoding { format, parameters: declared.clone(), simulcast_rid: None }];
    }
    let encoding = |layer: &Layer| {
        let resolution = layer.resolution;
        let parameters = VideoParameters { resolution, ..VideoParameters::default() };
        VideoEncoding { format, parameters, simulcast_rid: Some(Arc::clone(&layer.rid)) }
    };
    layers.iter().map(encoding).collect()
}

impl ViewVideo {
    fn encoding(&self) -> VideoEncoding {
        let parameters = VideoParameters {
            resolution: Some(self.resolution),
            framerate: Some(self.framerate.into()),
            bitrate: self.kbps.map(Bitrate::Kbps),
            key_frame_interval_secs: Some(self.key_frame_interval_secs.into()),
        };
        VideoEncoding { format: self.format, parameters, simulcast_rid: None }
    }
}
