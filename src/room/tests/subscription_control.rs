//! Changes of one's own subscription.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{AudioFormat, TrackKind, TrackSelection, VideoCodec, VideoFormat, VideoParameters},
    room::{
        AgreedMedia, Command, Event, Rejection, Reply, SubscriptionUpdate, Unsatisfied, VideoUpdate,
    },
};

/// Bob sees and hears the first of alice's two streams.
fn party() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("alice", "screen");
    room.subscribing("bob", "sub", "cam");
    room.happens(ready("sub")).told(&["bob"], session_ready("sub"));
    room
}

#[test]
fn a_subscription_takes_its_tracks_from_other_streams() {
    let mut room = party();
    room.asks("bob", update("sub", None, Some("screen"))).granted(Reply::Done).effect(switches(
        "sub",
        None,
        Some("screen"),
    ));
    room.asks("bob", update("sub", Some("screen"), Some("cam")))
        .granted(Reply::Done)
        .effect(switches("sub", Some("screen"), Some("cam")));
    room.asks("bob", update("sub", None, None)).granted(Reply::Done);
}

#[test]
fn it_ends_with_the_streams_that_it_takes_from_then() {
    let mut room = party();
    room.asks("bob", update("sub", Some("screen"), Some("screen")))
        .granted(Reply::Done)
        .effect(switches("sub", Some("screen"), Some("screen")));
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice", "bob"], removed("cam"));
    room.asks("alice", unpublish("screen"))
        .granted(Reply::Done)
        .effect(closes("screen"))
        .effect(closes("sub"))
        .told(&["bob"], source_lost("sub"))
        .told(&["alice", "bob"], removed("screen"));
}

#[test]
fn what_cannot_be_served_leaves_it_as_it_was() {
    let mut room = party();
    let refused = |room: &mut Scenario, command, rejection| {
        room.asks("bob", command).refused(rejection);
    };
    let video = Rejection::VideoUnsatisfied;
    let nowhere = update("sub", Some("screen"), Some("nowhere"));
    refused(&mut room, nowhere, video(Unsatisfied::Stream));
    refused(&mut room, update("sub", None, Some(MIXED)), video(Unsatisfied::MixerNotReady));
    let nowhere = Rejection::AudioUnsatisfied(Unsatisfied::Stream);
    refused(&mut room, update("sub", Some("nowhere"), None), nowhere);
    let parameters = VideoParameters { framerate: Some(7.0), ..VideoParameters::default() };
    let update_video = Some(VideoUpdate { parameters, ..VideoUpdate::default() });
    let slow = Command::UpdateSubscription {
        session: id("sub"),
        update: SubscriptionUpdate { audio: None, video: update_video },
    };
    refused(&mut room, slow, video(Unsatisfied::Framerate));

    // In another format than the one that was agreed on.
    room.publishing("alice", "other");
    let media = AgreedMedia {
        audio: Some(AudioFormat::PCMU),
        video: Some(VideoFormat::of(VideoCodec::H264)),
    };
    room.room.handle(
        room.now,
        crate::room::Input::Event(Event::SessionReady { session: id("other"), media }),
    );
    while room.room.poll_output().is_some() {}
    refused(&mut room, update("sub", None, Some("other")), video(Unsatisfied::Format));
    let format = Rejection::AudioUnsatisfied(Unsatisfied::Format);
    refused(&mut room, update("sub", Some("other"), None), format);

    // A part that it does not have.
    room.asks("bob", subscribe("mute", None, Some("cam")))
        .granted(opened("mute"))
        .effect(opens_subscription("mute", None, Some("cam")));
    let early = update("mute", None, Some("screen"));
    room.asks("bob", early).refused(Rejection::SubscriptionNotReady);
    room.happens(ready_with("mute", VIDEO)).told(&["bob"], session_ready("mute"));
    let missing = Rejection::NothingToUpdate(TrackKind::Audio);
    refused(&mut room, update("mute", Some("cam"), None), missing);
}

#[test]
fn its_tracks_are_paused_and_resumed() {
    let mut room = party();
    room.asks("bob", pause_own("sub", TrackSelection::Video)).granted(Reply::Done).effect(sends(
        "sub",
        TrackKind::Video,
        false,
    ));
    room.asks("bob", play_own("sub", TrackSelection::AudioAndVideo))
        .granted(Reply::Done)
        .effect(sends("sub", TrackKind::Audio, true))
        .effect(sends("sub", TrackKind::Video, true));
    room.asks("bob", subscribe("mute", None, Some("cam")))
        .granted(opened("mute"))
        .effect(opens_subscription("mute", None, Some("cam")));
    let missing = Rejection::NotSubscribed(TrackKind::Audio);
    room.asks("bob", pause_own("mute", TrackSelection::AudioAndVideo)).refused(missing);
}

#[test]
fn only_its_owner_changes_it() {
    let mut room = party();
    let estimate = Command::EstimateBandwidth { session: id("sub") };
    for command in [
        update("sub", None, Some("screen")),
        pause_own("sub", TrackSelection::Audio),
        play_own("sub", TrackSelection::Audio),
        estimate.clone(),
    ] {
        room.asks("alice", command).refused(Rejection::Unauthorized);
    }
    let unknown = pause_own("cam", TrackSelection::Audio);
    room.asks("bob", unknown).refused(Rejection::NoSuchSubscription);
    room.asks("bob", estimate).refused(Rejection::NoBandwidthEstimate);
}
