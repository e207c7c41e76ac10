//! Service keys: the credentials of back ends for the management REST and for signing JWTs.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use redb::ReadableTableMetadata as _;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    schema::{self, SERVICES},
    signing::{object_id, random},
};
use crate::{config::Secret, ids::ServiceId};

/// Services that there may be.
pub const MAX_SERVICES: u64 = 1000;

/// The longest name of a service, in characters.
pub const MAX_SERVICE_NAME_CHARS: usize = 200;

/// Random bytes in a service's key, as in OWT.
const KEY_BYTES: usize = 128;

/// A back end's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKey {
    /// Names it in requests.
    pub id: ServiceId,
    /// Says whose it is.
    pub name: String,
    /// Signs its requests: base64 text, whose bytes are the HMAC key.
    pub key: Secret,
    /// Whether it manages services and everybody's rooms.
    pub is_super: bool,
}

/// The form in which a service is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    name: String,
    key: String,
    #[serde(default, rename = "super")]
    is_super: bool,
}

impl Record {
    fn into_key(self) -> Result<ServiceKey, StoreError> {
        let id = schema::id("services", &self.id)?;
        let (name, key) = (self.name, self.key.into());
        Ok(ServiceKey { id, name, key, is_super: self.is_super })
    }
}

impl Store {
    /// Makes credentials for a new service. Names need not differ; the id tells services apart.
    ///
    /// A service made while there is no super service becomes it; so the first one is.
    ///
    /// # Errors
    /// When there are [`MAX_SERVICES`], or the store fails.
    pub async fn create_service(&self, name: &str) -> Result<ServiceKey, StoreError> {
        self.create_service_with(name, STANDARD.encode(random::<KEY_BYTES>()).into()).await
    }

    /// As [`Store::create_service`], with a key that the service chose.
    ///
    /// # Errors
    /// When there are [`MAX_SERVICES`], or the store fails.
    pub async fn create_service_with(
        &self,
        name: &str,
        key: Secret,
    ) -> Result<ServiceKey, StoreError> {
        let mut record = Record {
            id: object_id(SystemTime::now()),
            name: name.chars().take(MAX_SERVICE_NAME_CHARS).collect(),
            key: key.reveal().to_owned(),
            is_super: false,
        };
        self.write(move |transaction| {
            let mut services = transaction.open_table(SERVICES)?;
            if services.len()? >= MAX_SERVICES {
                return Err(StoreError::Full { what: "services", bound: MAX_SERVICES });
            }
            let present: Vec<Record> = schema::records(&services, "services")?;
            record.is_super = !present.iter().any(|service| service.is_super);
            services.insert(record.id.as_str(), schema::json(&record).as_str())?;
            record.into_key()
        })
        .await
    }

    /// All services, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn services(&self) -> Result<Vec<ServiceKey>, StoreError> {
        self.read(|transaction| {
            let services = transaction.open_table(SERVICES)?;
            let records: Vec<Record> = schema::records(&services, "services")?;
            records.into_iter().map(Record::into_key).collect()
        })
        .await
    }

    /// One service.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn service(&self, id: &ServiceId) -> Result<Option<ServiceKey>, StoreError> {
        let id = id.clone();
        self.read(move |transaction| {
            let services = transaction.open_table(SERVICES)?;
            let record: Option<Record> = schema::record(&services, "services", id.as_str())?;
            record.map(Record::into_key).transpose()
        })
        .await
    }

    /// Ends a service's credentials; says whether there were any.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_service(&self, id: &ServiceId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |transaction| {
            let mut services = transaction.open_table(SERVICES)?;
            let removed = services.remove(id.as_str())?;
            Ok(removed.is_some())
        })
        .await
    }
}
