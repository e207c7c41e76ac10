//! A participant as its room keeps it.

use super::{ParticipantInfo, Permission};

/// Somebody in the room.
#[derive(Debug)]
pub(super) struct Participant {
    /// What others see.
    pub(super) info: ParticipantInfo,
    /// What its role permitted when it came, unless an administrator decided otherwise since.
    pub(super) permission: Permission,
    /// Publications it has, connecting ones included.
    pub(super) publications: u32,
    /// Subscriptions it has, connecting ones included.
    pub(super) subscriptions: u32,
}

impl Participant {
    /// A newcomer, without sessions.
    pub(super) fn new(info: ParticipantInfo, permission: Permission) -> Self {
        Self { info, permission, publications: 0, subscriptions: 0 }
    }
}
