//! What administrators order of participants and of the room as a whole.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::TrackKind,
    room::{
        Action, Effect, Managed, MediaPermission, Notification, Order, Permission, Rejection,
        Reply, RoomLoad, Settings, SubscriptionReport,
    },
};

fn set(who: &str, action: Action, kind: TrackKind, allowed: bool) -> Order {
    Order::SetPermission { participant: id(who), action, kind, allowed }
}

fn reconfigure(change: impl FnOnce(&mut Settings)) -> Order {
    let mut settings = settings();
    change(&mut settings);
    Order::Reconfigure { settings: Box::new(settings) }
}

#[test]
fn a_dropped_participant_hears_of_it_and_the_others_see_it_leave() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    let drop = Order::DropParticipant { participant: id("bob") };
    room.orders(drop.clone())
        .told(&["bob"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("bob") })
        .told(&["alice"], left("bob"))
        .managed(Managed::Done);
    room.orders(drop).order_refused(Rejection::NotJoined);
}

#[test]
fn a_permission_binds_what_comes_next_and_leaves_what_is() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.published("alice", "cam");
    room.orders(set("alice", Action::Publish, TrackKind::Video, false)).managed(Managed::Done);
    room.asks("alice", publish("screen", VIDEO)).refused(Rejection::Unauthorized);
    room.asks("alice", publish("mic", AUDIO))
        .granted(opened("mic"))
        .effect(opens_publication("mic", AUDIO));
    let sound = MediaPermission { audio: true, video: false };
    let expected = Permission { publish: sound, ..PRESENTER };
    assert_eq!(room.room.report().permissions, [expected]);

    room.orders(set("alice", Action::Subscribe, TrackKind::Audio, false)).managed(Managed::Done);
    room.asks("alice", subscribe("ear", Some("cam"), None)).refused(Rejection::Unauthorized);
    room.orders(set("alice", Action::Subscribe, TrackKind::Audio, true)).managed(Managed::Done);
    room.subscribing("alice", "ear", "cam");
    let nobody = set("nobody", Action::Publish, TrackKind::Audio, true);
    room.orders(nobody).order_refused(Rejection::NotJoined);
}

#[test]
fn an_ended_stream_is_told_to_its_owner_then_to_those_who_took_it_then_to_all() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    let end = Order::EndStream { stream: id("cam") };
    room.orders(end.clone())
        .effect(closes("cam"))
        .told(&["alice"], session_failed("cam", "Ended by an administrator"))
        .effect(closes("sub"))
        .told(&["bob"], source_lost("sub"))
        .told(&["alice", "bob"], removed("cam"))
        .managed(Managed::Done);
    room.orders(end).order_refused(Rejection::NoSuchStream);
    room.publishing("alice", "mic");
    let connecting = Order::EndStream { stream: id("mic") };
    room.orders(connecting).order_refused(Rejection::StreamNotReady);
    let mixed = Order::EndStream { stream: id(MIXED) };
    room.orders(mixed).order_refused(Rejection::StreamIsMixed);
}

#[test]
fn lower_limits_bind_newcomers_only() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    let lower = reconfigure(|settings| {
        settings.participant_limit = Some(1);
        settings.input_limit = Some(0);
        settings.views.clear();
        settings.roles.clear();
    });
    room.orders(lower).managed(Managed::Done);
    room.asks("carol", join("presenter")).refused(Rejection::RoomFull);
    room.asks("bob", publish("other", AUDIO)).refused(Rejection::TooManyInputs);
    room.subscribing("bob", "sub", "cam");
    assert_eq!(room.room.info().views.len(), settings().views.len(), "views stay");

    let silent = reconfigure(|settings| {
        settings.notify_participants = false;
        settings.roles.clear();
    });
    room.orders(silent).managed(Managed::Done);
    room.asks("carol", join("presenter")).refused(Rejection::InvalidRole);
    room.happens(lost("bob")).effect(closes("sub"));
}

#[test]
fn a_closed_room_is_empty_and_waits_to_be_forgotten() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.mixed("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    let out = |who: &str| Effect::Disconnect { participant: id(who) };
    room.orders(Order::Close)
        .told(&["alice"], Notification::Dropped)
        .effect(out("alice"))
        .told(&["bob"], Notification::Dropped)
        .effect(out("bob"))
        .effect(desires(&[], grid(1, &[]), None))
        .effect(closes("sub"))
        .effect(closes("cam"))
        .managed(Managed::Done);
    assert_eq!(room.room.load(), RoomLoad::default());
    room.waits(IDLE).effect(Effect::CloseRoom);
}

#[test]
fn a_closed_room_waits_for_nobody_who_was_away() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.happens(lost_for("alice", IDLE * 2)).ignored();
    room.orders(Order::Close)
        .told(&["alice"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("alice") })
        .managed(Managed::Done);
    assert_eq!(room.room.load(), RoomLoad::default(), "nobody is away from it");
    assert_eq!(room.room.poll_timeout(), Some(room.now + IDLE));
    room.waits(IDLE).effect(Effect::CloseRoom);
    assert_eq!(room.room.poll_timeout(), None);
}

#[test]
fn a_report_tells_who_takes_what() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.joined_as("bob", "viewer");
    room.published("alice", "cam");
    room.publishing("alice", "mic");
    room.subscribing("bob", "sub", "cam");
    let report = room.room.report();
    assert_eq!(report.room, room.room.info());
    let viewer = MediaPermission { audio: false, video: false };
    assert_eq!(report.permissions, [PRESENTER, Permission { publish: viewer, ..PRESENTER }]);
    let subscription = SubscriptionReport {
        id: id("sub"),
        owner: id("bob"),
        audio: Some(id("cam")),
        video: Some(id("cam")),
        ready: false,
    };
    assert_eq!(report.subscriptions, [subscription]);
    let load = RoomLoad { participants: 2, streams: 1, subscriptions: 1, away: 0 };
    assert_eq!(room.room.load(), load, "what still connects is no stream");
    room.happens(ready("sub")).told(&["bob"], session_ready("sub"));
    assert!(room.room.report().subscriptions[0].ready);
    room.asks("bob", unsubscribe("sub")).granted(Reply::Done).effect(closes("sub"));
    assert_eq!(room.room.load().subscriptions, 0);
}
