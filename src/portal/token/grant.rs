//! Whether a token for a room and a role makes sense, before it is issued.

use super::{IssueError, Tokens};
use crate::{
    config::{self, Config, Secret},
    ids::RoomId,
    store::{RoomRecord, StoreError},
};

/// What an operator asks a token for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// A room's id, or a name that only one room has.
    pub room: String,
    /// The user's name.
    pub user: String,
    /// One of the room's roles.
    pub role: String,
    /// Whether it is to be a JWT.
    pub jwt: bool,
}

/// Why a token is not granted; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such room, and joining does not make it.
    #[error(
        "there is no room {room:?}; make it by the management REST, or set \
         [rooms] create_on_join = true"
    )]
    NoRoom {
        /// What was asked for.
        room: String,
    },
    /// Several rooms have the name.
    #[error("{count} rooms are called {room:?}; name one by its id")]
    Ambiguous {
        /// The name.
        room: String,
        /// How many have it.
        count: usize,
    },
    /// A room that a join would make cannot have this id.
    #[error("{room:?} cannot be a room's id: {error}; choose another")]
    BadId {
        /// What was asked for.
        room: String,
        /// What is wrong with it.
        error: crate::ids::InvalidId,
    },
    /// The room does not have the role.
    #[error("the room {room} has no role {role:?}; it has {}", known.join(", "))]
    NoRole {
        /// The room.
        room: RoomId,
        /// What was asked for.
        role: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The token could not be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl From<StoreError> for GrantError {
    fn from(error: StoreError) -> Self {
        Self::Issue(error.into())
    }
}

/// Grants tokens for rooms that there are or that a join would make.
#[derive(Debug, Clone)]
pub struct Grants {
    tokens: Tokens,
    rooms: config::Rooms,
    demo: config::Demo,
}

impl Grants {
    /// Grants by the settings.
    pub fn new(tokens: Tokens, config: &Config) -> Self {
        Self { tokens, rooms: config.rooms.clone(), demo: config.demo.clone() }
    }

    /// Issues a token.
    ///
    /// # Errors
    /// When room or role do not exist, or the token cannot be issued.
    pub async fn grant(&self, grant: Grant) -> Result<Secret, GrantError> {
        let room = self.find(&grant.room).await?;
        if !room.has_role(&grant.role) {
            let known = room.roles.into_iter().map(|role| role.role).collect();
            return Err(GrantError::NoRole { room: room.id, role: grant.role, known });
        }
        if grant.jwt {
            return Ok(self.tokens.issue_jwt(&room.id, &grant.user, &grant.role)?);
        }
        Ok(self.tokens.issue(&room.id, &grant.user, &grant.role, None).await?)
    }

    /// Whether who has this role in this room may publish anything. A room that is not there yet
    /// is one as joining would make it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn may_publish(&self, room: &RoomId, role: &str) -> Result<bool, StoreError> {
        let record = match self.tokens.store.room(room).await? {
            Some(record) => record,
            None => RoomRecord::with_defaults(room.clone(), room.as_str(), &self.rooms),
        };
        let role = record.roles.iter().find(|known| known.role == role);
        Ok(role.is_some_and(|role| role.publish.audio || role.publish.video))
    }

    async fn find(&self, room: &str) -> Result<RoomRecord, GrantError> {
        let id: Result<RoomId, _> = room.parse();
        if let Ok(id) = &id
            && let Some(record) = self.tokens.store.room(id).await?
        {
            return Ok(record);
        }
        let mut named = self.tokens.store.rooms().await?;
        named.retain(|record| record.name == room);
        match named.len() {
            0 => {}
            1 => return Ok(named.remove(0)),
            count => return Err(GrantError::Ambiguous { room: room.into(), count }),
        }
        let demo = self.demo.enabled && self.demo.room.as_str() == room;
        if !demo && !self.rooms.create_on_join {
            return Err(GrantError::NoRoom { room: room.into() });
        }
        match id {
            Ok(id) => Ok(RoomRecord::with_defaults(id, room, &self.rooms)),
            Err(error) => Err(GrantError::BadId { room: room.into(), error }),
        }
    }
}
