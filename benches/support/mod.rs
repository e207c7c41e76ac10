//! What both benchmarks need: processes on cores of their own, their costs, tables.

pub(crate) mod placement;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod usage;

/// A failed benchmark says why and ends; nothing here is handled further.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
