//! Subscriptions whose offer this server makes.

use std::time::Duration;

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{LayerChoice, Offerer, TrackKind},
    room::{
        AudioFeed, Command, Effect, Event, Managed, Negotiation, Notification, OFFER_TIMEOUT,
        Order, Rejection, Reply, SubscribeMedia, Unsatisfied, VideoFeed,
    },
};

const MOMENT: Duration = Duration::from_millis(1);
const UNANSWERED: &str = "The offer was not answered in time.";

fn subscribe_offered(transport: &str, session: &str, from: &str) -> Command {
    let media = SubscribeMedia { audio: Some(wanted_audio(from)), video: Some(wanted_video(from)) };
    let (session, transport) = (id(session), id(transport));
    Command::Subscribe { session, transport, offerer: Offerer::Server, media }
}

fn offered(transport: &str) -> Event {
    Event::Offered { transport: id(transport), sdp: "v=0 offer".into() }
}

fn an_offer(transport: &str) -> Notification {
    Notification::Offer { transport: id(transport), sdp: "v=0 offer".into() }
}

fn answer() -> Negotiation {
    Negotiation::Answer("v=0 answer".into())
}

/// Bob waits for the offer of what alice publishes.
fn party() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.prepare("bob", &subscribe_offered("sub", "sub", "cam"));
    room
}

#[test]
fn bob_answers_the_servers_offer() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.asks("bob", subscribe_offered("sub", "sub", "cam")).granted(opened("sub")).effect(
        Effect::OpenSubscription {
            session: id("sub"),
            transport: id("sub"),
            offerer: Offerer::Server,
            audio: Some(AudioFeed { from: id("cam"), output: None }),
            video: Some(VideoFeed { from: id("cam"), output: None, layer: LayerChoice::Largest }),
        },
    );
    room.happens(offered("sub")).told(&["bob"], an_offer("sub"));
    let payload = answer();
    room.asks("bob", negotiate("sub", payload.clone()))
        .granted(Reply::Done)
        .effect(Effect::Negotiate { transport: id("sub"), payload });
    room.happens(ready("sub")).told(&["bob"], session_ready("sub"));
    room.waits(OFFER_TIMEOUT * 2).ignored();
    room.asks("bob", unsubscribe("sub")).granted(Reply::Done).effect(closes("sub"));
}

#[test]
fn an_answer_is_due_once_and_after_the_offer() {
    let mut room = party();
    room.asks("bob", negotiate("sub", answer())).refused(Rejection::UnexpectedNegotiation);
    room.happened(offered("sub"));
    room.happens(offered("sub")).ignored();
    room.prepare("bob", &negotiate("sub", answer()));
    room.asks("bob", negotiate("sub", answer())).refused(Rejection::UnexpectedNegotiation);
    room.happens(offered("sub")).ignored();
}

#[test]
fn whoever_is_offered_to_offers_nothing_but_may_name_candidates() {
    let mut room = party();
    room.happened(offered("sub"));
    room.asks("bob", negotiate("sub", offer())).refused(Rejection::UnexpectedNegotiation);
    for payload in [
        Negotiation::Candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host".into()),
        Negotiation::RemovedCandidates(vec!["candidate:1".into()]),
    ] {
        room.asks("bob", negotiate("sub", payload.clone()))
            .granted(Reply::Done)
            .effect(Effect::Negotiate { transport: id("sub"), payload });
    }
}

#[test]
fn nobody_answers_for_somebody_else() {
    let mut room = party();
    room.happened(offered("sub"));
    room.asks("alice", negotiate("sub", answer())).refused(Rejection::NoSuchSession);
    room.prepare("bob", &negotiate("sub", answer()));
}

#[test]
fn an_unanswered_offer_ends_its_subscription() {
    let mut room = party();
    assert_eq!(room.room.poll_timeout(), None, "nothing was offered yet");
    room.happened(offered("sub"));
    assert_eq!(room.room.poll_timeout(), Some(room.now + OFFER_TIMEOUT));
    room.waits(OFFER_TIMEOUT - MOMENT).ignored();
    room.waits(MOMENT).effect(closes("sub")).told(&["bob"], session_failed("sub", UNANSWERED));
    room.asks("bob", negotiate("sub", answer())).refused(Rejection::NoSuchSession);
    room.happens(ready("sub")).ignored();
    assert_eq!(room.room.poll_timeout(), None);
}

#[test]
fn every_offer_has_its_own_time() {
    let mut room = party();
    room.happened(offered("sub"));
    room.waits(OFFER_TIMEOUT / 2).ignored();
    room.prepare("alice", &subscribe_offered("own", "own", "cam"));
    room.happened(offered("own"));
    room.waits(OFFER_TIMEOUT / 2)
        .effect(closes("sub"))
        .told(&["bob"], session_failed("sub", UNANSWERED));
    room.prepare("alice", &negotiate("own", answer()));
    room.waits(OFFER_TIMEOUT).ignored();
}

#[test]
fn a_subscription_that_ended_waits_for_no_answer() {
    let mut room = party();
    room.happened(offered("sub"));
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .effect(closes("sub"))
        .told(&["bob"], source_lost("sub"))
        .told(&["alice", "bob"], removed("cam"));
    assert_eq!(room.room.poll_timeout(), None);
    room.happens(offered("sub")).ignored();
}

#[test]
fn a_closed_room_waits_for_no_answer() {
    let mut room = party();
    room.happened(offered("sub"));
    room.waits(MOMENT).ignored();
    let out = |who: &str| Effect::Disconnect { participant: id(who) };
    room.orders(Order::Close)
        .told(&["alice"], Notification::Dropped)
        .effect(out("alice"))
        .told(&["bob"], Notification::Dropped)
        .effect(out("bob"))
        .effect(closes("sub"))
        .effect(closes("cam"))
        .managed(Managed::Done);
    assert_eq!(room.room.poll_timeout(), Some(room.now + IDLE));
    room.waits(IDLE).effect(Effect::CloseRoom);
    assert_eq!(room.room.poll_timeout(), None);
}

#[test]
fn an_answer_that_fails_ends_one_subscription_only() {
    let mut room = party();
    room.prepare("bob", &subscribe_offered("other", "other", "cam"));
    room.happened(offered("sub"));
    room.happened(offered("other"));
    room.prepare("bob", &negotiate("sub", answer()));
    room.happens(failed("sub", "bad answer")).told(&["bob"], session_failed("sub", "bad answer"));
    room.prepare("bob", &negotiate("other", answer()));
    room.happens(ready("other")).told(&["bob"], session_ready("other"));
}

#[test]
fn the_transport_of_an_offer_carries_nothing_else() {
    let mut room = party();
    let other = |offerer| Command::Subscribe {
        session: id("other"),
        transport: id("sub"),
        offerer,
        media: SubscribeMedia { audio: Some(wanted_audio("cam")), video: None },
    };
    room.asks("bob", other(Offerer::Server)).refused(Rejection::TransportInUse);
    room.asks("bob", other(Offerer::Client)).refused(Rejection::TransportInUse);
    room.asks("bob", publish_on("sub", "b-cam", AUDIO)).refused(Rejection::TransportInUse);
    room.asks("alice", subscribe_offered("sub", "own", "cam")).refused(Rejection::NoSuchSession);
    room.asks("alice", subscribe_offered("cam", "own", "cam")).refused(Rejection::TransportInUse);
    // Once it is free, it is like any other.
    room.prepare("bob", &unsubscribe("sub"));
    room.asks("bob", publish("sub", AUDIO))
        .granted(opened("sub"))
        .effect(opens_publication("sub", AUDIO));
}

#[test]
fn a_stream_that_is_not_ready_is_not_offered() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.publishing("alice", "cam");
    room.asks("bob", subscribe_offered("sub", "sub", "cam"))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::Stream));
}

#[test]
fn whoever_is_away_can_miss_an_offer() {
    let mut room = party();
    room.happened(lost_for("bob", OFFER_TIMEOUT * 2));
    room.happens(offered("sub")).told(&["bob"], an_offer("sub"));
    room.waits(OFFER_TIMEOUT)
        .effect(closes("sub"))
        .told(&["bob"], session_failed("sub", UNANSWERED));
}

#[test]
fn what_bob_does_not_take_he_has_not_subscribed_to() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.published("alice", "mic");
    let media =
        SubscribeMedia { audio: Some(wanted_audio("mic")), video: Some(wanted_video("cam")) };
    let (session, transport, offerer) = (id("sub"), id("sub"), Offerer::Server);
    room.prepare("bob", &Command::Subscribe { session, transport, offerer, media });
    room.happened(offered("sub"));
    room.prepare("bob", &negotiate("sub", answer()));
    room.happens(ready_with("sub", AUDIO)).told(&["bob"], session_ready("sub"));
    room.asks("bob", update("sub", None, Some("mic")))
        .refused(Rejection::NothingToUpdate(TrackKind::Video));
    // The picture is nothing to him, the sound is all.
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice", "bob"], removed("cam"));
    room.asks("alice", unpublish("mic"))
        .granted(Reply::Done)
        .effect(closes("mic"))
        .effect(closes("sub"))
        .told(&["bob"], source_lost("sub"))
        .told(&["alice", "bob"], removed("mic"));
}

#[test]
fn a_subscription_to_nothing_fails() {
    let mut room = party();
    room.happens(ready_with("sub", NEITHER))
        .effect(closes("sub"))
        .told(&["bob"], session_failed("sub", "No valid tracks in stream"));
}
