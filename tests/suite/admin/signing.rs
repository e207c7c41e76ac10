//! Who is let in, and what every answer carries.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::client::{BackEnd, send, sign};
use crate::support::server::TestServer;

const CHALLENGE: &str = "WWW-Authenticate: MAuth realm=\"http://marte3.dit.upm.es\"";

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}

#[test]
fn the_tests_own_hmac_is_the_standards() {
    // RFC 4231, test case 2.
    assert_eq!(
        sign("Jefe", "what do ya want for nothing?"),
        "NWJkY2MxNDZiZjYwNzU0ZTZhMDQyNDI2MDg5NTc1Yzc1YTAwM2YwODlkMjczOTgzOWRlYzU4Yjk2NGVjMzg0Mw=="
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_signed_requests_are_let_in() {
    let server = TestServer::start().await;
    let back_end = BackEnd::of(&server).await;
    let good = back_end.header(&[]);
    let stranger = BackEnd { key: "guessed".into(), ..back_end.clone() };
    let nobody = BackEnd { id: "0123456789abcdef01234567".into(), ..back_end.clone() };
    let malformed = BackEnd { id: "no such id!".into(), ..back_end.clone() };
    let bad = [
        None,
        Some("Bearer x".to_owned()),
        Some(stranger.header(&[])),
        Some(nobody.header(&[])),
        Some(malformed.header(&[])),
        Some(good.replace("mauth_cnonce=", "mauth_cnonce=1")),
    ];
    for path in ["/v1/rooms", "/v1.1/rooms/", "/v1/nothing", "/v1.1/rooms/x/streams", "/services"] {
        for header in &bad {
            let answer = send(back_end.address, "GET", path, header.as_deref(), None).await;
            assert_eq!(answer.refused(401, 1101), CHALLENGE, "{path} {header:?}");
            assert_eq!(
                answer.body,
                format!("{{\"error\":{{\"code\":1101,\"message\":{}}}}}", json!(CHALLENGE))
            );
        }
    }
    let answer = send(back_end.address, "GET", "/v1/rooms", Some(&good), None).await;
    answer.granted();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_carry_owts_headers_and_options_needs_no_signature() {
    let server = TestServer::start().await;
    let back_end = BackEnd::of(&server).await;
    let unsigned = send(back_end.address, "GET", "/v1/rooms", None, None).await;
    let granted = back_end.get("/v1.1/rooms").await;
    let missing = back_end.get("/v1/rooms/nowhere").await;
    let options = send(back_end.address, "OPTIONS", "/v1/rooms/x/streams/y", None, None).await;
    assert_eq!((options.status, options.body.as_str()), (200, ""));
    for answer in [unsigned, granted, missing, options] {
        for (name, value) in [
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, DELETE, PATCH, PUT"),
            ("Access-Control-Allow-Headers", "origin, authorization, content-type"),
            ("Strict-Transport-Security", "max-age=1024000; includeSubDomain"),
            ("X-Content-Type-Options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_serves_again_and_again_unless_the_rest_is_strict() {
    for strict in [false, true] {
        let server = TestServer::with(|config| config.rest.strict = strict).await;
        let back_end = BackEnd::of(&server).await;
        let ask = |header: String| async move {
            send(back_end.address, "GET", "/v1/rooms", Some(&header), None).await.status
        };
        let back_end = BackEnd::of(&server).await;
        let header = back_end.header_of(now_ms(), "77", &[]);
        assert_eq!(ask(header.clone()).await, 200);
        let again = if strict { 401 } else { 200 };
        assert_eq!(ask(header).await, again, "strict: {strict}");
        assert_eq!(ask(back_end.header_of(now_ms(), "78", &[])).await, 200);
        for wrong in [0, now_ms() - 61_000, now_ms() + 61_000] {
            let header = back_end.header_of(wrong, "79", &[]);
            assert_eq!(ask(header).await, again, "strict: {strict}, {wrong}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_has_a_listener_of_its_own_if_wanted() {
    let server = TestServer::with(|config| {
        config.rest.listen = Some("127.0.0.1:0".parse().expect("an address"));
    })
    .await;
    let portal = BackEnd::of(&server).await;
    let address = server.server().rest_address().expect("listens");
    assert_ne!(address, portal.address);
    let own = BackEnd { address, ..portal.clone() };
    let room = own.room(json!({})).await;
    let path = format!("/v1/rooms/{room}");
    assert_eq!(own.get(&path).await.granted(), portal.get(&path).await.granted());
    // The doors are not there.
    let socket = send(address, "GET", "/socket.io/?EIO=4&transport=polling", None, None).await;
    assert_eq!(socket.status, 404);
    let socket = send(portal.address, "GET", "/socket.io/?EIO=4&transport=polling", None, None);
    assert_eq!(socket.await.status, 200);
    assert_eq!(send(address, "GET", "/healthz", None, None).await.status, 200);
}
