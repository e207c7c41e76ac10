//! The session journal: who is in which room with which sessions, and which ticket lets each come
//! back. It lets clients come back to a server that was restarted meanwhile.
//!
//! A *seat* is written before a participant enters and has its one valid ticket; the record of the
//! participant and its sessions follows what its room says. Both are removed when it leaves.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use redb::{ReadableTable as _, ReadableTableMetadata as _, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    schema::{self, FORMER_PARTICIPANTS, FORMER_SESSIONS, SEATS, unix_millis},
};
use crate::{
    ids::{ParticipantId, RoomId, SessionId},
    room::{FormerParticipant, ParticipantInfo, SessionKind, SessionRecord},
};

/// Participants that are written down at once.
pub const MAX_SEATS: u64 = 1_000_000;

/// A participant's place, to which the bearer of its ticket can come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Whose.
    pub participant: ParticipantId,
    /// In which room.
    pub room: RoomId,
    /// The account.
    pub user: String,
    /// The role.
    pub role: String,
    /// The id of the one ticket that counts.
    pub ticket: String,
    /// When that ticket ends.
    pub expires: SystemTime,
    /// How long the place is kept after the connection is lost.
    pub keep: Duration,
    /// What its door must know of the client again, in the door's own words.
    pub client: String,
}

/// What became of the attempt to exchange a ticket for the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Done; the new ticket is the only one that counts.
    Done(Seat),
    /// Nobody has that place any more.
    NoSeat,
    /// The ticket was exchanged before.
    Retired,
}

/// A change of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A participant is in a room, without sessions yet.
    Present {
        /// The room.
        room: RoomId,
        /// The participant.
        info: ParticipantInfo,
    },
    /// A participant is gone; its seat goes, too.
    Gone(ParticipantId),
    /// A session is there.
    Open {
        /// Whose.
        owner: ParticipantId,
        /// The session.
        session: SessionRecord,
    },
    /// A session is gone.
    Closed {
        /// Whose.
        owner: ParticipantId,
        /// The session.
        session: SessionId,
    },
}

#[derive(Serialize, Deserialize)]
struct SeatRecord {
    room: String,
    user: String,
    role: String,
    ticket: String,
    expires_ms: u64,
    keep_ms: u64,
    client: String,
    since_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct PresenceRecord {
    room: String,
    user: String,
    role: String,
    handle: String,
    since_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct OpenRecord {
    transport: String,
    kind: Kind,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Publication,
    Stream,
    Subscription,
}

impl Store {
    /// Writes down that a participant is about to enter and how it can come back.
    ///
    /// # Errors
    /// When [`MAX_SEATS`] are taken, or the store fails.
    pub async fn take_seat(&self, seat: Seat, now: SystemTime) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let mut seats = transaction.open_table(SEATS)?;
            if seats.len()? >= MAX_SEATS {
                return Err(StoreError::Full { what: "participants", bound: MAX_SEATS });
            }
            let record = SeatRecord {
                room: seat.room.to_string(),
                user: seat.user,
                role: seat.role,
                ticket: seat.ticket,
                expires_ms: unix_millis(seat.expires),
                keep_ms: seat.keep.as_millis().try_into().unwrap_or(u64::MAX),
                client: seat.client,
                since_ms: unix_millis(now),
            };
            seats.insert(seat.participant.as_str(), schema::json(&record).as_str())?;
            Ok(())
        })
        .await
    }

    /// Retires a participant's ticket for the next one, if it is the one that counts. Of several
    /// attempts with one ticket exactly one succeeds; when this returns, that is on the disk.
    ///
    /// # Errors
    /// When the store fails; the old ticket then still counts.
    pub async fn exchange_ticket(
        &self,
        participant: ParticipantId,
        old: String,
        new: String,
        expires: SystemTime,
    ) -> Result<Exchange, StoreError> {
        self.write(move |transaction| {
            let mut seats = transaction.open_table(SEATS)?;
            let record: Option<SeatRecord> = schema::record(&seats, "seats", participant.as_str())?;
            let Some(mut record) = record else { return Ok(Exchange::NoSeat) };
            if record.ticket != old {
                return Ok(Exchange::Retired);
            }
            record.ticket = new;
            record.expires_ms = unix_millis(expires);
            let json = schema::json(&record);
            let seat = record.into_seat(participant)?;
            seats.insert(seat.participant.as_str(), json.as_str())?;
            Ok(Exchange::Done(seat))
        })
        .await
    }

    /// Writes changes down, in their order and together.
    ///
    /// # Errors
    /// When the store fails; none of them is then written.
    pub async fn note(&self, notes: Vec<Note>, now: SystemTime) -> Result<(), StoreError> {
        self.write(move |transaction| {
            for note in &notes {
                write_down(transaction, note, now)?;
            }
            Ok(())
        })
        .await
    }

    /// Those who are written down, by room and by age. Whoever has no ticket that still counts can
    /// come back for no time at all.
    ///
    /// # Errors
    /// When the store fails or has a damaged record.
    pub async fn former_participants(
        &self,
        now: SystemTime,
    ) -> Result<BTreeMap<RoomId, Vec<FormerParticipant>>, StoreError> {
        self.read(move |transaction| {
            let mut former: BTreeMap<String, (u64, RoomId, FormerParticipant)> = BTreeMap::new();
            for row in transaction.open_table(FORMER_PARTICIPANTS)?.iter()? {
                let (id, json) = row?;
                let record: PresenceRecord = schema::parse("participants", json.value())?;
                let PresenceRecord { room, user, role, handle, since_ms } = record;
                let one = participant(id.value(), &user, &role, &handle)?;
                former.insert(id.value().to_owned(), (since_ms, id_of(&room)?, one));
            }
            for row in transaction.open_table(SEATS)?.iter()? {
                let (id, json) = row?;
                let record: SeatRecord = schema::parse("seats", json.value())?;
                let fresh = (
                    record.since_ms,
                    id_of(&record.room)?,
                    participant(id.value(), &record.user, &record.role, &record.user)?,
                );
                let (_, _, one) = former.entry(id.value().to_owned()).or_insert(fresh);
                if unix_millis(now) <= record.expires_ms {
                    one.keep = Duration::from_millis(record.keep_ms);
                }
            }
            for row in transaction.open_table(FORMER_SESSIONS)?.iter()? {
                let (key, json) = row?;
                let (owner, session) = key.value();
                let Some((_, _, one)) = former.get_mut(owner) else { continue };
                let record: OpenRecord = schema::parse("sessions", json.value())?;
                one.sessions.push(record.into_session(session)?);
            }
            let mut by_age: Vec<_> = former.into_values().collect();
            by_age
                .sort_by(|(a, _, one), (b, _, other)| (a, &one.info.id).cmp(&(b, &other.info.id)));
            let mut rooms: BTreeMap<RoomId, Vec<FormerParticipant>> = BTreeMap::new();
            for (_, room, participant) in by_age {
                rooms.entry(room).or_default().push(participant);
            }
            Ok(rooms)
        })
        .await
    }
}

fn write_down(
    transaction: &WriteTransaction,
    note: &Note,
    now: SystemTime,
) -> Result<(), StoreError> {
    match note {
        Note::Present { room, info } => {
            forget_sessions(transaction, &info.id)?;
            let record = PresenceRecord {
                room: room.to_string(),
                user: info.user.to_string(),
                role: info.role.to_string(),
                handle: info.handle.to_string(),
                since_ms: unix_millis(now),
            };
            let mut participants = transaction.open_table(FORMER_PARTICIPANTS)?;
            participants.insert(info.id.as_str(), schema::json(&record).as_str())?;
        }
        Note::Gone(participant) => {
            forget_sessions(transaction, participant)?;
            transaction.open_table(FORMER_PARTICIPANTS)?.remove(participant.as_str())?;
            transaction.open_table(SEATS)?.remove(participant.as_str())?;
        }
        Note::Open { owner, session } => {
            let kind = match session.kind {
                SessionKind::Publication => Kind::Publication,
                SessionKind::Stream => Kind::Stream,
                SessionKind::Subscription => Kind::Subscription,
            };
            let record = OpenRecord { transport: session.transport.to_string(), kind };
            let key = (owner.as_str(), session.id.as_str());
            let mut sessions = transaction.open_table(FORMER_SESSIONS)?;
            sessions.insert(key, schema::json(&record).as_str())?;
        }
        Note::Closed { owner, session } => {
            let key = (owner.as_str(), session.as_str());
            transaction.open_table(FORMER_SESSIONS)?.remove(key)?;
        }
    }
    Ok(())
}

fn forget_sessions(
    transaction: &WriteTransaction,
    owner: &ParticipantId,
) -> Result<(), StoreError> {
    let mut sessions = transaction.open_table(FORMER_SESSIONS)?;
    // Ids are ASCII, so this is above each of them.
    let all = (owner.as_str(), "")..(owner.as_str(), "\u{7f}");
    sessions.retain_in(all, |_, _| false)?;
    Ok(())
}

impl SeatRecord {
    fn into_seat(self, participant: ParticipantId) -> Result<Seat, StoreError> {
        Ok(Seat {
            participant,
            room: id_of(&self.room)?,
            user: self.user,
            role: self.role,
            ticket: self.ticket,
            expires: UNIX_EPOCH + Duration::from_millis(self.expires_ms),
            keep: Duration::from_millis(self.keep_ms),
            client: self.client,
        })
    }
}

impl OpenRecord {
    fn into_session(self, id: &str) -> Result<SessionRecord, StoreError> {
        let kind = match self.kind {
            Kind::Publication => SessionKind::Publication,
            Kind::Stream => SessionKind::Stream,
            Kind::Subscription => SessionKind::Subscription,
        };
        Ok(SessionRecord { id: id_of(id)?, transport: id_of(&self.transport)?, kind })
    }
}

/// A participant that nothing else is known of.
fn participant(
    id: &str,
    user: &str,
    role: &str,
    handle: &str,
) -> Result<FormerParticipant, StoreError> {
    let (user, role, handle) = (user.into(), role.into(), handle.into());
    let info = ParticipantInfo { id: id_of(id)?, user, role, handle };
    Ok(FormerParticipant { info, keep: Duration::ZERO, sessions: Vec::new() })
}

fn id_of<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| StoreError::Damaged {
        table: "journal",
        error: std::sync::Arc::new(serde::de::Error::custom(error)),
    })
}

#[cfg(test)]
mod tests;
