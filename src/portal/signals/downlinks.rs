//! What a session watches: for each publisher the connection that runs, and the one that is
//! offered, which replaces it once it is answered.

use std::collections::BTreeMap;

use crate::ids::SessionId;

/// Subscriptions by what their publishers are called on the wire.
#[derive(Debug, Default)]
pub(super) struct Downlinks {
    offered: BTreeMap<String, SessionId>,
    running: BTreeMap<String, SessionId>,
}

impl Downlinks {
    /// Notes one that runs.
    pub(super) fn runs(&mut self, target: &str, session: SessionId) {
        self.running.insert(target.to_owned(), session);
    }

    /// Notes one that is offered. Yields an older offer, which is void.
    pub(super) fn offers(&mut self, target: &str, session: SessionId) -> Option<SessionId> {
        self.offered.insert(target.to_owned(), session)
    }

    /// The offer that waits for an answer.
    pub(super) fn offered(&self, target: &str) -> Option<SessionId> {
        self.offered.get(target).cloned()
    }

    /// Notes that an offer was answered. Yields what it replaces.
    pub(super) fn answered(&mut self, target: &str) -> Option<SessionId> {
        let (target, session) = self.offered.remove_entry(target)?;
        self.running.insert(target, session)
    }

    /// The youngest of a publisher.
    pub(super) fn latest(&self, target: &str) -> Option<SessionId> {
        self.offered.get(target).or_else(|| self.running.get(target)).cloned()
    }

    /// Forgets one that ended.
    pub(super) fn ended(&mut self, session: &SessionId) {
        self.offered.retain(|_, it| it != session);
        self.running.retain(|_, it| it != session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SessionId {
        text.parse().expect("an id")
    }

    #[test]
    fn an_answered_offer_replaces_what_runs() {
        let mut downlinks = Downlinks::default();
        downlinks.runs("ann", id("old"));
        assert_eq!(downlinks.offers("ann", id("void")), None);
        assert_eq!(downlinks.offers("ann", id("new")), Some(id("void")));
        assert_eq!(downlinks.latest("ann"), Some(id("new")));
        assert_eq!(downlinks.answered("ann"), Some(id("old")));
        assert_eq!(downlinks.offered("ann"), None);
        assert_eq!(downlinks.answered("ann"), None, "an offer is answered once");
        assert_eq!(downlinks.latest("ann"), Some(id("new")));
        downlinks.ended(&id("new"));
        assert_eq!(downlinks.latest("ann"), None);
    }
}
