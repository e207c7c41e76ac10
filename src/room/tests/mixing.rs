//! What views mix, and where they show it.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{TrackKind, TrackSelection},
    room::{Command, Event, Rejection, Reply, StreamOrigin, TrackStatus, ViewVideo},
};

fn two_cameras() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    room
}

fn picture_of(settings: &mut crate::room::Settings) -> &mut ViewVideo {
    settings.views[0].video.as_mut().expect("a picture")
}

fn views_of(room: &Scenario, stream: &str) -> Vec<String> {
    let stream = room.stream(stream);
    let StreamOrigin::Forward { in_views, .. } = &stream.origin else { panic!("a forward stream") };
    in_views.iter().map(|view| view.to_string()).collect()
}

#[test]
fn a_new_room_describes_its_views_to_the_mixing_side() {
    let now = std::time::Instant::now();
    let mut settings = settings();
    settings.views.push(view("other"));
    let mut room = crate::room::Room::new(now, id(ROOM), settings);
    let empty = || std::sync::Arc::from([]);
    for expected in [desires(&[], empty(), None), desires_of(&view("other"), &[], empty(), None)] {
        assert_eq!(room.poll_output(), Some(crate::room::Output::Effect(expected)));
    }
    assert_eq!(room.poll_output(), None);
}

#[test]
fn alice_mixes_her_camera_and_everybody_hears_where_it_is_shown() {
    let mut room = two_cameras();
    let (cam, cam2) = (input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO));
    room.asks("alice", mix("cam", "common"))
        .granted(Reply::Done)
        .effect(desires(std::slice::from_ref(&cam), grid(1, &["cam"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(1, &["cam"])));
    room.asks("bob", mix("cam2", "common"))
        .granted(Reply::Done)
        .effect(desires(&[cam, cam2], grid(2, &["cam", "cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(2, &["cam", "cam2"])));
    assert_eq!(views_of(&room, "cam"), ["common"]);

    let mut expected = mixed("common");
    let StreamOrigin::Mixed { layout, .. } = &mut expected.origin else { panic!("a mixed stream") };
    *layout = grid(2, &["cam", "cam2"]);
    assert_eq!(*room.stream(MIXED), expected, "newcomers find it as it is");
}

#[test]
fn mixing_and_unmixing_twice_is_fine_and_tells_nobody() {
    let mut room = two_cameras();
    room.mixed("alice", "cam");
    room.asks("alice", mix("cam", "common")).granted(Reply::Done);
    assert_eq!(views_of(&room, "cam"), ["common"]);
    room.asks("alice", unmix("cam", "common"))
        .granted(Reply::Done)
        .effect(desires(&[], grid(1, &[]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(1, &[])));
    room.asks("alice", unmix("cam", "common")).granted(Reply::Done);
    assert_eq!(views_of(&room, "cam"), Vec::<String>::new());
}

#[test]
fn sound_without_picture_is_mixed_without_a_region() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    room.happened(ready_with("mic", AUDIO));
    room.asks("alice", mix("mic", "common")).granted(Reply::Done).effect(desires(
        &[input("mic", "alice", AUDIO)],
        [].into(),
        None,
    ));
    room.asks("alice", get_region("mic", "common")).refused(Rejection::NotInView);
    room.asks("alice", set_region("mic", "common", "1")).refused(Rejection::NotInView);
    assert_eq!(views_of(&room, "mic"), ["common"]);
}

#[test]
fn a_view_mixes_the_kinds_that_it_has() {
    let (mut silent, mut dark) = (view("silent"), view("dark"));
    silent.audio = None;
    dark.video = None;
    let views = vec![silent.clone(), dark.clone()];
    let mut room = Scenario::with(|settings| settings.views = views);
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.asks("alice", mix("cam", "silent"))
        .granted(Reply::Done)
        .effect(desires_of(&silent, &[input("cam", "alice", VIDEO)], grid(1, &["cam"]), None))
        .told(&["alice"], relaid("room-silent", grid(1, &["cam"])));
    room.asks("alice", mix("cam", "dark")).granted(Reply::Done).effect(desires_of(
        &dark,
        &[input("cam", "alice", AUDIO)],
        [].into(),
        None,
    ));
    assert_eq!(views_of(&room, "cam"), ["silent", "dark"]);

    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    room.happened(ready_with("mic", AUDIO));
    room.asks("alice", mix("mic", "silent")).refused(Rejection::NothingToMix);
}

#[test]
fn only_the_owner_of_a_ready_stream_says_where_it_is_mixed() {
    let mut room = two_cameras();
    room.publishing("alice", "connecting");
    room.mixed("alice", "cam");
    let commands: [fn(&str, &str) -> Command; 4] =
        [mix, unmix, get_region, |stream, view| set_region(stream, view, "1")];
    for command in commands {
        room.asks("bob", command("cam", "common")).refused(Rejection::Unauthorized);
        room.asks("bob", command(MIXED, "common")).refused(Rejection::Unauthorized);
        room.asks("bob", command("nonsense", "common")).refused(Rejection::NoSuchStream);
        room.asks("alice", command("connecting", "common")).refused(Rejection::StreamNotReady);
        room.asks("alice", command("cam", "nonsense")).refused(Rejection::NoSuchView);
        room.asks("alice", command("cam", MIXED)).refused(Rejection::NoSuchView);
        room.asks("mallory", command("cam", "common")).refused(Rejection::NotJoined);
    }
    room.asks("bob", get_region("cam2", "common")).refused(Rejection::NotInView);
    room.asks("bob", set_region("cam2", "common", "1")).refused(Rejection::NotInView);
}

#[test]
fn two_inputs_change_places() {
    let mut room = two_cameras();
    room.mixed("alice", "cam");
    room.mixed("bob", "cam2");
    let region = |region: &str| Reply::Region { region: region.into() };
    room.asks("alice", get_region("cam", "common")).granted(region("1"));
    room.asks("alice", set_region("cam", "common", "1")).granted(Reply::Done);
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    room.asks("alice", set_region("cam", "common", "2"))
        .granted(Reply::Done)
        .effect(desires(&inputs, grid(2, &["cam2", "cam"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(2, &["cam2", "cam"])));
    room.asks("alice", get_region("cam", "common")).granted(region("2"));
    for region in ["3", "5", "", "nonsense"] {
        room.asks("alice", set_region("cam", "common", region)).refused(Rejection::NoSuchRegion);
    }
}

#[test]
fn a_pause_is_seen_in_the_view() {
    let mut room = two_cameras();
    room.mixed("alice", "cam");
    let mut paused = input("cam", "alice", AUDIO_VIDEO);
    paused.video.as_mut().expect("a picture").status = TrackStatus::Inactive;
    room.asks("alice", pause("cam", TrackSelection::Video))
        .granted(Reply::Done)
        .effect(stops("cam", TrackKind::Video))
        .told(&["alice", "bob"], status("cam", TrackKind::Video, TrackStatus::Inactive))
        .effect(desires(&[paused.clone()], grid(1, &["cam"]), None));

    room.asks("bob", pause("cam2", TrackSelection::Audio))
        .granted(Reply::Done)
        .effect(stops("cam2", TrackKind::Audio))
        .told(&["alice", "bob"], status("cam2", TrackKind::Audio, TrackStatus::Inactive));
    let mut silent = input("cam2", "bob", AUDIO_VIDEO);
    silent.audio.as_mut().expect("sound").status = TrackStatus::Inactive;
    room.asks("bob", mix("cam2", "common"))
        .granted(Reply::Done)
        .effect(desires(&[paused, silent], grid(2, &["cam", "cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(2, &["cam", "cam2"])));
}

#[test]
fn a_stream_that_ends_leaves_its_views_before_it_is_gone() {
    let mut room = two_cameras();
    room.mixed("alice", "cam");
    room.mixed("bob", "cam2");
    let rest = [input("cam2", "bob", AUDIO_VIDEO)];
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .effect(desires(&rest, grid(1, &["cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(1, &["cam2"])))
        .told(&["alice", "bob"], removed("cam"));
    room.happens(lost("bob"))
        .told(&["alice"], left("bob"))
        .effect(closes("cam2"))
        .effect(desires(&[], grid(1, &[]), None))
        .told(&["alice"], relaid(MIXED, grid(1, &[])))
        .told(&["alice"], removed_of("cam2", "bob"));
}

#[test]
fn inputs_beyond_the_largest_number_wait_and_come_up_later() {
    let mut room = Scenario::with(|settings| picture_of(settings).max_input = 1);
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    room.mixed("alice", "cam");
    let settings = {
        let mut settings = view("common");
        settings.video.as_mut().expect("a picture").max_input = 1;
        settings
    };
    let both = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    room.asks("bob", mix("cam2", "common")).granted(Reply::Done).effect(desires_of(
        &settings,
        &both,
        grid(1, &["cam"]),
        None,
    ));
    room.asks("bob", get_region("cam2", "common")).refused(Rejection::NotInView);
    room.asks("alice", unmix("cam", "common"))
        .granted(Reply::Done)
        .effect(desires_of(&settings, &both[1..], grid(1, &["cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(1, &["cam2"])));
}

#[test]
fn everybody_hears_who_speaks() {
    let mut room = two_cameras();
    room.mixed("alice", "cam");
    room.mixed("bob", "cam2");
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    let places = || grid(2, &["cam", "cam2"]);
    room.happens(loudest(MIXED, "cam2"))
        .effect(desires(&inputs, places(), Some("cam2")))
        .told(&["alice", "bob"], speaks(MIXED, Some("cam2")));
    room.happens(loudest(MIXED, "cam2")).ignored();
    room.happens(loudest(MIXED, "nonsense")).ignored();
    room.happens(loudest("nonsense", "cam")).ignored();
    room.happens(loudest("cam", "cam")).ignored();

    room.asks("bob", unmix("cam2", "common"))
        .granted(Reply::Done)
        .effect(desires(&inputs[..1], grid(1, &["cam"]), None))
        .told(&["alice", "bob"], speaks(MIXED, None))
        .told(&["alice", "bob"], relaid(MIXED, grid(1, &["cam"])));
    room.happens(loudest(MIXED, "cam2")).ignored();
}

#[test]
fn whoever_speaks_comes_first_in_a_view_that_does_so() {
    let mut room = Scenario::with(|settings| {
        picture_of(settings).keep_active_input_primary = true;
    });
    let settings = {
        let mut settings = view("common");
        settings.video.as_mut().expect("a picture").keep_active_input_primary = true;
        settings
    };
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    room.mixed("alice", "cam");
    room.mixed("bob", "cam2");
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    let swapped = || grid(2, &["cam2", "cam"]);
    room.happens(loudest(MIXED, "cam2"))
        .effect(desires_of(&settings, &inputs, swapped(), Some("cam2")))
        .told(&["alice", "bob"], speaks(MIXED, Some("cam2")))
        .told(&["alice", "bob"], relaid(MIXED, swapped()));
    room.asks("alice", set_region("cam", "common", "1"))
        .granted(Reply::Done)
        .effect(desires_of(&settings, &inputs, grid(2, &["cam", "cam2"]), Some("cam2")))
        .told(&["alice", "bob"], relaid(MIXED, grid(2, &["cam", "cam2"])));
    room.happens(loudest(MIXED, "cam2"))
        .effect(desires_of(&settings, &inputs, swapped(), Some("cam2")))
        .told(&["alice", "bob"], relaid(MIXED, swapped()));
}

#[test]
fn a_view_that_does_not_listen_has_no_speaker() {
    let mut room = Scenario::with(|settings| {
        settings.views[0].audio.as_mut().expect("sound").voice_activity = false;
    });
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.mixed("alice", "cam");
    room.happens(loudest(MIXED, "cam")).ignored();
}

#[test]
fn a_room_may_mix_every_publication_by_itself() {
    let mut silent = view("silent");
    silent.audio = None;
    let views = vec![view("common"), silent.clone()];
    let mut room = Scenario::with(|settings| {
        settings.auto_mix = true;
        settings.views = views;
    });
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "cam");
    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    *expected.in_views_mut().expect("a forward stream") = vec!["common".into(), "silent".into()];
    let places = || grid(1, &["cam"]);
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice", "bob"], added(expected))
        .effect(desires(&[input("cam", "alice", AUDIO_VIDEO)], places(), None))
        .told(&["alice", "bob"], relaid(MIXED, places()))
        .effect(desires_of(&silent, &[input("cam", "alice", VIDEO)], places(), None))
        .told(&["alice", "bob"], relaid("room-silent", places()));

    room.asks("bob", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    let mut expected = stream("mic", "bob", AUDIO);
    *expected.in_views_mut().expect("a forward stream") = vec!["common".into()];
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("mic", "bob", AUDIO)];
    room.happens(ready_with("mic", AUDIO))
        .told(&["bob"], session_ready("mic"))
        .told(&["alice", "bob"], added(expected))
        .effect(desires(&inputs, places(), None));
    room.asks("alice", unmix("cam", "silent"))
        .granted(Reply::Done)
        .effect(desires_of(&silent, &[], grid(1, &[]), None))
        .told(&["alice", "bob"], relaid("room-silent", grid(1, &[])));
}

#[test]
fn a_discreet_room_mixes_without_a_word() {
    let mut room = Scenario::with(|settings| settings.notify_streams = false);
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.asks("alice", mix("cam", "common")).granted(Reply::Done).effect(desires(
        &[input("cam", "alice", AUDIO_VIDEO)],
        grid(1, &["cam"]),
        None,
    ));
    room.happens(Event::MixerDown).ignored();
    room.happens(mixer_up()).ignored();
}
