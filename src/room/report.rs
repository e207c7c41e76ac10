//! Rooms as administrators see them.

use std::sync::Arc;

use super::{Permission, Room, RoomInfo, ViewStatus, view::View};
use crate::ids::{ParticipantId, SessionId, StreamId};

/// A room as administrators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomReport {
    /// What newcomers see.
    pub room: RoomInfo,
    /// How its views stand, in the order of the settings.
    pub views: Vec<ViewReport>,
    /// What everybody may do, in the order of the room's participants.
    pub permissions: Vec<Permission>,
    /// Who takes what, by age.
    pub subscriptions: Vec<SubscriptionReport>,
}

/// A subscription as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReport {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub owner: ParticipantId,
    /// Whose sound it takes, if any.
    pub audio: Option<StreamId>,
    /// Whose picture it takes, if any.
    pub video: Option<StreamId>,
    /// Whether its media flows already.
    pub ready: bool,
}

/// How much a room carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomLoad {
    /// Participants in it.
    pub participants: usize,
    /// Forward streams, without those that still connect.
    pub streams: usize,
    /// Subscriptions, with those that still connect.
    pub subscriptions: usize,
    /// Participants whose connection is lost and whose place is kept; they count above, too.
    pub away: usize,
}

/// How a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewReport {
    /// Its label.
    pub label: Arc<str>,
    /// Whether it is mixed, and if not, why.
    pub status: ViewStatus,
}

impl Room {
    /// How the room is.
    pub(super) fn report(&self) -> RoomReport {
        let report = |view: &View| ViewReport {
            label: Arc::clone(view.label()),
            status: view.status.clone(),
        };
        let subscriptions = self.subscriptions.iter().map(|(id, it)| SubscriptionReport {
            id: id.clone(),
            owner: it.owner.clone(),
            audio: it.audio.clone(),
            video: it.video.clone(),
            ready: it.agreed.is_some(),
        });
        RoomReport {
            room: self.info(),
            views: self.views.iter().map(report).collect(),
            permissions: self.participants.values().map(|it| it.permission).collect(),
            subscriptions: subscriptions.collect(),
        }
    }

    /// How much it carries.
    pub fn load(&self) -> RoomLoad {
        RoomLoad {
            participants: self.participants.len(),
            streams: self.publications.values().filter(|it| it.stream().is_some()).count(),
            subscriptions: self.subscriptions.len(),
            away: self.absences.len(),
        }
    }
}
