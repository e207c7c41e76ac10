//! What a broadcast of a stream shows.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{Resolution, VideoParameters},
    room::{Broadcastable, Command, DesiredView, PublishMedia, PublishVideo, ViewVideo},
};

fn picture(view: &DesiredView) -> &ViewVideo {
    view.settings.video.as_ref().expect("a picture")
}

fn alone(room: &Scenario, stream: &str) -> DesiredView {
    room.room.alone(&id(stream)).expect("a stream")
}

#[test]
fn a_broadcast_has_as_many_frames_as_its_stream_from_1_to_30() {
    let said = [None, Some(f64::NAN), Some(0.2), Some(14.6), Some(29.97), Some(60.0), Some(1e9)];
    let broadcast = said.map(|framerate| {
        let mut room = Scenario::new();
        room.joined(&["alice"]);
        let parameters = VideoParameters { framerate, ..VideoParameters::default() };
        let video = Some(PublishVideo { source: None, parameters });
        room.prepare(
            "alice",
            &Command::Publish {
                session: id("cam"),
                transport: id("cam"),
                media: PublishMedia { audio: None, video },
                attributes: "{}".into(),
            },
        );
        room.happened(ready_with("cam", VIDEO));
        picture(&alone(&room, "cam")).framerate
    });
    assert_eq!(broadcast, [30, 1, 1, 15, 30, 30, 30]);
}

#[test]
fn a_broadcast_has_the_tracks_of_its_stream() {
    for (audio, video) in [AUDIO, VIDEO, AUDIO_VIDEO] {
        let mut room = Scenario::new();
        room.joined(&["alice"]);
        room.prepare("alice", &publish("cam", (audio, video)));
        room.happened(ready_with("cam", (audio, video)));
        let view = alone(&room, "cam");
        let settings = (view.settings.audio.is_some(), view.settings.video.is_some());
        assert_eq!(settings, (audio, video));
        let [input] = &*view.inputs else { panic!("it shows one stream") };
        assert_eq!((input.audio.is_some(), input.video.is_some()), (audio, video));
        assert_eq!((&input.owner, &*input.user), (&id("alice"), "alice"));
        assert_eq!(view.layout.len(), usize::from(video), "the picture fills the only region");
    }
}

#[test]
fn a_stream_is_the_same_to_a_broadcast_until_it_changes() {
    let mut room = Scenario::new();
    let cam = id("cam");
    room.joined(&["alice", "bob"]);
    assert_eq!(room.room.broadcastable(&id(MIXED)), Broadcastable::View);
    assert_eq!(room.room.broadcastable(&cam), Broadcastable::Gone);
    room.publishing("alice", "cam");
    assert_eq!(room.room.broadcastable(&cam), Broadcastable::Coming);
    assert_eq!(room.room.alone(&cam), None);
    room.happened(ready("cam"));

    let stream = |room: &Scenario| {
        let found = room.room.broadcastable(&cam);
        let Broadcastable::Alone(stream) = found else { panic!("it is alice's, not {found:?}") };
        stream
    };
    let before = stream(&room);
    room.published("bob", "cam2");
    assert!(Arc::ptr_eq(&before, &stream(&room)));
    assert_eq!(picture(&alone(&room, "cam")).resolution, VGA);
    let resolution = Resolution { width: 1280, height: 720 };
    room.happened(measured("cam", resolution));
    assert!(!Arc::ptr_eq(&before, &stream(&room)));
    assert_eq!(picture(&alone(&room, "cam")).resolution, resolution);
}
