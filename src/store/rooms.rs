//! Rooms as they are kept.

use redb::{ReadableTable as _, ReadableTableMetadata as _};

use super::{
    RoomRecord, Store, StoreError,
    schema::{self, ROOMS},
};
use crate::ids::RoomId;

impl Store {
    /// Keeps a new room; says whether it is new. One that has its id already stays as it is.
    ///
    /// # Errors
    /// When there are `bound` rooms, or the store fails.
    pub async fn create_room(&self, record: RoomRecord, bound: u32) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let mut rooms = transaction.open_table(ROOMS)?;
            if rooms.get(record.id.as_str())?.is_some() {
                return Ok(false);
            }
            if rooms.len()? >= bound.into() {
                return Err(StoreError::Full { what: "rooms", bound: bound.into() });
            }
            rooms.insert(record.id.as_str(), schema::json(&record).as_str())?;
            Ok(true)
        })
        .await
    }

    /// The room that has this record's id; if there is none, it is made of the record.
    ///
    /// # Errors
    /// When there are `bound` rooms, or the store fails.
    pub async fn room_or_create(
        &self,
        record: RoomRecord,
        bound: u32,
    ) -> Result<RoomRecord, StoreError> {
        let id = record.id.clone();
        if self.create_room(record.clone(), bound).await? {
            return Ok(record);
        }
        // It may have been deleted since; then the asker's record is as good.
        Ok(self.room(&id).await?.unwrap_or(record))
    }

    /// The room of this id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn room(&self, id: &RoomId) -> Result<Option<RoomRecord>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| {
            schema::record(&transaction.open_table(ROOMS)?, "rooms", id.as_str())
        })
        .await
    }

    /// All rooms, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        self.read(|transaction| schema::records(&transaction.open_table(ROOMS)?, "rooms")).await
    }

    /// Replaces the room that has this record's id; says whether there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_room(&self, record: RoomRecord) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let mut rooms = transaction.open_table(ROOMS)?;
            if rooms.get(record.id.as_str())?.is_none() {
                return Ok(false);
            }
            rooms.insert(record.id.as_str(), schema::json(&record).as_str())?;
            Ok(true)
        })
        .await
    }

    /// Forgets a room; says whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_room(&self, id: &RoomId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |transaction| {
            let removed = transaction.open_table(ROOMS)?.remove(id.as_str())?.is_some();
            Ok(removed)
        })
        .await
    }
}
