//! Who closes whom: a test per row of the table in the room's documentation.

use super::{scenario::Scenario, words::*};
use crate::room::{Command, Effect, Notification, Rejection, Reply};

/// Alice publishes a stream and a publication that connects; everybody subscribes to the stream,
/// and alice to bob's as well.
fn party() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob", "carol"]);
    room.published("alice", "cam");
    room.published("bob", "cam2");
    room.publishing("alice", "connecting");
    room.subscribing("bob", "b-sub", "cam");
    room.subscribing("carol", "c-sub", "cam");
    room.subscribing("alice", "a-own", "cam");
    room.subscribing("alice", "a-sub", "cam2");
    room
}

#[test]
fn a_participant_that_leaves_takes_everything_along() {
    let mut room = party();
    room.asks("alice", Command::Leave)
        .granted(Reply::Done)
        .told(&["bob", "carol"], left("alice"))
        .effect(closes("a-own"))
        .effect(closes("a-sub"))
        .effect(closes("cam"))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .effect(closes("c-sub"))
        .told(&["carol"], source_lost("c-sub"))
        .told(&["bob", "carol"], removed("cam"))
        .effect(closes("connecting"));
    room.asks("alice", Command::Leave).refused(Rejection::NotJoined);
    assert_eq!(room.room.info().participants.len(), 2);
}

#[test]
fn a_participant_whose_connection_is_lost_goes_like_one_that_leaves() {
    let mut room = party();
    room.happens(lost("alice"))
        .told(&["bob", "carol"], left("alice"))
        .effect(closes("a-own"))
        .effect(closes("a-sub"))
        .effect(closes("cam"))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .effect(closes("c-sub"))
        .told(&["carol"], source_lost("c-sub"))
        .told(&["bob", "carol"], removed("cam"))
        .effect(closes("connecting"));
    room.happens(lost("alice")).ignored();
}

#[test]
fn a_dropped_participant_hears_of_it_and_is_disconnected_first() {
    let mut room = party();
    room.happens(drop_out("alice"))
        .told(&["alice"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob", "carol"], left("alice"))
        .effect(closes("a-own"))
        .effect(closes("a-sub"))
        .effect(closes("cam"))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .effect(closes("c-sub"))
        .told(&["carol"], source_lost("c-sub"))
        .told(&["bob", "carol"], removed("cam"))
        .effect(closes("connecting"));
    room.happens(lost("alice")).ignored();
    room.happens(drop_out("alice")).ignored();
}

#[test]
fn several_streams_of_a_leaver_go_by_age() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "slow");
    room.published("alice", "quick");
    room.happens(ready("slow"))
        .told(&["alice"], session_ready("slow"))
        .told(&["alice", "bob"], added(stream("slow", "alice", AUDIO_VIDEO)));
    room.asks("alice", Command::Leave)
        .granted(Reply::Done)
        .told(&["bob"], left("alice"))
        .effect(closes("quick"))
        .told(&["bob"], removed("quick"))
        .effect(closes("slow"))
        .told(&["bob"], removed("slow"));
}

#[test]
fn an_unpublished_stream_ends_every_subscription_that_takes_from_it() {
    let mut room = party();
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .effect(closes("c-sub"))
        .told(&["carol"], source_lost("c-sub"))
        .effect(closes("a-own"))
        .told(&["alice"], source_lost("a-own"))
        .told(&["alice", "bob", "carol"], removed("cam"));
    room.asks("bob", unsubscribe("b-sub")).refused(Rejection::NoSuchSubscription);
    room.asks("alice", unpublish("cam")).refused(Rejection::NoSuchStream);
}

#[test]
fn a_publication_that_connects_is_unpublished_silently() {
    let mut room = party();
    room.asks("alice", unpublish("connecting")).granted(Reply::Done).effect(closes("connecting"));
    room.happens(ready("connecting")).ignored();
}

#[test]
fn a_stream_that_fails_is_told_to_its_owner_then_ends_like_an_unpublished_one() {
    let mut room = party();
    room.happens(failed("cam", "Ice procedure failed."))
        .told(&["alice"], session_failed("cam", "Ice procedure failed."))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .effect(closes("c-sub"))
        .told(&["carol"], source_lost("c-sub"))
        .effect(closes("a-own"))
        .told(&["alice"], source_lost("a-own"))
        .told(&["alice", "bob", "carol"], removed("cam"));
    room.happens(failed("cam", "again")).ignored();
}

#[test]
fn a_publication_that_fails_to_connect_is_told_to_its_owner_only() {
    let mut room = party();
    room.happens(failed("connecting", "No proper audio codec"))
        .told(&["alice"], session_failed("connecting", "No proper audio codec"));
}

#[test]
fn a_subscription_to_two_streams_ends_as_a_whole_with_either() {
    for (gone, owner, kept, other) in
        [("cam", "alice", "cam2", "bob"), ("cam2", "bob", "cam", "alice")]
    {
        let mut room = Scenario::new();
        room.joined(&["alice", "bob", "carol"]);
        room.published("alice", "cam");
        room.published("bob", "cam2");
        room.asks("carol", subscribe("both", Some("cam"), Some("cam2")))
            .granted(opened("both"))
            .effect(opens_subscription("both", Some("cam"), Some("cam2")));
        let everybody = ["alice", "bob", "carol"];
        room.asks(owner, unpublish(gone))
            .granted(Reply::Done)
            .effect(closes(gone))
            .effect(closes("both"))
            .told(&["carol"], source_lost("both"))
            .told(&everybody, removed_of(gone, owner));
        room.asks(other, unpublish(kept))
            .granted(Reply::Done)
            .effect(closes(kept))
            .told(&everybody, removed_of(kept, other));
    }
}

#[test]
fn an_unsubscribed_or_failed_subscription_concerns_nobody_else() {
    let mut room = party();
    room.asks("bob", unsubscribe("b-sub")).granted(Reply::Done).effect(closes("b-sub"));
    room.happens(ready("c-sub")).told(&["carol"], session_ready("c-sub"));
    room.happens(failed("c-sub", "Ice procedure failed."))
        .told(&["carol"], session_failed("c-sub", "Ice procedure failed."));
    room.happens(failed("c-sub", "again")).ignored();
}
