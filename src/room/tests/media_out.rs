use super::*;
use crate::{
    formats::{H264Profile, VideoCodec, VideoParameters},
    room::wish::video_matches,
};

const VP8: VideoFormat = VideoFormat::of(VideoCodec::Vp8);
const VP9: VideoFormat = VideoFormat::of(VideoCodec::Vp9);
const CONSTRAINED: VideoFormat = h264(Some(H264Profile::ConstrainedBaseline));
const BASELINE: VideoFormat = h264(Some(H264Profile::Baseline));

const fn h264(profile: Option<H264Profile>) -> VideoFormat {
    VideoFormat { codec: VideoCodec::H264, profile }
}

fn size(width: u32, height: u32) -> Resolution {
    Resolution { width, height }
}

/// OWT's defaults.
fn owt() -> MediaOut {
    let shares = [(3, 4), (2, 3), (1, 2), (1, 3), (1, 4)];
    let shares = shares.map(|(above, below)| Fraction::new(above, below).expect("a share"));
    let named = [size(1920, 1080), size(1280, 720), size(800, 600), size(640, 480), size(320, 240)];
    let fixed = named.into_iter().chain([size(352, 288)]).map(ResolutionOption::Fixed);
    MediaOut {
        audio: vec![AudioFormat::OPUS, AudioFormat::G722, AudioFormat::PCMA, AudioFormat::PCMU],
        video: vec![VP8, CONSTRAINED, BASELINE, VP9],
        resolutions: shares.into_iter().map(ResolutionOption::Share).chain(fixed).collect(),
        framerates: vec![6, 12, 15, 24, 30, 48, 60],
        bitrates: ["x0.8", "x0.6"].iter().filter_map(|it| Multiple::new(it)).collect(),
        key_frame_intervals_secs: vec![100, 30, 5, 2, 1],
    }
}

fn picture(format: VideoFormat, resolution: Resolution, framerate: f64) -> VideoEncoding {
    let parameters = VideoParameters {
        resolution: Some(resolution),
        framerate: Some(framerate),
        bitrate: None,
        key_frame_interval_secs: Some(30.0),
    };
    VideoEncoding { format, parameters, simulcast_rid: None }
}

#[test]
fn options_are_owts_for_owts_default_view() {
    let options = owt().video_options(&picture(VP8, size(640, 480), 24.0), None);
    assert_eq!(options.formats, [CONSTRAINED, BASELINE, VP9]);
    let expected = [(480, 360), (426, 320), (320, 240), (212, 160), (160, 120), (352, 288)];
    assert_eq!(options.resolutions, expected.map(|(width, height)| size(width, height)));
    assert_eq!(options.framerates, [6, 12, 15]);
    assert_eq!(options.bitrates, ["x0.8".into(), "x0.6".into()]);
    assert_eq!(options.key_frame_intervals_secs, [5, 2, 1]);
    let audio = owt().audio_options(AudioFormat::OPUS, None);
    assert_eq!(audio, [AudioFormat::G722, AudioFormat::PCMA, AudioFormat::PCMU]);
}

#[test]
fn a_size_must_be_smaller_in_both_directions_and_more_than_nothing() {
    let options = owt().video_options(&picture(VP8, size(1280, 200), 24.0), None);
    let expected = [(960, 150), (852, 132), (640, 100), (426, 66), (320, 50)];
    assert_eq!(options.resolutions, expected.map(|(width, height)| size(width, height)));
    let options = owt().video_options(&picture(VP8, size(2, 2), 0.0), None);
    assert_eq!((options.resolutions, options.framerates), (vec![], vec![]));
}

#[test]
fn only_what_the_mixer_encodes_is_offered() {
    let own = picture(VP8, size(640, 480), 24.0);
    let formats = |video: &[VideoFormat]| {
        let mixer = MixerCapabilities {
            audio: vec![AudioCodec::Pcmu],
            video: video.to_vec(),
            ..MixerCapabilities::default()
        };
        assert_eq!(owt().audio_options(AudioFormat::OPUS, Some(&mixer)), [AudioFormat::PCMU]);
        owt().video_options(&own, Some(&mixer)).formats
    };
    assert_eq!(formats(&[VP8]), []);
    assert_eq!(formats(&[VP9, CONSTRAINED]), [CONSTRAINED, BASELINE, VP9]);
    assert_eq!(formats(&[BASELINE]), [BASELINE]);
    assert_eq!(formats(&[h264(Some(H264Profile::High))]), []);
    assert_eq!(formats(&[h264(None)]), [CONSTRAINED, BASELINE]);
    assert!(video_matches(CONSTRAINED, BASELINE));
}

#[test]
fn multiples_are_an_x_and_a_sensible_number() {
    for text in ["x0.8", "x1", "x1.5", "x10"] {
        assert!(Multiple::new(text).is_some(), "{text}");
    }
    for text in ["", "x", "0.8", "x0", "x-1", "x1e9", "xinf", "xNaN", "x 1"] {
        assert_eq!(Multiple::new(text), None, "{text}");
    }
    assert_eq!(owt().factor("x0.6"), 0.6);
    assert_eq!(owt().factor("x0.4"), 1.0, "not listed");
}
