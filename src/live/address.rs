//! Where a broadcast is: below `/live/<userId>/<streamId>`.

use std::{fmt, sync::Arc};

use crate::ids::BroadcastId;

/// The longest user id, in bytes: as in tokens.
const MAX_USER_BYTES: usize = 512;

/// Names a broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whose it is.
    pub user: Arc<str>,
    /// Which of that user's.
    pub stream: BroadcastId,
}

impl Address {
    /// Reads an address; `None` if there cannot be such a one.
    pub fn parse(user: &str, stream: &str) -> Option<Self> {
        let fits = (1..=MAX_USER_BYTES).contains(&user.len()) && !user.contains(char::is_control);
        let stream = stream.parse().ok()?;
        fits.then(|| Self { user: user.into(), stream })
    }

    /// The path of the broadcast's multivariant playlist.
    pub fn playlist_path(&self) -> String {
        format!("/live/{self}/playlist.m3u8")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.stream)
    }
}
