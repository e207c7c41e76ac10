use super::*;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a valid id")
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn seat(who: &str, room: &str) -> Seat {
    Seat {
        participant: id(who),
        room: id(room),
        user: format!("user of {who}"),
        role: "presenter".into(),
        ticket: "first".into(),
        expires: at(600),
        keep: Duration::from_secs(60),
        client: "1.1".into(),
    }
}

fn present(who: &str, room: &str) -> Note {
    Note::Present { room: id(room), info: info(who) }
}

fn info(who: &str) -> ParticipantInfo {
    let user: std::sync::Arc<str> = format!("user of {who}").into();
    ParticipantInfo { id: id(who), handle: user.clone(), user, role: "presenter".into() }
}

fn session(name: &str, kind: SessionKind) -> SessionRecord {
    SessionRecord { id: id(name), transport: id("pc"), kind }
}

fn opened(who: &str, name: &str, kind: SessionKind) -> Note {
    Note::Open { owner: id(who), session: session(name, kind) }
}

fn former(who: &str, keep_secs: u64, sessions: &[SessionRecord]) -> FormerParticipant {
    let keep = Duration::from_secs(keep_secs);
    FormerParticipant { info: info(who), keep, sessions: sessions.to_vec() }
}

#[tokio::test]
async fn a_ticket_is_exchanged_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path()).expect("opened");
    store.take_seat(seat("ann", "lobby"), at(0)).await.expect("taken");
    let exchange =
        |old: &str, new: &str| store.exchange_ticket(id("ann"), old.into(), new.into(), at(700));
    let (one, other) = tokio::join!(exchange("first", "second"), exchange("first", "third"));
    let won: Vec<_> = [one, other].into_iter().map(|it| it.expect("asked")).collect();
    let done = won.iter().filter(|it| matches!(it, Exchange::Done(_))).count();
    assert_eq!((done, won.contains(&Exchange::Retired)), (1, true), "{won:?}");
    let Some(Exchange::Done(now)) = won.into_iter().find(|it| *it != Exchange::Retired) else {
        panic!("one is done");
    };
    let expected = Seat { ticket: now.ticket.clone(), expires: at(700), ..seat("ann", "lobby") };
    assert_eq!(now, expected);
    drop(store);

    let store = Store::open(directory.path()).expect("opened again");
    let exchange =
        |who: &str, old: &str| store.exchange_ticket(id(who), old.into(), "last".into(), at(700));
    assert_eq!(exchange("ann", "first").await.expect("asked"), Exchange::Retired);
    assert!(matches!(exchange("ann", &now.ticket).await.expect("asked"), Exchange::Done(_)));
    assert_eq!(exchange("bob", "first").await.expect("asked"), Exchange::NoSeat);
    store.note(vec![Note::Gone(id("ann"))], at(1)).await.expect("noted");
    assert_eq!(exchange("ann", "last").await.expect("asked"), Exchange::NoSeat);
}

#[tokio::test]
async fn what_was_noted_is_found_again_by_room_and_age() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path()).expect("opened");
    store.take_seat(seat("zoe", "lobby"), at(1)).await.expect("taken");
    store.take_seat(seat("late", "lobby"), at(3)).await.expect("taken");
    let expired = Seat { expires: at(9), ..seat("old", "attic") };
    store.take_seat(expired, at(0)).await.expect("taken");
    let notes = vec![
        present("zoe", "lobby"),
        opened("zoe", "cam", SessionKind::Publication),
        opened("zoe", "cam", SessionKind::Stream),
        opened("zoe", "sub", SessionKind::Subscription),
        opened("zoe", "gone", SessionKind::Subscription),
        Note::Closed { owner: id("zoe"), session: id("gone") },
    ];
    store.note(notes, at(1)).await.expect("noted");
    let notes = vec![
        present("ann", "lobby"),
        present("left", "lobby"),
        opened("left", "cam", SessionKind::Stream),
        Note::Gone(id("left")),
        opened("left", "too-late", SessionKind::Stream),
    ];
    store.note(notes, at(2)).await.expect("noted");
    drop(store);

    let store = Store::open(directory.path()).expect("opened again");
    let zoe = [session("cam", SessionKind::Stream), session("sub", SessionKind::Subscription)];
    let lobby = vec![former("zoe", 60, &zoe), former("ann", 0, &[]), former("late", 60, &[])];
    let expected =
        BTreeMap::from([(id("lobby"), lobby), (id("attic"), vec![former("old", 0, &[])])]);
    assert_eq!(store.former_participants(at(10)).await.expect("read"), expected);
    store.note(vec![present("zoe", "lobby")], at(11)).await.expect("noted");
    let again = store.former_participants(at(10)).await.expect("read");
    let lobby: &Vec<FormerParticipant> = &again[&id::<RoomId>("lobby")];
    assert!(lobby.iter().all(|it| it.sessions.is_empty()), "whoever comes has no sessions");
}
