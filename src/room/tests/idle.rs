//! When an empty room closes.

use std::time::Duration;

use super::{scenario::Scenario, words::*};
use crate::room::{Command, Effect, Rejection, Reply};

const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn a_room_that_nobody_enters_closes_once() {
    let mut room = Scenario::new();
    assert_eq!(room.room.poll_timeout(), Some(room.now + IDLE));
    room.waits(IDLE - MOMENT).ignored();
    room.waits(MOMENT).effect(Effect::CloseRoom);
    assert_eq!(room.room.poll_timeout(), None);
    room.waits(IDLE).ignored();
}

#[test]
fn somebody_who_comes_in_keeps_it_open_until_the_last_one_is_gone() {
    let mut room = Scenario::new();
    room.waits(IDLE - MOMENT).ignored();
    room.joined(&["alice", "bob"]);
    assert_eq!(room.room.poll_timeout(), None);
    room.waits(IDLE * 10).ignored();
    room.asks("alice", Command::Leave).granted(Reply::Done).told(&["bob"], left("alice"));
    room.waits(IDLE).ignored();
    room.happens(lost("bob")).ignored();
    assert_eq!(room.room.poll_timeout(), Some(room.now + IDLE));
    room.waits(IDLE - MOMENT).ignored();
    room.waits(MOMENT).effect(Effect::CloseRoom);
}

#[test]
fn whoever_is_not_let_in_does_not_prolong_it() {
    let mut room = Scenario::new();
    room.waits(IDLE - MOMENT).ignored();
    room.asks("alice", join("king")).refused(Rejection::InvalidRole);
    room.waits(MOMENT).effect(Effect::CloseRoom);
}

#[test]
fn a_room_that_was_kept_after_all_asks_again() {
    let mut room = Scenario::new();
    room.waits(IDLE).effect(Effect::CloseRoom);
    room.asks("alice", join("king")).refused(Rejection::InvalidRole);
    room.waits(IDLE).effect(Effect::CloseRoom);
    room.joined(&["alice"]);
    room.waits(IDLE).ignored();
    room.happens(lost("alice")).ignored();
    room.waits(IDLE).effect(Effect::CloseRoom);
}

#[test]
fn waking_it_early_does_nothing() {
    let mut room = Scenario::new();
    let due = room.room.poll_timeout();
    room.room.handle_timeout(room.now);
    assert_eq!(room.room.poll_output(), None);
    assert_eq!(room.room.poll_timeout(), due);
}
