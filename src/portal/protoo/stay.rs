//! Being in a room: what a participant of this door has the room do.

use std::sync::Arc;

use serde_json::Number;
use tokio::time::{Duration, Instant};

use super::{
    decode::Listed,
    message::Nothing,
    refusal::{Refusal, SessionKind},
    seat::{Seat, Waiting},
};
use crate::{
    driver::{Member, Responder, fresh_short_session},
    formats::Offerer,
    ids::{SessionId, StreamId, TransportId},
    portal::offer::Kinds,
    room::{Command, Negotiation, PublishMedia, Rejection, Reply},
};

/// How long an offer waits for its answer. `protoo-client` gives a request up after 22 s or more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an id is drawn for a session when the room has one of that id.
const ID_ATTEMPTS: usize = 5;

/// Being in a room.
pub(super) struct Stay {
    pub(super) member: Member,
    pub(super) seat: Arc<Seat>,
}

impl Stay {
    /// Answers a request with parts of the room.
    pub(super) async fn list(&self, id: Number, what: Listed) {
        let seat = Arc::clone(&self.seat);
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::Described(room)) => seat.client.grant(&id, seat.reader().lists(&room, what)),
            Ok(
                Reply::Done
                | Reply::Joined(_)
                | Reply::SessionOpened { .. }
                | Reply::Publishers(_)
                | Reply::Region { .. },
            ) => {
                seat.client.grant(&id, Nothing {});
            }
            Err(rejection) => seat.client.refuse(&id, &Refusal::of(&rejection, None)),
        });
        self.member.request(Command::Describe, respond).await;
    }

    /// Has the room do what needs no more than being granted.
    pub(super) async fn request(&self, id: Number, command: Command, about: Option<SessionKind>) {
        let client = self.seat.client.clone();
        let respond: Responder = Box::new(move |result| match result {
            Ok(_) => client.grant(&id, Nothing {}),
            Err(rejection) => client.refuse(&id, &Refusal::of(&rejection, about)),
        });
        self.member.request(command, respond).await;
    }

    /// Ends a session of one's own.
    pub(super) async fn end(&self, id: Number, kind: SessionKind, session: SessionId) {
        let (seat, ended) = (Arc::clone(&self.seat), session.clone());
        let respond: Responder = Box::new(move |result| match result {
            Ok(_) => {
                seat.client.grant(&id, Nothing {});
                seat.fail(ended.as_str(), |kind| Refusal::new(kind.failed(), "ended meanwhile"));
            }
            Err(rejection) => seat.client.refuse(&id, &Refusal::of_ending(&rejection, kind)),
        });
        self.member.request(end(kind, session), respond).await;
    }

    /// Offers for a session that was opened; the request is answered when the media side does.
    pub(super) async fn negotiate(
        &self,
        id: Number,
        kind: SessionKind,
        opened: Result<SessionId, Rejection>,
        sdp: Arc<str>,
    ) {
        let session = match opened {
            Ok(session) => session,
            Err(rejection) => {
                let refusal = Refusal::of(&rejection, Some(kind));
                return self.seat.client.refuse(&id, &refusal);
            }
        };
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let transport = TransportId::from(&session);
        self.seat.wait(session.clone(), Waiting { id, kind, deadline });
        let seat = Arc::clone(&self.seat);
        let respond: Responder = Box::new(move |result| {
            if let Err(rejection) = result {
                let reason = rejection.to_string();
                seat.fail(session.as_str(), |kind| Refusal::new(kind.failed(), reason));
            }
        });
        let payload = Negotiation::Offer(sdp);
        self.member.request(Command::Negotiate { transport, payload }, respond).await;
    }

    /// Opens a publication.
    pub(super) async fn publish(&self, media: &PublishMedia) -> Result<SessionId, Rejection> {
        self.open(|session| Command::Publish {
            transport: TransportId::from(&session),
            session,
            media: media.clone(),
            attributes: "{}".into(),
        })
        .await
    }

    /// Subscribes to as much of a stream as it has and the offer can receive.
    pub(super) async fn subscribe(
        &self,
        from: &StreamId,
        mut kinds: Kinds,
    ) -> Result<SessionId, Rejection> {
        if kinds == Kinds::default() {
            return Err(Rejection::NothingRequested);
        }
        loop {
            let media = kinds.wanted(from);
            let opened = self.open(|session| Command::Subscribe {
                transport: TransportId::from(&session),
                session,
                offerer: Offerer::Client,
                media: media.clone(),
            });
            match opened.await {
                Ok(session) => return Ok(session),
                Err(rejection) => kinds = kinds.less(&rejection).ok_or(rejection)?,
            }
        }
    }

    /// Opens a session under an id that the room does not have yet.
    async fn open(&self, command: impl Fn(SessionId) -> Command) -> Result<SessionId, Rejection> {
        for _ in 0..ID_ATTEMPTS {
            let session = fresh_short_session();
            match self.member.ask(command(session.clone())).await {
                Ok(_) => return Ok(session),
                Err(Rejection::SessionExists) => {}
                Err(rejection) => return Err(rejection),
            }
        }
        Err(Rejection::SessionExists)
    }
}

/// The request that ends a session.
pub(super) fn end(kind: SessionKind, session: SessionId) -> Command {
    match kind {
        SessionKind::Publication => Command::Unpublish { session },
        SessionKind::Subscription => Command::Unsubscribe { session },
    }
}
