//! Who speaks in a view, by what publishers and the mixer say.

use std::time::Duration;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{TrackKind, TrackSelection},
    room::{Event, Reply, TrackStatus},
};

const ALL: [&str; 2] = ["alice", "bob"];

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice and Bob, whose cameras the common view mixes and nobody watches.
struct Meeting {
    room: Scenario,
}

impl Meeting {
    fn new() -> Self {
        let mut room = Scenario::new();
        room.joined(&ALL);
        room.published("alice", "cam");
        room.published("bob", "cam2");
        room.mixed("alice", "cam");
        room.mixed("bob", "cam2");
        Self { room }
    }

    /// Something makes everybody hear that a stream speaks.
    fn brings(&mut self, event: Event, speaker: &str) {
        let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
        self.room
            .happens(event)
            .effect(desires(&inputs, grid(2, &["cam", "cam2"]), Some(speaker)))
            .told(&ALL, speaks(MIXED, Some(speaker)));
    }

    fn ignores(&mut self, event: Event) {
        self.room.happens(event).ignored();
    }

    fn waits(&mut self, time: Duration) {
        self.room.waits(time).ignored();
    }
}

fn listens(listens: bool) -> Event {
    Event::MixerListens { listens }
}

#[test]
fn everybody_hears_who_speaks_though_nobody_watches() {
    let mut meeting = Meeting::new();
    meeting.ignores(level("cam", -60));
    meeting.brings(level("cam", -30), "cam");
    meeting.ignores(level("cam2", -10));
    meeting.waits(secs(1));
    meeting.brings(level("cam2", -10), "cam2");
    meeting.ignores(level("nonsense", -10));
    meeting.ignores(level(MIXED, -10));
}

#[test]
fn a_little_louder_is_not_enough() {
    let mut meeting = Meeting::new();
    meeting.brings(level("cam", -30), "cam");
    meeting.waits(secs(1));
    meeting.ignores(level("cam2", -24));
    meeting.brings(level("cam2", -23), "cam2");
}

#[test]
fn silence_changes_nothing() {
    let mut meeting = Meeting::new();
    meeting.brings(level("cam", -30), "cam");
    meeting.waits(secs(1));
    meeting.ignores(level("cam", -127));
    meeting.ignores(level("cam2", -50));
    meeting.brings(level("cam2", -49), "cam2");
}

#[test]
fn whoever_has_not_been_heard_of_for_long_is_silent() {
    let mut meeting = Meeting::new();
    meeting.brings(level("cam", -10), "cam");
    meeting.waits(secs(2));
    meeting.ignores(level("cam2", -40));
    meeting.waits(Duration::from_millis(1));
    meeting.brings(level("cam2", -40), "cam2");
}

#[test]
fn whoever_is_paused_does_not_speak() {
    let mut meeting = Meeting::new();
    meeting.brings(level("cam", -10), "cam");
    meeting.waits(secs(1));
    let mut quiet = input("cam", "alice", AUDIO_VIDEO);
    quiet.audio.as_mut().expect("sound").status = TrackStatus::Inactive;
    let inputs = [quiet, input("cam2", "bob", AUDIO_VIDEO)];
    let places = || grid(2, &["cam", "cam2"]);
    meeting.room.prepare("alice", &pause("cam", TrackSelection::Audio));
    meeting
        .room
        .happens(level("cam2", -40))
        .effect(desires(&inputs, places(), Some("cam2")))
        .told(&ALL, speaks(MIXED, Some("cam2")));
    meeting.waits(secs(1));
    meeting.ignores(level("cam", -5));
    assert_eq!(meeting.room.stream("cam").status(TrackKind::Audio), Some(TrackStatus::Inactive));
}

#[test]
fn levels_are_known_of_streams_that_are_mixed_later_and_go_with_those_that_leave() {
    let mut meeting = Meeting::new();
    meeting.room.prepare("bob", &unmix("cam2", "common"));
    meeting.ignores(level("cam2", -10));
    meeting.room.mixed("bob", "cam2");
    // The one that was unmixed is the louder one, whoever reports.
    meeting.brings(level("cam", -30), "cam2");
    let first = [input("cam", "alice", AUDIO_VIDEO)];
    meeting
        .room
        .asks("bob", unmix("cam2", "common"))
        .granted(Reply::Done)
        .effect(desires(&first, grid(1, &["cam"]), None))
        .told(&ALL, speaks(MIXED, None))
        .told(&ALL, relaid(MIXED, grid(1, &["cam"])));
    meeting.waits(secs(1));
    meeting
        .room
        .happens(level("cam", -30))
        .effect(desires(&first, grid(1, &["cam"]), Some("cam")))
        .told(&ALL, speaks(MIXED, Some("cam")));
}

#[test]
fn the_mixer_decides_where_not_everybody_has_levels() {
    let mut meeting = Meeting::new();
    meeting.ignores(listens(true));
    meeting.ignores(level("cam", -10));
    meeting.brings(loudest(MIXED, "cam2"), "cam2");
    meeting.waits(secs(1));
    meeting.ignores(level("cam", -10));
    // Without a mixer, what is known has to do.
    meeting.ignores(listens(false));
    meeting.brings(level("cam", -10), "cam");
}

#[test]
fn the_mixer_is_not_asked_where_everybody_has_levels() {
    let mut meeting = Meeting::new();
    meeting.ignores(listens(true));
    meeting.ignores(level("cam", -127));
    meeting.brings(level("cam2", -20), "cam2");
    meeting.ignores(loudest(MIXED, "cam"));
    meeting.room.joined(&["carol"]);
    meeting.room.publishing("carol", "mic");
    meeting.room.happened(ready_with("mic", AUDIO));
    meeting.room.mixed("carol", "mic");
    let everybody = ["alice", "bob", "carol"];
    let inputs = [
        input("cam", "alice", AUDIO_VIDEO),
        input("cam2", "bob", AUDIO_VIDEO),
        input("mic", "carol", AUDIO),
    ];
    meeting
        .room
        .happens(loudest(MIXED, "cam"))
        .effect(desires(&inputs, grid(2, &["cam", "cam2"]), Some("cam")))
        .told(&everybody, speaks(MIXED, Some("cam")));
}

#[test]
fn a_view_that_does_not_listen_has_no_speaker_by_levels_either() {
    let mut room = Scenario::with(|settings| {
        settings.views[0].audio.as_mut().expect("sound").voice_activity = false;
    });
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.mixed("alice", "cam");
    room.happens(level("cam", -10)).ignored();
}
