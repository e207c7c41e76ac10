//! Rooms as they are kept.

use redb::{ReadableTable, ReadableTableMetadata as _};

use super::{
    RoomRecord, Store, StoreError,
    schema::{self, ROOM_SERVICES, ROOMS},
};
use crate::ids::{RoomId, ServiceId};

/// A room and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRoom {
    /// Its configuration.
    pub record: RoomRecord,
    /// The service that made it, if one did.
    pub service: Option<ServiceId>,
}

impl KeptRoom {
    /// Whether a service may see it and let people in: its own may, a super service may always, and
    /// a room that no service made is everybody's.
    pub fn is_open_to(&self, service: &ServiceId, is_super: bool) -> bool {
        is_super || self.service.as_ref().is_none_or(|owner| owner == service)
    }
}

impl Store {
    /// Keeps a new room; says whether it is new. One that has its id already stays as it is.
    ///
    /// # Errors
    /// When there are `bound` rooms, or the store fails.
    pub async fn create_room(&self, record: RoomRecord, bound: u32) -> Result<bool, StoreError> {
        self.create_room_of(None, record, bound).await
    }

    /// Keeps a new room that a service made; as [`Store::create_room`] otherwise.
    ///
    /// # Errors
    /// When there are `bound` rooms, or the store fails.
    pub async fn create_room_of(
        &self,
        service: Option<ServiceId>,
        record: RoomRecord,
        bound: u32,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let mut rooms = transaction.open_table(ROOMS)?;
            if rooms.get(record.id.as_str())?.is_some() {
                return Ok(false);
            }
            if rooms.len()? >= bound.into() {
                return Err(StoreError::Full { what: "rooms", bound: bound.into() });
            }
            rooms.insert(record.id.as_str(), schema::json(&record).as_str())?;
            if let Some(service) = service {
                let mut services = transaction.open_table(ROOM_SERVICES)?;
                services.insert(record.id.as_str(), service.as_str())?;
            }
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

    /// The room of this id and whose it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn kept_room(&self, id: &RoomId) -> Result<Option<KeptRoom>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| {
            let rooms = transaction.open_table(ROOMS)?;
            let record = schema::record(&rooms, "rooms", id.as_str())?;
            let services = transaction.open_table(ROOM_SERVICES)?;
            record.map(|record| kept(record, &services)).transpose()
        })
        .await
    }

    /// All rooms and whose they are, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn kept_rooms(&self) -> Result<Vec<KeptRoom>, StoreError> {
        self.read(|transaction| {
            let records = schema::records(&transaction.open_table(ROOMS)?, "rooms")?;
            let services = transaction.open_table(ROOM_SERVICES)?;
            records.into_iter().map(|record| kept(record, &services)).collect()
        })
        .await
    }

    /// Changes a room: `change` makes a new record of the present one, or refuses. Nobody changes
    /// it in between.
    ///
    /// # Errors
    /// When the store fails. What `change` says is the inner result; `None` is that there is no
    /// such room.
    pub async fn change_room<E: Send + 'static>(
        &self,
        id: &RoomId,
        change: impl FnOnce(RoomRecord) -> Result<RoomRecord, E> + Send + 'static,
    ) -> Result<Option<Result<RoomRecord, E>>, StoreError> {
        let id = id.clone();
        self.write(move |transaction| {
            let mut rooms = transaction.open_table(ROOMS)?;
            let Some(present) = schema::record(&rooms, "rooms", id.as_str())? else {
                return Ok(None);
            };
            let changed = change(present).map(|record| RoomRecord { id: id.clone(), ..record });
            if let Ok(record) = &changed {
                rooms.insert(id.as_str(), schema::json(record).as_str())?;
            }
            Ok(Some(changed))
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
            transaction.open_table(ROOM_SERVICES)?.remove(id.as_str())?;
            Ok(removed)
        })
        .await
    }
}

fn kept(
    record: RoomRecord,
    services: &impl ReadableTable<&'static str, &'static str>,
) -> Result<KeptRoom, StoreError> {
    let service = services.get(record.id.as_str())?;
    let service = service.map(|id| schema::id("room_services", id.value())).transpose()?;
    Ok(KeptRoom { record, service })
}
