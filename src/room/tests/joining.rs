//! Coming in, and being nobody before.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::TrackSelection,
    ids::StreamId,
    room::{
        Command, Effect, Joined, Notification, ParticipantInfo, Permission, Rejection, Reply,
        RoomInfo, StreamInfo, TextTarget,
    },
};

fn finds(
    who: ParticipantInfo,
    permission: Permission,
    streams: Vec<Arc<StreamInfo>>,
    participants: Vec<ParticipantInfo>,
) -> Reply {
    let room = RoomInfo { id: id(ROOM), views: vec!["common".into()], streams, participants };
    Reply::Joined(Box::new(Joined { participant: who, permission, room, floor: None }))
}

#[test]
fn the_first_one_finds_itself_and_the_view() {
    let mut room = Scenario::new();
    let alice = info("alice", "presenter");
    let streams = vec![Arc::new(mixed("common"))];
    room.asks("alice", join("presenter")).granted(finds(
        alice.clone(),
        PRESENTER,
        streams,
        vec![alice],
    ));
}

#[test]
fn the_others_hear_of_a_newcomer_before_its_answer() {
    let mut room = Scenario::new();
    room.joined(&["zoe", "alice"]);
    let everybody =
        vec![info("zoe", "presenter"), info("alice", "presenter"), info("bob", "viewer")];
    let permission = settings().roles["viewer"];
    room.asks("bob", join("viewer")).told(&["zoe", "alice"], came("bob", "viewer")).granted(finds(
        info("bob", "viewer"),
        permission,
        vec![Arc::new(mixed("common"))],
        everybody,
    ));
}

#[test]
fn a_newcomer_finds_streams_by_age_of_their_announcement_and_none_that_connects() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.publishing("alice", "slow");
    room.published("alice", "quick");
    room.publishing("alice", "connecting");
    room.happens(ready("slow"))
        .told(&["alice"], session_ready("slow"))
        .told(&["alice"], added(stream("slow", "alice", AUDIO_VIDEO)));

    let streams = vec![
        Arc::new(mixed("common")),
        Arc::new(stream("quick", "alice", AUDIO_VIDEO)),
        Arc::new(stream("slow", "alice", AUDIO_VIDEO)),
    ];
    let participants = vec![info("alice", "presenter"), info("bob", "presenter")];
    room.asks("bob", join("presenter")).told(&["alice"], came("bob", "presenter")).granted(finds(
        info("bob", "presenter"),
        PRESENTER,
        streams,
        participants,
    ));
}

#[test]
fn nobody_comes_in_twice_until_it_left() {
    let mut room = Scenario::with(|settings| settings.participant_limit = Some(1));
    room.joined(&["alice"]);
    room.asks("alice", join("nonsense")).refused(Rejection::AlreadyJoined);
    room.asks("alice", Command::Leave).granted(Reply::Done);
    room.joined(&["alice"]);
}

#[test]
fn a_full_room_admits_nobody_whatever_the_role() {
    let mut room = Scenario::with(|settings| settings.participant_limit = Some(2));
    room.joined(&["alice", "bob"]);
    room.asks("carol", join("presenter")).refused(Rejection::RoomFull);
    room.asks("carol", join("nonsense")).refused(Rejection::RoomFull);
    room.happens(lost("alice")).told(&["bob"], left("alice"));
    room.joined(&["carol"]);
}

#[test]
fn the_server_bounds_even_an_unlimited_room() {
    for limit in [None, Some(100)] {
        let mut room = Scenario::with(|settings| {
            settings.participant_limit = limit;
            settings.bounds.participants = 1;
        });
        room.joined(&["alice"]);
        room.asks("bob", join("viewer")).refused(Rejection::RoomFull);
    }
}

#[test]
fn a_role_must_be_one_of_the_rooms() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.asks("bob", join("king")).refused(Rejection::InvalidRole);
    room.asks("bob", say(TextTarget::All, "hello")).refused(Rejection::NotJoined);
}

#[test]
fn whoever_is_not_in_the_room_may_only_come_in() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    for command in [
        Command::Leave,
        say(TextTarget::All, "hello"),
        publish("own", AUDIO_VIDEO),
        unpublish("cam"),
        subscribe("sub", Some("cam"), Some("cam")),
        unsubscribe("sub"),
        negotiate("cam", offer()),
        pause("cam", TrackSelection::AudioAndVideo),
        play("cam", TrackSelection::AudioAndVideo),
    ] {
        room.asks("mallory", command).refused(Rejection::NotJoined);
    }
}

#[test]
fn a_discreet_room_does_not_tell_who_comes_and_goes() {
    let mut room = Scenario::with(|settings| settings.notify_participants = false);
    room.joined(&["alice"]);
    let participants = vec![info("alice", "presenter"), info("bob", "presenter")];
    let streams = vec![Arc::new(mixed("common"))];
    room.asks("bob", join("presenter")).granted(finds(
        info("bob", "presenter"),
        PRESENTER,
        streams,
        participants,
    ));
    room.published("bob", "cam");
    room.asks("bob", Command::Leave)
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice"], removed_of("cam", "bob"));
    room.happens(drop_out("alice"))
        .told(&["alice"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("alice") });
}

#[test]
fn a_view_lists_the_tracks_it_mixes_and_a_bad_or_repeated_label_is_left_out() {
    let room = Scenario::with(|settings| {
        let mut silent = view("silent");
        silent.audio = None;
        let mut dark = view("dark");
        dark.video = None;
        settings.views = vec![silent, view("no good"), dark, view("silent")];
    });
    let info = room.room.info();
    assert_eq!(info.views, ["silent".into(), "dark".into()]);
    let tracks: Vec<(StreamId, Kinds)> = info
        .streams
        .iter()
        .map(|it| (it.id.clone(), (it.audio.is_some(), it.video.is_some())))
        .collect();
    assert_eq!(tracks, [(id("room-silent"), VIDEO), (id("room-dark"), AUDIO)]);
}
