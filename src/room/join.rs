//! Coming in.

use std::sync::Arc;

use super::{
    Joined, Notification, ParticipantInfo, RecordChange, Rejection, Reply, Room,
    participant::Participant, telling::Asker,
};

impl Room {
    /// Lets somebody in: the others hear of it first, then the newcomer gets the room as it finds
    /// it, itself included.
    pub(super) fn join(
        &mut self,
        asker: &Asker,
        user: Arc<str>,
        role: Arc<str>,
    ) -> Result<(), Rejection> {
        if self.participants.contains(&asker.from) {
            return Err(Rejection::AlreadyJoined);
        }
        if self.participants.len() as u64 >= u64::from(self.capacity()) {
            return Err(Rejection::RoomFull);
        }
        let permission = self.settings.permission_of(&role)?;

        let handle = self.free_handle(&user);
        let newcomer = ParticipantInfo { id: asker.from.clone(), user, role, handle };
        self.announce_participant(Notification::ParticipantJoined(newcomer.clone()));
        let participant = Participant::new(newcomer.clone(), permission);
        self.participants.insert(asker.from.clone(), participant);
        self.record(RecordChange::Came(newcomer.clone()));
        let joined = Joined { participant: newcomer, permission, room: self.info() };
        self.grant(asker, Reply::Joined(Box::new(joined)));
        Ok(())
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
