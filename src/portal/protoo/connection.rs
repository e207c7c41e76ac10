//! The life of a connection: outside, in a room, outside again.

use std::{sync::Arc, time::Duration};

use serde_json::Number;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::debug;

use super::{
    decode::{self, Listed, Wish},
    message::{Nothing, Request},
    peers::Hold,
    refusal::{Code, Refusal, SessionKind},
    seat::{Client, Seat, Teller},
    socket::{Door, IDLE, REPLACED, SHUTDOWN, SILENT},
    stay::{self, Stay},
};
use crate::{
    driver::{JoinError, JoinRequest, Responder, fresh_participant},
    ids::{RoomId, TransportId},
    portal::{flag::raised, token::Admission},
    room::{Command, Manner, Negotiation, Reply},
};

/// The role of everybody where no token says one.
const OPEN_ROLE: &str = "presenter";

/// What a visitor may do.
#[derive(Debug)]
pub(super) enum Pass {
    /// Enter any room.
    Open,
    /// Enter the room of its token.
    Admitted(Admission),
    /// Enter the room of its token, but whoever signed that has no such room.
    Nowhere(RoomId),
    /// Enter no room, for this reason.
    Refused(String),
}

impl Pass {
    /// The room within which the visitor's name is its own, if it may enter at all; `Some(None)`
    /// is the whole server.
    pub(super) fn room(&self) -> Option<Option<RoomId>> {
        match self {
            Self::Open => Some(None),
            Self::Admitted(admission) => Some(Some(admission.room.clone())),
            // Whoever has the name in that room is another service's.
            Self::Nowhere(_) | Self::Refused(_) => None,
        }
    }

    /// The admission to a room.
    fn admission(&self, room: RoomId, peer: &Arc<str>) -> Result<Admission, Refusal> {
        match self {
            Self::Open => {
                let (user, role) = (Arc::clone(peer), OPEN_ROLE.into());
                Ok(Admission { room, user, role, name: None, picture: None })
            }
            Self::Admitted(admission) if admission.room == room => Ok(admission.clone()),
            Self::Nowhere(known) if *known == room => {
                Err(Refusal::from(&JoinError::UnknownRoom(room)))
            }
            Self::Admitted(_) | Self::Nowhere(_) => {
                Err(Refusal::new(Code::Room, "the token is for another room"))
            }
            Self::Refused(reason) => Err(Refusal::new(Code::Token, reason.clone())),
        }
    }
}

/// A connection and where it stands. Requests are taken one at a time, in the order of the frames.
pub(super) struct Connection {
    client: Client,
    door: Door,
    peer: Arc<str>,
    pass: Pass,
    inbox: mpsc::Receiver<Request>,
    stay: Option<Stay>,
    /// Since when it has been in no room, if it is in none.
    since: Instant,
    /// When the client asked for something last.
    last_sign: Instant,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        door: Door,
        peer: Arc<str>,
        pass: Pass,
        inbox: mpsc::Receiver<Request>,
    ) -> Self {
        let now = Instant::now();
        Self { client, door, peer, pass, inbox, stay: None, since: now, last_sign: now }
    }

    /// Serves the client until its connection ends, and has it leave its room then. `hold` is given
    /// up last.
    pub(super) async fn run(mut self, mut hold: Option<Hold>, mut shutdown: watch::Receiver<bool>) {
        let wire = self.client.wire.clone();
        loop {
            let due = self.due();
            tokio::select! {
                biased;
                () = wire.hung_up() => break,
                () = evicted(hold.as_mut()) => break wire.hang_up(REPLACED),
                () = raised(&mut shutdown) => break wire.hang_up(SHUTDOWN),
                request = self.inbox.recv() => match request {
                    Some(request) => self.take(request).await,
                    None => break,
                },
                () = sleep_until(due) => self.wake().await,
            }
        }
        if let Some(Stay { member, .. }) = self.stay.take() {
            member.connection_lost().await;
        }
    }

    /// When something is due whether or not anything is asked.
    fn due(&self) -> Instant {
        let settings = self.door.doorway.settings();
        match &self.stay {
            None => self.since + settings.login_timeout,
            Some(stay) => {
                let silent = self.last_sign + self.door.settings.keepalive_timeout;
                stay.seat.first_deadline().map_or(silent, |offer| offer.min(silent))
            }
        }
    }

    async fn wake(&mut self) {
        let now = Instant::now();
        let wire = &self.client.wire;
        let Some(Stay { member, seat }) = &self.stay else {
            debug!(peer = %self.peer, "connection closed: it was in no room for too long");
            return wire.hang_up(IDLE);
        };
        for (session, kind) in seat.give_up(now) {
            // It may have ended by itself meanwhile.
            member.request(stay::end(kind, session), Box::new(drop)).await;
        }
        if self.last_sign + self.door.settings.keepalive_timeout <= now {
            debug!(peer = %self.peer, "connection closed: no keepalive");
            wire.hang_up(SILENT);
        }
    }

    async fn take(&mut self, Request { id, method, data }: Request) {
        self.last_sign = Instant::now();
        if method == "join" {
            return self.join(id, decode::room(&data)).await;
        }
        let Some(wish) = decode::wish(&method, &data, &self.door.node) else {
            return self
                .client
                .refuse(&id, &Refusal::new(Code::Unknown, "there is no such method"));
        };
        let Some(Stay { seat, .. }) = &self.stay else {
            return self.client.refuse(&id, &Refusal::not_joined());
        };
        let wish = match decode::room(&data) {
            Ok(room) if room == seat.room => wish,
            Ok(_) => Err(Refusal::new(Code::Room, "this is not the room that was joined")),
            Err(refusal) => Err(refusal),
        };
        match wish {
            Ok(wish) => self.fulfil(id, wish).await,
            Err(refusal) => self.client.refuse(&id, &refusal),
        }
    }

    async fn join(&mut self, id: Number, room: Result<RoomId, Refusal>) {
        let room = match room {
            Ok(room) => room,
            Err(refusal) => return self.client.refuse(&id, &refusal),
        };
        if let Some(stay) = &self.stay {
            if room == stay.seat.room {
                return stay.list(id, Listed::Everything).await;
            }
            return self
                .client
                .refuse(&id, &Refusal::new(Code::Room, "leave the other room first"));
        }
        match self.enter(&id, room).await {
            Ok(stay) => self.stay = stay,
            Err(refusal) => self.client.refuse(&id, &refusal),
        }
    }

    /// Goes into a room, which answers the request.
    async fn enter(&self, id: &Number, room: RoomId) -> Result<Option<Stay>, Refusal> {
        let admission = self.pass.admission(room, &self.peer)?;
        let room = self.door.doorway.registry().room(&admission.room).await;
        let room = room.map_err(|error| {
            debug!(room = %admission.room, %error, "join refused");
            Refusal::from(&error)
        })?;
        let (node, views) = (Arc::clone(&self.door.node), self.door.settings.list_views);
        let Admission { room: name, user, role, .. } = admission;
        let seat = Arc::new(Seat::new(self.client.clone(), name, node, views));
        let (seated, id) = (Arc::clone(&seat), id.clone());
        let respond: Responder = Box::new(move |result| match result {
            Ok(Reply::Joined(joined)) => {
                seated.called(Arc::clone(&joined.participant.handle));
                let lists = seated.reader();
                seated.client.grant(&id, lists.lists(&joined.room, Listed::Everything));
            }
            Ok(
                Reply::Done
                | Reply::SessionOpened { .. }
                | Reply::Region { .. }
                | Reply::Publishers(_)
                | Reply::Described(_),
            ) => {
                seated.client.grant(&id, Nothing {});
            }
            Err(rejection) => seated.client.refuse(&id, &Refusal::of(&rejection, None)),
        });
        let participant = fresh_participant();
        let outbox = Box::new(Teller(Arc::clone(&seat)));
        // The dialect knows no coming back: whoever connects again joins again.
        let (keep, manner) = (Duration::ZERO, Manner::default());
        let request = JoinRequest { participant, user, role, manner, keep, outbox, respond };
        let member = room.join(request).await;
        Ok(member.map(|member| Stay { member, seat }))
    }

    async fn fulfil(&mut self, id: Number, wish: Wish) {
        let Some(stay) = &self.stay else { return };
        match wish {
            Wish::KeepAlive => self.client.grant(&id, Nothing {}),
            Wish::Leave => self.leave(id).await,
            Wish::List { what } => stay.list(id, what).await,
            Wish::Publish { .. } | Wish::Subscribe { .. }
                if stay.seat.waiting_count() >= self.door.doorway.settings().pending_requests =>
            {
                self.client.refuse(&id, &Refusal::new(Code::Limit, "too many offers wait"));
            }
            Wish::Publish { sdp, media } => {
                let opened = stay.publish(&media).await;
                stay.negotiate(id, SessionKind::Publication, opened, sdp).await;
            }
            Wish::Subscribe { sdp, kinds, from } => {
                let opened = stay.subscribe(&from, kinds).await;
                stay.negotiate(id, SessionKind::Subscription, opened, sdp).await;
            }
            Wish::End { kind, session } => stay.end(id, kind, session).await,
            Wish::Trickle { kind, session, candidate } => {
                let transport = TransportId::from(&session);
                let payload = Negotiation::Candidate(candidate);
                let command = Command::Negotiate { transport, payload };
                stay.request(id, command, Some(kind)).await;
            }
            Wish::Broadcast { data } => {
                stay.request(id, Command::Broadcast { data }, None).await;
            }
        }
    }

    async fn leave(&mut self, id: Number) {
        let Some(Stay { member, seat }) = self.stay.take() else { return };
        // Whatever it is answered, the connection is in no room any more.
        drop(member.ask(Command::Leave).await);
        seat.abandon();
        self.client.grant(&id, Nothing {});
        self.since = Instant::now();
    }
}

async fn evicted(hold: Option<&mut Hold>) {
    match hold {
        Some(hold) => hold.evicted().await,
        None => std::future::pending().await,
    }
}
