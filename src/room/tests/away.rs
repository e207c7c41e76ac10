//! Being away, coming back in time or not, and taking over from a process that died.

use std::time::Duration;

use super::{scenario::Scenario, words::*};
use crate::room::{
    Command, Effect, Event, FormerParticipant, Notification, RecordChange, Rejection, Reply,
    SessionKind, SessionRecord, TextTarget,
};

const KEEP: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(1);

/// Bob sees alice's stream.
fn party() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.published("alice", "cam");
    room.subscribing("bob", "b-sub", "cam");
    room
}

#[test]
fn whoever_is_away_keeps_everything_and_is_told_everything() {
    let mut room = party();
    room.happens(lost_for("bob", KEEP)).ignored();
    room.asks("alice", say(TextTarget::All, "hello"))
        .told(
            &["alice", "bob"],
            Notification::Text {
                from: info("alice", "presenter"),
                audience: crate::room::Audience::All,
                message: "hello".into(),
            },
        )
        .granted(Reply::Done);
    room.happens(ready("b-sub")).told(&["bob"], session_ready("b-sub"));
    room.happens(resumed("bob")).ignored();
    room.waits(KEEP * 2).ignored();
    assert_eq!(room.room.info().participants.len(), 2);
}

#[test]
fn whoever_is_away_for_too_long_is_disconnected_and_leaves() {
    let mut room = party();
    room.happens(lost_for("alice", KEEP)).ignored();
    assert_eq!(room.room.poll_timeout(), Some(room.now + KEEP));
    room.waits(KEEP - MOMENT).ignored();
    room.waits(MOMENT)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob"], left("alice"))
        .effect(closes("cam"))
        .effect(closes("b-sub"))
        .told(&["bob"], source_lost("b-sub"))
        .told(&["bob"], removed("cam"));
    room.happens(resumed("alice")).ignored();
    room.asks("alice", Command::Leave).refused(Rejection::NotJoined);
}

#[test]
fn a_second_loss_does_not_prolong_the_first() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.happens(lost_for("alice", KEEP)).ignored();
    room.waits(KEEP - MOMENT).ignored();
    room.happens(lost_for("alice", KEEP)).ignored();
    room.waits(MOMENT)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob"], left("alice"));
}

#[test]
fn a_loss_without_time_to_come_back_ends_an_absence() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.happens(lost_for("alice", KEEP)).ignored();
    room.happens(lost("alice")).told(&["bob"], left("alice"));
    room.waits(KEEP).ignored();
}

#[test]
fn those_who_are_away_can_be_dropped_and_leave() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob", "carol"]);
    room.happens(lost_for("alice", KEEP)).ignored();
    room.happens(drop_out("alice"))
        .told(&["alice"], Notification::Dropped)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob", "carol"], left("alice"));
    room.happens(lost_for("bob", KEEP)).ignored();
    room.asks("bob", Command::Leave).granted(Reply::Done).told(&["carol"], left("bob"));
    assert_eq!(room.room.poll_timeout(), None);
}

#[test]
fn a_room_whose_people_are_all_away_waits_for_them_then_for_others() {
    let mut room = Scenario::new();
    room.joined(&["alice", "bob"]);
    room.happens(lost_for("alice", KEEP)).ignored();
    room.happens(lost_for("bob", KEEP * 2)).ignored();
    room.waits(KEEP)
        .effect(Effect::Disconnect { participant: id("alice") })
        .told(&["bob"], left("alice"));
    room.waits(KEEP).effect(Effect::Disconnect { participant: id("bob") });
    assert_eq!(room.room.poll_timeout(), Some(room.now + IDLE));
    room.waits(IDLE).effect(Effect::CloseRoom);
}

#[test]
fn those_who_are_away_count() {
    let mut room = Scenario::with(|settings| settings.participant_limit = Some(1));
    room.joined(&["alice"]);
    room.happens(lost_for("alice", KEEP)).ignored();
    room.asks("bob", join("presenter")).refused(Rejection::RoomFull);
}

fn recorded(session: &str, kind: SessionKind) -> SessionRecord {
    SessionRecord { id: id(session), transport: id(session), kind }
}

fn former(who: &str, role: &str, keep: Duration, sessions: &[SessionRecord]) -> FormerParticipant {
    FormerParticipant { info: info(who, role), keep, sessions: sessions.to_vec() }
}

#[test]
fn former_participants_are_away_and_hear_what_they_lost() {
    let mut room = Scenario::new();
    let alice = [
        recorded("cam", SessionKind::Stream),
        recorded("connecting", SessionKind::Publication),
        recorded("a-sub", SessionKind::Subscription),
    ];
    let participants = vec![
        former("alice", "presenter", KEEP, &alice),
        former("bob", "presenter", Duration::ZERO, &[recorded("cam2", SessionKind::Stream)]),
        former("carol", "king", KEEP, &[recorded("c-sub", SessionKind::Subscription)]),
        former("dave", "viewer", KEEP * 2, &[]),
    ];
    let present = ["alice", "dave"];
    room.happens(Event::Restored { participants })
        .told(&["alice"], session_failed("cam", "Server restarted"))
        .told(&["alice"], session_failed("connecting", "Server restarted"))
        .told(&["alice"], session_failed("a-sub", "Server restarted"))
        .told(&present, removed("cam"))
        .told(&present, left("bob"))
        .told(&present, removed_of("cam2", "bob"))
        .told(&present, left_as("carol", "king"))
        .told(&present, changed(mixed("common")));
    let came = |who, role| RecordChange::Came(info(who, role));
    let records: Vec<_> = std::iter::from_fn(|| room.room.poll_record()).collect();
    let expected = [
        came("alice", "presenter"),
        RecordChange::Went(id("bob")),
        RecordChange::Went(id("carol")),
        came("dave", "viewer"),
    ];
    assert_eq!(records, expected);

    room.happens(resumed("alice")).ignored();
    room.waits(KEEP * 2)
        .effect(Effect::Disconnect { participant: id("dave") })
        .told(&["alice"], left_as("dave", "viewer"));
    room.asks("alice", publish("cam", AUDIO_VIDEO))
        .granted(opened("cam"))
        .effect(opens_publication("cam", AUDIO_VIDEO));
}

#[test]
fn what_happens_is_written_down() {
    let mut room = party();
    room.happens(ready("b-sub")).told(&["bob"], session_ready("b-sub"));
    room.asks("bob", unsubscribe("b-sub")).granted(Reply::Done).effect(closes("b-sub"));
    room.asks("alice", unpublish("cam"))
        .granted(Reply::Done)
        .effect(closes("cam"))
        .told(&["alice", "bob"], removed("cam"));
    room.publishing("alice", "again");
    room.asks("alice", Command::Leave)
        .granted(Reply::Done)
        .told(&["bob"], left("alice"))
        .effect(closes("again"));
    let opens = |who, session, kind| RecordChange::Opened {
        owner: id(who),
        session: recorded(session, kind),
    };
    let closed = |who, session| RecordChange::Closed { owner: id(who), session: id(session) };
    let records: Vec<_> = std::iter::from_fn(|| room.room.poll_record()).collect();
    let expected = [
        RecordChange::Came(info("alice", "presenter")),
        RecordChange::Came(info("bob", "presenter")),
        opens("alice", "cam", SessionKind::Publication),
        opens("alice", "cam", SessionKind::Stream),
        opens("bob", "b-sub", SessionKind::Subscription),
        closed("bob", "b-sub"),
        closed("alice", "cam"),
        opens("alice", "again", SessionKind::Publication),
        RecordChange::Went(id("alice")),
    ];
    assert_eq!(records, expected);
}
