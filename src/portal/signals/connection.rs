//! The life of a connection, and the sessions that are in rooms by it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};
use tracing::debug;

use super::{
    decode::{self, Session, Signal, Wish},
    encode,
    message::{Frame, Kind},
    passes::Pass,
    refusal::Refusal,
    seat::{Client, Seat, Teller},
    socket::{Door, RENEW, SHUTDOWN},
    stay::Stay,
};
use crate::{
    driver::{JoinRequest, Responder},
    ids::{ParticipantId, RoomId},
    portal::{engines::Engine, flag::raised, token::Admission},
    room::{Command, FloorEntry, FloorView, Manner, Profile, Rejection, Reply, RoomKind},
};

/// Sessions that can be in rooms by one connection.
const MAX_SESSIONS: usize = 8;

/// A connection. Signals are taken one at a time, in the order of the frames.
pub(super) struct Connection {
    client: Client,
    door: Door,
    pass: Pass,
    inbox: mpsc::Receiver<String>,
    stays: BTreeMap<(RoomId, ParticipantId), Stay>,
    /// When the client is to connect again.
    ends: Option<Instant>,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        door: Door,
        pass: Pass,
        inbox: mpsc::Receiver<String>,
    ) -> Self {
        let lifetime = door.settings.connection_lifetime;
        let ends = (!lifetime.is_zero()).then(|| Instant::now() + lifetime);
        Self { client, door, pass, inbox, stays: BTreeMap::new(), ends }
    }

    /// Serves the client until its connection ends. Its sessions stay in their rooms until their
    /// heartbeats are missed.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let wire = self.client.wire.clone();
        let ends = self.ends;
        loop {
            tokio::select! {
                biased;
                () = wire.hung_up() => break,
                () = raised(&mut shutdown) => break wire.hang_up(SHUTDOWN),
                () = reached(ends) => break wire.hang_up(RENEW),
                frame = self.inbox.recv() => match frame {
                    Some(frame) => self.take(&frame).await,
                    None => break,
                },
            }
        }
        for stay in std::mem::take(&mut self.stays).into_values() {
            stay.member.connection_lost().await;
        }
    }

    async fn take(&mut self, frame: &str) {
        let Frame { kind, data } = Frame::read(frame);
        let Some(kind) = kind else {
            return self.client.refuse(None, &data, &Refusal::invalid("there is no such action"));
        };
        self.stays.retain(|_, stay| !stay.seat.is_over());
        let refused = match decode::signal(kind, &data) {
            Ok(Signal { channel, session, room, wish }) => match wish {
                Wish::Join { sending, engine, founding } => {
                    let heartbeat = self.door.settings.heartbeat_timeout;
                    let entry = FloorEntry { kind: channel, founding, sending, heartbeat };
                    return self.join(&data, room, session, entry, engine).await;
                }
                Wish::Leave => self.leave(channel, &session, &room).await,
                wish @ (Wish::Update { .. }
                | Wish::Heartbeat { .. }
                | Wish::Kick { .. }
                | Wish::Request { .. }
                | Wish::Accept { .. }
                | Wish::Reject { .. }
                | Wish::Offer { .. }
                | Wish::Answer { .. }
                | Wish::Ice { .. }
                | Wish::Watch { .. }) => match self.stay(channel, &session, &room) {
                    Ok(stay) => return stay.fulfil(kind, data, wish).await,
                    Err(refusal) => Err(refusal),
                },
            },
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = refused {
            self.client.refuse(Some(kind), &data, &refusal);
        }
    }

    /// The stay of a session. One that is in the room by another connection is as unknown as one
    /// that is not there.
    fn stay(&self, channel: RoomKind, session: &Session, room: &RoomId) -> Result<&Stay, Refusal> {
        let stay = self.stays.get(&(room.clone(), session.id.clone()));
        let stay = stay.ok_or_else(Refusal::no_room)?;
        if stay.session.user != session.user {
            return Err(Refusal::invalid("ss.userId is not the session's"));
        }
        if stay.kind != channel {
            return Err(Refusal::unsupported());
        }
        Ok(stay)
    }

    async fn leave(
        &mut self,
        channel: RoomKind,
        session: &Session,
        room: &RoomId,
    ) -> Result<(), Refusal> {
        self.stay(channel, session, room)?;
        if let Some(stay) = self.stays.remove(&(room.clone(), session.id.clone())) {
            // Whatever it is answered, the session is in the room no longer.
            drop(stay.member.ask(Command::Leave).await);
        }
        Ok(())
    }

    async fn join(
        &mut self,
        data: &Value,
        room: RoomId,
        session: Session,
        entry: FloorEntry,
        engine: Engine,
    ) {
        let key = (room, session.id.clone());
        let (stay, view) = match self.enter(&key, session, entry).await {
            Ok(entered) => entered,
            Err(refusal) => return self.client.refuse(Some(Kind::Join), data, &refusal),
        };
        for unanswered in stay.seat.adopt(&view) {
            stay.unsubscribe(unanswered).await;
        }
        let admission = self.door.serving(engine, &key.0, &stay, view.standing);
        let sdps = match admission.engine() {
            Engine::Native => stay.offer_all().await,
            Engine::LiveKit | Engine::HundredMs | Engine::Agora => Vec::new(),
        };
        let ice_servers = &self.door.settings.ice_servers;
        stay.seat.welcome(encode::joined(&key.0, &view, &admission, ice_servers, &sdps));
        self.stays.insert(key, stay);
    }

    /// Goes into a room, or takes the session's place there again.
    async fn enter(
        &self,
        key: &(RoomId, ParticipantId),
        session: Session,
        entry: FloorEntry,
    ) -> Result<(Stay, FloorView), Refusal> {
        if self.stays.len() >= MAX_SESSIONS && !self.stays.contains_key(key) {
            return Err(Refusal::invalid("too many sessions by one connection"));
        }
        let Admission { room, user, role, name, picture } =
            self.pass.admission(&key.0, &session)?;
        let registry = self.door.doorway.registry();
        let handle = if entry.founding {
            registry.founded(&room, entry.kind, self.door.settings.max_publishers).await
        } else {
            registry.existing(&room).await
        };
        let handle = handle.map_err(|error| {
            debug!(%room, %error, "join refused");
            Refusal::from(&error)
        })?;
        let seat = Arc::new(Seat::new(self.client.clone(), room));
        let (respond, answer) = oneshot::channel();
        let respond: Responder = Box::new(move |result| drop(respond.send(result)));
        let profile = Profile { name, picture, device: Some(session.device.clone()) };
        let manner = Manner { profile, floor: Some(entry) };
        let outbox = Box::new(Teller(Arc::clone(&seat)));
        // Presence ends the stay; until then nothing that the room tells is lost.
        let keep = entry.heartbeat;
        let participant = session.id.clone();
        let request = JoinRequest { participant, user, role, manner, keep, outbox, respond };
        let member = handle.join(request).await;
        let answer = answer.await.unwrap_or(Err(Rejection::NoSuchRoom));
        match (member, answer) {
            (Some(member), Ok(Reply::Joined(joined))) => {
                let view = joined.floor.ok_or_else(Refusal::no_room)?;
                Ok((Stay { member, seat, kind: entry.kind, session }, view))
            }
            (_, Err(rejection)) => Err(Refusal::of(&rejection, Kind::Join)),
            (_, Ok(_)) => Err(Refusal::no_room()),
        }
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
