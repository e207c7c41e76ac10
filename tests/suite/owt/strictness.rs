//! What the SDKs take for granted of every message: they read without looking, so a member that is
//! missing or of another type ends a `join` that then never settles, or a whole application.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{
    samples::{self, PROTOCOLS, Sample},
    shape::{Is, Rule, check},
};

const STREAM: &[Rule] = &[
    ("id", Is::Text),
    ("type", Is::OneOf(&["forward", "mixed", "augmented"])),
    ("media", Is::Object),
    ("info", Is::Object),
];

const FORWARD: &[Rule] = &[
    ("info/owner", Is::Text),
    ("info/type", Is::OneOf(&["webrtc", "streaming", "sip"])),
    ("info/inViews", Is::List),
    ("info/inViews/*", Is::Text),
    ("info/attributes", Is::Object),
];

/// Android reads all of it, and the shares as texts.
const MIXED: &[Rule] = &[
    ("info/label", Is::Text),
    ("info/activeInput", Is::Text),
    ("info/layout", Is::List),
    ("info/layout/*/stream?", Is::Text),
    ("info/layout/*/region/id", Is::Text),
    ("info/layout/*/region/shape", Is::OneOf(&["rectangle"])),
    ("info/layout/*/region/area/left", Is::Share),
    ("info/layout/*/region/area/top", Is::Share),
    ("info/layout/*/region/area/width", Is::Share),
    ("info/layout/*/region/area/height", Is::Share),
];

const LAYOUT: &[Rule] = &[
    ("", Is::Filled),
    ("*/stream?", Is::Text),
    ("*/region/id", Is::Text),
    ("*/region/shape", Is::OneOf(&["rectangle"])),
    ("*/region/area/left", Is::Share),
    ("*/region/area/top", Is::Share),
    ("*/region/area/width", Is::Share),
    ("*/region/area/height", Is::Share),
];

/// What the JavaScript SDK throws at when it is anything else.
const AUDIO_SOURCES: Is = Is::OneOf(&["mic", "screen-cast", "file", "mixed"]);
const VIDEO_SOURCES: Is =
    Is::OneOf(&["camera", "screen-cast", "file", "encoded-file", "raw-file", "mixed"]);
const STATUS: Is = Is::OneOf(&["active", "inactive"]);

const AUDIO: &[Rule] = &[
    ("status?", STATUS),
    ("source?", AUDIO_SOURCES),
    ("format/codec", Is::Text),
    ("format/sampleRate?", Is::Whole),
    ("format/channelNum?", Is::Whole),
    ("optional/format", Is::List),
    ("optional/format/*/codec", Is::Text),
];

/// Where `optional.parameters` is, all four lists must be.
const VIDEO: &[Rule] = &[
    ("status?", STATUS),
    ("source?", VIDEO_SOURCES),
    ("optional/format", Is::List),
    ("optional/format/*/codec", Is::Text),
    ("optional/parameters/resolution", Is::List),
    ("optional/parameters/resolution/*/width", Is::Whole),
    ("optional/parameters/resolution/*/height", Is::Whole),
    ("optional/parameters/framerate", Is::List),
    ("optional/parameters/framerate/*", Is::Whole),
    ("optional/parameters/bitrate", Is::List),
    ("optional/parameters/bitrate/*", Is::Multiple),
    ("optional/parameters/keyFrameInterval", Is::List),
    ("optional/parameters/keyFrameInterval/*", Is::Whole),
];

/// The native SDKs read the numbers as integers.
const ENCODING: &[Rule] = &[
    ("format/codec", Is::Text),
    ("format/profile?", Is::Text),
    ("parameters?/resolution?/width", Is::Whole),
    ("parameters?/resolution?/height", Is::Whole),
    ("parameters?/framerate?", Is::Whole),
    ("parameters?/bitrate?", Is::Whole),
    ("parameters?/keyFrameInterval?", Is::Whole),
];

const TRACK: &[Rule] = &[
    ("id", Is::Text),
    ("type", Is::OneOf(&["audio", "video"])),
    ("mid", Is::Text),
    ("rid?", Is::Text),
];

const LOGIN: &[Rule] = &[
    ("id", Is::Text),
    ("user", Is::Text),
    ("role", Is::Text),
    ("permission/publish/audio", Is::Flag),
    ("permission/publish/video", Is::Flag),
    ("permission/subscribe/audio", Is::Flag),
    ("permission/subscribe/video", Is::Flag),
    ("room/id", Is::Text),
    ("room/views", Is::Filled),
    ("room/views/*", Is::Text),
    ("room/streams", Is::Filled),
    ("room/participants", Is::Filled),
    ("room/participants/*/id", Is::Text),
    ("room/participants/*/user", Is::Text),
    ("room/participants/*/role", Is::Text),
    ("reconnectionTicket", Is::Ticket),
];

const ERROR: &[Rule] = &[("code", Is::Whole), ("description", Is::Text)];

fn check_stream(stream: &Value, protocol: &str) {
    let what = format!("a stream in {protocol}");
    check(stream, STREAM, &what);
    check(stream, if stream["type"] == "mixed" { MIXED } else { FORWARD }, &what);
    let media = &stream["media"];
    if protocol == "1.2" {
        check(
            media,
            &[("tracks", Is::Filled), ("audio", Is::Absent), ("video", Is::Absent)],
            &what,
        );
        for track in media["tracks"].as_array().expect("a list") {
            check(track, TRACK, &what);
            if track["type"] == "audio" {
                check(track, AUDIO, &what);
            } else {
                check(track, VIDEO, &what);
                check(track, ENCODING, &what);
            }
        }
        return;
    }
    check(media, &[("tracks", Is::Absent)], &what);
    if let Some(audio) = media.get("audio") {
        check(audio, AUDIO, &what);
    }
    if let Some(video) = media.get("video") {
        check(video, VIDEO, &what);
        if protocol == "1.0" {
            check(video, ENCODING, &what);
            return check(video, &[("original", Is::Absent)], &what);
        }
        check(video, &[("original", Is::Filled), ("format", Is::Absent)], &what);
        for original in video["original"].as_array().expect("a list") {
            check(original, ENCODING, &what);
        }
    }
}

fn check_stream_message(message: &Value, protocol: &str) {
    check(message, &[("id", Is::Text), ("status", Is::OneOf(&["add", "update", "remove"]))], "");
    let data = &message["data"];
    match message["status"].as_str().expect("a text") {
        "add" => check_stream(data, protocol),
        "remove" => check(message, &[("data", Is::Absent)], "a removal"),
        _ => match data["field"].as_str().expect("a field") {
            "." => check_stream(&data["value"], protocol),
            "video.layout" => check(&data["value"], LAYOUT, "a layout"),
            "audio.status" | "video.status" => check(data, &[("value", STATUS)], "a status"),
            "activeInput" => check(data, &[("value", Is::Text)], "a speaker"),
            other => panic!("{other}"),
        },
    }
}

fn check_progress(progress: &Value, protocol: &str) {
    let what = format!("progress in {protocol}");
    check(progress, &[("id", Is::Text)], &what);
    let session = if protocol == "1.2" { Is::Text } else { Is::Absent };
    match progress["status"].as_str().expect("a status") {
        "soac" => check(
            progress,
            &[
                ("sessionId", Is::Absent),
                ("data/type", Is::OneOf(&["answer"])),
                ("data/sdp", Is::Text),
            ],
            &what,
        ),
        // In 1.2 the transport's comes without a session.
        "ready" => {
            check(progress, &[("data", Is::Absent)], &what);
            if protocol == "1.2" {
                check(progress, &[("sessionId?", Is::Text)], &what);
            } else {
                check(progress, &[("sessionId", Is::Absent)], &what);
            }
        }
        "error" => check(progress, &[("sessionId", session), ("data", Is::Text)], &what),
        other => panic!("{what}: {other}"),
    }
}

fn check_answer(sample: &Sample) {
    let Sample { protocol, name, data, .. } = sample;
    let what = format!("the answer to {name} in {protocol}");
    if sample.status.as_deref() == Some("error") {
        return check(data.as_ref().expect("an error"), ERROR, &what);
    }
    assert_eq!(sample.status.as_deref(), Some("ok"), "{what}");
    match (name.as_str(), data) {
        ("login", Some(data)) => {
            check(data, LOGIN, &what);
            let participants = data["room"]["participants"].as_array().expect("a list");
            assert!(participants.iter().any(|it| it["id"] == data["id"]), "{what} has oneself");
            for stream in data["room"]["streams"].as_array().expect("a list") {
                check_stream(stream, protocol);
            }
        }
        ("subscribe", Some(data)) => {
            check(data, &[("id", Is::Text)], &what);
            if *protocol == "1.2" {
                assert_eq!(data["transportId"], data["id"], "{what}");
            } else {
                check(data, &[("transportId", Is::Absent)], &what);
            }
        }
        ("refreshReconnectionTicket", Some(data)) => check(data, &[("", Is::Ticket)], &what),
        // `("ok")` and nothing more.
        (_, None) => {}
        (_, Some(data)) => panic!("{what}: {data}"),
    }
}

fn check_sample(sample: &Sample) {
    let Sample { protocol, name, status, data } = sample;
    if status.is_some() {
        return check_answer(sample);
    }
    let data = data.as_ref().expect("notifications have an argument");
    match name.as_str() {
        "participant" if data["action"] == "leave" => {
            check(data, &[("data", Is::Text)], "a leave");
        }
        "participant" => check(
            data,
            &[
                ("action", Is::OneOf(&["join"])),
                ("data/id", Is::Text),
                ("data/user", Is::Text),
                ("data/role", Is::Text),
            ],
            "a join",
        ),
        "text" => check(
            data,
            &[("from", Is::Text), ("to", Is::OneOf(&["all", "me"])), ("message", Is::Text)],
            "a text",
        ),
        "stream" => check_stream_message(data, protocol),
        "progress" => check_progress(data, protocol),
        "drop" => check(data, &[("", Is::Null)], "a drop"),
        other => panic!("{other}"),
    }
}

/// What kind of message it is, to find out whether there was one of every kind.
fn kind(sample: &Sample) -> String {
    let of = |pointer: &str| {
        let data = sample.data.as_ref().and_then(|data| data.pointer(pointer));
        data.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    match (&sample.status, sample.name.as_str()) {
        (Some(status), name) => format!("{name} {status}"),
        (None, name) => {
            let field = of("/data/field");
            format!("{name} {}{}{field}{}", of("/action"), of("/status"), of("/to"))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_has_what_the_sdks_read_in_every_version() {
    let samples = samples::all().await;
    for protocol in PROTOCOLS {
        let of_version = || samples.iter().filter(|sample| sample.protocol == protocol);
        let kinds: BTreeSet<String> = of_version().map(kind).collect();
        for wanted in [
            "login ok",
            "logout ok",
            "subscribe ok",
            "soac ok",
            "soac error",
            "subscription-control ok",
            "refreshReconnectionTicket ok",
            "publish error",
            "nonsense error",
            "text ok",
            "stream-control error",
            "participant join",
            "participant leave",
            "stream add",
            "stream remove",
            "stream update.",
            "stream updatevideo.layout",
            "stream updateaudio.status",
            "stream updatevideo.status",
            "text all",
            "text me",
            "progress soac",
            "progress ready",
            "progress error",
            "drop ",
        ] {
            assert!(kinds.contains(wanted), "{wanted} was not heard in {protocol}: {kinds:?}");
        }
        of_version().for_each(check_sample);
        let found = of_version().filter(|sample| sample.name == "login").count();
        assert_eq!(found, 2, "of an empty room and of a full one");
    }
}
