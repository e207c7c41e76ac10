//! Services of others that may carry a room's media in place of this server, and what a client
//! needs to enter them.
//!
//! A client of the signals door asks for an engine (`eg`); [`Engines::answer`] says which one it
//! gets and what the `es` member of its acknowledgement has. An engine that is not configured, or
//! cannot take the room or the user, is answered with `native`, which is this server.

mod agora;
mod hundredms;
mod livekit;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use crate::{
    config::{self, Secret},
    ids::RoomId,
};

/// How long a token lets into a service: as long as the longest meeting, since some services end
/// the connection with it. A client that joins again gets a fresh one.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Who carries a room's media, by its word on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// This server.
    Native,
    /// Agora.
    Agora,
    /// 100ms.
    HundredMs,
    /// LiveKit.
    LiveKit,
}

impl Engine {
    /// The engine of this word, if there is one.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "native" => Some(Self::Native),
            "agora" => Some(Self::Agora),
            "hundredms" => Some(Self::HundredMs),
            "livekit" => Some(Self::LiveKit),
            _ => None,
        }
    }
}

/// Whom a service is to let in.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'g> {
    /// Into which room.
    pub room: &'g RoomId,
    /// As which user.
    pub user: &'g str,
    /// Whether it may publish.
    pub publishes: bool,
}

/// What an acknowledgement's `es` has for an engine; [`Admission::engine`] is its `eg`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Admission {
    /// Nothing; the door adds what the server's own media needs.
    Native {},
    /// To LiveKit.
    LiveKit {
        /// Where to connect.
        url: String,
        /// Lets in.
        #[serde(serialize_with = "revealed")]
        token: Secret,
    },
    /// To 100ms.
    #[serde(rename_all = "camelCase")]
    HundredMs {
        /// The room there.
        room_id: String,
        /// The role there.
        role: &'static str,
        /// Lets in.
        #[serde(serialize_with = "revealed")]
        token: Secret,
    },
    /// To Agora, as the user account that is the user's id.
    #[serde(rename_all = "camelCase")]
    Agora {
        /// The project.
        app_id: String,
        /// The room there.
        channel: String,
        /// Lets in.
        #[serde(serialize_with = "revealed")]
        token: Secret,
    },
}

impl Admission {
    /// Who serves.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Native {} => Engine::Native,
            Self::LiveKit { .. } => Engine::LiveKit,
            Self::HundredMs { .. } => Engine::HundredMs,
            Self::Agora { .. } => Engine::Agora,
        }
    }
}

/// The services that there are.
#[derive(Debug, Clone)]
pub struct Engines(config::Engines);

impl Engines {
    /// The services that the settings name.
    pub fn new(settings: config::Engines) -> Self {
        Self(settings)
    }

    /// What a guest that asks for an engine gets.
    pub fn answer(&self, asked: Engine, guest: Guest<'_>, now: SystemTime) -> Admission {
        let found = match asked {
            Engine::Native => None,
            Engine::LiveKit => livekit::admit(&self.0.livekit, guest, now),
            Engine::HundredMs => hundredms::admit(&self.0.hundredms, guest, now),
            Engine::Agora => agora::admit(&self.0.agora, guest, now),
        };
        found.unwrap_or(Admission::Native {})
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn revealed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}
