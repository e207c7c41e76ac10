//! What administrators order.

use std::sync::Arc;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{TrackKind, TrackSelection},
    room::{
        Layout, LayoutFault, LayoutSettings, Managed, Order, PlacedRegion, Region, Rejection,
        Shape, StreamInfo, Template, TemplateBase, TrackStatus,
    },
};

/// Alice's and Bob's cameras, mixed.
fn meeting() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    room.mixed("alice", "cam");
    room.mixed("bob", "cam2");
    room
}

fn of(room: &Scenario, stream: &str) -> Managed {
    Managed::Stream(room.stream(stream))
}

fn mix(stream: &str, view: &str) -> Order {
    Order::Mix { stream: id(stream), view: view.into() }
}

fn unmix(stream: &str, view: &str) -> Order {
    Order::Unmix { stream: id(stream), view: view.into() }
}

fn set_layout(view: &str, layout: &Layout) -> Order {
    Order::SetLayout { view: id(view), layout: layout.to_vec() }
}

fn set_region(view: &str, index: usize, stream: &str) -> Order {
    Order::SetRegion { view: id(view), index, stream: id(stream) }
}

#[test]
fn anybodys_stream_is_mixed_and_unmixed_and_the_answer_comes_last() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    let mut expected = stream("cam", "alice", AUDIO_VIDEO);
    *expected.in_views_mut().expect("a forward stream") = vec!["common".into()];
    room.orders(mix("cam", "common"))
        .effect(desires(&[input("cam", "alice", AUDIO_VIDEO)], grid(1, &["cam"]), None))
        .told(&["alice"], relaid(MIXED, grid(1, &["cam"])))
        .managed(Managed::Stream(Arc::new(expected.clone())));
    room.orders(mix("cam", "common")).managed(Managed::Stream(Arc::new(expected)));

    let expected = || Managed::Stream(Arc::new(stream("cam", "alice", AUDIO_VIDEO)));
    room.orders(unmix("cam", "common"))
        .effect(desires(&[], grid(1, &[]), None))
        .told(&["alice"], relaid(MIXED, grid(1, &[])))
        .managed(expected());
    room.orders(unmix("cam", "common")).managed(expected());
}

#[test]
fn what_cannot_be_mixed_is_refused() {
    let mut room = meeting();
    room.publishing("alice", "connecting");
    for order in [mix, unmix] {
        room.orders(order("nonsense", "common")).order_refused(Rejection::NoSuchStream);
        room.orders(order(MIXED, "common")).order_refused(Rejection::StreamIsMixed);
        room.orders(order("connecting", "common")).order_refused(Rejection::StreamNotReady);
        room.orders(order("cam", "nonsense")).order_refused(Rejection::NoSuchView);
    }
}

#[test]
fn anybodys_stream_is_paused() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    let pause = |stream: &str, tracks| Order::SetStatus {
        stream: id(stream),
        tracks,
        status: TrackStatus::Inactive,
    };
    let mut expected: StreamInfo = stream("cam", "alice", AUDIO_VIDEO);
    expected.audio.as_mut().expect("sound").status = TrackStatus::Inactive;
    room.orders(pause("cam", TrackSelection::Audio))
        .effect(stops("cam", TrackKind::Audio))
        .told(&["alice"], status("cam", TrackKind::Audio, TrackStatus::Inactive))
        .managed(Managed::Stream(Arc::new(expected)));
    room.orders(pause(MIXED, TrackSelection::Audio)).order_refused(Rejection::StreamIsMixed);
    room.orders(pause("x", TrackSelection::Audio)).order_refused(Rejection::NoSuchStream);
}

#[test]
fn a_layout_from_outside_replaces_all_others() {
    let mut room = meeting();
    room.published("bob", "screen");
    room.mixed("bob", "screen");
    let inputs = [
        input("cam", "alice", AUDIO_VIDEO),
        input("cam2", "bob", AUDIO_VIDEO),
        input("screen", "bob", AUDIO_VIDEO),
    ];
    let layout: Layout = grid(2, &["screen"])[..2].into();
    let mut shown = layout.to_vec();
    shown[1].stream = Some(id("cam"));
    let shown: Layout = shown.into();
    let outcome = room.orders(set_layout(MIXED, &layout));
    let expected = of(&room, MIXED);
    outcome
        .effect(desires(&inputs, Arc::clone(&shown), None))
        .told(&["alice", "bob"], relaid(MIXED, shown))
        .managed(expected);

    let mut shown = layout.to_vec();
    shown[1].stream = Some(id("cam2"));
    let shown: Layout = shown.into();
    room.asks("alice", super::words::unmix("cam", "common"))
        .granted(crate::room::Reply::Done)
        .effect(desires(&inputs[1..], Arc::clone(&shown), None))
        .told(&["alice", "bob"], relaid(MIXED, shown));
}

#[test]
fn other_layouts_from_outside_follow_the_number_of_inputs() {
    let mut room = meeting();
    let order = |view: &str, base| Order::SetTemplates {
        view: id(view),
        layouts: LayoutSettings { base, custom: Vec::new() },
    };
    let before = of(&room, MIXED);
    room.orders(order(MIXED, TemplateBase::Fluid)).managed(before);
    for (view, base, rejection) in [
        (MIXED, TemplateBase::Void, Rejection::InvalidLayout(LayoutFault::Region)),
        ("cam", TemplateBase::Fluid, Rejection::NotMixedStream),
        ("nonsense", TemplateBase::Fluid, Rejection::NoSuchStream),
    ] {
        room.orders(order(view, base)).order_refused(rejection);
    }

    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    let custom: Template = grid(3, &[]).iter().map(|placed| placed.region.clone()).collect();
    let order = Order::SetTemplates {
        view: id(MIXED),
        layouts: LayoutSettings { base: TemplateBase::Void, custom: vec![custom] },
    };
    let outcome = room.orders(order);
    let expected = of(&room, MIXED);
    outcome
        .effect(desires(&inputs, grid(3, &["cam", "cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(3, &["cam", "cam2"])))
        .managed(expected);
    room.asks("alice", super::words::unmix("cam", "common"))
        .granted(crate::room::Reply::Done)
        .effect(desires(&inputs[1..], grid(3, &["cam2"]), None))
        .told(&["alice", "bob"], relaid(MIXED, grid(3, &["cam2"])));
}

#[test]
fn a_layout_must_make_sense() {
    let mut room = meeting();
    room.published("bob", "unmixed");
    let refused = |room: &mut Scenario, layout: &Layout, fault| {
        room.orders(set_layout(MIXED, layout)).order_refused(Rejection::InvalidLayout(fault));
    };
    let renamed = |ids: &[&str]| -> Layout {
        let regions = grid(2, &[]);
        let named = regions.iter().zip(ids).map(|(placed, name)| PlacedRegion {
            region: Region { id: (*name).into(), ..placed.region.clone() },
            stream: None,
        });
        named.collect()
    };
    for ids in [&[][..], &["a", "a"], &["a", ""], &["x".repeat(65).as_str()]] {
        refused(&mut room, &renamed(ids), LayoutFault::Region);
    }
    refused(&mut room, &grid(101, &[]), LayoutFault::Region);
    for stream in ["nonsense", "unmixed", MIXED] {
        refused(&mut room, &grid(1, &[stream]), LayoutFault::InputStream);
    }
    refused(&mut room, &grid(2, &["cam", "cam2", "cam"]), LayoutFault::DuplicateStream);
    let hole: Layout = grid(2, &["cam", "cam2"]).iter().rev().cloned().collect();
    refused(&mut room, &hole, LayoutFault::StreamHole);
    room.orders(set_layout("cam", &grid(1, &[]))).order_refused(Rejection::NotMixedStream);
    room.orders(set_layout("nonsense", &grid(1, &[]))).order_refused(Rejection::NoSuchStream);
}

#[test]
fn circles_are_layouts_too() {
    let mut room = meeting();
    let half = "1/2".parse().expect("a share");
    let shape = Shape::Circle { center_w: half, center_h: half, radius: half };
    let layout: Layout =
        [PlacedRegion { region: Region { id: "round".into(), shape }, stream: Some(id("cam2")) }]
            .into();
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    let outcome = room.orders(set_layout(MIXED, &layout));
    let expected = of(&room, MIXED);
    outcome
        .effect(desires(&inputs, Arc::clone(&layout), None))
        .told(&["alice", "bob"], relaid(MIXED, layout))
        .managed(expected);
}

#[test]
fn an_input_is_put_into_the_region_at_a_place() {
    let mut room = meeting();
    let inputs = [input("cam", "alice", AUDIO_VIDEO), input("cam2", "bob", AUDIO_VIDEO)];
    let swapped = || grid(2, &["cam2", "cam"]);
    let outcome = room.orders(set_region(MIXED, 0, "cam2"));
    let expected = of(&room, MIXED);
    outcome
        .effect(desires(&inputs, swapped(), None))
        .told(&["alice", "bob"], relaid(MIXED, swapped()))
        .managed(expected);
    room.orders(set_region(MIXED, 2, "cam2")).order_refused(Rejection::NoSuchRegion);
    room.orders(set_region(MIXED, 9, "cam2")).order_refused(Rejection::NoSuchRegion);
    room.orders(set_region(MIXED, 0, "nonsense")).order_refused(Rejection::NotInView);
    room.orders(set_region("cam", 0, "cam")).order_refused(Rejection::NotMixedStream);
}
