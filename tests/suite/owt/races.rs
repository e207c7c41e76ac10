//! What happens at the same time: coming back against being given up, thrown out or refreshed.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use portico::{portal::ticket::Tickets, room::Order};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use crate::support::{
    guest::Guest,
    server::TestServer,
    socketio::{EngineIo, Frame, RawClient},
};

const GONE: &str = "Client does NOT exist";

/// So many participants with their tickets, and somebody who watches them.
async fn crowd(server: &TestServer, size: usize) -> (RawClient, Vec<Guest>) {
    let watcher = Guest::join(server, "lobby", "olga").await;
    let mut guests = Vec::new();
    for number in 0..size {
        guests.push(Guest::join(server, "lobby", &format!("ann{number}")).await);
    }
    (watcher.client, guests)
}

/// Reads on until each of these participants has left, once; nobody else may.
async fn see_off(watcher: &mut RawClient, mut leavers: BTreeSet<String>) {
    while !leavers.is_empty() {
        let left =
            watcher.skip_to_event("participant", |told| told["action"] == "leave").await["data"]
                .take();
        let left = left.as_str().expect("an id");
        assert!(leavers.remove(left), "{left} is in the room, or has left already");
    }
}

fn description(answer: &[Value]) -> &str {
    answer[1]["description"].as_str().expect("a description")
}

async fn relogin_refused(server: &TestServer, ticket: &str) -> String {
    let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    client.refused("relogin", &ticket.into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_and_being_given_up_exclude_each_other() {
    const CROWD: usize = 24;
    const KEEP: Duration = Duration::from_secs(1);
    let server = TestServer::with(|config| {
        config.rooms.create_on_join = true;
        config.portal.reconnection_timeout = KEEP;
    })
    .await;
    let (mut watcher, guests) = crowd(&server, CROWD).await;

    // The first comes back at once and the last too late; the others as close to the end as can be.
    let mut returns = JoinSet::new();
    for (number, guest) in guests.into_iter().enumerate() {
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let around = KEEP - Duration::from_millis(25) + Duration::from_millis(2) * number as u32;
        let after = match number {
            0 => Duration::ZERO,
            _ if number == CROWD - 1 => KEEP * 4,
            _ => around,
        };
        returns.spawn(async move {
            let Guest { client: old, id, ticket } = guest;
            drop(old);
            tokio::time::sleep_until(Instant::now() + after).await;
            let answer = client.request("relogin", Some(&ticket.into())).await;
            (number, id, client, answer)
        });
    }
    let (mut back, mut gone) = (Vec::new(), BTreeSet::new());
    for (number, id, mut client, answer) in returns.join_all().await {
        if answer[0] == "ok" {
            assert_ne!(number, CROWD - 1, "that was too late");
            back.push((id, client));
        } else {
            assert_ne!(number, 0, "that was in time");
            assert_eq!(description(&answer), GONE);
            assert_eq!(client.next().await, Frame::Closed);
            gone.insert(id);
        }
    }
    see_off(&mut watcher, gone).await;
    for (id, client) in &mut back {
        client.granted("text", &json!({"to": "all", "message": "here"})).await;
        let from = json!(id);
        watcher.skip_to_event("text", |text| text["from"] == from).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_thrown_out_while_coming_back_is_out() {
    const CROWD: usize = 24;
    let server = TestServer::start().await;
    let (mut watcher, guests) = crowd(&server, CROWD).await;
    let lobby = "lobby".parse().expect("an id");
    let mut ids = BTreeSet::new();
    for (number, guest) in guests.into_iter().enumerate() {
        let Guest { client: old, id, ticket } = guest;
        // Half of them come back while their old connection lives.
        let old = (number % 2 == 0).then_some(old);
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let ticket = json!(ticket);
        let room = server.server().registry().running(&lobby).expect("it runs");
        let order = Order::DropParticipant { participant: id.parse().expect("an id") };
        let (answer, dropped) = if number % 4 < 2 {
            tokio::join!(client.request("relogin", Some(&ticket)), room.manage(order))
        } else {
            let (dropped, answer) =
                tokio::join!(room.manage(order), client.request("relogin", Some(&ticket)));
            (answer, dropped)
        };
        assert!(matches!(dropped, Some(Ok(_))), "{dropped:?}");
        if answer[0] == "ok" {
            client.skip_to_event("drop", |_| true).await;
            assert_eq!(client.next().await, Frame::Closed);
            let next = answer[1].as_str().expect("a ticket");
            assert_eq!(relogin_refused(&server, next).await, GONE);
        } else {
            assert_eq!(description(&answer), GONE);
            assert_eq!(client.next().await, Frame::Closed);
        }
        drop(old);
        ids.insert(id);
    }
    see_off(&mut watcher, ids).await;
    watcher.granted("text", &json!({"to": "all", "message": "alone"})).await;
    assert_eq!(server.away(), 0);
}

/// The answer to a request, or nothing when the connection is closed instead.
async fn answer_if_any(client: &mut RawClient, name: &str) -> Option<Vec<Value>> {
    let wanted = client.emit(name, None).await;
    loop {
        match client.next().await {
            Frame::Ack { id, arguments } if id == wanted => return Some(arguments),
            Frame::Closed => return None,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_refreshed_or_used_but_not_both() {
    let server = TestServer::start().await;
    let (mut watcher, guests) = crowd(&server, 24).await;
    for Guest { client: mut old, id, ticket } in guests {
        let mut new = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let ticket = json!(ticket);
        let (refreshed, back) = tokio::join!(
            answer_if_any(&mut old, "refreshReconnectionTicket"),
            new.request("relogin", Some(&ticket)),
        );
        let refreshed = refreshed.filter(|answer| answer[0] == "ok");
        let mut present = match (&refreshed, back[0] == "ok") {
            (None, true) => new,
            (Some(_), false) => {
                assert_eq!(description(&back), "Ticket is expired");
                old
            }
            both => panic!("{both:?}, {back:?}"),
        };
        present.granted("text", &json!({"to": "all", "message": "still me"})).await;
        let from = json!(id);
        watcher.skip_to_event("text", |text| text["from"] == from).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_ticket_counts_in_its_time_and_for_its_participant_only() {
    let server = TestServer::start().await;
    let ann = Guest::join(&server, "lobby", "ann").await;
    let mut bob = Guest::join(&server, "lobby", "bob").await;
    let tickets = Tickets::new(server.server().store());
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    let signed = |participant: &str, from| {
        let participant = participant.parse().expect("an id");
        tickets.issue(&participant, hour, from).1.reveal().to_owned()
    };
    for (ticket, told) in [
        (signed(&ann.id, now - 2 * hour), "Ticket is expired"),
        (signed(&ann.id, now + hour), "Ticket is expired"),
        // Its signature is good, but it is not the one that she has.
        (signed(&ann.id, now), "Ticket is expired"),
        (signed("nobody", now), GONE),
    ] {
        assert_eq!(relogin_refused(&server, &ticket).await, told);
    }
    // Nobody takes another's place by a ticket while it has one of its own.
    let busy = bob.client.refused("relogin", &json!(ann.ticket)).await;
    assert_eq!(busy, "Connection is in service");
    bob.client.granted("text", &json!({"to": ann.id, "message": "keep it"})).await;
    let mut back = RawClient::connect(&server.http_url(), EngineIo::V4).await;
    back.granted("relogin", &json!(ann.ticket)).await;
}
