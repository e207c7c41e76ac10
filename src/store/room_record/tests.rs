use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    formats::{AudioFormat, H264Profile, Resolution, VideoCodec, VideoFormat},
    room::{
        self, Bounds, Fit, Fraction, LayoutFault, LayoutSettings, Multiple, Region,
        ResolutionOption, Shape, ViewAudio,
    },
};

const BOUNDS: Bounds = Bounds {
    participants: 10,
    publications_per_participant: 4,
    subscriptions_per_participant: 40,
    text_chars: 2048,
    idle: Duration::from_secs(30),
};

fn record() -> RoomRecord {
    RoomRecord::new("r".parse().expect("valid"), "a room")
}

#[test]
fn the_json_is_owts() {
    let expected = json!({
        "_id": "r", "name": "a room", "inputLimit": -1, "participantLimit": -1,
        "selectActiveAudio": false, "enableBandwidthAdaptation": false,
        "roles": [
            {"role": "presenter", "publish": {"audio": true, "video": true},
             "subscribe": {"audio": true, "video": true}},
            {"role": "viewer", "publish": {"audio": false, "video": false},
             "subscribe": {"audio": true, "video": true}},
            {"role": "audio_only_presenter", "publish": {"audio": true, "video": false},
             "subscribe": {"audio": true, "video": false}},
            {"role": "video_only_viewer", "publish": {"audio": false, "video": false},
             "subscribe": {"audio": false, "video": true}},
            {"role": "sip", "publish": {"audio": true, "video": true},
             "subscribe": {"audio": true, "video": true}},
        ],
        "views": [{
            "label": "common",
            "audio": {"format": {"codec": "opus", "sampleRate": 48000, "channelNum": 2},
                      "vad": true},
            "video": {
                "format": {"codec": "vp8"},
                "parameters": {"resolution": {"width": 640, "height": 480}, "framerate": 24,
                               "keyFrameInterval": 100},
                "maxInput": 16, "motionFactor": 0.8, "bgColor": {"r": 0, "g": 0, "b": 0},
                "keepActiveInputPrimary": false,
                "layout": {"fitPolicy": "letterbox",
                           "templates": {"base": "fluid", "custom": []}},
            },
        }],
        "mediaIn": {
            "audio": [{"codec": "opus", "sampleRate": 48000, "channelNum": 2},
                      {"codec": "g722", "sampleRate": 16000, "channelNum": 1},
                      {"codec": "pcma"}, {"codec": "pcmu"}],
            "video": [{"codec": "h264"}, {"codec": "vp8"}, {"codec": "vp9"}, {"codec": "h265"},
                      {"codec": "av1"}],
        },
        "mediaOut": {
            "audio": [{"codec": "opus", "sampleRate": 48000, "channelNum": 2},
                      {"codec": "g722", "sampleRate": 16000, "channelNum": 1},
                      {"codec": "pcma"}, {"codec": "pcmu"}],
            "video": {
                "format": [{"codec": "vp8"}, {"codec": "h264", "profile": "CB"},
                           {"codec": "h264", "profile": "B"}, {"codec": "vp9"}],
                "parameters": {
                    "resolution": ["x3/4", "x2/3", "x1/2", "x1/3", "x1/4", "hd1080p", "hd720p",
                                   "svga", "vga", "qvga", "cif"],
                    "framerate": [6, 12, 15, 24, 30, 48, 60],
                    "bitrate": ["x0.8", "x0.6", "x0.4", "x0.2"],
                    "keyFrameInterval": [100, 30, 5, 2, 1],
                },
            },
        },
        "transcoding": {"audio": true, "video": {"format": true, "parameters": {
            "resolution": true, "framerate": true, "bitrate": true, "keyFrameInterval": true}}},
        "notifying": {"participantActivities": true, "streamChange": true},
    });
    let json = serde_json::to_value(record()).expect("JSON");
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<RoomRecord>(json).expect("read back"), record());
}

#[test]
fn settings_list_only_formats_that_portico_has() {
    let mut record = record();
    let codec = |codec: &str| json!({"codec": codec});
    let audio = json!([codec("isac"), codec("opus"), codec("aac"), codec("pcmu"), codec("opus")]);
    let video = json!([codec("h264"), codec("theora"), codec("av1")]);
    record.media_in =
        serde_json::from_value(json!({"audio": audio, "video": video})).expect("valid");
    let settings = record.to_settings(BOUNDS);
    assert_eq!(*settings.audio_in, [AudioFormat::OPUS, AudioFormat::PCMU]);
    let h264 = VideoFormat::of(VideoCodec::H264);
    assert_eq!(*settings.video_in, [h264, VideoFormat::of(VideoCodec::Av1)]);
}

#[test]
fn limits_have_owts_meanings() {
    let mut record = record();
    let limits = |record: &RoomRecord| {
        let settings = record.to_settings(BOUNDS);
        (settings.participant_limit, settings.input_limit)
    };
    assert_eq!(limits(&record), (None, None));
    (record.participant_limit, record.input_limit) = (0, 0);
    assert_eq!(limits(&record), (None, Some(0)));
    (record.participant_limit, record.input_limit) = (5, 3);
    assert_eq!(limits(&record), (Some(5), Some(3)));
}

#[test]
fn roles_and_views_carry_over() {
    let mut record = record();
    let OrFalse::Some(video) = &mut record.views[0].video else { panic!("a picture") };
    video.format = VideoFormatRecord { codec: "h264".into(), profile: Some("CB".into()) };
    let silent = json!({"label": "silent", "audio": false, "video": video});
    record.views.push(serde_json::from_value(silent).expect("valid"));
    let settings = record.to_settings(BOUNDS);

    let viewer = settings.roles["viewer"];
    assert!(!viewer.publish.audio && viewer.subscribe.audio && viewer.subscribe.video);
    assert_eq!(settings.roles.len(), 5);
    assert!(record.has_role("sip") && !record.has_role("boss"));

    let labels: Vec<_> = settings.views.iter().map(|view| &*view.label).collect();
    assert_eq!(labels, ["common", "silent"]);
    let audio = ViewAudio { format: AudioFormat::OPUS, voice_activity: true };
    assert_eq!(settings.views[0].audio, Some(audio));
    assert_eq!(settings.views[1].audio, None);
    let video = settings.views[1].video.as_ref().expect("a picture");
    assert_eq!(video.format.profile, Some(H264Profile::ConstrainedBaseline));
    assert_eq!(video.resolution, Resolution { width: 640, height: 480 });
    assert_eq!((video.framerate, video.key_frame_interval_secs), (24, 100));
}

#[test]
fn a_views_settings_carry_over() {
    let mut record = record();
    let region = |id: &str, shape: &str, area| json!({"id": id, "shape": shape, "area": area});
    let square = json!({"left": "0", "top": "1/3", "width": "0.5", "height": "1"});
    let round = json!({"centerW": "1/2", "centerH": "1/2", "radius": "1/4"});
    let custom = json!([
        {"primary": "a",
         "region": [region("a", "rectangle", &square), region("b", "circle", &round)]},
        {"region": [region("a", "rectangle", &round)]},
    ]);
    record.views[0].video = serde_json::from_value(json!({
        "format": {"codec": "theora"},
        "parameters": {"resolution": {"width": 320, "height": 240}, "framerate": 15,
                       "bitrate": 250.5, "keyFrameInterval": 5},
        "maxInput": 1000, "motionFactor": 0.5, "bgColor": {"r": 1, "g": 2, "b": 3},
        "keepActiveInputPrimary": true,
        "layout": {"fitPolicy": "crop", "templates": {"base": "void", "custom": custom}},
    }))
    .expect("valid");
    let settings = record.to_settings(BOUNDS);
    let share = |text: &str| text.parse::<Fraction>().expect("a share");
    let regions = [
        Region {
            id: "a".into(),
            shape: Shape::Rectangle {
                left: share("0"),
                top: share("1/3"),
                width: share("5/10"),
                height: share("1"),
            },
        },
        Region {
            id: "b".into(),
            shape: Shape::Circle {
                center_w: share("1/2"),
                center_h: share("1/2"),
                radius: share("1/4"),
            },
        },
    ];
    let expected = room::ViewVideo {
        format: VideoFormat::of(VideoCodec::Vp8),
        resolution: Resolution { width: 320, height: 240 },
        framerate: 15,
        kbps: Some(250.5),
        key_frame_interval_secs: 5,
        max_input: 256,
        motion_factor: 0.5,
        background: [1, 2, 3],
        fit: Fit::Crop,
        keep_active_input_primary: true,
        layout: LayoutSettings { base: room::TemplateBase::Void, custom: vec![regions.into()] },
    };
    assert_eq!(settings.views[0].video, Some(expected), "a template that is none is left out");
    assert!(!settings.auto_mix, "that is the server's");
}

#[test]
fn regions_are_read_strictly() {
    let region = |shape: &str, area: serde_json::Value| -> Result<Region, LayoutFault> {
        let json = json!({"id": "1", "shape": shape, "area": area});
        serde_json::from_value::<LayoutRegion>(json).expect("well formed").to_region()
    };
    let square = |width: &str| json!({"left": "0", "top": "0", "width": width, "height": "1/2"});
    assert!(region("rectangle", square("1/2")).is_ok());
    for width in ["", "2", "3/2", "1/0", "-1/2", "half"] {
        assert_eq!(region("rectangle", square(width)), Err(LayoutFault::Region), "{width}");
    }
    assert_eq!(region("circle", square("1/2")), Err(LayoutFault::Region));
    assert_eq!(region("star", square("1/2")), Err(LayoutFault::Region));
    assert_eq!(region("rectangle", json!({"left": "0"})), Err(LayoutFault::Region));
    let mut much = square("1/2");
    much["depth"] = json!("1/2");
    assert_eq!(region("rectangle", much), Err(LayoutFault::Region));
}

#[test]
fn what_may_be_asked_of_mixed_streams_carries_over() {
    let mut record = record();
    let out = &mut record.media_out.video.parameters;
    out.resolution =
        ["x2/3", "r100x50", "hd720p", "x3/2", "huge", "r1x", "x"].map(Into::into).into();
    out.bitrate = vec![json!("x0.8"), json!(500), json!("fast"), json!("x1.5")];
    let out = record.to_settings(BOUNDS).media_out;
    let fixed = |width, height| ResolutionOption::Fixed(Resolution { width, height });
    let two_thirds = ResolutionOption::Share("2/3".parse().expect("a share"));
    assert_eq!(out.resolutions, [two_thirds, fixed(100, 50), fixed(1280, 720)]);
    let multiples = ["x0.8", "x1.5"].map(|text| Multiple::new(text).expect("a multiple"));
    assert_eq!(out.bitrates, multiples);
    assert_eq!(out.framerates, [6, 12, 15, 24, 30, 48, 60]);
    assert_eq!(out.key_frame_intervals_secs, [100, 30, 5, 2, 1]);
    assert_eq!(out.audio.len(), 4);
    assert_eq!(out.video.len(), 4);
}

#[test]
fn an_operators_defaults_are_used() {
    let mut defaults = crate::config::Config::default().rooms;
    defaults.participant_limit = 7;
    defaults.video_codecs = vec![VideoCodec::Vp9, VideoCodec::Vp8];
    defaults.view.background = [1, 2, 3];
    let record = RoomRecord::with_defaults("r".parse().expect("valid"), "r", &defaults);
    assert_eq!(record.participant_limit, 7);
    let codecs = |formats: &[VideoFormatRecord]| -> Vec<String> {
        formats.iter().map(|format| format.codec.clone()).collect()
    };
    assert_eq!(codecs(&record.media_in.video), ["vp9", "vp8"]);
    assert_eq!(codecs(&record.media_out.video.format), ["vp8", "vp9"]);
    let video = record.views[0].video.as_option().expect("a picture");
    assert_eq!(video.bg_color, BackgroundColor { r: 1, g: 2, b: 3 });
}

#[test]
fn true_is_no_view_video() {
    let broken = json!({"label": "x", "audio": false, "video": true});
    assert!(serde_json::from_value::<ViewRecord>(broken).is_err());
}
