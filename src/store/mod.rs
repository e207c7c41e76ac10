//! What outlives the process: service keys, rooms, the keys that sign tokens and tickets, and which
//! tokens were used.
//!
//! One `redb` file in a directory of its own. One thread writes: requests that arrive together
//! share a transaction, and each is answered after its commit, so an answer means "on the disk".
//! [`Store`] names nothing of `redb`, so another implementation can take its place.

mod admissions;
mod error;
mod journal;
pub mod room_record;
mod rooms;
mod schema;
mod services;
mod signing;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt, fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    WriteTransaction,
};

pub(crate) use self::signing::{object_id, random};
pub use self::{
    admissions::{IssuedToken, MAX_TOKENS, MAX_USED_JWTS, TOKEN_LIFETIME, TokenUse},
    error::StoreError,
    journal::{Exchange, MAX_SEATS, Note, Seat},
    room_record::RoomRecord,
    rooms::KeptRoom,
    services::{MAX_SERVICE_NAME_CHARS, MAX_SERVICES, ServiceKey},
    signing::SigningKey,
};

/// The database's name in the store's directory.
const FILE: &str = "portico.redb";

/// How long to wait for another process that has the store open only for a moment, as the command
/// line does.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often to look meanwhile.
const PATIENCE_STEP: Duration = Duration::from_millis(20);

/// A handle to the store; clones share it, and the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    database: Arc<Database>,
    jobs: Option<writer::Jobs>,
    writer: Option<thread::JoinHandle<()>>,
    token_key: SigningKey,
    ticket_key: SigningKey,
}

impl Store {
    /// Opens the store in a directory, and makes both if they do not exist. Blocks; waits a second
    /// for another process to close it.
    ///
    /// # Errors
    /// When it is in use, cannot be opened, or was written by a later release.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let database = open_patiently(directory)?;
        let transaction = database.begin_write()?;
        check_format(&transaction)?;
        schema::make_tables(&transaction)?;
        let token_key = signing::key(&transaction, "token")?;
        let ticket_key = signing::key(&transaction, "ticket")?;
        transaction.commit()?;
        let database = Arc::new(database);
        let (jobs, writer) = writer::start(database.clone()).map_err(|error| {
            StoreError::Directory { path: directory.into(), error: error.into() }
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                directory: directory.into(),
                database,
                jobs: Some(jobs),
                writer: Some(writer),
                token_key,
                ticket_key,
            }),
        })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// The key that signs tokens.
    pub fn token_key(&self) -> &SigningKey {
        &self.inner.token_key
    }

    /// The key that signs reconnection tickets.
    pub fn ticket_key(&self) -> &SigningKey {
        &self.inner.ticket_key
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (request, answer) = writer::Request::new(work);
        let jobs = self.inner.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(Box::new(request)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        // A page that is not in memory comes from the disk, which would hold up other tasks.
        let reading = tokio::task::spawn_blocking(move || work(&inner.database.begin_read()?));
        reading.await.map_err(|_| StoreError::Closed)?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("directory", &self.inner.directory).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends when its queue does. Waiting for it means that the file is free as soon
        // as the last handle is gone.
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn open_patiently(directory: &Path) -> Result<Database, StoreError> {
    let fail = |error: std::io::Error| StoreError::Directory {
        path: directory.into(),
        error: Arc::new(error),
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(fail)?;
    let path = directory.join(FILE);
    // Made before redb does, because it holds keys that nobody else may read.
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(fail)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Database::create(&path) {
            Ok(database) => return Ok(database),
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                thread::sleep(PATIENCE_STEP);
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::InUse { path }),
            Err(error) => return Err(StoreError::Database(Arc::new(error.into()))),
        }
    }
}

fn check_format(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut meta = transaction.open_table(schema::META)?;
    let found = meta.get(schema::FORMAT_KEY)?.map(|format| format.value());
    match found {
        None => {
            meta.insert(schema::FORMAT_KEY, schema::FORMAT)?;
            Ok(())
        }
        Some(found) if found > schema::FORMAT => {
            Err(StoreError::Newer { found, known: schema::FORMAT })
        }
        Some(_) => Ok(()),
    }
}
