//! Coming back with a ticket, whatever the door: each ticket is good once.

use std::time::SystemTime;

use serde_json::Value;

use super::{
    Doorway,
    ticket::{Ticket, TicketError},
};
use crate::{
    config::Secret,
    driver::RoomHandle,
    ids::ParticipantId,
    store::{Exchange, Seat, StoreError},
};

/// Somebody whose ticket was good, and what it needs to take its place again.
pub struct ComeBack {
    /// Its place.
    pub seat: Seat,
    /// The way to its room.
    pub room: RoomHandle,
    /// The id of its next ticket.
    pub id: Box<str>,
    /// Its next ticket.
    pub text: Secret,
}

/// Why somebody cannot come back, in OWT's words where it has some.
#[derive(Debug, thiserror::Error)]
pub enum ComeBackError {
    /// The ticket does not count.
    #[error("{0}")]
    Ticket(#[from] TicketError),
    /// The participant left, was dropped, or was away for too long.
    #[error("Client does NOT exist")]
    NoSeat,
    /// The ticket was exchanged for another one before. OWT lets tickets be replayed and has no
    /// words for this.
    #[error("Ticket is expired")]
    Retired,
    /// The exchange could not be kept.
    #[error("the ticket cannot be exchanged: {0}")]
    Store(#[from] StoreError),
}

impl Doorway {
    /// A ticket for a participant, with its text.
    pub fn issue_ticket(&self, participant: &ParticipantId) -> (Ticket, Secret) {
        self.tickets().issue(participant, self.settings().ticket_lifetime, SystemTime::now())
    }

    /// Exchanges the ticket of this id for the next one, of which this yields id and text.
    ///
    /// # Errors
    /// When the participant has no seat, or another ticket.
    pub async fn exchange(
        &self,
        participant: &ParticipantId,
        old: &str,
    ) -> Result<(Seat, Box<str>, Secret), ComeBackError> {
        let (ticket, text) = self.issue_ticket(participant);
        let new = ticket.id.to_string();
        let store = self.registry().store();
        let exchange =
            store.exchange_ticket(participant.clone(), old.to_owned(), new, ticket.not_after);
        match exchange.await? {
            Exchange::Done(seat) => Ok((seat, ticket.id, text)),
            Exchange::NoSeat => Err(ComeBackError::NoSeat),
            Exchange::Retired => Err(ComeBackError::Retired),
        }
    }

    /// Takes a ticket in, which no longer counts afterwards.
    ///
    /// # Errors
    /// When it does not count, or its participant is gone.
    pub async fn come_back(&self, ticket: &Value) -> Result<ComeBack, ComeBackError> {
        let Ticket { participant, id, .. } = self.tickets().verify(ticket, SystemTime::now())?;
        let (seat, id, text) = self.exchange(&participant, &id).await?;
        let room = self.registry().running(&seat.room).ok_or(ComeBackError::NoSeat)?;
        Ok(ComeBack { seat, room, id, text })
    }
}
