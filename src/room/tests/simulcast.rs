//! Pictures in layers, as everybody sees them and as some take them.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{LayerChoice, Offerer, Resolution, VideoParameters},
    room::{
        Command, Effect, Event, Rejection, Reply, StreamInfo, SubscribeMedia, SubscriptionUpdate,
        Unsatisfied, VideoEncoding, VideoFeed, VideoUpdate,
    },
};

const QUARTER: Resolution = Resolution { width: 320, height: 180 };
const FULL: Resolution = Resolution { width: 1280, height: 720 };

fn layered() -> Event {
    Event::Layered { stream: id("cam"), rids: ["q".into(), "f".into()].into() }
}

fn layer_measured(rid: &str, resolution: Resolution) -> Event {
    Event::Measured { stream: id("cam"), layer: Some(rid.into()), resolution }
}

/// The stream with what is known of the sizes of its layers.
fn camera(sizes: [Option<Resolution>; 2]) -> StreamInfo {
    let mut stream = stream("cam", "alice", AUDIO_VIDEO);
    let layer = |(rid, resolution): (&str, Option<Resolution>)| VideoEncoding {
        format: VP8,
        parameters: VideoParameters { resolution, ..VideoParameters::default() },
        simulcast_rid: Some(rid.into()),
    };
    let video = stream.video.as_mut().expect("a picture");
    video.original = ["q", "f"].into_iter().zip(sizes).map(layer).collect();
    stream
}

/// Alice publishes a camera in two layers, whose sizes are known; bob watches.
fn party() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "cam");
    room.happened(layered());
    room.happened(layer_measured("q", QUARTER));
    room.happened(layer_measured("f", FULL));
    room.happened(ready("cam"));
    room
}

fn watches(session: &str, wish: impl FnOnce(&mut VideoParameters), rid: Option<&str>) -> Command {
    let mut video = wanted_video("cam");
    wish(&mut video.parameters);
    video.simulcast_rid = rid.map(Into::into);
    let media = SubscribeMedia { audio: None, video: Some(video) };
    let offerer = Offerer::Client;
    Command::Subscribe { session: id(session), transport: id(session), offerer, media }
}

fn changes(from: Option<&str>, size: Option<Resolution>, rid: Option<&str>) -> Command {
    let video = VideoUpdate {
        from: from.map(id),
        parameters: VideoParameters { resolution: size, ..VideoParameters::default() },
        simulcast_rid: rid.map(Into::into),
    };
    let update = SubscriptionUpdate { audio: None, video: Some(video) };
    Command::UpdateSubscription { session: id("sub"), update }
}

fn feed(layer: LayerChoice) -> Option<VideoFeed> {
    Some(VideoFeed { from: id("cam"), output: None, layer })
}

fn opens(session: &str, layer: LayerChoice) -> Effect {
    let (session, transport) = (id(session), id(session));
    let offerer = Offerer::Client;
    Effect::OpenSubscription { session, transport, offerer, audio: None, video: feed(layer) }
}

fn named(rid: &str) -> LayerChoice {
    LayerChoice::Named(rid.into())
}

#[test]
fn layers_are_announced_and_their_sizes_when_they_are_known() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "cam");
    room.happens(layered()).ignored();
    room.happens(layer_measured("q", QUARTER)).ignored();
    room.happens(layer_measured("x", QUARTER)).ignored();
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice", "bob"], added(camera([Some(QUARTER), None])));
    room.happens(layer_measured("f", FULL))
        .told(&["alice", "bob"], changed(camera([Some(QUARTER), Some(FULL)])));
    room.happens(layer_measured("f", FULL)).ignored();
    room.happens(layer_measured("x", FULL)).ignored();
    room.happens(measured("cam", FULL)).ignored();
    room.happens(layered()).ignored();
}

#[test]
fn what_a_publisher_says_of_its_picture_holds_for_no_layer() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    let mut publish = publish("cam", AUDIO_VIDEO);
    if let Command::Publish { media, .. } = &mut publish {
        let video = media.video.as_mut().expect("a picture");
        video.parameters.resolution = Some(FULL);
    }
    room.asks("alice", publish)
        .granted(opened("cam"))
        .effect(opens_publication("cam", AUDIO_VIDEO));
    room.happens(layered()).ignored();
    room.happens(ready("cam"))
        .told(&["alice"], session_ready("cam"))
        .told(&["alice"], added(camera([None, None])));
}

#[test]
fn a_layer_is_taken_by_name_by_size_or_left_to_the_media_side() {
    let mut room = party();
    let nothing = |_: &mut VideoParameters| {};
    let of_size = |size| move |wish: &mut VideoParameters| wish.resolution = Some(size);
    let odd = Resolution { width: 400, height: 300 };
    for (number, (command, layer)) in [
        (watches("a", nothing, None), LayerChoice::Largest),
        (watches("b", nothing, Some("f")), named("f")),
        (watches("c", of_size(QUARTER), Some("f")), named("f")),
        (watches("d", of_size(QUARTER), None), LayerChoice::Covering(QUARTER)),
        (watches("e", of_size(odd), None), LayerChoice::Covering(odd)),
    ]
    .into_iter()
    .enumerate()
    {
        let session = ["a", "b", "c", "d", "e"][number];
        room.asks("bob", command).granted(opened(session)).effect(opens(session, layer));
        room.asks("bob", unsubscribe(session)).granted(Reply::Done).effect(closes(session));
    }
    let unsatisfied = Rejection::VideoUnsatisfied;
    room.asks("bob", watches("x", nothing, Some("h")))
        .refused(unsatisfied(Unsatisfied::SimulcastRid));
    let larger = Resolution { width: 1281, height: 720 };
    room.asks("bob", watches("x", of_size(larger), None))
        .refused(unsatisfied(Unsatisfied::Resolution));
}

#[test]
fn a_name_of_a_layer_means_nothing_to_a_plain_picture() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.asks("alice", watches("x", |_| {}, Some("q")))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::SimulcastRid));
    let any = |wish: &mut VideoParameters| wish.resolution = Some(FULL);
    room.asks("alice", watches("sub", any, None))
        .granted(opened("sub"))
        .effect(opens("sub", LayerChoice::Largest));
}

#[test]
fn a_subscription_goes_from_layer_to_layer() {
    let mut room = party();
    room.asks("bob", watches("sub", |_| {}, Some("q")))
        .granted(opened("sub"))
        .effect(opens("sub", named("q")));
    room.happened(ready_with("sub", VIDEO));
    let switches =
        |layer| Effect::SwitchSubscription { session: id("sub"), audio: None, video: feed(layer) };
    for (command, layer) in [
        (changes(None, None, Some("f")), named("f")),
        (changes(Some("cam"), None, Some("q")), named("q")),
        (changes(None, Some(FULL), None), LayerChoice::Covering(FULL)),
        (changes(Some("cam"), None, None), LayerChoice::Largest),
    ] {
        room.asks("bob", command).granted(Reply::Done).effect(switches(layer));
    }
    room.asks("bob", changes(None, None, Some("h")))
        .refused(Rejection::VideoUnsatisfied(Unsatisfied::SimulcastRid));
    assert_eq!(room.stream("cam"), Arc::new(camera([Some(QUARTER), Some(FULL)])));
}
