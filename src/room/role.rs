//! Roles: what a participant may publish and subscribe to.

use super::{MediaPermission, Permission, Rejection, Settings};

impl Settings {
    /// What a role permits.
    pub(super) fn permission_of(&self, role: &str) -> Result<Permission, Rejection> {
        self.roles.get(role).copied().ok_or(Rejection::InvalidRole)
    }
}

impl MediaPermission {
    /// Refuses a session whose kinds of track are not all permitted.
    pub(super) fn check(self, audio: bool, video: bool) -> Result<(), Rejection> {
        if (audio && !self.audio) || (video && !self.video) {
            return Err(Rejection::Unauthorized);
        }
        Ok(())
    }
}
