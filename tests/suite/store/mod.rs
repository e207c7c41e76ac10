//! The store of a process that is killed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use portico::{
    portal::token::{TokenError, Tokens},
    store::{RoomRecord, Store},
};

/// Tells the test below that it is the child, and where the store is.
const DIRECTORY: &str = "PORTICO_TEST_STORE";

/// Writes that are under way when the child is killed.
const BUSY_WRITERS: usize = 8;

/// What the child does: keeps things, says so, and goes on writing until it is killed.
async fn child(directory: &str) -> ! {
    let store = Store::open(directory.as_ref()).expect("opened");
    let tokens = Tokens::new(store.clone(), "127.0.0.1:8080", false);
    let room = RoomRecord::new("kept".parse().expect("valid"), "A room");
    store.create_room(room.clone(), 10).await.expect("made");
    let service = store.create_service("shop").await.expect("made");
    let used = tokens.issue(&room.id, "ann", "viewer", None).await.expect("issued");
    tokens.admit(used.reveal()).await.expect("admitted");
    let jwt = tokens.issue_jwt(&room.id, "ann", "viewer").expect("issued");
    tokens.admit(jwt.reveal()).await.expect("admitted");
    let fresh = tokens.issue(&room.id, "bob", "viewer", None).await.expect("issued");
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..BUSY_WRITERS {
        let (tokens, room) = (tokens.clone(), room.id.clone());
        writers.spawn(async move {
            loop {
                let token = tokens.issue(&room, "eve", "viewer", None).await.expect("issued");
                tokens.admit(token.reveal()).await.expect("admitted");
            }
        });
    }
    let service = format!("{} {}", service.id, service.key.reveal());
    let kept = format!("KEPT {service} {} {} {}", used.reveal(), jwt.reveal(), fresh.reveal());
    writeln!(std::io::stdout(), "{kept}").expect("the parent reads");
    let ended = writers.join_next().await;
    panic!("a writer ended: {ended:?}");
}

#[tokio::test]
async fn what_was_answered_survives_kill_9() {
    if let Ok(directory) = std::env::var(DIRECTORY) {
        child(&directory).await;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mut process = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "store::what_was_answered_survives_kill_9", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let out = BufReader::new(process.stdout.take().expect("piped"));
    let mut lines = out.lines().map(|line| line.expect("text"));
    let kept = lines.find_map(|line| line.split_once("KEPT ").map(|(_, rest)| rest.to_owned()));
    process.kill().expect("killed");
    process.wait().expect("ended");

    let kept = kept.expect("the child kept things");
    let words: Vec<&str> = kept.split(' ').collect();
    let [id, key, used, jwt, fresh] = words[..] else { panic!("five words: {kept}") };
    let store = Store::open(directory.path()).expect("opened after the kill");
    let room = store.room(&"kept".parse().expect("valid")).await.expect("read");
    assert_eq!(room.expect("kept").name, "A room");
    let service = store.service(&id.parse().expect("valid")).await.expect("read").expect("kept");
    assert_eq!((service.name.as_str(), service.key.reveal()), ("shop", key));

    let tokens = Tokens::new(store, "127.0.0.1:8080", false);
    for token in [used, jwt] {
        let refused = tokens.admit(token).await;
        assert!(matches!(refused, Err(TokenError::Unknown)), "{refused:?}");
    }
    // A token from before the kill still admits: the key is the same, and its record is there.
    let admission = tokens.admit(fresh).await;
    assert!(admission.is_ok(), "{admission:?}");
}
