//! Being in a room: what a session of this door has the room do.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{sync::oneshot, time::timeout};

use super::{
    decode::{Session, Wish},
    encode,
    message::Kind,
    refusal::Refusal,
    seat::{Sdp, Seat},
};
use crate::{
    driver::{Member, Responder, fresh_session},
    formats::Offerer,
    ids::{ParticipantId, SessionId, StreamId, TransportId},
    portal::{candidate, offer::Kinds},
    room::{Command, Negotiation, PublisherInfo, Rejection, Reply, RoomKind, Sending, Whom},
};

/// How long the media side may take for an SDP, which it makes in milliseconds.
pub(super) const SDP_TIMEOUT: Duration = Duration::from_secs(5);

/// A session in a room.
pub(super) struct Stay {
    pub(super) member: Member,
    pub(super) seat: Arc<Seat>,
    /// What happens in the room.
    pub(super) kind: RoomKind,
    /// The session as it came in.
    pub(super) session: Session,
}

impl Stay {
    /// Has the room do what a signal is for.
    pub(super) async fn fulfil(&self, kind: Kind, data: Value, wish: Wish) {
        let message = || Arc::from(data.to_string());
        let command = match wish {
            // The connection's own affair.
            Wish::Join { .. } | Wish::Leave => return,
            Wish::Heartbeat { id, ack } => return self.heartbeat(data, id, ack).await,
            Wish::Offer { to, sdp, live } => {
                if self.is_meeting() {
                    let result = self.publish(sdp, live).await;
                    return self.answer(kind, &data, result);
                }
                Command::Relay { to, message: message() }
            }
            Wish::Answer { to, sdp } => {
                if self.is_meeting() {
                    let result = self.accept(&to, sdp).await;
                    return self.silently(kind, &data, result);
                }
                Command::Relay { to: Some(to), message: message() }
            }
            Wish::Ice { to, candidate } => {
                if self.is_meeting() {
                    let result = self.trickle(&to, &candidate).await;
                    return self.silently(kind, &data, result);
                }
                Command::Relay { to: Some(to), message: message() }
            }
            Wish::Watch { whom } => {
                let result = self.watch(&whom).await;
                return self.answer(kind, &data, result);
            }
            Wish::Update { sending } => Command::SetSending { sending },
            Wish::Request { sending } => Command::AskForFloor { sending, message: message() },
            Wish::Kick { whom } => Command::Kick { whom, message: message() },
            Wish::Accept { to } => Command::GrantFloor { to, message: message() },
            Wish::Reject { to } => Command::DenyFloor { to, message: message() },
        };
        self.request(kind, data, command).await;
    }

    fn is_meeting(&self) -> bool {
        matches!(self.kind, RoomKind::Meeting | RoomKind::AudioMeeting)
    }

    /// Has the room do something of which a client hears only if it is refused.
    async fn request(&self, kind: Kind, data: Value, command: Command) {
        let client = self.seat.client.clone();
        let respond: Responder = Box::new(move |result| {
            if let Err(rejection) = result {
                client.refuse(Some(kind), &data, &Refusal::of(&rejection, kind));
            }
        });
        self.member.request(command, respond).await;
    }

    async fn heartbeat(&self, data: Value, id: String, ack: bool) {
        let seat = Arc::clone(&self.seat);
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::Publishers(list)) if ack => {
                seat.client.answer(encode::heartbeat(&seat.room, &list, &id));
            }
            Ok(_) => {}
            Err(rejection) => {
                let kind = Kind::Heartbeat;
                seat.client.refuse(Some(kind), &data, &Refusal::of(&rejection, kind));
            }
        });
        self.member.request(Command::Heartbeat, respond).await;
    }

    fn answer(&self, kind: Kind, data: &Value, result: Result<String, Refusal>) {
        match result {
            Ok(frame) => self.seat.client.answer(frame),
            Err(refusal) => self.seat.client.refuse(Some(kind), data, &refusal),
        }
    }

    fn silently(&self, kind: Kind, data: &Value, result: Result<(), Refusal>) {
        if let Err(refusal) = result {
            self.seat.client.refuse(Some(kind), data, &refusal);
        }
    }

    /// Offers every stream that there is, with what its publisher is called on the wire. One that
    /// cannot be offered is left out: it can be asked for again.
    pub(super) async fn offer_all(&self) -> Vec<(String, Arc<str>)> {
        let mut begun = Vec::new();
        let publishers = self.seat.publishers();
        let others = publishers.iter().filter(|it| it.participant.id != self.session.id);
        for info in others {
            let Some(stream) = &info.stream else { continue };
            let target = encode::wire_id(info);
            if let Ok(awaited) = self.begin(target, stream, info.tracks).await {
                begun.push((target.to_owned(), awaited));
            }
        }
        let mut offers = Vec::with_capacity(begun.len());
        for (target, awaited) in begun {
            if let Ok(sdp) = arrived(awaited).await {
                offers.push((target, sdp));
            }
        }
        offers
    }

    /// Offers a publisher's stream, or the stream of that id, afresh.
    async fn watch(&self, whom: &Whom) -> Result<String, Refusal> {
        if !self.is_meeting() {
            return Err(Refusal::unsupported());
        }
        let target = one(whom)?.as_str();
        if target == self.session.id.as_str() {
            return Err(Refusal::invalid("to is oneself"));
        }
        let publishers = self.seat.publishers();
        let info = publishers.iter().find(|info| encode::wire_id(info) == target);
        let (stream, tracks) = match info {
            Some(PublisherInfo { stream: Some(stream), tracks, .. }) => (stream.clone(), *tracks),
            Some(_) => return Err(Refusal::left()),
            None => (target.parse().map_err(|_| Refusal::left())?, Sending::BOTH),
        };
        let begun = self.begin(target, &stream, tracks).await;
        let begun = begun.map_err(|rejection| Refusal::of(&rejection, Kind::Watch))?;
        let sdp = arrived(begun).await?;
        Ok(encode::watched(&self.seat.room, info, target, &sdp))
    }

    /// Starts to watch; the offer follows. An older offer of the same publisher is void.
    async fn begin(
        &self,
        target: &str,
        from: &StreamId,
        tracks: Sending,
    ) -> Result<oneshot::Receiver<Sdp>, Rejection> {
        let mut kinds = Kinds { audio: tracks.audio, video: tracks.video };
        loop {
            let session = fresh_session();
            let transport = TransportId::from(&session);
            let awaited = self.seat.awaiting(transport.clone());
            let opened = self.member.ask(Command::Subscribe {
                session: session.clone(),
                transport: transport.clone(),
                offerer: Offerer::Server,
                media: kinds.wanted(from),
            });
            match opened.await {
                Ok(_) => {
                    let void = self.seat.with_downlinks(|it| it.offers(target, session));
                    if let Some(void) = void {
                        self.unsubscribe(void).await;
                    }
                    return Ok(awaited);
                }
                Err(rejection) => {
                    self.seat.forget(&transport);
                    // A mixed stream may have one kind only.
                    kinds = kinds.less(&rejection).ok_or(rejection)?;
                }
            }
        }
    }

    /// Takes the answer to the offer of a publisher's stream, which then replaces what was watched
    /// of it before.
    async fn accept(&self, to: &Whom, sdp: Arc<str>) -> Result<(), Refusal> {
        let target = one(to)?.as_str();
        let offered = self.seat.with_downlinks(|it| it.offered(target));
        let session = offered.ok_or_else(Refusal::left)?;
        let transport = TransportId::from(&session);
        let payload = Negotiation::Answer(sdp);
        let answered = self.member.ask(Command::Negotiate { transport, payload }).await;
        answered.map_err(|rejection| {
            let left = rejection == Rejection::NoSuchSession;
            if left { Refusal::left() } else { Refusal::of(&rejection, Kind::Answer) }
        })?;
        if let Some(replaced) = self.seat.with_downlinks(|it| it.answered(target)) {
            self.unsubscribe(replaced).await;
        }
        Ok(())
    }

    /// Names a candidate of one's uplink or of what one watches.
    async fn trickle(&self, to: &Whom, candidate: &str) -> Result<(), Refusal> {
        let target = one(to)?.as_str();
        let session = if target == self.session.id.as_str() {
            self.seat.uplink()
        } else {
            self.seat.with_downlinks(|it| it.latest(target))
        };
        let session = session.ok_or_else(Refusal::no_recipient)?;
        let Some(line) = line(candidate)? else { return Ok(()) };
        let transport = TransportId::from(&session);
        let command = Command::Negotiate { transport, payload: Negotiation::Candidate(line) };
        match self.member.ask(command).await {
            Ok(_) => Ok(()),
            Err(Rejection::NoSuchSession) => Err(Refusal::no_recipient()),
            Err(rejection) => Err(Refusal::of(&rejection, Kind::Ice)),
        }
    }

    /// Ends a subscription, which may have ended by itself meanwhile.
    pub(super) async fn unsubscribe(&self, session: SessionId) {
        self.member.request(Command::Unsubscribe { session }, Box::new(drop)).await;
    }
}

/// Waits for an SDP.
pub(super) async fn arrived(awaited: oneshot::Receiver<Sdp>) -> Result<Arc<str>, Refusal> {
    match timeout(SDP_TIMEOUT, awaited).await {
        Ok(Ok(Ok(sdp))) => Ok(sdp),
        Ok(Ok(Err(reason))) => Err(Refusal::invalid(reason.to_string())),
        Ok(Err(_)) | Err(_) => Err(Refusal::no_answer()),
    }
}

/// The one session that `to` names; a whole user makes sense in calls only.
fn one(whom: &Whom) -> Result<&ParticipantId, Refusal> {
    match whom {
        Whom::One(session) => Ok(session),
        Whom::User(_) => Err(Refusal::invalid("to names no session")),
    }
}

/// The candidate in an `ICE` signal: a line, or a browser's object as JSON text; `None` is the end
/// of candidates.
fn line(text: &str) -> Result<Option<Arc<str>>, Refusal> {
    let malformed = || Refusal::invalid("sdp is no candidate");
    let value = if text.starts_with('{') {
        serde_json::from_str(text).map_err(|_| malformed())?
    } else {
        Value::from(text)
    };
    let line = candidate::line(Some(&value)).ok_or_else(malformed)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.starts_with("candidate:") { Ok(Some(line)) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_lines_or_browser_objects() {
        for text in [
            "candidate:1 1 udp 1 127.0.0.1 9 typ host",
            "a=candidate:1 1 udp 1 127.0.0.1 9 typ host",
            r#"{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0"}"#,
        ] {
            let line = line(text).expect("a candidate");
            assert_eq!(line.as_deref(), Some("candidate:1 1 udp 1 127.0.0.1 9 typ host"));
        }
        for end in ["", r#"{"candidate":"","sdpMid":"0"}"#] {
            assert_eq!(line(end), Ok(None), "the end of candidates");
        }
        for wrong in ["hello", "{", "{}", r#"{"candidate":7}"#] {
            assert!(line(wrong).is_err(), "{wrong}");
        }
    }
}
