use super::*;
use crate::{
    formats::{AudioCodec, H264Profile, Resolution, VideoCodec},
    room::{TrackStatus, VideoOptions},
};

const VGA: Resolution = Resolution { width: 640, height: 480 };
const QVGA: Resolution = Resolution { width: 320, height: 240 };

fn h264(profile: Option<H264Profile>) -> VideoFormat {
    VideoFormat { codec: VideoCodec::H264, profile }
}

fn audio_track(format: AudioFormat, optional: Vec<AudioFormat>) -> AudioTrack {
    AudioTrack { status: TrackStatus::Active, source: None, format, optional }
}

fn listens(track: &AudioTrack, format: Option<AudioFormat>) -> Result<(), Unsatisfied> {
    track.serves(&SubscribeAudio { from: "cam".parse().expect("valid"), format })
}

/// Two simulcast layers and some options.
fn video_track() -> VideoTrack {
    let layer = |rid: &str, resolution| VideoEncoding {
        format: VideoFormat::of(VideoCodec::Vp8),
        parameters: VideoParameters {
            resolution: Some(resolution),
            framerate: Some(24.0),
            bitrate: Some(Bitrate::Kbps(500.0)),
            key_frame_interval_secs: Some(100.0),
        },
        simulcast_rid: Some(rid.into()),
    };
    VideoTrack {
        status: TrackStatus::Active,
        source: None,
        original: vec![layer("f", VGA), layer("h", QVGA)],
        optional: VideoOptions {
            formats: vec![h264(Some(H264Profile::Baseline))],
            resolutions: vec![Resolution { width: 160, height: 120 }],
            framerates: vec![6, 12],
            bitrates: vec!["x0.8".into()],
            key_frame_intervals_secs: vec![5],
        },
    }
}

fn anything() -> SubscribeVideo {
    SubscribeVideo {
        from: "cam".parse().expect("valid"),
        format: None,
        parameters: VideoParameters::default(),
        simulcast_rid: None,
    }
}

fn sees(change: impl FnOnce(&mut VideoParameters)) -> Result<(), Unsatisfied> {
    let mut wish = anything();
    change(&mut wish.parameters);
    video_track().serves(&wish)
}

#[test]
fn sound_is_had_in_its_own_format_or_an_option() {
    let track = audio_track(AudioFormat::OPUS, vec![AudioFormat::PCMU]);
    for met in [None, Some(AudioFormat::OPUS), Some(AudioFormat::PCMU)] {
        assert_eq!(listens(&track, met), Ok(()), "{met:?}");
    }
    assert_eq!(listens(&track, Some(AudioFormat::PCMA)), Err(Unsatisfied::Format));
}

#[test]
fn a_sampling_that_is_left_out_does_not_matter() {
    let bare = AudioFormat { codec: AudioCodec::Opus, sample_rate: None, channels: None };
    let mono = AudioFormat { channels: Some(1), ..AudioFormat::OPUS };
    let slow = AudioFormat { sample_rate: Some(16_000), ..AudioFormat::OPUS };
    let track = audio_track(AudioFormat::OPUS, Vec::new());
    assert_eq!(listens(&track, Some(bare)), Ok(()));
    assert_eq!(listens(&track, Some(mono)), Err(Unsatisfied::Format));
    assert_eq!(listens(&track, Some(slow)), Err(Unsatisfied::Format));
    assert_eq!(listens(&audio_track(bare, Vec::new()), Some(mono)), Ok(()));
}

#[test]
fn a_profile_serves_those_who_decode_it_or_a_higher_one() {
    let mut track = video_track();
    track.original.truncate(1);
    track.optional = VideoOptions::default();
    let mut serves = |own, wanted| {
        track.original[0].format = h264(own);
        track.serves(&SubscribeVideo { format: Some(h264(wanted)), ..anything() })
    };
    let (main, high) = (Some(H264Profile::Main), Some(H264Profile::High));
    assert_eq!(serves(main, main), Ok(()));
    assert_eq!(serves(main, high), Ok(()));
    assert_eq!(serves(high, main), Err(Unsatisfied::Format));
    assert_eq!(serves(high, None), Ok(()));
    assert_eq!(serves(None, main), Ok(()));
}

#[test]
fn a_picture_is_had_in_its_own_format_or_an_option() {
    let serves = |format| video_track().serves(&SubscribeVideo { format, ..anything() });
    assert_eq!(serves(None), Ok(()));
    assert_eq!(serves(Some(VideoFormat::of(VideoCodec::Vp8))), Ok(()));
    assert_eq!(serves(Some(h264(Some(H264Profile::Baseline)))), Ok(()));
    assert_eq!(serves(Some(VideoFormat::of(VideoCodec::Av1))), Err(Unsatisfied::Format));
}

#[test]
fn each_parameter_is_the_streams_own_or_an_option() {
    let resolution =
        |width, height| sees(|wish| wish.resolution = Some(Resolution { width, height }));
    assert_eq!(resolution(640, 480), Ok(()));
    assert_eq!(resolution(160, 120), Ok(()));
    assert_eq!(resolution(320, 240), Ok(()), "that is another layer");
    assert_eq!(resolution(500, 480), Ok(()), "a layer stands in for it");
    assert_eq!(resolution(641, 480), Err(Unsatisfied::Resolution));
    let mut plain = video_track();
    plain.original.truncate(1);
    plain.original[0].simulcast_rid = None;
    let parameters = VideoParameters {
        resolution: Some(Resolution { width: 320, height: 240 }),
        ..VideoParameters::default()
    };
    let wish = SubscribeVideo { parameters, ..anything() };
    assert_eq!(plain.serves(&wish), Err(Unsatisfied::Resolution));

    let framerate = |wanted| sees(|wish| wish.framerate = Some(wanted));
    assert_eq!(framerate(24.0), Ok(()));
    assert_eq!(framerate(12.0), Ok(()));
    assert_eq!(framerate(12.5), Err(Unsatisfied::Framerate));
    assert_eq!(framerate(f64::NAN), Err(Unsatisfied::Framerate));

    let interval = |wanted| sees(|wish| wish.key_frame_interval_secs = Some(wanted));
    assert_eq!(interval(100.0), Ok(()));
    assert_eq!(interval(5.0), Ok(()));
    assert_eq!(interval(1.0), Err(Unsatisfied::KeyFrameInterval));
}

#[test]
fn a_bit_rate_is_the_own_one_an_option_or_unchanged() {
    let multiple =
        |wanted: &str| sees(|wish| wish.bitrate = Some(Bitrate::Multiple(wanted.into())));
    for met in ["x1", "x1.0", "x0.8"] {
        assert_eq!(multiple(met), Ok(()), "{met}");
    }
    for unmet in ["x0.6", "x1.00", "", "0.8"] {
        assert_eq!(multiple(unmet), Err(Unsatisfied::Bitrate), "{unmet}");
    }
    let kbps = |wanted| sees(|wish| wish.bitrate = Some(Bitrate::Kbps(wanted)));
    assert_eq!(kbps(500.0), Ok(()));
    assert_eq!(kbps(400.0), Err(Unsatisfied::Bitrate));
}

#[test]
fn an_unknown_size_takes_any_wish_but_other_unknowns_take_none() {
    let mut track = video_track();
    track.original[0].parameters = VideoParameters::default();
    let mut wish = anything();
    wish.parameters.resolution = Some(Resolution { width: 1, height: 1 });
    assert_eq!(track.serves(&wish), Ok(()));
    wish.parameters.framerate = Some(24.0);
    assert_eq!(track.serves(&wish), Err(Unsatisfied::Framerate));
}

#[test]
fn the_first_unmet_wish_is_told() {
    let all_wrong = sees(|wish| {
        wish.resolution = Some(Resolution { width: 9999, height: 1 });
        wish.framerate = Some(1.0);
        wish.bitrate = Some(Bitrate::Kbps(1.0));
        wish.key_frame_interval_secs = Some(1.0);
    });
    assert_eq!(all_wrong, Err(Unsatisfied::Resolution));
}

#[test]
fn a_layer_is_had_by_its_name_as_it_is() {
    let serves = |rid: &str| {
        let parameters = VideoParameters { framerate: Some(1.0), ..VideoParameters::default() };
        let simulcast_rid = Some(rid.into());
        video_track().serves(&SubscribeVideo { parameters, simulcast_rid, ..anything() })
    };
    assert_eq!(serves("f"), Ok(()));
    assert_eq!(serves("h"), Ok(()));
    assert_eq!(serves("q"), Err(Unsatisfied::SimulcastRid));
}
