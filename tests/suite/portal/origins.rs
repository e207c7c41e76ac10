//! Whose pages may connect (`[portal] cors`), over each transport of each door.

use portico::config::{Auth, Config};
use tokio_tungstenite::tungstenite::{
    self,
    client::IntoClientRequest as _,
    http::{HeaderValue, header},
};

use crate::support::{guest::Guest, http, server::TestServer};

const WEBSOCKETS: [&str; 3] = ["/ws?peer=ann", "/signals", "/socket.io/?EIO=4&transport=websocket"];

/// A server whose doors open WebSockets without a token.
async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with(|config| {
        config.signals.auth = Auth::Open;
        change(config);
    })
    .await
}

/// The status of the answer to a WebSocket's handshake.
async fn handshake(server: &TestServer, path: &str, origin: Option<&str>) -> u16 {
    let url = server.http_url().replacen("http", "ws", 1) + path;
    let mut request = url.into_client_request().expect("a request");
    if let Some(origin) = origin {
        let origin = HeaderValue::from_str(origin).expect("a header");
        request.headers_mut().insert(header::ORIGIN, origin);
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, response)) => response.status().as_u16(),
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{path}: {error}"),
    }
}

/// The head of the answer to a request.
async fn ask(server: &TestServer, method: &str, path: &str, headers: &str) -> String {
    let address = server.server().address();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
    );
    http::exchange(address, request.as_bytes()).await.head.to_ascii_lowercase()
}

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_page_may_connect_unless_origins_are_listed() {
    let server = server(|config| config.rooms.create_on_join = true).await;
    for origin in [None, Some("https://anywhere.example.org"), Some("null"), Some("file://")] {
        for path in WEBSOCKETS {
            assert_eq!(handshake(&server, path, origin).await, 101, "{path} {origin:?}");
        }
    }
    let polled = ask(&server, "GET", POLLING, "Origin: https://anywhere.example.org\r\n").await;
    assert!(polled.starts_with("http/1.1 200"), "{polled}");
    for header in [
        "access-control-allow-origin: https://anywhere.example.org",
        "access-control-allow-credentials: true",
    ] {
        assert!(polled.lines().any(|line| line == header), "{header} in {polled}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_listed_pages_and_the_servers_own_may_connect() {
    let server = server(|config| {
        config.rooms.create_on_join = true;
        config.portal.cors = vec!["https://app.example.org".into()];
    })
    .await;
    let own = server.http_url();
    let other_port = format!("http://{}:1", server.server().address().ip());
    for (origin, status) in [
        (None, 101),
        (Some("https://app.example.org"), 101),
        (Some(own.as_str()), 101),
        (Some("http://app.example.org"), 403),
        (Some("https://evil.example.org"), 403),
        (Some(other_port.as_str()), 403),
        (Some("null"), 403),
    ] {
        for path in WEBSOCKETS {
            assert_eq!(handshake(&server, path, origin).await, status, "{path} {origin:?}");
        }
        let header = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        let polled = ask(&server, "GET", POLLING, &header).await;
        let wanted = if status == 101 { "http/1.1 200" } else { "http/1.1 403" };
        assert!(polled.starts_with(wanted), "{origin:?}: {polled}");
        let readable = polled.contains("access-control-allow-origin");
        assert_eq!(readable, origin == Some("https://app.example.org"), "{origin:?}: {polled}");
    }
    // A page that may not connect does not get the demo room's tokens either.
    let token = ask(&server, "POST", "/demo/token", "Origin: https://evil.example.org\r\n").await;
    assert!(token.starts_with("http/1.1 403"), "{token}");
    // Native clients have no origin.
    Guest::join(&server, "lobby", "ann").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_list_is_the_servers_own_pages() {
    let server = server(|config| config.portal.cors = Vec::new()).await;
    let own = server.http_url();
    for path in WEBSOCKETS {
        assert_eq!(handshake(&server, path, Some(&own)).await, 101);
        assert_eq!(handshake(&server, path, Some("https://app.example.org")).await, 403);
    }
}
