//! A packager that knows nothing of media, and players.

use std::{fmt::Write as _, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{
    http::{self, Raw},
    server::TestServer,
};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        http::header(&self.head, name)
    }

    /// The text of a granted request.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let text = if self.header("content-encoding") == Some("gzip") {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut GzDecoder::new(&self.body[..]), &mut text)
                .expect("gzip");
            text
        } else {
            String::from_utf8_lossy(&self.body).into_owned()
        };
        assert_eq!(self.status, 200, "{text}");
        text
    }

    /// Insists on a refusal; yields its text.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        let told: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(told.as_object().map(serde_json::Map::len), Some(1), "{told}");
        told["msg"].as_str().expect("a message").to_owned()
    }
}

/// Sends a request on a connection of its own.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("text");
    }
    if !body.is_empty() || method == "POST" || method == "PUT" {
        write!(head, "Content-Length: {}\r\n", body.len()).expect("text");
    }
    head.push_str("\r\n");
    let request = [head.as_bytes(), body].concat();
    let Raw { status, head, body } = http::exchange(address, &request).await;
    Answer { status, head, body }
}

/// Parts of one segment, and what they promise.
pub(crate) const PARTS: u64 = 4;
pub(crate) const PART_SECS: f64 = 0.25;

/// A packager that uploads to `/live/ann/show`, and players of it.
pub(crate) struct Show {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Show {
    /// A packager with a publisher's token.
    pub(crate) async fn new(server: &TestServer) -> Self {
        let token = server.token("studio", "ann", "presenter").await;
        Self::by(server, token)
    }

    /// A packager with this token.
    pub(crate) fn by(server: &TestServer, token: String) -> Self {
        Self { address: server.server().address(), token }
    }

    /// The same with a variant `v`, which has one-second segments of [`PARTS`] parts.
    pub(crate) async fn begun(server: &TestServer) -> Self {
        let show = Self::new(server).await;
        let answer = show.signal("updateVariant", variant("v")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        show
    }

    pub(crate) async fn signal(&self, action: &str, payload: Value) -> Answer {
        self.post(&signal(action, payload).to_string()).await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        self.post_as(&self.token, body).await
    }

    pub(crate) async fn post_as(&self, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        send(self.address, "POST", "/live/ann/show", &headers, body.as_bytes()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/live/ann/show/{path}");
        send(self.address, "PUT", &path, &[("Authorization", &bearer)], body).await
    }

    pub(crate) async fn end(&self) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        send(self.address, "DELETE", "/live/ann/show", &[("Authorization", &bearer)], b"").await
    }

    pub(crate) async fn part(&self, msn: u64, index: u64) -> Answer {
        self.signal("updatePart", part(json!({"variant": {"id": "v"}}), msn, index)).await
    }

    /// Whole segments, part by part.
    pub(crate) async fn segments(&self, numbers: std::ops::Range<u64>) {
        for msn in numbers {
            for index in 0..PARTS {
                let answer = self.part(msn, index).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
    }

    /// What a player gets.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.address, "GET", &format!("/live/ann/show/{path}"), &[], b"").await
    }

    /// The variant's playlist.
    pub(crate) async fn playlist(&self, query: &str) -> Answer {
        self.get(&format!("variant/v/playlist.m3u8{query}")).await
    }
}

/// A data signal.
pub(crate) fn signal(action: &str, mut payload: Value) -> Value {
    payload["playlist"] = json!({"id": "p", "version": 1});
    json!({
        "action": action, "version": 1, "id": "2f0e5a46-0000-4000-8000-000000000000",
        "timestamp": "1700000000000", "numbytes": 0, "payload": payload,
    })
}

/// What `updateVariant` says.
pub(crate) fn variant(id: &str) -> Value {
    json!({
        "variant": {
            "id": id, "codecs": "avc1.42c01f,mp4a.40.2", "bandwidth": "800000", "version": 1,
            "targetDuration": 1, "targetPartDuration": PART_SECS,
        },
        "segment": {"map": {"id": "m", "data": STANDARD.encode("init")}},
    })
}

/// The bytes of a part.
pub(crate) fn bytes(msn: u64, index: u64) -> String {
    format!("<part {index} of segment {msn}>")
}

/// What `updatePart` says, of the track that `payload` names.
pub(crate) fn part(mut payload: Value, msn: u64, index: u64) -> Value {
    payload["segment"] = json!({"id": format!("s{msn}"), "sequence": msn.to_string()});
    payload["part"] = json!({
        "id": format!("p{msn}.{index}"), "sequence": index, "duration": PART_SECS.to_string(),
        "independent": index == 0, "data": STANDARD.encode(bytes(msn, index)),
    });
    payload
}
