use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::*;
use crate::ids::{RoomId, TokenId};

fn opened() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("data")).expect("opened");
    (directory, store)
}

fn reopened(directory: &tempfile::TempDir) -> Store {
    Store::open(&directory.path().join("data")).expect("opened again")
}

fn id<T: std::str::FromStr<Err: fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a valid id")
}

fn token(room: &str) -> IssuedToken {
    IssuedToken { room: id(room), user: "ann".into(), role: "presenter".into(), service: None }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[tokio::test]
async fn services_come_and_go() {
    let (directory, store) = opened();
    let made = store.create_service("shop").await.expect("made");
    assert_eq!(made.id.as_str().len(), 24);
    assert_eq!(made.key.reveal().len(), 172, "128 bytes in base64");
    assert_eq!(store.service(&made.id).await.expect("read"), Some(made.clone()));
    drop(store);

    let store = reopened(&directory);
    assert_eq!(store.services().await.expect("read"), std::slice::from_ref(&made));
    assert!(store.remove_service(&made.id).await.expect("removed"));
    assert!(!store.remove_service(&made.id).await.expect("asked"));
    assert_eq!(store.service(&made.id).await.expect("read"), None);
}

#[tokio::test]
async fn rooms_are_kept_once_up_to_the_bound() {
    let (directory, store) = opened();
    let mut room = RoomRecord::new(id("r1"), "first");
    assert!(store.create_room(room.clone(), 2).await.expect("made"));
    let other = RoomRecord::new(id("r1"), "another of the same id");
    assert!(!store.create_room(other, 2).await.expect("asked"));
    assert!(store.create_room(RoomRecord::new(id("r2"), "second"), 2).await.expect("made"));
    let full = store.create_room(RoomRecord::new(id("r3"), "third"), 2).await;
    assert!(matches!(full, Err(StoreError::Full { what: "rooms", bound: 2 })), "{full:?}");

    room.name = "renamed".into();
    let rename = |record| Ok::<_, ()>(RoomRecord { name: "renamed".into(), ..record });
    let renamed = store.change_room(&id("r1"), rename).await.expect("changed");
    assert_eq!(renamed, Some(Ok(room.clone())));
    let refused = store.change_room(&id("r1"), |_| Err("no")).await.expect("asked");
    assert_eq!(refused, Some(Err("no")));
    assert_eq!(store.change_room(&id("r9"), rename).await.expect("asked"), None);
    drop(store);

    let store = reopened(&directory);
    assert_eq!(store.room(&id("r1")).await.expect("read"), Some(room));
    let ids: Vec<RoomId> =
        store.rooms().await.expect("read").into_iter().map(|room| room.id).collect();
    assert_eq!(ids, [id("r1"), id("r2")]);
    assert!(store.delete_room(&id("r1")).await.expect("deleted"));
    assert_eq!(store.room(&id("r1")).await.expect("read"), None);
}

#[tokio::test]
async fn a_token_admits_once_also_across_a_restart() {
    let (directory, store) = opened();
    let now = at(1_000_000);
    store.add_token(id("t1"), token("r"), now).await.expect("added");
    store.add_token(id("t2"), token("r"), now).await.expect("added");
    drop(store);

    let store = reopened(&directory);
    let used = store.use_token(id("t1"), now).await.expect("asked");
    assert_eq!(used, TokenUse::Admitted(token("r")));
    drop(store);

    let store = reopened(&directory);
    assert_eq!(store.use_token(id("t1"), now).await.expect("asked"), TokenUse::Unknown);
    assert_eq!(store.use_token(id("t3"), now).await.expect("asked"), TokenUse::Unknown);
    let late = now + TOKEN_LIFETIME + Duration::from_millis(1);
    assert_eq!(store.use_token(id("t2"), late).await.expect("asked"), TokenUse::Expired);
}

#[tokio::test]
async fn of_many_at_once_a_token_admits_one() {
    let (_directory, store) = opened();
    let now = at(1_000_000);
    store.add_token(id("t"), token("r"), now).await.expect("added");
    let attempts: Vec<_> = (0..200)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.use_token(id("t"), now).await })
        })
        .collect();
    let mut admitted = 0;
    for attempt in attempts {
        match attempt.await.expect("ran").expect("asked") {
            TokenUse::Admitted(_) => admitted += 1,
            TokenUse::Unknown | TokenUse::Expired => {}
        }
    }
    assert_eq!(admitted, 1);
}

#[tokio::test]
async fn old_tokens_and_ids_of_jwts_are_forgotten() {
    let (_directory, store) = opened();
    store.add_token(id("old"), token("r"), at(0)).await.expect("added");
    let later = at(3601);
    store.add_token(id("new"), token("r"), later).await.expect("added");
    assert_eq!(store.use_token(id("old"), later).await.expect("asked"), TokenUse::Unknown);

    assert!(store.use_jwt("j".into(), at(100), at(50)).await.expect("used"));
    assert!(!store.use_jwt("j".into(), at(100), at(100)).await.expect("asked"));
    assert!(store.use_jwt("k".into(), at(300), at(200)).await.expect("used"));
    assert!(store.use_jwt("j".into(), at(300), at(200)).await.expect("forgotten and used anew"));
}

#[tokio::test]
async fn writes_that_arrive_together_are_all_kept() {
    let (directory, store) = opened();
    let writes: Vec<_> = (0..1000)
        .map(|number| {
            let store = store.clone();
            let room = RoomRecord::new(id(&format!("r{number}")), "many");
            tokio::spawn(async move { store.create_room(room, 1000).await })
        })
        .collect();
    for write in writes {
        assert!(write.await.expect("ran").expect("kept"));
    }
    drop(store);
    assert_eq!(reopened(&directory).rooms().await.expect("read").len(), 1000);
}

#[test]
fn keys_are_made_once() {
    let (directory, store) = opened();
    let (token, ticket) = (store.token_key().reveal().len(), store.ticket_key().sign("x"));
    assert_eq!(token, 128, "64 bytes in hex");
    assert_ne!(store.token_key().reveal(), store.ticket_key().reveal());
    drop(store);
    assert_eq!(reopened(&directory).ticket_key().sign("x"), ticket);
}

#[test]
fn one_process_at_a_time() {
    let (_directory, store) = opened();
    let second = Store::open(store.directory());
    assert!(matches!(second, Err(StoreError::InUse { .. })), "{second:?}");
}

#[test]
fn only_the_owner_may_read() {
    let (_directory, store) = opened();
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(store.directory()), 0o700);
    assert_eq!(mode(&store.directory().join(FILE)), 0o600);
}

#[test]
fn what_is_no_store_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(FILE), [7; 10_000]).expect("written");
    assert!(matches!(Store::open(directory.path()), Err(StoreError::Database(_))));
    let file = directory.path().join("file");
    fs::write(&file, "").expect("written");
    assert!(matches!(Store::open(&file), Err(StoreError::Directory { .. })));
}

#[tokio::test]
async fn a_later_format_is_refused() {
    let (directory, store) = opened();
    store
        .write(|transaction| {
            let mut meta = transaction.open_table(schema::META)?;
            meta.insert(schema::FORMAT_KEY, schema::FORMAT + 1)?;
            Ok(())
        })
        .await
        .expect("written");
    drop(store);
    let refused = Store::open(&directory.path().join("data"));
    assert!(matches!(refused, Err(StoreError::Newer { .. })), "{refused:?}");
}

#[tokio::test]
async fn damaged_records_are_told_and_do_not_stop_the_others() {
    let (_directory, store) = opened();
    store
        .write(|transaction| {
            transaction.open_table(schema::TOKENS)?.insert("bad", "{}")?;
            Ok(())
        })
        .await
        .expect("written");
    let bad: TokenId = id("bad");
    let damaged = store.use_token(bad, at(1)).await;
    assert!(matches!(damaged, Err(StoreError::Damaged { table: "tokens", .. })), "{damaged:?}");
    store.add_token(id("good"), token("r"), at(1)).await.expect("added");
    let used = store.use_token(id("good"), at(1)).await.expect("asked");
    assert_eq!(used, TokenUse::Admitted(token("r")));
}

#[tokio::test]
async fn a_room_is_of_the_service_that_made_it_until_it_is_deleted() {
    let (_directory, store) = opened();
    let shop = store.create_service("shop").await.expect("made").id;
    let room = |name| RoomRecord::new(id(name), name);
    assert!(store.create_room_of(Some(shop.clone()), room("r1"), 9).await.expect("made"));
    assert!(store.create_room(room("r2"), 9).await.expect("made"));
    let kept = store.kept_rooms().await.expect("read");
    let owners: Vec<_> = kept.into_iter().map(|room| room.service).collect();
    assert_eq!(owners, [Some(shop.clone()), None]);
    let one = store.kept_room(&id("r1")).await.expect("read").expect("there");
    assert_eq!((one.record, one.service), (room("r1"), Some(shop)));
    assert!(store.delete_room(&id("r1")).await.expect("deleted"));
    assert!(store.create_room(room("r1"), 9).await.expect("made"));
    let one = store.kept_room(&id("r1")).await.expect("read").expect("there");
    assert_eq!(one.service, None, "a new room of an old id is not the old owner's");
}

#[tokio::test]
async fn a_service_made_while_there_is_no_super_service_becomes_it() {
    let (_directory, store) = opened();
    let first = store.create_service("first").await.expect("made");
    let second = store.create_service_with("second", "a key".to_owned().into()).await;
    let second = second.expect("made");
    assert_eq!((first.is_super, second.is_super), (true, false));
    assert_eq!(store.service(&second.id).await.expect("read"), Some(second));
    assert!(store.remove_service(&first.id).await.expect("removed"));
    let third = store.create_service("third").await.expect("made");
    assert!(third.is_super);
}
