//! Being away: a participant whose connection is lost keeps its place, its streams and its
//! subscriptions for a while (Timer100 of the OWT protocol), and is told what it missed by whoever
//! performs the room's outputs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Effect, FormerParticipant, Notification, ParticipantInfo, RecordChange, Room, SessionKind,
    SessionRecord, StreamUpdate, participant::Participant,
};
use crate::ids::{ParticipantId, StreamId};

/// Why the sessions end of which only the record is left.
const SERVER_RESTARTED: &str = "Server restarted";

impl Room {
    /// Keeps the place of somebody whose connection is lost. Without time to come back it departs.
    pub(super) fn lose(&mut self, now: Instant, participant: &ParticipantId, keep: Duration) {
        match now.checked_add(keep) {
            Some(until) if !keep.is_zero() => {
                if self.participants.contains(participant) {
                    self.absences.begin(participant, until);
                }
            }
            _ => self.depart(participant),
        }
    }

    /// Notes that somebody is back.
    pub(super) fn resume(&mut self, participant: &ParticipantId) {
        self.absences.end(participant);
    }

    /// Gives up those who were away for too long; says whether there were any.
    pub(super) fn give_up(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(participant) = self.absences.due(now) {
            self.perform(Effect::Disconnect { participant: participant.clone() });
            self.depart(&participant);
            any = true;
        }
        any
    }

    /// Takes over the participants of a process that died. Those who can come back are away. Each
    /// hears that its own sessions are lost, then all hear who cannot come back, which streams are
    /// gone, and what the views are like.
    pub(super) fn restore(&mut self, now: Instant, former: Vec<FormerParticipant>) {
        let mut gone = Vec::new();
        let mut lost = Vec::new();
        for FormerParticipant { info, keep, sessions } in former {
            let (id, leaver) = (info.id.clone(), info.clone());
            let streams = sessions.iter().filter(|session| session.kind == SessionKind::Stream);
            let streams: Vec<_> = streams.map(|session| StreamId::from(&session.id)).collect();
            let back = self.take_back(now, info, keep);
            gone.push((back, leaver, streams));
            if back {
                lost.extend(sessions.into_iter().map(|session| (id.clone(), session)));
            }
        }
        for (owner, SessionRecord { id: session, transport, .. }) in lost {
            let reason = SERVER_RESTARTED.into();
            self.tell(&owner, Notification::SessionFailed { session, transport, reason });
        }
        for (back, owner, streams) in gone {
            let owner_handle = Arc::clone(&owner.handle);
            if !back {
                self.announce_participant(Notification::ParticipantLeft(owner));
            }
            for stream in streams {
                let owner_handle = Arc::clone(&owner_handle);
                self.announce_stream(Notification::StreamRemoved { stream, owner_handle });
            }
        }
        let views: Vec<_> = self.views.iter().map(|view| Arc::clone(&view.stream)).collect();
        for view in views {
            let (stream, update) = (view.id.clone(), StreamUpdate::Whole(view));
            self.announce_stream(Notification::StreamUpdated { stream, update });
        }
    }

    /// Gives a former participant its place again, if it can come back and the room still admits
    /// it.
    fn take_back(&mut self, now: Instant, mut info: ParticipantInfo, keep: Duration) -> bool {
        if self.participants.values().any(|other| other.info.handle == info.handle) {
            info.handle = self.free_handle(&info.user);
        }
        let id = info.id.clone();
        let until = now.checked_add(keep).filter(|_| !keep.is_zero());
        let room_left = (self.participants.len() as u64) < u64::from(self.capacity());
        let admitted = room_left && !self.participants.contains(&id);
        match (until, self.settings.permission_of(&info.role)) {
            (Some(until), Ok(permission)) if admitted => {
                self.participants.insert(id.clone(), Participant::new(info.clone(), permission));
                self.absences.begin(&id, until);
                self.record(RecordChange::Came(info));
                true
            }
            _ => {
                self.record(RecordChange::Went(id));
                false
            }
        }
    }
}
