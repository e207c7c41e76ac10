//! `[store]`: where the server keeps what must outlive it.

use std::path::PathBuf;

use super::keys::{Keys, Section};

/// Where the server keeps what must outlive it.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// The directory.
    pub path: PathBuf,
}

impl Section for Store {
    const NAME: &'static str = "store";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { path: keys.path("path", "data").unwrap_or_else(|| PathBuf::from(".")) }
    }
}
