//! Negotiation, and reports about sessions.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::Offerer,
    room::{AudioFeed, Effect, Negotiation, Notification, Rejection, Reply},
};

fn answer(transport: &str) -> Notification {
    Notification::Answer { transport: id(transport), sdp: "v=0 answer".into() }
}

#[test]
fn an_offer_goes_out_and_its_answer_comes_back() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "sub", "cam");
    for (who, transport) in [("alice", "cam"), ("bob", "sub")] {
        let payload = offer();
        room.asks(who, negotiate(transport, payload.clone()))
            .granted(Reply::Done)
            .effect(Effect::Negotiate { transport: id(transport), payload });
        room.happens(answered(transport)).told(&[who], answer(transport));
    }
}

#[test]
fn every_negotiation_message_is_passed_on_as_it_is() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.publishing("alice", "cam");
    for payload in [
        Negotiation::Answer("v=0".into()),
        Negotiation::Candidate("candidate:1 1 udp 1 127.0.0.1 9 typ host".into()),
        Negotiation::RemovedCandidates(vec!["candidate:1".into(), "".into()]),
    ] {
        room.asks("alice", negotiate("cam", payload.clone()))
            .granted(Reply::Done)
            .effect(Effect::Negotiate { transport: id("cam"), payload });
    }
}

#[test]
fn a_foreign_transport_is_as_unknown_as_none() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    for transport in ["cam", "nonsense", MIXED] {
        room.asks("bob", negotiate(transport, offer())).refused(Rejection::NoSuchSession);
    }
}

#[test]
fn a_transport_is_there_as_long_as_it_carries_a_session() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.asks("alice", publish_on("pc", "cam", AUDIO)).granted(opened_on("pc", "cam")).effect(
        Effect::OpenPublication {
            session: id("cam"),
            transport: id("pc"),
            audio: Some(settings().audio_in),
            video: None,
        },
    );
    // It is named by itself, not by its session.
    room.asks("alice", negotiate("cam", offer())).refused(Rejection::NoSuchSession);
    room.published("bob", "cam2");
    room.asks("alice", subscribe_on("pc", "sub", Some("cam2"), None))
        .granted(opened_on("pc", "sub"))
        .effect(Effect::OpenSubscription {
            offerer: Offerer::Client,
            session: id("sub"),
            transport: id("pc"),
            audio: Some(AudioFeed { from: id("cam2"), output: None }),
            video: None,
        });

    room.asks("alice", unpublish("cam")).granted(Reply::Done).effect(closes("cam"));
    room.happens(answered("pc")).told(&["alice"], answer("pc"));
    room.asks("alice", unsubscribe("sub")).granted(Reply::Done).effect(closes("sub"));
    room.happens(answered("pc")).ignored();
    room.asks("alice", negotiate("pc", offer())).refused(Rejection::NoSuchSession);
    // Its id is free again, for anybody.
    room.asks("bob", publish_on("pc", "cam3", AUDIO)).granted(opened_on("pc", "cam3")).effect(
        Effect::OpenPublication {
            session: id("cam3"),
            transport: id("pc"),
            audio: Some(settings().audio_in),
            video: None,
        },
    );
}

#[test]
fn reports_about_what_is_gone_are_ignored() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    for gone in ["nonsense", MIXED, "alice"] {
        room.happens(ready(gone)).ignored();
        room.happens(failed(gone, "late")).ignored();
        room.happens(answered(gone)).ignored();
        room.happens(measured(gone, VGA)).ignored();
    }
    for nobody in ["nobody", MIXED] {
        room.happens(lost(nobody)).ignored();
        room.happens(drop_out(nobody)).ignored();
    }
}
