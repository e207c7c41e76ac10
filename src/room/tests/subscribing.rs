//! From a wish to subscribe to flowing media, and back.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{AudioFormat, Offerer, VideoCodec, VideoFormat},
    room::{
        AudioFeed, Command, Effect, Rejection, Reply, SubscribeAudio, SubscribeMedia,
        SubscribeVideo, Unsatisfied,
    },
};

fn wishing(audio: Option<SubscribeAudio>, video: Option<SubscribeVideo>) -> Command {
    let media = SubscribeMedia { audio, video };
    Command::Subscribe {
        offerer: Offerer::Client,
        session: id("wish"),
        transport: id("wish"),
        media,
    }
}

#[test]
fn bob_subscribes_to_alices_camera() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.asks("bob", subscribe("sub", Some("cam"), Some("cam")))
        .granted(opened("sub"))
        .effect(opens_subscription("sub", Some("cam"), Some("cam")));
    room.happens(ready("sub")).told(&["bob"], session_ready("sub"));
    room.happens(ready("sub")).ignored();
    room.asks("bob", unsubscribe("sub")).granted(Reply::Done).effect(closes("sub"));
    room.happens(ready("sub")).ignored();
    room.asks("bob", unsubscribe("sub")).refused(Rejection::NoSuchSubscription);
}

#[test]
fn sound_and_picture_may_come_from_different_streams_or_alone() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    for (audio, video) in [(Some("cam"), Some("cam2")), (Some("cam"), None), (None, Some("cam2"))] {
        room.asks("bob", subscribe("sub", audio, video))
            .granted(opened("sub"))
            .effect(opens_subscription("sub", audio, video));
        room.asks("bob", unsubscribe("sub")).granted(Reply::Done).effect(closes("sub"));
    }
}

#[test]
fn ones_own_stream_and_the_same_stream_twice_are_fine() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    for session in ["one", "two"] {
        room.asks("alice", subscribe(session, Some("cam"), Some("cam")))
            .granted(opened(session))
            .effect(opens_subscription(session, Some("cam"), Some("cam")));
    }
}

#[test]
fn something_must_be_wanted() {
    let mut room = Scenario::new();
    room.joined_as("guest", "guest");
    room.asks("guest", subscribe("sub", None, None)).refused(Rejection::NothingRequested);
}

#[test]
fn a_role_limits_what_may_be_subscribed_to() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.joined_as("caller", "caller");
    room.joined_as("guest", "guest");
    room.published("alice", "cam");
    let refused = Rejection::Unauthorized;
    room.asks("caller", subscribe("sub", Some("cam"), Some("cam"))).refused(refused.clone());
    room.asks("caller", subscribe("sub", None, Some("cam"))).refused(refused.clone());
    room.asks("guest", subscribe("sub", Some("cam"), None)).refused(refused.clone());
    room.asks("guest", subscribe("sub", Some("nonsense"), None)).refused(refused);
    room.asks("caller", subscribe("sub", Some("cam"), None))
        .granted(opened("sub"))
        .effect(opens_subscription("sub", Some("cam"), None));
}

#[test]
fn one_participant_has_a_bound() {
    let mut room = Scenario::with(|settings| settings.bounds.subscriptions_per_participant = 2);
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "one", "cam");
    room.subscribing("bob", "two", "cam");
    room.asks("bob", subscribe("two", Some("cam"), None)).refused(Rejection::TooManySubscriptions);
    room.subscribing("alice", "hers", "cam");
    room.happens(failed("one", "Ice procedure failed."))
        .told(&["bob"], session_failed("one", "Ice procedure failed."));
    room.subscribing("bob", "three", "cam");
}

#[test]
fn an_id_names_one_session_or_view() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.publishing("alice", "connecting");
    room.subscribing("alice", "sub", "cam");
    for taken in ["cam", "connecting", "sub", MIXED] {
        room.asks("bob", subscribe(taken, Some("nonsense"), None))
            .refused(Rejection::SessionExists);
    }
}

#[test]
fn a_transport_carries_sessions_of_its_owner_only() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.asks("bob", subscribe_on("cam", "sub", Some("cam"), None))
        .refused(Rejection::NoSuchSession);
    room.asks("alice", subscribe_on("cam", "sub", Some("cam"), None))
        .granted(opened_on("cam", "sub"))
        .effect(Effect::OpenSubscription {
            offerer: Offerer::Client,
            session: id("sub"),
            transport: id("cam"),
            audio: Some(AudioFeed { from: id("cam"), output: None }),
            video: None,
        });
}

#[test]
fn a_stream_must_be_there_and_ready_and_have_the_track() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.publishing("alice", "connecting");
    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    room.happens(ready_with("mic", AUDIO))
        .told(&["alice"], session_ready("mic"))
        .told(&["alice", "bob"], added(stream("mic", "alice", AUDIO)));
    room.subscribing("alice", "sub", "cam");

    for missing in ["nonsense", "connecting", "sub"] {
        room.asks("bob", subscribe("x", Some(missing), Some("cam")))
            .refused(Rejection::AudioUnsatisfied(Unsatisfied::Stream));
        room.asks("bob", subscribe("x", Some("cam"), Some(missing)))
            .refused(Rejection::VideoUnsatisfied(Unsatisfied::Stream));
    }
    room.asks("bob", subscribe("x", Some("mic"), Some("mic")))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::Stream));
}

#[test]
fn a_view_cannot_be_had_while_no_mixer_runs() {
    let mut room = Scenario::with(|settings| {
        let mut dark = view("dark");
        dark.video = None;
        settings.views.push(dark);
    });
    room.joined(&["alice"]);
    room.asks("alice", subscribe("x", Some(MIXED), Some(MIXED)))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::MixerNotReady));
    room.asks("alice", subscribe("x", None, Some(MIXED)))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::MixerNotReady));
    room.asks("alice", subscribe("x", None, Some("room-dark")))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::Stream));
}

#[test]
fn wishes_must_match_what_the_stream_is() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.happens(measured("cam", VGA)).told(&["alice", "bob"], {
        let mut expected = stream("cam", "alice", AUDIO_VIDEO);
        let video = expected.video.as_mut().expect("picture");
        video.original[0].parameters.resolution = Some(VGA);
        changed(expected)
    });

    let mut audio = wanted_audio("cam");
    audio.format = Some(AudioFormat::PCMU);
    room.asks("bob", wishing(Some(audio.clone()), None))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::Format));
    audio.format = Some(AudioFormat::OPUS);

    let mut video = wanted_video("cam");
    video.format = Some(VideoFormat::of(VideoCodec::H264));
    room.asks("bob", wishing(None, Some(video.clone())))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::Format));
    video.format = Some(VP8);
    video.parameters.framerate = Some(30.0);
    room.asks("bob", wishing(None, Some(video.clone())))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::Framerate));
    video.parameters.framerate = None;
    video.simulcast_rid = Some("h".into());
    room.asks("bob", wishing(None, Some(video.clone())))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::SimulcastRid));
    video.simulcast_rid = None;
    video.parameters.resolution = Some(VGA);
    room.asks("bob", wishing(Some(audio), Some(video)))
        .granted(opened("wish"))
        .effect(opens_subscription("wish", Some("cam"), Some("cam")));
}

#[test]
fn only_the_owner_unsubscribes() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    room.asks("alice", unsubscribe("sub")).refused(Rejection::Unauthorized);
    room.asks("alice", unsubscribe("cam")).refused(Rejection::NoSuchSubscription);
    room.asks("bob", unsubscribe("nonsense")).refused(Rejection::NoSuchSubscription);
}
