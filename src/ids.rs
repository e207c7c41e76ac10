//! The names of things: one type per kind of thing, so that mixing them up does not compile.
//!
//! Every id is a short text of `[0-9A-Za-z_-]`, checked once at the edge by [`FromStr`] and cheap
//! to clone afterwards. Ids are made outside the room (see `driver::fresh`), because the room is
//! deterministic.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// The longest id that is accepted, in bytes. OWT's own ids are 20 to 32 characters; mixed
/// stream ids append a view label.
pub const MAX_ID_LEN: usize = 128;

/// A text that cannot be an id: empty, longer than [`MAX_ID_LEN`], or with a character outside
/// `[0-9A-Za-z_-]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {MAX_ID_LEN} characters of 0-9, A-Z, a-z, '-' and '_'")]
pub struct InvalidId;

fn check(text: &str) -> Result<(), InvalidId> {
    let fits = (1..=MAX_ID_LEN).contains(&text.len());
    let clean =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits && clean { Ok(()) } else { Err(InvalidId) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text, as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}

ids! {
    /// A room, unique in the server.
    RoomId;
    /// A participant of a room; stays the same across reconnections.
    ParticipantId;
    /// Something that can be subscribed to: a forward stream (same text as the [`SessionId`] of
    /// its publication) or a mixed one (`<roomId>-<view label>`).
    StreamId;
    /// A participant's publication or subscription, unique in its room whichever of the two it is.
    SessionId;
    /// One peer connection. Carries one session in OWT 1.1 (and then has its text), many in 1.2.
    TransportId;
    /// A back end that may use the management REST.
    ServiceId;
    /// A one-time token that admits a participant.
    TokenId;
    /// A live broadcast, unique among those of its user.
    BroadcastId;
    /// A variant or a rendition of a live broadcast, unique among those of its kind.
    TrackId;
}

impl From<&SessionId> for StreamId {
    fn from(publication: &SessionId) -> Self {
        Self(publication.0.clone())
    }
}

impl From<&StreamId> for SessionId {
    fn from(forward: &StreamId) -> Self {
        Self(forward.0.clone())
    }
}

impl From<&SessionId> for TransportId {
    fn from(only_session: &SessionId) -> Self {
        Self(only_session.0.clone())
    }
}

impl StreamId {
    /// The mixed stream of a room's view: `<roomId>-<label>`, as OWT names it.
    ///
    /// # Errors
    /// When the label has characters that no id may have, or the whole is too long.
    pub fn of_view(room: &RoomId, label: &str) -> Result<Self, InvalidId> {
        format!("{room}-{label}").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_at_the_edge() {
        assert!("abc-DEF_09".parse::<RoomId>().is_ok());
        for bad in ["", "a b", "a/b", "é", &"x".repeat(MAX_ID_LEN + 1)] {
            assert_eq!(bad.parse::<RoomId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_view_names_its_stream() {
        let room: RoomId = "demo".parse().expect("valid");
        let stream = StreamId::of_view(&room, "common").expect("valid");
        assert_eq!(stream.as_str(), "demo-common");
        assert_eq!(StreamId::of_view(&room, "a b"), Err(InvalidId));
    }
}
