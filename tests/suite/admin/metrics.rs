//! `/metrics`.

use super::client::{BackEnd, send, send_raw};
use crate::support::{guest::Guest, media_peer::Codec, server::TestServer};
use base64::{Engine as _, engine::general_purpose::STANDARD};

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("{name} is missing in:\n{text}"));
    line.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_and_packets_are_counted() {
    let server = TestServer::start().await;
    let address = server.server().address();
    let read = || async move { send(address, "GET", "/metrics", None, None).await };
    let before = read().await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(before.header("content-type"), Some(kind));
    let before = before.text().to_owned();
    assert!(before.ends_with("# EOF\n"), "{before}");
    assert!(before.contains(concat!(
        "portico_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1"
    )));
    for name in ["rooms", "participants", "streams", "subscriptions", "transports"] {
        assert!(value(&before, &format!("portico_{name}")).abs() < 0.5, "{before}");
    }

    let mut ann = Guest::join(&server, "lobby", "ann").await;
    let (session, _sources) = ann.publish(&[Codec::OPUS]).await;
    ann.client.expect_event("stream").await;
    let after = read().await.text().to_owned();
    for name in ["rooms", "participants", "streams", "transports"] {
        assert!((value(&after, &format!("portico_{name}")) - 1.0).abs() < 0.5, "{name}: {after}");
    }
    for direction in ["received", "sent"] {
        let packets = value(&after, &format!("portico_media_{direction}_packets_total"));
        let bytes = value(&after, &format!("portico_media_{direction}_bytes_total"));
        assert!(packets >= 2.0 && bytes > 20.0 * packets, "{after}");
    }
    drop(session);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_through_a_proxy_needs_the_super_services_key() {
    let server = TestServer::with(|_| {}).await;
    let first = BackEnd::of(&server).await;
    let second = BackEnd::of(&server).await;
    let address = first.address;
    let ask = |authorization: String| async move {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             X-Forwarded-For: 192.0.2.1\r\n{authorization}\r\n"
        );
        send_raw(address, request.as_bytes()).await
    };
    let basic = |id: &str, key: &str| {
        format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{id}:{key}")))
    };
    let refused = ask(String::new()).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate");
    assert!(challenge.is_some_and(|challenge| challenge.starts_with("Basic ")), "{refused:?}");
    assert_eq!(ask(basic(&second.id, &second.key)).await.status, 401, "not the super service");
    assert_eq!(ask(basic(&first.id, &second.key)).await.status, 401, "not its key");
    assert_eq!(ask(basic("nobody", "x")).await.status, 401);
    assert_eq!(ask("Authorization: Basic !\r\n".into()).await.status, 401);
    assert!(ask(basic(&first.id, &first.key)).await.text().contains("portico_rooms 0"));
}
