//! Presence by heartbeat.

use std::time::Duration;

use super::{scenario::Scenario, words::*};
use crate::room::{Command, Effect, Notification, Rejection, Reply, RoomKind};

const MOMENT: Duration = Duration::from_millis(1);

fn meeting() -> Scenario {
    let mut room = Scenario::with(|settings| {
        settings.views.clear();
        *settings = settings.clone().founded(RoomKind::Meeting, 3);
    });
    room.prepare("alice", &found("alice", RoomKind::Meeting));
    room.prepare("bob", &enter("bob", RoomKind::Meeting));
    room
}

#[test]
fn silence_for_ten_seconds_releases_and_no_less() {
    let mut room = meeting();
    room.waits(HEARTBEAT - MOMENT).ignored();
    let list = room.room.list_publishers();
    room.asks("alice", Command::Heartbeat).granted(Reply::Publishers(list));
    room.waits(MOMENT)
        .told(&["bob"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("bob") })
        .told(&["alice"], left("bob"));
    room.asks("bob", Command::Heartbeat).refused(Rejection::NotJoined);
    // The next one is due ten seconds after the last sign.
    let since = HEARTBEAT - MOMENT;
    assert_eq!(room.room.poll_timeout(), Some(room.now + since));
    room.waits(since)
        .told(&["alice"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("alice") });
}

#[test]
fn a_lost_connection_alone_releases_nobody() {
    let mut room = meeting();
    room.waits(HEARTBEAT / 2).ignored();
    room.happens(lost_for("bob", HEARTBEAT)).ignored();
    room.prepare("alice", &Command::Heartbeat);
    room.waits(HEARTBEAT / 2 - MOMENT).ignored();
    // Taking the place again is a sign of life.
    room.prepare("bob", &enter("bob", RoomKind::Meeting));
    room.prepare("alice", &Command::Heartbeat);
    room.waits(HEARTBEAT - MOMENT).ignored();
    room.prepare("alice", &Command::Heartbeat);
    room.waits(MOMENT)
        .told(&["bob"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("bob") })
        .told(&["alice"], left("bob"));
}

#[test]
fn the_owner_that_falls_silent_is_succeeded() {
    let mut room = meeting();
    room.prepare("alice", &grant_floor(one("bob")));
    room.waits(HEARTBEAT - MOMENT).ignored();
    room.prepare("bob", &Command::Heartbeat);
    let outcome = room
        .waits(MOMENT)
        .told(&["alice"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob"], left("alice"));
    let list = room.room.list_publishers();
    outcome.told(&["bob"], Notification::Publishers(list));
    room.asks("bob", grant_floor(one("alice"))).refused(Rejection::NoSuchMember);
}

#[test]
fn whoever_promised_no_heartbeat_gives_none() {
    let mut room = meeting();
    room.joined(&["olga"]);
    room.asks("olga", Command::Heartbeat).refused(Rejection::Unauthorized);
    room.waits(HEARTBEAT)
        .told(&["alice"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob", "olga"], left("alice"))
        .told(&["bob"], Notification::Expired)
        .effect(Effect::Disconnect { participant: id("bob") })
        .told(&["olga"], left("bob"));
}
