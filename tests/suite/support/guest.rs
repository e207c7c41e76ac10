//! A participant that came in through the `owt` door: signaling by hand, media by a [`MediaPeer`].

use serde_json::{Value, json};

use super::{
    media_peer::{Codec, MediaPeer, Source},
    server::TestServer,
    socketio::{EngineIo, RawClient},
};

/// A participant in a room.
pub(crate) struct Guest {
    /// Its signaling.
    pub(crate) client: RawClient,
    /// Its id.
    pub(crate) id: String,
    /// Its first ticket.
    pub(crate) ticket: String,
}

/// A session that is up.
pub(crate) struct Session {
    /// Its id, which is the stream's where it publishes.
    pub(crate) id: String,
    /// Its media.
    pub(crate) peer: MediaPeer,
}

impl Guest {
    /// Logs in with a fresh token.
    pub(crate) async fn join(server: &TestServer, room: &str, user: &str) -> Self {
        let token = server.token(room, user, "presenter").await;
        Self::enter(&server.http_url(), &token).await
    }

    /// Logs in.
    pub(crate) async fn enter(url: &str, token: &str) -> Self {
        let mut client = RawClient::connect(url, EngineIo::V4).await;
        let login = json!({
            "token": token,
            "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
            "protocol": "1.1",
        });
        let joined = client.granted("login", &login).await;
        let text = |key: &str| joined[key].as_str().expect("a text").to_owned();
        Self { id: text("id"), ticket: text("reconnectionTicket"), client }
    }

    /// Tries to log in with a token that does not admit; yields why.
    pub(crate) async fn refused(server: &TestServer, token: &str) -> String {
        let mut client = RawClient::connect(&server.http_url(), EngineIo::V4).await;
        let login = json!({
            "token": token,
            "userAgent": {"sdk": {"type": "JavaScript", "version": "4.3"}},
            "protocol": "1.1",
        });
        client.refused("login", &login).await
    }

    /// Publishes sources of the given codecs and waits until the session is ready. The `stream
    /// add` that follows is left to be read.
    pub(crate) async fn publish(&mut self, codecs: &[Codec]) -> (Session, Vec<Source>) {
        self.client.publish(codecs).await
    }

    /// Publishes what a peer offers, described by `media`.
    pub(crate) async fn publish_peer(&mut self, media: Value, peer: MediaPeer) -> Session {
        self.client.negotiate("publish", &json!({"media": media}), peer).await
    }

    /// Subscribes with a peer that is ready to offer.
    pub(crate) async fn subscribe(&mut self, media: Value, peer: MediaPeer) -> Session {
        self.client.negotiate("subscribe", &json!({"media": media}), peer).await
    }
}

impl RawClient {
    /// Publishes as [`Guest::publish`] does, in whatever room the client is.
    pub(crate) async fn publish(&mut self, codecs: &[Codec]) -> (Session, Vec<Source>) {
        let mut peer = MediaPeer::builder().codecs(codecs).build().await;
        let mut sources = Vec::new();
        for codec in codecs {
            sources.push(peer.add_source(*codec).await);
        }
        let has = |kind: &str| codecs.iter().any(|codec| codec.mime_type.starts_with(kind));
        let audio = if has("audio") { json!({"source": "mic"}) } else { json!(false) };
        let video = if has("video") { json!({"source": "camera"}) } else { json!(false) };
        let request = json!({"media": {"audio": audio, "video": video}});
        let session = self.negotiate("publish", &request, peer).await;
        (session, sources)
    }

    /// Asks for a session and negotiates it until it is ready.
    pub(crate) async fn negotiate(
        &mut self,
        name: &str,
        request: &Value,
        mut peer: MediaPeer,
    ) -> Session {
        let opened = self.granted(name, request).await;
        let id = opened["id"].as_str().expect("a session id").to_owned();
        let offer = json!({"type": "offer", "sdp": peer.offer().await});
        self.granted("soac", &json!({"id": id, "signaling": offer})).await;
        let progress = self.await_event("progress").await;
        assert_eq!(progress["id"], id.as_str());
        assert_eq!(progress["status"], "soac", "{progress}");
        peer.accept(progress["data"]["sdp"].as_str().expect("an answer")).await;
        peer.connected().await;
        let progress = self.await_event("progress").await;
        assert_eq!(progress, json!({"id": id, "status": "ready"}));
        Session { id, peer }
    }

    /// Sends a request that must be granted; yields the answer's data.
    pub(crate) async fn granted(&mut self, name: &str, data: &Value) -> Value {
        let mut answer = self.request(name, Some(data)).await;
        assert_eq!(answer.first(), Some(&json!("ok")), "{name}: {answer:?}");
        answer.drain(1..).next().unwrap_or_default()
    }

    /// Sends a request that must be refused; yields the error's description.
    pub(crate) async fn refused(&mut self, name: &str, data: &Value) -> String {
        let answer = self.request(name, Some(data)).await;
        assert_eq!(answer.first(), Some(&json!("error")), "{name} {data}: {answer:?}");
        answer[1]["description"].as_str().expect("a description").to_owned()
    }
}
