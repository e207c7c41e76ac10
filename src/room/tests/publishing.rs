//! From a wish to publish to a stream, and back.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{Resolution, TrackKind, TrackSelection, VideoFormat, VideoParameters, VideoSource},
    room::{
        Command, Effect, Notification, PublishAudio, PublishMedia, PublishVideo, Rejection, Reply,
        StreamOrigin,
    },
};

#[test]
fn alice_publishes_and_everybody_hears_once_it_is_up() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.asks("alice", publish("cam", AUDIO_VIDEO))
        .granted(opened("cam"))
        .effect(opens_publication("cam", AUDIO_VIDEO));
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice", "bob"], added(stream("cam", "alice", AUDIO_VIDEO)));
    room.happens(ready("cam")).ignored();
}

#[test]
fn one_kind_of_track_is_enough_and_the_other_is_not_opened() {
    for kinds in [AUDIO, VIDEO] {
        let mut room = Scenario::new();
        room.joined(&["alice"]);
        room.asks("alice", publish("one", kinds))
            .granted(opened("one"))
            .effect(opens_publication("one", kinds));
        room.happens(ready_with("one", AUDIO_VIDEO))
            .told(&["alice"], session_ready("one"))
            .told(&["alice"], added(stream("one", "alice", kinds)));
    }
}

#[test]
fn a_stream_says_what_its_publisher_said() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    let parameters = VideoParameters {
        resolution: Some(VGA),
        framerate: Some(15.0),
        ..VideoParameters::default()
    };
    let media = PublishMedia {
        audio: Some(PublishAudio { source: None }),
        video: Some(PublishVideo {
            source: Some(VideoSource::ScreenCast),
            parameters: parameters.clone(),
        }),
    };
    let (session, transport, attributes) = (id("cam"), id("pc"), "{}".into());
    room.asks("alice", Command::Publish { session, transport, media, attributes })
        .granted(opened_on("pc", "cam"))
        .effect(Effect::OpenPublication {
            session: id("cam"),
            transport: id("pc"),
            audio: Some(settings().audio_in),
            video: Some(settings().video_in),
        });

    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    expected.audio.as_mut().expect("sound").source = None;
    let video = expected.video.as_mut().expect("picture");
    video.source = Some(VideoSource::ScreenCast);
    video.original[0].parameters = parameters;
    let StreamOrigin::Forward { attributes, .. } = &mut expected.origin else {
        unreachable!("a publication is forwarded");
    };
    *attributes = "{}".into();
    room.happens(ready("cam"))
        .told(&["alice"], Notification::SessionReady { session: id("cam"), transport: id("pc") })
        .told(&["alice"], added(expected));
}

#[test]
fn a_track_that_was_not_agreed_on_is_not_in_the_stream() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.publishing("alice", "cam");
    room.happens(ready_with("cam", AUDIO))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice"], added(stream("cam", "alice", AUDIO)));
}

#[test]
fn a_publication_without_any_agreed_track_fails() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    room.happens(ready_with("mic", VIDEO))
        .effect(closes("mic"))
        .told(&["alice"], session_failed("mic", "No valid tracks in stream"));
    room.asks("alice", unpublish("mic")).refused(Rejection::NoSuchStream);
}

#[test]
fn a_role_limits_what_may_be_published() {
    let mut room = Scenario::new();
    room.joined_as("viewer", "viewer");
    room.joined_as("caller", "caller");
    for kinds in [AUDIO, VIDEO, AUDIO_VIDEO] {
        room.asks("viewer", publish("x", kinds)).refused(Rejection::Unauthorized);
    }
    room.asks("caller", publish("x", AUDIO_VIDEO)).refused(Rejection::Unauthorized);
    room.asks("caller", publish("x", AUDIO))
        .granted(opened("x"))
        .effect(opens_publication("x", AUDIO));
}

#[test]
fn the_first_thing_wrong_is_the_one_that_is_told() {
    let mut room = Scenario::with(|settings| {
        settings.input_limit = Some(1);
        settings.audio_in = Arc::new([]);
    });
    room.joined(&["alice"]);
    room.joined_as("viewer", "viewer");
    room.asks("alice", publish("cam", VIDEO))
        .granted(opened("cam"))
        .effect(opens_publication("cam", VIDEO));
    room.asks("viewer", publish("cam", AUDIO)).refused(Rejection::Unauthorized);
    room.asks("alice", publish("cam", AUDIO)).refused(Rejection::TooManyInputs);

    let mut room = Scenario::with(|settings| settings.audio_in = Arc::new([]));
    room.joined(&["alice"]);
    room.asks("alice", publish("cam", VIDEO))
        .granted(opened("cam"))
        .effect(opens_publication("cam", VIDEO));
    room.asks("alice", publish("cam", AUDIO)).refused(Rejection::SessionExists);
    room.asks("alice", publish("mic", AUDIO)).refused(Rejection::AudioForbidden);
}

#[test]
fn a_room_may_take_no_sound_or_no_picture() {
    let mut room = Scenario::with(|settings| settings.audio_in = Arc::new([]));
    room.joined(&["alice"]);
    room.asks("alice", publish("cam", AUDIO_VIDEO)).refused(Rejection::AudioForbidden);
    let mut room = Scenario::with(|settings| settings.video_in = Arc::<[VideoFormat]>::from([]));
    room.joined(&["alice"]);
    room.asks("alice", publish("cam", AUDIO_VIDEO)).refused(Rejection::VideoForbidden);
}

#[test]
fn something_must_be_published() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.asks("alice", publish("cam", NEITHER)).refused(Rejection::NothingRequested);
}

#[test]
fn connecting_publications_count_as_inputs() {
    let mut room = Scenario::with(|settings| settings.input_limit = Some(2));
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.publishing("bob", "cam2");
    room.asks("bob", publish("cam3", AUDIO)).refused(Rejection::TooManyInputs);
    room.happens(failed("cam2", "Ice procedure failed."))
        .told(&["bob"], session_failed("cam2", "Ice procedure failed."));
    room.publishing("bob", "cam3");
}

#[test]
fn a_room_without_inputs_takes_none() {
    let mut room = Scenario::with(|settings| settings.input_limit = Some(0));
    room.joined(&["alice"]);
    room.asks("alice", publish("cam", AUDIO_VIDEO)).refused(Rejection::TooManyInputs);
}

#[test]
fn one_participant_has_a_bound_of_its_own() {
    let mut room = Scenario::with(|settings| settings.bounds.publications_per_participant = 1);
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.asks("alice", publish("screen", VIDEO)).refused(Rejection::TooManyInputs);
    room.published("bob", "cam2");
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice", "bob"], removed("cam"));
    room.published("alice", "screen");
}

#[test]
fn an_id_names_one_session_or_view() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.publishing("alice", "connecting");
    room.subscribing("bob", "sub", "cam");
    for taken in ["cam", "connecting", "sub", MIXED] {
        room.asks("bob", publish(taken, AUDIO)).refused(Rejection::SessionExists);
    }
}

#[test]
fn a_transport_carries_sessions_of_its_owner_only() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.asks("bob", publish_on("cam", "cam2", AUDIO)).refused(Rejection::NoSuchSession);
    room.asks("alice", publish_on("cam", "cam2", AUDIO)).granted(opened_on("cam", "cam2")).effect(
        Effect::OpenPublication {
            session: id("cam2"),
            transport: id("cam"),
            audio: Some(settings().audio_in),
            video: None,
        },
    );
}

#[test]
fn only_the_owner_unpublishes() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    room.asks("bob", unpublish("cam")).refused(Rejection::Unauthorized);
    room.asks("bob", unpublish(MIXED)).refused(Rejection::Unauthorized);
    room.asks("bob", unpublish("sub")).refused(Rejection::NoSuchStream);
    room.asks("bob", unpublish("nonsense")).refused(Rejection::NoSuchStream);
}

#[test]
fn a_picture_is_announced_again_when_its_real_size_is_another() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    expected.video.as_mut().expect("picture").original[0].parameters.resolution = Some(VGA);
    room.happens(measured("cam", VGA)).told(&["alice", "bob"], changed(expected.clone()));
    room.happens(measured("cam", VGA)).ignored();
    assert_eq!(*room.stream("cam"), expected);

    let upright = Resolution { width: VGA.height, height: VGA.width };
    expected.video.as_mut().expect("picture").original[0].parameters.resolution = Some(upright);
    room.happens(measured("cam", upright)).told(&["alice", "bob"], changed(expected));
}

#[test]
fn a_size_known_before_the_stream_is_announced_with_it() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.publishing("alice", "cam");
    room.happens(measured("cam", VGA)).ignored();
    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    expected.video.as_mut().expect("picture").original[0].parameters.resolution = Some(VGA);
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice"], added(expected));
}

#[test]
fn a_size_without_a_picture_is_ignored() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    room.happens(measured("mic", VGA)).ignored();
    room.happens(ready_with("mic", AUDIO))
        .told(&["alice"], session_ready("mic"))
        .told(&["alice"], added(stream("mic", "alice", AUDIO)));
    for stream in ["mic", "nonsense", MIXED] {
        room.happens(measured(stream, VGA)).ignored();
    }
}

#[test]
fn a_discreet_room_tells_of_streams_only_in_its_list() {
    let mut room = Scenario::with(|settings| settings.notify_streams = false);
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "cam");
    room.happens(ready("cam")).told(&["alice"], session_ready("cam"));
    room.happens(measured("cam", VGA)).ignored();
    assert_eq!(room.stream("cam").id, id("cam"));
    room.asks("alice", pause("cam", TrackSelection::Audio))
        .granted(Reply::Done)
        .effect(stops("cam", TrackKind::Audio));
    room.subscribing("bob", "sub", "cam");
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .effect(closes("sub"))
        .told(&["bob"], source_lost("sub"));
}
