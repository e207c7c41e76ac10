//! What goes to all others, and the names by which they know each other.

use super::{scenario::Scenario, words::*};
use crate::room::{
    Command, MAX_BROADCAST_BYTES, Notification, ParticipantInfo, Rejection, Reply, RoomInfo,
};

fn heard(from: &str, data: &str) -> Notification {
    Notification::Broadcast { from: info(from, "presenter"), data: data.into() }
}

#[test]
fn a_broadcast_reaches_everybody_but_its_sender_after_the_answer() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob", "carol"]);
    room.asks("bob", broadcast(r#"{"hand":"up"}"#))
        .granted(Reply::Done)
        .told(&["alice", "carol"], heard("bob", r#"{"hand":"up"}"#));
}

#[test]
fn a_broadcast_has_a_length() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    let fits = "7".repeat(MAX_BROADCAST_BYTES);
    room.asks("alice", broadcast(&fits)).granted(Reply::Done).told(&["bob"], heard("alice", &fits));
    room.asks("alice", broadcast(&(fits + "7"))).refused(Rejection::TextTooLong);
}

#[test]
fn one_may_look_around_again() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    let stream = room.published("alice", "cam");
    let found = RoomInfo {
        id: id(ROOM),
        views: vec!["common".into()],
        streams: vec![mixed("common").into(), stream],
        participants: vec![info("alice", "presenter"), info("bob", "presenter")],
    };
    room.asks("bob", Command::Describe).granted(Reply::Described(Box::new(found)));
    room.asks("carol", Command::Describe).refused(Rejection::NotJoined);
}

#[test]
fn a_handle_is_the_users_name_or_the_next_that_is_free() {
    let mut room = Scenario::new();
    let handle = |room: &mut Scenario, who: &str, user: &str| {
        room.prepare(who, &join_as(user, "presenter"));
        let known: Vec<ParticipantInfo> = room.room.info().participants;
        let newcomer = known.into_iter().find(|it| it.id == id(who)).expect("came in");
        assert_eq!(&*newcomer.user, user);
        newcomer.handle.to_string()
    };
    assert_eq!(handle(&mut room, "a", "ann"), "ann");
    assert_eq!(handle(&mut room, "b", "ann"), "ann~2");
    assert_eq!(handle(&mut room, "c", "ann~2"), "ann~2~2");
    assert_eq!(handle(&mut room, "d", "ann"), "ann~3");
    assert_eq!(handle(&mut room, "e", "an"), "an");
    room.prepare("a", &Command::Leave);
    room.prepare("b", &Command::Leave);
    assert_eq!(handle(&mut room, "f", "ann"), "ann", "who left takes the name along");
    assert_eq!(handle(&mut room, "g", "ann"), "ann~2");
}
