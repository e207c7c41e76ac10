//! Why an upload is refused.

/// What is wrong with an upload; the text tells its sender what to do about it. A refused upload
/// has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not read as one.
    #[error("{0}")]
    Malformed(String),
    /// It names something that is not there.
    #[error("{0}")]
    Unknown(String),
    /// It comes out of order, or again.
    #[error("{0}")]
    Order(String),
    /// It is larger than a piece, or a broadcast, may be.
    #[error("{0}")]
    TooLarge(String),
    /// It breaks what its track has promised to players.
    #[error("{0}")]
    Unfit(String),
    /// The server has no room for it.
    #[error("{0}")]
    Full(String),
}
