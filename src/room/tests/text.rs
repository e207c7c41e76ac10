//! Text messages.

use super::{scenario::Scenario, words::*};
use crate::room::{Audience, Notification, Rejection, Reply, TextTarget};

fn text(from: &str, audience: Audience, message: &str) -> Notification {
    Notification::Text { from: info(from, "presenter"), audience, message: message.into() }
}

#[test]
fn a_text_to_all_reaches_its_sender_too_before_the_answer() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.asks("bob", say(TextTarget::All, "hello"))
        .told(&["alice", "bob"], text("bob", Audience::All, "hello"))
        .granted(Reply::Done);
}

#[test]
fn a_text_to_one_reaches_nobody_else() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob", "carol"]);
    for receiver in ["alice", "bob"] {
        room.asks("bob", say(TextTarget::One(id(receiver)), "psst"))
            .told(&[receiver], text("bob", Audience::Me, "psst"))
            .granted(Reply::Done);
    }
}

#[test]
fn a_receiver_must_be_in_the_room() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.asks("alice", say(TextTarget::One(id("bob")), "psst"))
        .refused(Rejection::NoSuchReceiver(id("bob")));
}

#[test]
fn length_is_counted_in_characters_and_first() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    for fitting in ["".to_owned(), "é".repeat(20)] {
        room.asks("alice", say(TextTarget::All, &fitting))
            .told(&["alice"], text("alice", Audience::All, &fitting))
            .granted(Reply::Done);
    }
    let long = "x".repeat(21);
    room.asks("alice", say(TextTarget::All, &long)).refused(Rejection::TextTooLong);
    room.asks("alice", say(TextTarget::One(id("bob")), &long)).refused(Rejection::TextTooLong);
}
