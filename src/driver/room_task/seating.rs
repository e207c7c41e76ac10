//! Who sits where: seats are given when somebody is let in, taken again by newer connections, and
//! lost with those that end.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tracing::info;

use super::{Pending, RoomTask};
use crate::{
    driver::{
        outbox::{Outbox, Responder},
        seat::{ConnectionId, Seat, Trouble},
    },
    ids::ParticipantId,
    room::{Event, FormerParticipant, Input, Notification, Rejection, Reply},
};

impl RoomTask {
    /// Gives a place to a new connection: the answer, then what was missed, then what comes.
    pub(super) fn resume(
        &mut self,
        participant: &ParticipantId,
        connection: ConnectionId,
        outbox: Box<dyn Outbox>,
        respond: Responder,
    ) {
        let Some(seat) = self.seats.get_mut(participant) else {
            return respond(Err(Rejection::NotJoined));
        };
        info!(room = %self.id, %participant, "connected again");
        let missed = seat.resume(connection, outbox);
        respond(Ok(Reply::Done));
        self.input(Input::Event(Event::Resumed { participant: participant.clone() }));
        let mut troubles = Vec::new();
        for notification in missed {
            self.tell(participant, &notification, &mut troubles);
        }
        self.settle(troubles);
    }

    pub(super) fn restore(&mut self, participants: Vec<FormerParticipant>) {
        info!(room = %self.id, participants = participants.len(), "room restored");
        let seats = participants.iter().filter(|it| !it.keep.is_zero());
        let seats = seats.map(|it| (it.info.id.clone(), Seat::away(it.keep)));
        self.seats.extend(seats);
        self.input(Input::Event(Event::Restored { participants }));
        let present: BTreeSet<_> =
            self.room.info().participants.into_iter().map(|it| it.id).collect();
        self.seats.retain(|participant, _| present.contains(participant));
    }

    /// Answers a request. Whoever is let in has a seat before it hears so; if it had one, it also
    /// hears what it missed, unless the answer itself tells that.
    pub(super) fn answer(
        &mut self,
        Pending { from, arrival, respond }: Pending,
        result: Result<Reply, Rejection>,
        troubles: &mut Vec<(ParticipantId, Trouble)>,
    ) {
        let Some(arrival) = arrival else { return respond(result) };
        let seat = self.seats.get_mut(&from);
        match (&result, seat) {
            (Ok(_), Some(seat)) => {
                info!(room = %self.id, participant = %from, "connected again");
                let missed = seat.resume(arrival.connection, arrival.outbox);
                respond(result);
                let told = |it: &Arc<Notification>| matches!(**it, Notification::Publishers(_));
                for notification in missed.iter().filter(|it| !told(it)) {
                    self.tell(&from, notification, troubles);
                }
            }
            (Ok(_), None) => {
                self.seats.insert(from, Seat::new(arrival));
                respond(result);
            }
            (Err(_), Some(_)) => respond(result),
            (Err(_), None) => {
                self.parts.journal.forget(from);
                respond(result);
            }
        }
    }

    /// Ends what cannot go on: connections that are gone, and participants that missed too much.
    pub(super) fn settle(&mut self, troubles: Vec<(ParticipantId, Trouble)>) {
        for (participant, trouble) in troubles {
            let Some(seat) = self.seats.get(&participant) else { continue };
            let keep = seat.keep();
            match trouble {
                Trouble::Gone => self.lost(participant, keep),
                Trouble::Slow => {
                    info!(room = %self.id, %participant, "connection closed: its outbox is full");
                    self.close(&participant);
                    self.lost(participant, Duration::ZERO);
                }
                Trouble::Overrun => {
                    info!(room = %self.id, %participant, "dropped: it missed too much while away");
                    self.close(&participant);
                    self.input(Input::Event(Event::Drop { participant }));
                }
            }
        }
    }

    pub(super) fn lose(&mut self, participant: ParticipantId) {
        let Some(seat) = self.seats.get_mut(&participant) else { return };
        let keep = seat.keep();
        seat.lose();
        self.lost(participant, keep);
    }

    /// Tells the room that a connection is gone.
    pub(super) fn lost(&mut self, participant: ParticipantId, keep: Duration) {
        if keep.is_zero() {
            self.seats.remove(&participant);
        }
        self.input(Input::Event(Event::ConnectionLost { participant, keep }));
    }
}
