//! Clients of a server that is killed and started again.

use serde_json::{Value, json};

use crate::{
    cli::{Place, Server},
    support::{
        guest::Guest,
        media_peer::{Codec, MediaPeer},
        socketio::{EngineIo, Frame, RawClient},
    },
};

/// Ports that the system chooses; rooms are made on join.
const SETTINGS: &str =
    "[portal]\nport = 0\n[media]\nudp_port = 0\n[rooms]\ncreate_on_join = true\n";

fn token(place: &Place, user: &str) -> String {
    place.print(&["token", "--room", "lobby", "--user", user, "--role", "presenter"])
}

async fn guest(place: &Place, server: &Server, user: &str) -> Guest {
    Guest::enter(server.http_url(), &token(place, user)).await
}

/// Exchanges the ticket, twice: what the rooms wrote down before is on the disk afterwards.
async fn refreshed(guest: &mut Guest) -> String {
    let mut ticket = Value::Null;
    for _ in 0..2 {
        ticket = guest.client.granted("refreshReconnectionTicket", &Value::Null).await;
    }
    ticket.as_str().expect("a ticket").to_owned()
}

async fn back(server: &Server, ticket: &str) -> (RawClient, String) {
    let mut client = RawClient::connect(server.http_url(), EngineIo::V4).await;
    let next = client.granted("relogin", &ticket.into()).await;
    (client, next.as_str().expect("a ticket").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_come_back_to_a_server_that_was_killed() {
    let place = Place::with(SETTINGS);
    let server = place.serve();
    let mut ann = guest(&place, &server, "ann").await;
    let mut bob = guest(&place, &server, "bob").await;
    ann.client.expect_event("participant").await;
    let (camera, _sources) = ann.publish(&[Codec::VP8]).await;
    assert_eq!(bob.client.expect_event("stream").await["status"], "add");
    let mut peer = MediaPeer::builder().codecs(&[Codec::VP8]).build().await;
    peer.add_receiver(Codec::VP8.kind()).await;
    let wanted = json!({"audio": false, "video": {"from": camera.id}});
    let seen = bob.subscribe(wanted, peer).await;
    let mut carol = RawClient::connect(server.http_url(), EngineIo::V4).await;
    let login = json!({
        "token": token(&place, "carol"),
        "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
        "reconnection": false,
    });
    let carol = carol.granted("login", &login).await["id"].clone();
    let ann_ticket = refreshed(&mut ann).await;
    let bob_ticket = refreshed(&mut bob).await;
    server.kill();

    let server = place.serve();
    let (mut bob_again, bob_next) = back(&server, &bob_ticket).await;
    let lost = |id: &str| json!({"id": id, "status": "error", "data": "Server restarted"});
    let removed = json!({"id": camera.id, "status": "remove"});
    assert_eq!(bob_again.expect_event("progress").await, lost(&seen.id));
    assert_eq!(bob_again.expect_event("stream").await, removed);
    let carol_left = json!({"action": "leave", "data": carol});
    assert_eq!(bob_again.expect_event("participant").await, carol_left);
    let view = bob_again.expect_event("stream").await;
    assert_eq!((&view["id"], &view["data"]["field"]), (&json!("lobby-common"), &json!(".")));
    let (mut ann_again, _) = back(&server, &ann_ticket).await;
    assert_eq!(ann_again.expect_event("progress").await, lost(&camera.id));
    assert_eq!(ann_again.expect_event("stream").await, removed);
    assert_eq!(ann_again.expect_event("participant").await, carol_left);
    assert_eq!(ann_again.expect_event("stream").await, view);

    // Tickets are good once even across the restart.
    let mut thief = RawClient::connect(server.http_url(), EngineIo::V4).await;
    assert_eq!(thief.refused("relogin", &bob_ticket.into()).await, "Ticket is expired");
    assert_eq!(thief.next().await, Frame::Closed);

    // Everything works as before; the participants are the same.
    let mut ann = Guest { client: ann_again, id: ann.id, ticket: ann.ticket };
    let (camera, _sources) = ann.publish(&[Codec::VP8]).await;
    let added = bob_again.expect_event("stream").await;
    assert_eq!((&added["status"], &added["id"]), (&json!("add"), &json!(camera.id)));
    assert_eq!(added["data"]["info"]["owner"], ann.id.as_str());
    bob_again.granted("logout", &Value::Null).await;
    assert_eq!(ann.client.expect_event("stream").await, added);
    let left = ann.client.expect_event("participant").await;
    assert_eq!(left, json!({"action": "leave", "data": bob.id}));

    // Who left stays away, also over another restart.
    refreshed(&mut ann).await;
    server.kill();
    let server = place.serve();
    let mut gone = RawClient::connect(server.http_url(), EngineIo::V4).await;
    assert_eq!(gone.refused("relogin", &bob_next.into()).await, "Client does NOT exist");
}
