//! Names that no two participants have at once.

use std::{collections::BTreeSet, sync::Arc};

use super::Room;

impl Room {
    /// What a newcomer of this account is called: see [`ParticipantInfo::handle`].
    ///
    /// [`ParticipantInfo::handle`]: super::ParticipantInfo::handle
    pub(super) fn free_handle(&self, user: &Arc<str>) -> Arc<str> {
        let handles = self.participants.values().map(|present| &*present.info.handle);
        let alike: BTreeSet<&str> = handles.filter(|handle| handle.starts_with(&**user)).collect();
        if !alike.contains(&**user) {
            return Arc::clone(user);
        }
        let mut others = (2_u64..).map(|number| format!("{user}~{number}"));
        let free = others.find(|name| !alike.contains(name.as_str()));
        free.map_or_else(|| Arc::clone(user), Arc::from)
    }
}
