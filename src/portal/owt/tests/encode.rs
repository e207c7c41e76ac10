use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    super::message::{AugmentInfo, RecorderInfo},
    *,
};
use crate::{
    room::{
        Bounds, Command, Fraction, Input, Output, PlacedRegion, Region as RoomRegion, Reply,
        RequestId, Room, StreamUpdate as Update,
    },
    store::RoomRecord,
};

/// What somebody finds who comes into a room of Portico's defaults.
fn joined() -> Box<room::Joined> {
    let bounds = Bounds {
        participants: 10,
        publications_per_participant: 4,
        subscriptions_per_participant: 40,
        text_chars: 2048,
        idle: Duration::from_secs(30),
    };
    let id: crate::ids::RoomId = "lobby".parse().expect("an id");
    let settings = RoomRecord::new(id.clone(), "lobby").to_settings(bounds);
    let now = Instant::now();
    let mut room = Room::new(now, id, settings);
    let command = Command::Join {
        user: "ann".into(),
        role: "presenter".into(),
        manner: crate::room::Manner::default(),
    };
    let from = "ann".parse().expect("an id");
    room.handle(now, Input::Command { from, request: RequestId(1), command });
    let mut outputs = std::iter::from_fn(|| room.poll_output());
    let joined = outputs.find_map(|output| match output {
        Output::Reply { result: Ok(Reply::Joined(joined)), .. } => Some(joined),
        Output::Reply { .. }
        | Output::Managed { .. }
        | Output::Notify { .. }
        | Output::Effect(_) => None,
    });
    joined.expect("an answer")
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

#[test]
fn the_mixed_stream_of_a_room_with_defaults_is_written_as_owt_writes_it() {
    let joined = joined();
    let size = |width: u32, height: u32| json!({"width": width, "height": height});
    let expected = json!({
        "id": "lobby-common",
        "type": "mixed",
        "media": {
            "audio": {
                "format": {"codec": "opus", "sampleRate": 48000, "channelNum": 2},
                "optional": {"format": [
                    {"codec": "g722", "sampleRate": 16000, "channelNum": 1},
                    {"codec": "pcma"},
                    {"codec": "pcmu"},
                ]},
            },
            "video": {
                "original": [{
                    "format": {"codec": "vp8"},
                    "parameters": {
                        "resolution": size(640, 480), "framerate": 24, "keyFrameInterval": 100,
                    },
                }],
                "optional": {
                    "format": [
                        {"codec": "h264", "profile": "CB"},
                        {"codec": "h264", "profile": "B"},
                        {"codec": "vp9"},
                    ],
                    "parameters": {
                        "resolution": [
                            size(480, 360), size(426, 320), size(320, 240), size(212, 160),
                            size(160, 120), size(352, 288),
                        ],
                        "framerate": [6, 12, 15],
                        "bitrate": ["x0.8", "x0.6", "x0.4", "x0.2"],
                        "keyFrameInterval": [30, 5, 2, 1],
                    },
                },
            },
        },
        "info": {"label": "common", "activeInput": "unknown", "layout": []},
    });
    let result = json_of(&login_result(&joined, None, Protocol::V11));
    assert_eq!(result["room"]["streams"], json!([expected]));
    assert_eq!(result["room"]["views"], json!(["common"]));
}

fn updated(update: Update) -> Value {
    let stream = "lobby-common".parse().expect("an id");
    let notification = Notification::StreamUpdated { stream, update };
    let Event::Stream(message) = event(&notification, Protocol::V11) else {
        panic!("a stream message")
    };
    json_of(&message)
}

fn share(numerator: u32, denominator: u32) -> Fraction {
    Fraction::new(numerator, denominator).expect("a share")
}

#[test]
fn a_layout_is_written_with_its_denominators_and_without_empty_streams() {
    let rectangle = room::Shape::Rectangle {
        left: share(0, 1),
        top: share(2, 4),
        width: share(1, 1),
        height: share(1, 3),
    };
    let circle =
        room::Shape::Circle { center_w: share(1, 2), center_h: share(1, 3), radius: share(1, 4) };
    let region = |id: &str, shape| RoomRegion { id: id.into(), shape };
    let layout = [
        PlacedRegion {
            region: region("1", rectangle),
            stream: Some("cam".parse().expect("an id")),
        },
        PlacedRegion { region: region("round", circle), stream: None },
    ];
    let rectangle = json!({"left": "0/1", "top": "2/4", "width": "1/1", "height": "1/3"});
    let circle = json!({"centerW": "1/2", "centerH": "1/3", "radius": "1/4"});
    let value = json!([
        {"stream": "cam", "region": {"id": "1", "shape": "rectangle", "area": rectangle}},
        {"region": {"id": "round", "shape": "circle", "area": circle}},
    ]);
    assert_eq!(
        updated(Update::Layout(layout.into())),
        json!({
            "id": "lobby-common", "status": "update",
            "data": {"field": "video.layout", "value": value},
        })
    );
}

#[test]
fn a_speaker_is_an_input_or_unknown() {
    let speaker = Some("cam".parse().expect("an id"));
    for (speaker, value) in [(speaker, "cam"), (None, "unknown")] {
        assert_eq!(
            updated(Update::ActiveInput(speaker)),
            json!({
                "id": "lobby-common", "status": "update",
                "data": {"field": "activeInput", "value": value},
            })
        );
    }
}

#[test]
fn kinds_that_come_later_have_their_names() {
    for (kind, name) in [
        (StreamKind::Forward, "forward"),
        (StreamKind::Augmented, "augmented"),
        (StreamKind::Mixed, "mixed"),
    ] {
        assert_eq!(json_of(&kind), name);
    }
    for (kind, name) in [
        (PublicationKind::Webrtc, "webrtc"),
        (PublicationKind::Streaming, "streaming"),
        (PublicationKind::Sip, "sip"),
    ] {
        assert_eq!(json_of(&kind), name);
    }
    let augmented = OriginInfo::Augmentation(AugmentInfo { origin: "cam", description: "faces" });
    assert_eq!(json_of(&augmented), json!({"origin": "cam", "description": "faces"}));
    let recorder = RecorderInfo { host: "example.org", file: "/tmp/a.mp4" };
    let recording =
        Progress { id: "s", session_id: None, state: ProgressState::Recording(recorder) };
    let data = json!({"host": "example.org", "file": "/tmp/a.mp4"});
    assert_eq!(json_of(&recording), json!({"id": "s", "status": "ready", "data": data}));
}
