//! What can go wrong with the store.

use std::{io, path::PathBuf, sync::Arc};

/// What can go wrong with the store. Cloned, because a failed commit fails many requests at once.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the store {path} is in use by another process; stop it, or set another [store] path")]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// Its directory or file cannot be made or opened.
    #[error("the store {path} cannot be opened: {error}")]
    Directory {
        /// What was to be opened.
        path: PathBuf,
        /// Why not.
        error: Arc<io::Error>,
    },
    /// A later release wrote it.
    #[error("the store has format {found}, but this release knows up to {known}; use a later one")]
    Newer {
        /// Its format.
        found: u64,
        /// The latest format that is understood.
        known: u64,
    },
    /// The database failed; nothing of the request was kept.
    #[error("the store failed: {0}")]
    Database(Arc<redb::Error>),
    /// A record does not read as what it should be.
    #[error("the store has a damaged record in `{table}`: {error}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        error: Arc<serde_json::Error>,
    },
    /// A bound is reached.
    #[error("there are already {bound} {what}, which is the bound")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        bound: u64,
    },
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

macro_rules! database_errors {
    ($($error:ident)+) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Arc::new(error.into()))
            }
        }
    )+};
}

database_errors! { StorageError TableError TransactionError CommitError }
