//! A session's one publication.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::time::timeout;

use super::{
    decode::{SCREEN, Session},
    encode,
    message::Kind,
    refusal::Refusal,
    stay::{SDP_TIMEOUT, Stay, arrived},
};
use crate::{
    driver::fresh_session,
    formats::{AudioSource, VideoParameters, VideoSource},
    ids::{SessionId, StreamId, TransportId},
    live::Address,
    portal::offer,
    room::{Command, Negotiation, PublishAudio, PublishMedia, PublishVideo, RoomKind},
};

/// What others may read of a stream that is to be broadcast, too.
const FORWARDED: &str = r#"{"hlsForwarding":true}"#;

/// Bytes of a hash that tell a client's peer connections apart.
const ORIGIN_BYTES: usize = 4;

impl Stay {
    /// Publishes, or goes on publishing: an offer of the peer connection that carries the uplink is
    /// a retry or a restart of its ICE; one of another connection replaces the uplink.
    pub(super) async fn publish(&self, sdp: Arc<str>, live: bool) -> Result<String, Refusal> {
        let mut sends = offer::directions(&sdp)?.sends;
        let sdp = if sends.video && self.kind == RoomKind::AudioMeeting {
            sends.video = false;
            offer::without_video(&sdp).into()
        } else {
            sdp
        };
        if !sends.audio && !sends.video {
            return Err(Refusal::invalid("the offer sends nothing that the room takes"));
        }
        let origin = origin(&sdp);
        if let Some(uplink) = self.seat.uplink() {
            if uplink.as_str().ends_with(&origin)
                && let Some(answer) = self.renegotiate(&uplink, &sdp).await
            {
                return Ok(encode::answered(&self.seat.room, &answer));
            }
            self.seat.set_uplink(None);
            // It may have ended by itself meanwhile.
            drop(self.member.ask(Command::Unpublish { session: uplink }).await);
        }
        let answer = self.start(&sdp, sends, &origin, live).await?;
        Ok(encode::answered(&self.seat.room, &answer))
    }

    /// Offers again for a running uplink; nothing comes of it if the media side cannot.
    async fn renegotiate(&self, uplink: &SessionId, sdp: &Arc<str>) -> Option<Arc<str>> {
        let transport = TransportId::from(uplink);
        let awaited = self.seat.awaiting(transport.clone());
        let payload = Negotiation::Offer(Arc::clone(sdp));
        let command = Command::Negotiate { transport: transport.clone(), payload };
        if self.member.ask(command).await.is_err() {
            self.seat.forget(&transport);
            return None;
        }
        timeout(SDP_TIMEOUT / 2, awaited).await.ok()?.ok()?.ok()
    }

    async fn start(
        &self,
        sdp: &Arc<str>,
        sends: offer::Kinds,
        origin: &str,
        live: bool,
    ) -> Result<Arc<str>, Refusal> {
        let session = fresh_uplink(origin);
        let transport = TransportId::from(&session);
        let screen = *self.session.device.category == *SCREEN;
        let attributes = if live { FORWARDED } else { "{}" };
        let opened = self.member.ask(Command::Publish {
            session: session.clone(),
            transport: transport.clone(),
            media: media(sends, screen),
            attributes: attributes.into(),
        });
        opened.await.map_err(|rejection| Refusal::of(&rejection, Kind::Offer))?;
        self.seat.set_uplink(Some(session.clone()));
        if live {
            self.broadcast(&session).await;
        }
        let awaited = self.seat.awaiting(transport.clone());
        let payload = Negotiation::Offer(Arc::clone(sdp));
        let offered = self.member.ask(Command::Negotiate { transport, payload }).await;
        offered.map_err(|rejection| Refusal::of(&rejection, Kind::Offer))?;
        let answer = arrived(awaited).await;
        if answer.is_err() {
            self.seat.set_uplink(None);
            drop(self.member.ask(Command::Unpublish { session }).await);
        }
        answer
    }

    /// Broadcasts the uplink, too: as the user's, under the id of the session, which everybody in
    /// the room knows.
    async fn broadcast(&self, uplink: &SessionId) {
        let Session { id, user, .. } = &self.session;
        // A user's name may be no address; then there is no broadcast.
        if let Some(address) = Address::parse(user, id.as_str()) {
            self.member.broadcast(StreamId::from(uplink), address).await;
        }
    }
}

fn media(sends: offer::Kinds, screen: bool) -> PublishMedia {
    let (audio, video) = if screen {
        (AudioSource::ScreenCast, VideoSource::ScreenCast)
    } else {
        (AudioSource::Mic, VideoSource::Camera)
    };
    PublishMedia {
        audio: sends.audio.then_some(PublishAudio { source: Some(audio) }),
        video: sends
            .video
            .then(|| PublishVideo { source: Some(video), parameters: VideoParameters::default() }),
    }
}

/// A fresh session that says which peer connection it is of, so that whoever takes over from a
/// lost WebSocket knows it, too.
fn fresh_uplink(origin: &str) -> SessionId {
    let session = format!("{}-{origin}", fresh_session());
    session.parse().expect("hexadecimal digits and a hyphen make an id")
}

/// What tells a client's peer connections apart: the session of the SDP's origin (RFC 8866, 5.2),
/// which stays the same from one offer of a connection to its next, and the certificate.
fn origin(sdp: &str) -> String {
    let line = |start: &str| sdp.lines().find(|line| line.starts_with(start));
    let session = line("o=").and_then(|it| it.split_ascii_whitespace().nth(1));
    let certificate = line("a=fingerprint:").map(str::trim_end);
    let text = format!("{} {}", session.unwrap_or_default(), certificate.unwrap_or_default());
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(ORIGIN_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_that_of_a_peer_connection_and_of_its_certificate() {
        let sdp = |session: &str, version: &str, print: &str| {
            format!("v=0\r\no=- {session} {version} IN IP4 0.0.0.0\r\na=fingerprint:{print}\r\n")
        };
        let first = origin(&sdp("1", "1", "sha-256 AA"));
        assert_eq!(first.len(), 2 * ORIGIN_BYTES);
        assert_eq!(first, origin(&sdp("1", "2", "sha-256 AA")), "a later offer");
        assert_ne!(first, origin(&sdp("2", "1", "sha-256 AA")), "another connection");
        assert_ne!(first, origin(&sdp("1", "1", "sha-256 BB")), "another certificate");
        assert!(fresh_uplink(&first).as_str().ends_with(&first));
    }
}
