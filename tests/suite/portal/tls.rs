//! The portal over TLS, with a PFX file and with PEM files: pages, REST, long polling, WebSockets.

use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use portico::config::Config;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    cli::Place,
    support::{certificate::Issued, server::TestServer},
};

fn with_pfx(issued: &Issued, directory: &Path, config: &mut Config) {
    let path = directory.join("certificate.pfx");
    issued.write_pfx(&path, "open sesame");
    config.portal.keystore_path = Some(path);
    config.portal.keystore_password = "open sesame".to_owned().into();
}

fn with_pem(issued: &Issued, directory: &Path, config: &mut Config) {
    let (chain, key) = (directory.join("chain.pem"), directory.join("key.pem"));
    issued.write_chain(&chain);
    issued.write_key(&key);
    config.portal.keystore_path = Some(chain);
    config.portal.keystore_key_path = Some(key);
}

async fn connect(server: &TestServer, issued: &Issued) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(server.server().address()).await.expect("a connection");
    let name = "localhost".try_into().expect("a name");
    issued.connector().connect(name, socket).await.expect("the server is trusted")
}

/// The whole answer to a request.
async fn get(server: &TestServer, issued: &Issued, path: &str) -> String {
    let mut stream = connect(server, issued).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    // A server may close without TLS's own farewell; what came before counts.
    drop(stream.read_to_string(&mut answer).await);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_and_wss_are_spoken_with_a_pfx_file_and_with_pem_files() {
    let issued = Issued::fresh();
    let directory = tempfile::tempdir().expect("a directory");
    for with in [with_pfx, with_pem] {
        let server = TestServer::with(|config| {
            config.portal.ssl = true;
            with(&issued, directory.path(), config);
        })
        .await;

        let page = get(&server, &issued, "/").await;
        assert!(page.starts_with("HTTP/1.1 200 OK"), "{page:.200}");
        let polled = get(&server, &issued, "/socket.io/?EIO=4&transport=polling").await;
        assert!(polled.contains("\r\n0{\"sid\":"), "{polled}");
        let rest = get(&server, &issued, "/v1/rooms").await;
        assert!(rest.starts_with("HTTP/1.1 401"), "{rest:.200}");

        for path in ["/ws?peer=ann", "/socket.io/?EIO=4&transport=websocket"] {
            let url = format!("wss://localhost{path}");
            let stream = connect(&server, &issued).await;
            let (mut socket, _) =
                tokio_tungstenite::client_async(url, stream).await.expect("a WebSocket");
            let asked = r#"{"request":true,"id":1,"method":"join","data":{"rid":"lobby"}}"#;
            socket.send(Message::text(asked)).await.expect("sent");
            let heard = socket.next().await.expect("something").expect("a frame");
            let heard: Message = heard;
            assert!(heard.is_text(), "{path}: {heard:?}");
        }

        // Tokens say that TLS is spoken.
        let token = server.token("demo", "ann", "presenter").await;
        let token = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, token);
        let token: Value = serde_json::from_slice(&token.expect("base64")).expect("JSON");
        assert_eq!(token["secure"], json!(true));

        // Whoever speaks no TLS gets no answer, and harms nobody.
        let mut plain = TcpStream::connect(server.server().address()).await.expect("a connection");
        plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        let mut answer = Vec::new();
        drop(plain.read_to_end(&mut answer).await);
        assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
        assert!(get(&server, &issued, "/").await.starts_with("HTTP/1.1 200 OK"));
        server.shut_down().await;
    }
}

#[test]
fn a_wrong_password_ends_the_server_with_the_reason() {
    let settings = "[portal]\nssl = true\nkeystorePath = \"c.pfx\"\nkeystorePassword = \"guess\"\n";
    let place = Place::with(settings);
    Issued::fresh().write_pfx(&place.path().join("c.pfx"), "open sesame");
    for (code, command) in [(3, "check"), (4, "serve")] {
        let told = place.refusal(code, &[command]);
        assert!(told.contains("c.pfx does not open as a PFX file"), "{told}");
        assert!(told.contains("is the password right?"), "{told}");
        assert!(told.contains("keystorePassword"), "{told}");
        assert!(!told.contains("guess"), "{told}");
    }
    // The variable wins over the file.
    let mut check = place.command(&["check"]);
    let output = check.env("PORTICO_KEYSTORE_PASSWORD", "open sesame").output().expect("it ran");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_expired_certificate_is_told_but_served() {
    let place = Place::with(
        "[portal]\nport = 0\nssl = true\nkeystorePath = \"chain.pem\"\n\
         keystoreKeyPath = \"key.pem\"\n[media]\nudp_port = 0\n",
    );
    let issued = Issued::until(2001);
    issued.write_chain(&place.path().join("chain.pem"));
    issued.write_key(&place.path().join("key.pem"));
    let told = place.refusal(3, &["check"]);
    assert!(told.contains("chain.pem expired on 2001-12-31"), "{told}");
    let server = place.serve();
    assert!(server.said().contains("expired on 2001-12-31"), "{}", server.said());
}
