//! The mixer comes up, goes down, and fails.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{AudioCodec, TrackKind},
    room::{
        Event, Managed, MixerCapabilities, Order, Rejection, TrackStatus, Unsatisfied, ViewReport,
        ViewStatus,
    },
};

const ACTIVE: TrackStatus = TrackStatus::Active;
const INACTIVE: TrackStatus = TrackStatus::Inactive;

fn assert_views(room: &mut Scenario, expected: &[(&str, ViewStatus)]) {
    let report = crate::room::RoomReport {
        room: room.room.info(),
        views: expected
            .iter()
            .map(|(label, status)| ViewReport { label: (*label).into(), status: status.clone() })
            .collect(),
        ..room.room.report()
    };
    room.orders(Order::Report).managed(Managed::Room(Box::new(report)));
}

#[test]
fn views_start_to_flow_with_the_mixer_and_stop_with_it() {
    let mut room = Scenario::with(|settings| {
        let mut silent = view("silent");
        silent.audio = None;
        settings.views.push(silent);
    });
    room.joined(&["alice"]);
    assert_views(
        &mut room,
        &[("common", ViewStatus::Unavailable), ("silent", ViewStatus::Unavailable)],
    );
    room.happens(Event::MixerDown).ignored();
    assert_views(&mut room, &[("common", ViewStatus::Starting), ("silent", ViewStatus::Starting)]);
    for (event, flows, view) in
        [(mixer_up(), ACTIVE, ViewStatus::Up), (Event::MixerDown, INACTIVE, ViewStatus::Starting)]
    {
        room.happens(event.clone())
            .told(&["alice"], status(MIXED, TrackKind::Audio, flows))
            .told(&["alice"], status(MIXED, TrackKind::Video, flows))
            .told(&["alice"], status("room-silent", TrackKind::Video, flows));
        room.happens(event).ignored();
        assert_views(&mut room, &[("common", view.clone()), ("silent", view)]);
    }
}

#[test]
fn a_mixer_that_cannot_encode_everything_shortens_the_lists() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    let mut expected = mixed("common");
    expected.audio.as_mut().expect("sound").optional.clear();
    expected.video.as_mut().expect("a picture").optional.formats.clear();
    let capabilities = MixerCapabilities {
        audio: vec![AudioCodec::Opus],
        video: vec![VP8],
        ..MixerCapabilities::default()
    };
    room.happens(Event::MixerUp { capabilities })
        .told(&["alice"], changed(expected.clone()))
        .told(&["alice"], status(MIXED, TrackKind::Audio, ACTIVE))
        .told(&["alice"], status(MIXED, TrackKind::Video, ACTIVE));
    room.happened(Event::MixerDown);
    assert_eq!(*room.stream(MIXED), expected, "it is taken to come up as it was");

    let expected = mixed("common");
    room.happens(mixer_up())
        .told(&["alice"], changed(expected))
        .told(&["alice"], status(MIXED, TrackKind::Audio, ACTIVE))
        .told(&["alice"], status(MIXED, TrackKind::Video, ACTIVE));
}

#[test]
fn a_death_of_the_mixer_leaves_subscriptions_alone() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.happened(mixer_up());
    room.subscribing("alice", "sub", MIXED);
    room.happens(Event::MixerDown)
        .told(&["alice"], status(MIXED, TrackKind::Audio, INACTIVE))
        .told(&["alice"], status(MIXED, TrackKind::Video, INACTIVE));
    room.subscribing("alice", "meanwhile", MIXED);
    room.happens(ready("sub")).told(&["alice"], session_ready("sub"));
}

#[test]
fn a_view_that_fails_ends_its_subscriptions_and_comes_back_with_a_mixer() {
    let mut room = Scenario::with(|settings| settings.views.push(view("other")));
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.happened(mixer_up());
    room.subscribing("alice", "sub", MIXED);
    room.subscribing("bob", "sub2", MIXED);
    room.subscribing("bob", "sub3", "room-other");
    let everybody = ["alice", "bob"];
    room.happens(view_failed(MIXED, "five deaths"))
        .told(&everybody, status(MIXED, TrackKind::Audio, INACTIVE))
        .told(&everybody, status(MIXED, TrackKind::Video, INACTIVE))
        .effect(closes("sub"))
        .told(&["alice"], session_failed("sub", "five deaths"))
        .effect(closes("sub2"))
        .told(&["bob"], session_failed("sub2", "five deaths"));
    room.happens(view_failed(MIXED, "a sixth")).ignored();
    room.happens(view_failed("cam", "no view")).ignored();
    let failed = |reason: &str| ViewStatus::Failed(reason.into());
    assert_views(&mut room, &[("common", failed("a sixth")), ("other", ViewStatus::Up)]);
    room.asks("alice", subscribe("again", Some(MIXED), None))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::MixerNotReady));

    room.happened(Event::MixerDown);
    assert_views(&mut room, &[("common", failed("a sixth")), ("other", ViewStatus::Starting)]);
    room.happened(mixer_up());
    assert_views(&mut room, &[("common", ViewStatus::Up), ("other", ViewStatus::Up)]);
    room.subscribing("alice", "again", MIXED);
}
