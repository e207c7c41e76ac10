//! The floor: who publishes, in which order they came to it, who owns the room, and how others are
//! let onto it. Known by name only to dialects that have a word for it; everybody counts.
//!
//! Whoever comes in by such a dialect has the floor from the start or is a viewer until it is let
//! onto it. Whoever comes in by another one has it while it publishes. The *owner* is whoever has
//! had it the longest.

use std::sync::Arc;

use super::{
    Effect, FloorEntry, MediaPermission, Notification, Permission, PublisherInfo, Rejection, Reply,
    Room, RoomKind, Sending, Standing, TrackStatus, Whom, aged::Aged, telling::Asker,
};
use crate::{
    formats::{TrackKind, TrackSelection},
    ids::ParticipantId,
};

/// Who has the floor.
#[derive(Debug)]
pub(super) struct Floor {
    holders: Aged<ParticipantId, ()>,
    /// What was told last.
    list: Arc<[PublisherInfo]>,
    /// Whether something happened since that may have changed it.
    stale: bool,
}

impl Default for Floor {
    fn default() -> Self {
        Self { holders: Aged::new(), list: Arc::new([]), stale: false }
    }
}

impl Floor {
    /// Everybody who has it, the owner first.
    pub(super) fn holders(&self) -> impl Iterator<Item = &ParticipantId> {
        self.holders.keys()
    }

    /// Whether somebody has it.
    pub(super) fn has(&self, participant: &ParticipantId) -> bool {
        self.holders.contains(participant)
    }

    /// Notes that somebody has it.
    pub(super) fn take(&mut self, participant: &ParticipantId) {
        if !self.has(participant) {
            self.holders.insert(participant.clone(), ());
        }
        self.stale = true;
    }

    /// Notes that somebody has it no longer.
    pub(super) fn leave(&mut self, participant: &ParticipantId) {
        self.stale |= self.holders.remove(participant).is_some();
    }

    /// Notes that everybody is gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Notes that what is told of it may have changed.
    pub(super) fn touch(&mut self) {
        self.stale = true;
    }

    /// Whether something happened that may have changed what is told of it.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// What was told of it last.
    pub(super) fn list(&self) -> Arc<[PublisherInfo]> {
        Arc::clone(&self.list)
    }

    /// Notes what is told of it; says whether that is anything new.
    pub(super) fn know(&mut self, list: Arc<[PublisherInfo]>) -> bool {
        self.stale = false;
        let changed = self.list != list;
        self.list = list;
        changed
    }

    fn owner(&self) -> Option<&ParticipantId> {
        self.holders.keys().next()
    }
}

impl Room {
    /// Whether somebody who comes in by a dialect that knows the floor may come in, and whether it
    /// has the floor then.
    pub(super) fn admit_to_floor(
        &self,
        entry: &FloorEntry,
        user: &str,
        permission: Permission,
    ) -> Result<bool, Rejection> {
        let founded = self.settings.floor.founded;
        let same_kind = entry.kind == self.settings.kind;
        if entry.founding && !(founded && same_kind && self.participants.is_empty()) {
            return Err(Rejection::RoomExists);
        }
        if !same_kind {
            return Err(Rejection::WrongKind);
        }
        if founded && !entry.founding && self.participants.is_empty() {
            return Err(Rejection::NoSuchRoom);
        }
        let may_publish = permission.publish.audio || permission.publish.video;
        if entry.founding && !may_publish {
            return Err(Rejection::Unauthorized);
        }
        let entitled = match self.settings.kind {
            RoomKind::Call => true,
            RoomKind::Meeting | RoomKind::AudioMeeting | RoomKind::Broadcast if founded => {
                entry.founding || self.is_publisher(user)
            }
            RoomKind::Meeting | RoomKind::AudioMeeting | RoomKind::Broadcast => may_publish,
        };
        Ok(entitled && self.floor_left() > 0)
    }

    /// What somebody may do who knows the floor: without it, nothing but look on.
    pub(super) fn permission_on_floor(&self, role: Permission, has_floor: bool) -> Permission {
        let video = self.settings.kind != RoomKind::AudioMeeting;
        let publish = match (has_floor, self.settings.floor.founded) {
            (true, true) => MediaPermission { audio: true, video },
            (true, false) => role.publish,
            (false, _) => MediaPermission { audio: false, video: false },
        };
        Permission { publish, ..role }
    }

    /// Whether a session of this user that knows the floor has it. Its other sessions then come in
    /// with it: a screen is shared by a session of its own.
    fn is_publisher(&self, user: &str) -> bool {
        let holders = self.floor.holders.keys().filter_map(|id| self.participants.get(id));
        holders.into_iter().any(|it| it.floor.is_some() && *it.info.user == *user)
    }

    /// How many more may have the floor.
    pub(super) fn floor_left(&self) -> usize {
        let limit = self.settings.floor.limit.map_or(usize::MAX, |limit| limit as usize);
        limit.saturating_sub(self.floor.holders.len())
    }

    /// Somebody's place in the room's order.
    pub(super) fn standing(&self, participant: &ParticipantId) -> Standing {
        if self.floor.owner() == Some(participant) {
            Standing::Owner
        } else if self.floor.has(participant) {
            Standing::Publisher
        } else {
            Standing::Viewer
        }
    }

    /// Says what one sends; tracks of one's streams are paused and resumed to match.
    pub(super) fn set_sending(&mut self, asker: &Asker, sending: Sending) -> Result<(), Rejection> {
        if !self.floor.has(&asker.from) {
            return Err(Rejection::Unauthorized);
        }
        self.grant(asker, Reply::Done);
        self.say_sending(&asker.from, sending);
        let own = self.publications.iter().filter(|(_, it)| it.owner == asker.from);
        let own: Vec<_> = own.filter_map(|(_, it)| it.stream().cloned()).collect();
        for stream in own {
            let wanted = [
                (TrackKind::Audio, TrackSelection::Audio, sending.audio),
                (TrackKind::Video, TrackSelection::Video, sending.video),
            ];
            for (kind, tracks, sends) in wanted {
                let status = if sends { TrackStatus::Active } else { TrackStatus::Inactive };
                if stream.status(kind).is_some_and(|present| present != status) {
                    self.apply_status(&stream.id, tracks, status);
                }
            }
        }
        Ok(())
    }

    /// Notes what somebody says that it sends.
    pub(super) fn say_sending(&mut self, participant: &ParticipantId, sending: Sending) {
        let sending = self.sendable(sending);
        if let Some(floor) = self.participants.get_mut(participant).and_then(|it| it.floor.as_mut())
        {
            floor.sending = sending;
            self.floor.touch();
        }
    }

    /// What of it can be sent in this room.
    pub(super) fn sendable(&self, sending: Sending) -> Sending {
        let video = sending.video && self.settings.kind != RoomKind::AudioMeeting;
        Sending { video, ..sending }
    }

    /// Hands a viewer's wish for the floor on to the owner.
    pub(super) fn ask_for_floor(
        &mut self,
        asker: &Asker,
        sending: Sending,
        message: &Arc<str>,
    ) -> Result<(), Rejection> {
        self.check_meeting()?;
        if self.floor.has(&asker.from) {
            return Err(Rejection::HasFloor);
        }
        self.grant(asker, Reply::Done);
        self.say_sending(&asker.from, sending);
        let owners = self.owners_sessions();
        self.relay_to(&owners, message);
        Ok(())
    }

    /// The owner and the other sessions of the same user.
    fn owners_sessions(&self) -> Vec<ParticipantId> {
        let Some(owner) = self.floor.owner() else { return Vec::new() };
        let user = self.participants.get(owner).filter(|it| it.floor.is_some());
        let Some(user) = user.map(|it| Arc::clone(&it.info.user)) else { return Vec::new() };
        self.members(&Whom::User(user)).collect()
    }

    /// Whom the owner, who asks, means.
    fn check_word_of_owner(
        &self,
        asker: &Asker,
        to: &Whom,
    ) -> Result<Vec<ParticipantId>, Rejection> {
        self.check_owner(asker)?;
        let chosen: Vec<ParticipantId> = self.members(to).collect();
        if chosen.is_empty() { Err(Rejection::NoSuchMember) } else { Ok(chosen) }
    }

    /// Lets viewers onto the floor, who hear of it in the owner's own words.
    pub(super) fn grant_floor(
        &mut self,
        asker: &Asker,
        to: &Whom,
        message: &Arc<str>,
    ) -> Result<(), Rejection> {
        let chosen = self.check_word_of_owner(asker, to)?;
        let fresh: Vec<_> = chosen.iter().filter(|it| !self.floor.has(it)).cloned().collect();
        if fresh.len() > self.floor_left() {
            return Err(Rejection::FloorFull);
        }
        let mut permissions = Vec::with_capacity(fresh.len());
        for participant in fresh {
            let known = self.participants.get(&participant).ok_or(Rejection::NoSuchMember)?;
            let role = self.settings.permission_of(&known.info.role)?;
            let permission = self.permission_on_floor(role, true);
            if !permission.publish.audio && !permission.publish.video {
                return Err(Rejection::Unauthorized);
            }
            permissions.push((participant, permission));
        }
        self.grant(asker, Reply::Done);
        for (participant, permission) in permissions {
            if let Some(promoted) = self.participants.get_mut(&participant) {
                promoted.permission = permission;
            }
            self.floor.take(&participant);
        }
        self.relay_to(&chosen, message);
        Ok(())
    }

    /// Hands the owner's refusal on to viewers.
    pub(super) fn deny_floor(
        &mut self,
        asker: &Asker,
        to: &Whom,
        message: &Arc<str>,
    ) -> Result<(), Rejection> {
        let chosen = self.check_word_of_owner(asker, to)?;
        self.grant(asker, Reply::Done);
        self.relay_to(&chosen, message);
        Ok(())
    }

    /// Takes others out of the room. Somebody who is not there is as good as gone, so that nobody
    /// finds out by this who is.
    pub(super) fn kick(
        &mut self,
        asker: &Asker,
        whom: &Whom,
        message: &Arc<str>,
    ) -> Result<(), Rejection> {
        if self.settings.kind == RoomKind::Call {
            return Err(Rejection::WrongKind);
        }
        if !self.floor.has(&asker.from) {
            return Err(Rejection::Unauthorized);
        }
        let everybody = self.participants.values();
        let chosen: Vec<_> = everybody
            .filter(|it| whom.is(&it.info))
            .map(|it| (it.info.id.clone(), it.floor.is_some()))
            .collect();
        if chosen.iter().any(|(id, _)| self.floor.owner() == Some(id)) {
            return Err(Rejection::Unauthorized);
        }
        self.grant(asker, Reply::Done);
        for (participant, knows_floor) in chosen {
            if !knows_floor {
                self.expel(&participant);
                continue;
            }
            self.tell(&participant, Notification::Kicked { message: Arc::clone(message) });
            self.perform(Effect::Disconnect { participant: participant.clone() });
            self.depart(&participant);
        }
        Ok(())
    }

    /// Hands a message on to others of a call, who negotiate with each other by such messages.
    /// Without a receiver it is for everybody else.
    pub(super) fn relay(
        &mut self,
        asker: &Asker,
        to: Option<&Whom>,
        message: &Arc<str>,
    ) -> Result<(), Rejection> {
        if self.settings.kind != RoomKind::Call {
            return Err(Rejection::WrongKind);
        }
        let others = self.participants.values().filter(|it| it.info.id != asker.from);
        let known = others.filter(|it| it.floor.is_some() && to.is_none_or(|to| to.is(&it.info)));
        let chosen: Vec<ParticipantId> = known.map(|it| it.info.id.clone()).collect();
        if chosen.is_empty() {
            return Err(Rejection::NoSuchMember);
        }
        self.grant(asker, Reply::Done);
        self.relay_to(&chosen, message);
        Ok(())
    }

    fn relay_to(&mut self, receivers: &[ParticipantId], message: &Arc<str>) {
        for receiver in receivers {
            self.tell(receiver, Notification::Relayed { message: Arc::clone(message) });
        }
    }

    /// Those of the named who know the floor.
    fn members<'r>(&'r self, whom: &'r Whom) -> impl Iterator<Item = ParticipantId> + 'r {
        let known = self.participants.values().filter(|it| it.floor.is_some());
        known.filter(move |it| whom.is(&it.info)).map(|it| it.info.id.clone())
    }

    fn check_meeting(&self) -> Result<(), Rejection> {
        match self.settings.kind {
            RoomKind::Meeting | RoomKind::AudioMeeting => Ok(()),
            RoomKind::Call | RoomKind::Broadcast => Err(Rejection::WrongKind),
        }
    }

    fn check_owner(&self, asker: &Asker) -> Result<(), Rejection> {
        self.check_meeting()?;
        if self.floor.owner() == Some(&asker.from) { Ok(()) } else { Err(Rejection::Unauthorized) }
    }
}
