//! Pausing and resuming.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{TrackKind, TrackSelection},
    room::{Rejection, Reply, TrackStatus},
};

#[test]
fn everybody_hears_of_a_pause_and_of_its_end_sound_first() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    let everybody = ["alice", "bob"];
    room.asks("alice", pause("cam", TrackSelection::AudioAndVideo))
        .granted(Reply::Done)
        .effect(stops("cam", TrackKind::Audio))
        .told(&everybody, status("cam", TrackKind::Audio, TrackStatus::Inactive))
        .effect(stops("cam", TrackKind::Video))
        .told(&everybody, status("cam", TrackKind::Video, TrackStatus::Inactive));

    room.asks("alice", play("cam", TrackSelection::Video))
        .granted(Reply::Done)
        .effect(resumes("cam", TrackKind::Video))
        .told(&everybody, status("cam", TrackKind::Video, TrackStatus::Active));

    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    expected.audio.as_mut().expect("sound").status = TrackStatus::Inactive;
    assert_eq!(*room.stream("cam"), expected, "newcomers find it as it is");
}

#[test]
fn a_pause_of_what_is_paused_is_told_again() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    for _ in 0..2 {
        room.asks("alice", pause("cam", TrackSelection::Audio))
            .granted(Reply::Done)
            .effect(stops("cam", TrackKind::Audio))
            .told(&["alice"], status("cam", TrackKind::Audio, TrackStatus::Inactive));
    }
}

#[test]
fn a_paused_stream_can_be_subscribed_to() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.asks("alice", pause("cam", TrackSelection::Video))
        .granted(Reply::Done)
        .effect(stops("cam", TrackKind::Video))
        .told(&["alice"], status("cam", TrackKind::Video, TrackStatus::Inactive));
    room.asks("alice", subscribe("sub", Some("cam"), Some("cam")))
        .granted(opened("sub"))
        .effect(opens_subscription("sub", Some("cam"), Some("cam")));
}

#[test]
fn a_track_must_be_there() {
    for (kinds, other, rejection) in [
        (AUDIO, TrackSelection::Video, Rejection::NoVideoTrack),
        (VIDEO, TrackSelection::Audio, Rejection::NoAudioTrack),
    ] {
        let mut room = Scenario::new();
        room.joined(&["alice"]);
        room.asks("alice", publish("one", kinds))
            .granted(opened("one"))
            .effect(opens_publication("one", kinds));
        room.happens(ready_with("one", kinds))
            .told(&["alice"], session_ready("one"))
            .told(&["alice"], added(stream("one", "alice", kinds)));
        room.asks("alice", pause("one", other)).refused(rejection.clone());
        room.asks("alice", play("one", TrackSelection::AudioAndVideo)).refused(rejection);
    }
}

#[test]
fn only_the_owner_of_a_ready_stream_controls_it() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.publishing("alice", "connecting");
    room.subscribing("bob", "sub", "cam");
    let both = TrackSelection::AudioAndVideo;
    for control in [pause, play] {
        room.asks("bob", control("cam", both)).refused(Rejection::Unauthorized);
        room.asks("bob", control(MIXED, both)).refused(Rejection::Unauthorized);
        room.asks("bob", control("sub", both)).refused(Rejection::NoSuchStream);
        room.asks("bob", control("nonsense", both)).refused(Rejection::NoSuchStream);
        room.asks("alice", control("connecting", both)).refused(Rejection::NoSuchStream);
    }
}
