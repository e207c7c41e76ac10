//! What a room is like of which nobody has said more than its name.

use super::{
    AudioFormatRecord, BackgroundColor, FitPolicy, Layout, MediaIn, MediaOut,
    MediaPermissionRecord, Notifying, OrFalse, ResolutionRecord, RoleRecord, RoomRecord,
    TemplateBase, Templates, Transcoding, VideoFormatRecord, VideoOut, VideoOutParameters,
    ViewAudio, ViewParameters, ViewRecord, ViewVideo, settings,
};
use crate::{
    config,
    formats::{H264Profile, VideoCodec, VideoFormat},
    ids::RoomId,
};

/// The label of a new room's one view.
pub(super) const COMMON_VIEW: &str = "common";

impl RoomRecord {
    /// A room with Portico's defaults, which are OWT's but for the codecs: only those that Portico
    /// has are listed.
    pub fn new(id: RoomId, name: &str) -> Self {
        Self::with_defaults(id, name, &config::Config::default().rooms)
    }

    /// A room with an operator's defaults.
    pub fn with_defaults(id: RoomId, name: &str, defaults: &config::Rooms) -> Self {
        let audio: Vec<_> =
            defaults.audio_codecs.iter().map(|format| AudioFormatRecord::from(*format)).collect();
        let video: Vec<_> = defaults
            .video_codecs
            .iter()
            .map(|codec| VideoFormatRecord::from(VideoFormat::of(*codec)))
            .collect();
        Self {
            id,
            name: name.to_owned(),
            input_limit: defaults.input_limit,
            participant_limit: defaults.participant_limit,
            select_active_audio: false,
            enable_bandwidth_adaptation: false,
            roles: RoleRecord::owt(),
            views: vec![view(&defaults.view)],
            media_in: MediaIn { audio: audio.clone(), video },
            media_out: MediaOut {
                audio,
                video: VideoOut {
                    format: out_formats(&defaults.video_codecs),
                    parameters: VideoOutParameters::default(),
                },
            },
            transcoding: Transcoding::default(),
            notifying: Notifying::default(),
            sip: None,
        }
    }
}

impl RoleRecord {
    /// OWT's five roles.
    pub fn owt() -> Vec<Self> {
        let media = |audio, video| MediaPermissionRecord { audio, video };
        let role = |name: &str, publish, subscribe| Self { role: name.into(), publish, subscribe };
        vec![
            role("presenter", media(true, true), media(true, true)),
            role("viewer", media(false, false), media(true, true)),
            role("audio_only_presenter", media(true, false), media(true, false)),
            role("video_only_viewer", media(false, false), media(false, true)),
            role("sip", media(true, true), media(true, true)),
        ]
    }
}

/// What can be encoded, in OWT's order: of the codecs that are allowed, those with an encoder.
fn out_formats(codecs: &[VideoCodec]) -> Vec<VideoFormatRecord> {
    let h264 = |profile| VideoFormat { codec: VideoCodec::H264, profile: Some(profile) };
    let encodable = [
        VideoFormat::of(VideoCodec::Vp8),
        h264(H264Profile::ConstrainedBaseline),
        h264(H264Profile::Baseline),
        VideoFormat::of(VideoCodec::Vp9),
    ];
    let allowed = encodable.into_iter().filter(|format| codecs.contains(&format.codec));
    allowed.map(VideoFormatRecord::from).collect()
}

fn view(defaults: &config::View) -> ViewRecord {
    let [r, g, b] = defaults.background;
    let resolution =
        ResolutionRecord { width: defaults.resolution.width, height: defaults.resolution.height };
    ViewRecord {
        label: COMMON_VIEW.into(),
        audio: OrFalse::Some(ViewAudio {
            format: defaults.audio_codec.into(),
            vad: defaults.voice_activity,
        }),
        video: OrFalse::Some(ViewVideo {
            format: defaults.video_codec.into(),
            parameters: ViewParameters {
                resolution,
                framerate: defaults.framerate,
                bitrate: None,
                key_frame_interval: defaults.key_frame_interval_secs,
            },
            max_input: defaults.max_input,
            motion_factor: defaults.motion_factor,
            bg_color: BackgroundColor { r, g, b },
            keep_active_input_primary: defaults.keep_active_input_primary,
            layout: Layout {
                fit_policy: match defaults.fit {
                    config::Fit::Letterbox => FitPolicy::Letterbox,
                    config::Fit::Crop => FitPolicy::Crop,
                },
                templates: Templates {
                    base: match defaults.layout {
                        config::LayoutTemplate::Fluid => TemplateBase::Fluid,
                        config::LayoutTemplate::Lecture => TemplateBase::Lecture,
                        config::LayoutTemplate::Void => TemplateBase::Void,
                    },
                    custom: Vec::new(),
                },
            },
        }),
    }
}

impl From<crate::formats::AudioFormat> for AudioFormatRecord {
    fn from(format: crate::formats::AudioFormat) -> Self {
        Self {
            codec: settings::audio_name(format.codec).into(),
            sample_rate: format.sample_rate,
            channel_num: format.channels,
        }
    }
}

impl From<VideoFormat> for VideoFormatRecord {
    fn from(format: VideoFormat) -> Self {
        Self {
            codec: settings::video_name(format.codec).into(),
            profile: format.profile.map(|profile| settings::profile_name(profile).to_owned()),
        }
    }
}
