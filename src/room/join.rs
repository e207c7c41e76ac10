//! Coming in.

use std::{sync::Arc, time::Instant};

use super::{
    FloorEntry, FloorView, Joined, Manner, Notification, OwnSession, ParticipantInfo, Profile,
    RecordChange, Rejection, Reply, Room,
    participant::{FloorKnower, Participant},
    telling::Asker,
};
use crate::ids::ParticipantId;

impl Room {
    /// Lets somebody in: the others hear of it first, then the newcomer gets the room as it finds
    /// it, itself included.
    pub(super) fn join(
        &mut self,
        now: Instant,
        asker: &Asker,
        user: Arc<str>,
        role: Arc<str>,
        manner: Manner,
    ) -> Result<(), Rejection> {
        if let Some(present) = self.participants.get(&asker.from) {
            let (Some(entry), Some(_)) = (manner.floor, &present.floor) else {
                return Err(Rejection::AlreadyJoined);
            };
            if present.info.user != user {
                return Err(Rejection::AlreadyJoined);
            }
            return self.take_own_place(now, asker, entry, manner.profile);
        }
        if self.participants.len() as u64 >= u64::from(self.capacity()) {
            return Err(Rejection::RoomFull);
        }
        let mut permission = self.settings.permission_of(&role)?;
        let entry = manner.floor;
        let has_floor = match &entry {
            Some(entry) => self.admit_to_floor(entry, &user, permission)?,
            None => false,
        };
        if entry.is_some() {
            permission = self.permission_on_floor(permission, has_floor);
        }

        let handle = self.free_handle(&user);
        let newcomer = ParticipantInfo { id: asker.from.clone(), user, role, handle };
        self.announce_participant(Notification::ParticipantJoined(newcomer.clone()));
        let mut participant = Participant::new(newcomer.clone(), permission);
        participant.profile = Arc::new(manner.profile);
        participant.floor = entry
            .map(|it| FloorKnower { sending: self.sendable(it.sending), heartbeat: it.heartbeat });
        self.participants.insert(asker.from.clone(), participant);
        if has_floor {
            self.floor.take(&asker.from);
        }
        self.expect_heartbeat(now, &asker.from);
        self.record(RecordChange::Came(newcomer));
        self.welcome(asker)
    }

    /// Lets somebody take its own place again: it has all that it had.
    fn take_own_place(
        &mut self,
        now: Instant,
        asker: &Asker,
        entry: FloorEntry,
        profile: Profile,
    ) -> Result<(), Rejection> {
        if entry.kind != self.settings.kind {
            return Err(Rejection::WrongKind);
        }
        if let Some(present) = self.participants.get_mut(&asker.from) {
            present.profile = Arc::new(profile);
        }
        self.say_sending(&asker.from, entry.sending);
        self.absences.end(&asker.from);
        self.expect_heartbeat(now, &asker.from);
        self.welcome(asker)
    }

    /// Gives somebody the room as it finds it.
    fn welcome(&mut self, asker: &Asker) -> Result<(), Rejection> {
        let present = self.participants.get(&asker.from).ok_or(Rejection::NotJoined)?;
        let floor = present.floor.is_some().then(|| FloorView {
            standing: self.standing(&asker.from),
            publishers: self.list_publishers(),
            sessions: self.own_sessions(&asker.from),
        });
        let (participant, permission) = (present.info.clone(), present.permission);
        let joined = Joined { participant, permission, room: self.info(), floor };
        self.grant(asker, Reply::Joined(Box::new(joined)));
        Ok(())
    }

    fn own_sessions(&self, owner: &ParticipantId) -> Vec<OwnSession> {
        let publications = self.publications.iter().filter(|(_, it)| it.owner == *owner);
        let publications = publications.map(|(id, it)| OwnSession {
            id: id.clone(),
            transport: it.transport.clone(),
            from: None,
            ready: it.stream().is_some(),
        });
        let subscriptions = self.subscriptions.iter().filter(|(_, it)| it.owner == *owner);
        let subscriptions = subscriptions.map(|(id, it)| OwnSession {
            id: id.clone(),
            transport: it.transport.clone(),
            from: it.audio.clone().or_else(|| it.video.clone()),
            ready: it.agreed.is_some(),
        });
        publications.chain(subscriptions).collect()
    }

    /// Tells a participant what it would find if it came now.
    pub(super) fn describe(&mut self, asker: &Asker) -> Result<(), Rejection> {
        let room = self.info();
        self.grant(asker, Reply::Described(Box::new(room)));
        Ok(())
    }

    /// How many participants the room admits.
    pub(super) fn capacity(&self) -> u32 {
        let bound = self.settings.bounds.participants;
        self.settings.participant_limit.map_or(bound, |limit| limit.min(bound))
    }
}
