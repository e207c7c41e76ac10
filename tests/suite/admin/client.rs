//! A back end that signs its requests with code of its own.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::support::{
    http::{self, Raw},
    server::TestServer,
};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body, which must be JSON of a granted request.
    #[track_caller]
    pub(crate) fn granted(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body's text of a granted request.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        &self.body
    }

    /// Insists on a refusal; yields its text.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: u64) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(body["error"]["code"], code, "{self:?}");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{self:?}");
        body["error"]["message"].as_str().expect("a message").to_owned()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        http::header(&self.head, name)
    }
}

/// A service and where it asks.
#[derive(Clone)]
pub(crate) struct BackEnd {
    pub(crate) address: SocketAddr,
    pub(crate) id: String,
    pub(crate) key: String,
}

static NONCE: AtomicU64 = AtomicU64::new(10_000);

impl BackEnd {
    /// A new service of this server; the first one is the super service.
    pub(crate) async fn of(server: &TestServer) -> Self {
        let service = server.server().store().create_service("test").await.expect("a service");
        Self {
            address: server.server().address(),
            id: service.id.to_string(),
            key: service.key.reveal().to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", path, Some(body.to_string())).await
    }

    /// A signed request.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        send(self.address, method, path, Some(&self.header(&[])), body.as_deref()).await
    }

    /// A file, byte by byte, and the status that came with it.
    pub(crate) async fn file(&self, path: &str) -> (u16, Vec<u8>) {
        let header = self.header(&[]);
        let request = request("GET", path, Some(&header), None);
        let Raw { status, body, .. } = http::exchange(self.address, request.as_bytes()).await;
        (status, body)
    }

    /// A room of this name; yields its id.
    pub(crate) async fn room(&self, options: Value) -> String {
        let body = serde_json::json!({"name": "a room", "options": options});
        let room = self.post("/v1/rooms", body).await.granted();
        room["_id"].as_str().expect("an id").to_owned()
    }

    /// A header that was never sent before; `extra` is the signed user and role, if any.
    pub(crate) fn header(&self, extra: &[&str]) -> String {
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        self.header_of(now.as_millis(), &nonce.to_string(), extra)
    }

    /// A header of this time and nonce.
    pub(crate) fn header_of(&self, timestamp: u128, cnonce: &str, extra: &[&str]) -> String {
        let mut signed = format!("{timestamp},{cnonce}");
        let mut named = String::new();
        for (name, value) in ["username", "role"].iter().zip(extra) {
            signed.push_str(&format!(",{value}"));
            named.push_str(&format!(",mauth_{name}={value}"));
        }
        let signature = sign(&self.key, &signed);
        let id = &self.id;
        format!(
            "MAuth realm=http://webrtc.intel.com,mauth_signature_method=HMAC_SHA256,\
             mauth_serviceid={id},mauth_cnonce={cnonce},mauth_timestamp={timestamp}{named},\
             mauth_signature={signature}"
        )
    }
}

/// HMAC-SHA256 by its definition (RFC 2104), as hexadecimal text in base64.
pub(crate) fn sign(key: &str, message: &str) -> String {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    } else {
        block[..key.len()].copy_from_slice(key.as_bytes());
    }
    let inner: Vec<u8> = block.iter().map(|byte| byte ^ 0x36).chain(message.bytes()).collect();
    let outer: Vec<u8> = block.iter().map(|byte| byte ^ 0x5c).collect();
    let outer = [outer.as_slice(), digest(&SHA256, &inner).as_ref()].concat();
    let hex: String =
        digest(&SHA256, &outer).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    STANDARD.encode(hex)
}

/// A request with or without a signature.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    authorization: Option<&str>,
    body: Option<&str>,
) -> Answer {
    send_raw(address, request(method, path, authorization, body).as_bytes()).await
}

fn request(method: &str, path: &str, authorization: Option<&str>, body: Option<&str>) -> String {
    let authorization =
        authorization.map(|header| format!("Authorization: {header}\r\n")).unwrap_or_default();
    let body = body.unwrap_or_default();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Bytes as they are, and what comes back until the server closes.
pub(crate) async fn send_raw(address: SocketAddr, request: &[u8]) -> Answer {
    let Raw { status, head, body } = http::exchange(address, request).await;
    let body = String::from_utf8_lossy(&body).into_owned();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Answer { status, head, body: if chunked { unchunked(&body) } else { body } }
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        if size == 0 {
            break;
        }
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    body
}
