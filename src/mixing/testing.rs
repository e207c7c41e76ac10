//! Views and wishes for the tests of this module.

use std::{fmt::Debug, str::FromStr, sync::Arc, time::Duration};

use crate::{
    config,
    formats::{AudioFormat, LayerChoice, Resolution, VideoCodec, VideoFormat},
    ids::StreamId,
    room::{
        AudioFeed, AudioOutput, DesiredView, Fit, Fraction, InputTrack, LayoutSettings, Original,
        PlacedRegion, Region, Shape, TemplateBase, TrackStatus, VideoFeed, VideoOutput, VideoRate,
        ViewAudio, ViewInput, ViewSettings, ViewVideo,
    },
};

const VP8: VideoFormat = VideoFormat::of(VideoCodec::Vp8);
pub(super) const H264: VideoFormat = VideoFormat::of(VideoCodec::H264);
const SIZE: Resolution = Resolution { width: 640, height: 480 };

pub(super) fn id<I: FromStr<Err: Debug>>(text: &str) -> I {
    text.parse().expect("valid")
}

/// The look that is shipped.
pub(super) fn look() -> config::Mixing {
    config::Mixing {
        agents: Vec::new(),
        ca: None,
        certificate: None,
        key: None,
        program: None,
        max_deaths: 5,
        deaths_window: Duration::from_secs(60),
        loudest: 0,
        names: false,
        initials: false,
        mark_speaker: true,
    }
}

/// A view of inputs (stream, owner) side by side.
pub(super) fn view(inputs: &[(&str, &str)]) -> DesiredView {
    let count = u32::try_from(inputs.len()).expect("few");
    let share = |part| Fraction::new(part, count.max(1)).expect("a share");
    let whole = Fraction::new(1, 1).expect("a share");
    let nothing = Fraction::new(0, 1).expect("a share");
    let regions = inputs.iter().zip(0..).map(|((stream, _), place)| PlacedRegion {
        region: Region {
            id: (place + 1).to_string().into(),
            shape: Shape::Rectangle {
                left: share(place),
                top: nothing,
                width: share(1),
                height: whole,
            },
        },
        stream: Some(id(stream)),
    });
    DesiredView {
        settings: Arc::new(settings()),
        inputs: inputs.iter().map(|(stream, owner)| input(stream, owner)).collect(),
        layout: regions.collect(),
        speaker: None,
    }
}

fn settings() -> ViewSettings {
    ViewSettings {
        label: "common".into(),
        audio: Some(ViewAudio { format: AudioFormat::OPUS, voice_activity: true }),
        video: Some(ViewVideo {
            format: VP8,
            resolution: SIZE,
            framerate: 24,
            kbps: None,
            key_frame_interval_secs: 100,
            max_input: 16,
            motion_factor: 0.8,
            background: [0, 0, 0],
            fit: Fit::Letterbox,
            keep_active_input_primary: false,
            layout: LayoutSettings { base: TemplateBase::Fluid, custom: Vec::new() },
        }),
    }
}

pub(super) fn input(stream: &str, owner: &str) -> ViewInput {
    let status = TrackStatus::Active;
    ViewInput {
        stream: id::<StreamId>(stream),
        owner: id(owner),
        user: owner.into(),
        audio: Some(InputTrack { format: AudioFormat::OPUS, status }),
        video: Some(InputTrack { format: VP8, status }),
    }
}

pub(super) fn audio_feed(listener: Option<&str>) -> AudioFeed {
    let formats = [AudioFormat::OPUS, AudioFormat::PCMU].into();
    let output = AudioOutput { formats, without: listener.map(id), original: None };
    AudioFeed { from: id("mix"), output: Some(output) }
}

/// A forward stream's picture in H.264, if need be (`suffices`) or in any case.
pub(super) fn transcoded_video(stream: &str, resolution: Resolution, suffices: bool) -> VideoFeed {
    let output = VideoOutput {
        encodings: [VideoRate { format: H264, kbps: 500 }].into(),
        resolution,
        framerate: 30,
        key_frame_interval_secs: 100,
        original: Some(original(VP8, suffices)),
    };
    VideoFeed { from: id(stream), output: Some(output), layer: LayerChoice::Largest }
}

/// A forward stream's sound in PCMU, the same.
pub(super) fn transcoded_audio(stream: &str, suffices: bool) -> AudioFeed {
    let output = AudioOutput {
        formats: [AudioFormat::PCMU].into(),
        without: None,
        original: Some(original(AudioFormat::OPUS, suffices)),
    };
    AudioFeed { from: id(stream), output: Some(output) }
}

fn original<F>(format: F, suffices: bool) -> Original<F> {
    let track = InputTrack { format, status: TrackStatus::Active };
    Original { track, user: "ann".into(), suffices }
}

pub(super) fn video_feed(kbps: u32) -> VideoFeed {
    let rate = |format| VideoRate { format, kbps };
    let output = VideoOutput {
        encodings: [rate(VP8), rate(H264)].into(),
        resolution: SIZE,
        framerate: 24,
        key_frame_interval_secs: 100,
        original: None,
    };
    VideoFeed { from: id("mix"), output: Some(output), layer: LayerChoice::Largest }
}
