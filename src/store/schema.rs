//! The tables of the database, and records in them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// The format of everything below. A change that older releases cannot read raises it.
pub(super) const FORMAT: u64 = 1;

/// Numbers about the store itself.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The key of the format in [`META`].
pub(super) const FORMAT_KEY: &str = "format";
/// Signing keys by name.
pub(super) const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
/// Service keys as JSON, by id.
pub(super) const SERVICES: TableDefinition<'_, &str, &str> = TableDefinition::new("services");
/// Room records as JSON, by id.
pub(super) const ROOMS: TableDefinition<'_, &str, &str> = TableDefinition::new("rooms");
/// Which service made a room, by the room's id; rooms that nobody made are not in it.
pub(super) const ROOM_SERVICES: TableDefinition<'_, &str, &str> =
    TableDefinition::new("room_services");
/// Tokens that nobody has used, as JSON, by id.
pub(super) const TOKENS: TableDefinition<'_, &str, &str> = TableDefinition::new("tokens");
/// The same tokens by the time of issue (Unix milliseconds), so that old ones are found.
pub(super) const TOKEN_AGES: TableDefinition<'_, (u64, &str), ()> =
    TableDefinition::new("token_ages");
/// Ids of used JWTs, with their expiry (Unix seconds).
pub(super) const USED_JWTS: TableDefinition<'_, &str, u64> = TableDefinition::new("used_jwts");
/// The same by expiry, so that those which no longer matter are found.
pub(super) const JWT_EXPIRIES: TableDefinition<'_, (u64, &str), ()> =
    TableDefinition::new("jwt_expiries");

/// Seats of the session journal as JSON, by participant.
pub(super) const SEATS: TableDefinition<'_, &str, &str> = TableDefinition::new("seats");
/// Who is in a room, as JSON, by participant.
pub(super) const FORMER_PARTICIPANTS: TableDefinition<'_, &str, &str> =
    TableDefinition::new("former_participants");
/// Their sessions as JSON, by participant and session.
pub(super) const FORMER_SESSIONS: TableDefinition<'_, (&str, &str), &str> =
    TableDefinition::new("former_sessions");

/// Makes every table, so that readers need not ask whether there is one.
pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    transaction.open_table(KEYS)?;
    transaction.open_table(SERVICES)?;
    transaction.open_table(ROOMS)?;
    transaction.open_table(ROOM_SERVICES)?;
    transaction.open_table(TOKENS)?;
    transaction.open_table(TOKEN_AGES)?;
    transaction.open_table(USED_JWTS)?;
    transaction.open_table(JWT_EXPIRIES)?;
    transaction.open_table(SEATS)?;
    transaction.open_table(FORMER_PARTICIPANTS)?;
    transaction.open_table(FORMER_SESSIONS)?;
    Ok(())
}

/// The JSON record under a key.
pub(super) fn record<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static str>,
    name: &'static str,
    key: &str,
) -> Result<Option<T>, StoreError> {
    table.get(key)?.map(|json| parse(name, json.value())).transpose()
}

/// All JSON records, by key.
pub(super) fn records<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static str>,
    name: &'static str,
) -> Result<Vec<T>, StoreError> {
    table.iter()?.map(|entry| parse(name, entry?.1.value())).collect()
}

/// A JSON record.
pub(super) fn parse<T: DeserializeOwned>(table: &'static str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Damaged { table, error: error.into() })
}

/// An id that stands in a table.
pub(super) fn id<T>(table: &'static str, text: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err = crate::ids::InvalidId>,
{
    text.parse().map_err(|error| StoreError::Damaged {
        table,
        error: std::sync::Arc::new(serde::de::Error::custom(error)),
    })
}

/// A record as JSON.
pub(super) fn json<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).expect("records have text keys only, so JSON can say them")
}

/// A time as Unix time; what lies before is 1970.
pub(super) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time in Unix milliseconds.
pub(super) fn unix_millis(time: SystemTime) -> u64 {
    since_epoch(time).as_millis().try_into().unwrap_or(u64::MAX)
}
