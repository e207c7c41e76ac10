//! A participant as its room keeps it.

use std::{sync::Arc, time::Duration};

use super::{ParticipantInfo, Permission, Profile, Sending};

/// Somebody in the room.
#[derive(Debug)]
pub(super) struct Participant {
    /// What others see.
    pub(super) info: ParticipantInfo,
    /// What its role permitted when it came, unless an administrator decided otherwise since.
    pub(super) permission: Permission,
    /// What else others are told of it.
    pub(super) profile: Arc<Profile>,
    /// What only those have who know the floor.
    pub(super) floor: Option<FloorKnower>,
    /// Publications it has, connecting ones included.
    pub(super) publications: u32,
    /// Subscriptions it has, connecting ones included.
    pub(super) subscriptions: u32,
}

impl Participant {
    /// A newcomer, without sessions.
    pub(super) fn new(info: ParticipantInfo, permission: Permission) -> Self {
        let profile = Arc::default();
        Self { info, permission, profile, floor: None, publications: 0, subscriptions: 0 }
    }
}

/// What is kept of somebody who knows the floor.
#[derive(Debug)]
pub(super) struct FloorKnower {
    /// What it says that it sends, or is going to.
    pub(super) sending: Sending,
    /// How long it may give no sign of life.
    pub(super) heartbeat: Duration,
}
