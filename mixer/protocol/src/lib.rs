//! The messages between the server and its mixing agent. No GStreamer inside, so that the server
//! needs none.

use serde::{Deserialize, Serialize};

/// The version of these messages. Two ends of different versions do not talk to each other.
pub const VERSION: u32 = 1;

/// The first message of either end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The sender's [`VERSION`].
    pub version: u32,
}

impl Hello {
    /// This end's own.
    pub const fn own() -> Self {
        Self { version: VERSION }
    }

    /// Accepts the other end.
    ///
    /// # Errors
    /// When it speaks another version.
    pub const fn check(self) -> Result<(), VersionMismatch> {
        if self.version == VERSION { Ok(()) } else { Err(VersionMismatch { theirs: self.version }) }
    }
}

/// The other end is of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mixing protocol is version {VERSION} here and {theirs} there; \
     install portico and portico-mixer of the same release"
)]
pub struct VersionMismatch {
    /// The other end's version.
    pub theirs: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_what_to_do() {
        let hello: Hello = serde_json::from_str(r#"{"version":7}"#).expect("a hello");
        let error = hello.check().expect_err("another version");
        assert!(error.to_string().contains("7 there"), "{error}");
        assert_eq!(Hello::own().check(), Ok(()));
    }
}
