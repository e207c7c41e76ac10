//! Who may upload and who may play, as whoever composes the server decides it.

use std::pin::Pin;

use super::address::Address;

/// The answer to come.
pub type Verdict<'a> = Pin<Box<dyn Future<Output = Result<(), Denial>> + Send + 'a>>;

/// Decides about credentials. Each request asks anew, so what it allows once it may deny later.
pub trait Authorizer: Send + Sync + 'static {
    /// Whether the bearer of this may upload to this address, and end what is there.
    fn upload<'a>(&'a self, address: &'a Address, credential: Option<&'a str>) -> Verdict<'a>;

    /// Whether the bearer of this may play what is there. Not asked where everybody may.
    fn play<'a>(&'a self, address: &'a Address, credential: Option<&'a str>) -> Verdict<'a>;
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// There is no credential, or none that is valid; says which.
    #[error("{0}")]
    Unknown(String),
    /// It is valid for something else; says what is missing.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody can tell at the moment.
    #[error("this cannot be decided now; try again")]
    Unavailable,
}
