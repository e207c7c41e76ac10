//! Reconnection tickets: who bears one may take a participant's place again.
//!
//! A ticket is OWT's base64 JSON. Unlike OWT's, every field is signed, and the key is kept, so a
//! ticket outlives the process. That only the latest ticket of a participant counts is the affair
//! of whoever keeps its place: it compares [`Ticket::id`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;

use super::token::parse_base64_json;
use crate::{
    config::Secret,
    ids::ParticipantId,
    store::{SigningKey, Store, random},
};

/// The longest ticket that is looked at, in bytes.
pub const MAX_TICKET_BYTES: usize = 4096;

/// Issues and verifies tickets.
#[derive(Debug, Clone)]
pub struct Tickets {
    key: SigningKey,
}

/// A ticket that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Whose place it is for.
    pub participant: ParticipantId,
    /// Tells it from other tickets of that participant.
    pub id: Box<str>,
    /// When it ends.
    pub not_after: SystemTime,
}

/// Why a ticket does not count, in OWT's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// It does not read as a ticket; says what its reader saw.
    #[error("{0}")]
    Malformed(String),
    /// It is too old, or not valid yet.
    #[error("Ticket is expired")]
    Expired,
    /// Nobody who may sign has signed it.
    #[error("Invalid reconnection ticket signature")]
    Signature,
}

/// The object, its keys in OWT's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'t> {
    participant_id: &'t str,
    ticket_id: &'t str,
    not_before: u64,
    not_after: u64,
    signature: String,
}

impl Tickets {
    /// Tickets signed by the store's key.
    pub fn new(store: &Store) -> Self {
        Self { key: store.ticket_key().clone() }
    }

    /// A fresh ticket and its text.
    pub fn issue(
        &self,
        participant: &ParticipantId,
        lifetime: Duration,
        now: SystemTime,
    ) -> (Ticket, Secret) {
        let id = base36(u64::from_be_bytes(random()));
        let (not_before, not_after) = (millis(now), millis(now + lifetime));
        let signature =
            self.key.sign(&signed_text(participant.as_str(), &id, not_before, not_after));
        let wire = Wire {
            participant_id: participant.as_str(),
            ticket_id: &id,
            not_before,
            not_after,
            signature,
        };
        let json = serde_json::to_string(&wire).expect("texts and numbers are JSON");
        let ticket = Ticket {
            participant: participant.clone(),
            id: id.as_str().into(),
            not_after: UNIX_EPOCH + Duration::from_millis(not_after),
        };
        (ticket, STANDARD.encode(json).into())
    }

    /// Reads a ticket, given as base64 text as every SDK sends it, or as the object that the
    /// protocol document describes, in which `ParticipantId` is an accepted spelling.
    ///
    /// # Errors
    /// When it does not count.
    pub fn verify(&self, ticket: &Value, now: SystemTime) -> Result<Ticket, TicketError> {
        let decoded = match ticket.as_str() {
            Some(text) if text.len() > MAX_TICKET_BYTES => {
                let what = format!("longer than {MAX_TICKET_BYTES} bytes");
                return Err(TicketError::Malformed(what));
            }
            Some(text) => &parse_base64_json(text).map_err(TicketError::Malformed)?,
            None => ticket,
        };
        let text = |name: &str| decoded.get(name).and_then(Value::as_str);
        let time = |name: &str| decoded.get(name).and_then(Value::as_u64);
        let participant = text("participantId").or_else(|| text("ParticipantId"));
        let (Some(participant), Some(id), Some(not_before), Some(not_after), Some(signature)) =
            (participant, text("ticketId"), time("notBefore"), time("notAfter"), text("signature"))
        else {
            return Err(TicketError::Signature);
        };
        if !(not_before..=not_after).contains(&millis(now)) {
            return Err(TicketError::Expired);
        }
        if id.len() > MAX_TICKET_BYTES || participant.len() > MAX_TICKET_BYTES {
            return Err(TicketError::Signature);
        }
        if !self.key.verify(&signed_text(participant, id, not_before, not_after), signature) {
            return Err(TicketError::Signature);
        }
        Ok(Ticket {
            participant: participant.parse().map_err(|_| TicketError::Signature)?,
            id: id.into(),
            not_after: UNIX_EPOCH + Duration::from_millis(not_after),
        })
    }
}

fn signed_text(participant: &str, id: &str, not_before: u64, not_after: u64) -> String {
    format!("{participant},{id},{not_before},{not_after}")
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}

/// A number as OWT writes the ids of its tickets.
fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        let digit = usize::try_from(number % 36).expect("less than 36");
        digits.push(char::from(DIGITS[digit]));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;
