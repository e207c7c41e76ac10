//! Requests that mean no good.

use std::fmt::Write as _;

use serde_json::json;

use super::client::{BackEnd, send_raw};
use crate::support::server::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_not_json_are_refused() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    let bodies = ["", "{", "nul", "{\"name\":\"x\"}}", "\u{0}", "{\"name\": \"\\ud800\"}", "[1,]"];
    let deep = "[".repeat(100_000);
    for body in bodies.into_iter().chain([deep.as_str()]) {
        for (method, path) in [
            ("POST", "/v1/rooms".to_owned()),
            ("PUT", format!("/v1/rooms/{room}")),
            ("PATCH", format!("/v1/rooms/{room}")),
            ("POST", format!("/v1/rooms/{room}/tokens")),
            ("POST", "/services".to_owned()),
        ] {
            let answer = back_end.ask(method, &path, Some(body.to_owned())).await;
            let message = answer.refused(400, 1201);
            assert!(message.starts_with("Failed to parse JSON body"), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_bodies_are_refused_before_they_are_read() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let fits = json!({"name": "x", "options": {"sip": {"x": "x".repeat(400_000)}}});
    back_end.post("/v1/rooms", fits).await.granted();
    let huge = json!({"name": "x".repeat(600_000)});
    back_end.post("/v1/rooms", huge).await.refused(413, 1201);

    // Announced as endless, and sent in chunks; the answer comes while the client still sends.
    let header = back_end.header(&[]);
    let head = |length: &str| {
        format!(
            "POST /v1/rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {header}\r\n\
             {length}\r\n\r\n"
        )
    };
    let mut chunked = head("Transfer-Encoding: chunked");
    for _ in 0..64 {
        write!(chunked, "8000\r\n{}\r\n", "x".repeat(0x8000)).expect("written");
    }
    send_raw(back_end.address, chunked.as_bytes()).await.refused(413, 1201);
    let announced = head("Content-Length: 99999999999") + "{";
    let mut announced = announced.into_bytes();
    announced.resize(700_000, b' ');
    send_raw(back_end.address, &announced).await.refused(413, 1201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tricks_with_paths_find_nothing() {
    let server = TestServer::with(|_| {}).await;
    let back_end = BackEnd::of(&server).await;
    let room = back_end.room(json!({})).await;
    for path in [
        "/v1/rooms/..%2F..%2Fetc%2Fpasswd".to_owned(),
        "/v1/rooms/%00".into(),
        "/v1/rooms/%FF".into(),
        "/v1/rooms/a%20b/participants".into(),
        format!("/v1/rooms/{room}%2Fparticipants"),
        format!("/v1/rooms/{room}%3F"),
        format!("/v1/rooms/{}", "x".repeat(20_000)),
        format!("/v1/rooms/{room}/nothing"),
        format!("/v1/rooms/{room}/participants/a/b"),
        format!("/v1/rooms/{room}/../{room}"),
        format!("/v1//rooms/{room}"),
        format!("/v1/ROOMS/{room}"),
        format!("/v1/rooms/{room}/streams/%2e%2e"),
        format!("/v1/rooms/{room}/views/..%2f/snapshot.jpg"),
        "/v1/".into(),
        "/v1.1/rooms//".into(),
        "/services//".into(),
    ] {
        let answer = back_end.get(&path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    for (method, path) in [("POST", "/v1/rooms/x"), ("PUT", "/v1/rooms"), ("TRACE", "/v1/rooms")] {
        back_end.ask(method, path, Some("{}".into())).await.refused(405, 1201);
    }
    back_end.get(&format!("/v1/rooms/{room}/")).await.granted();
}
