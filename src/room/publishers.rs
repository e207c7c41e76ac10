//! The list of those who publish, as dialects tell it that know the floor.

use std::sync::Arc;

use super::{
    Notification, PublisherInfo, Room, Sending, Standing, StreamInfo, TrackStatus,
    participant::Participant,
};
use crate::{
    formats::{TrackKind, VideoSource},
    ids::ParticipantId,
};

impl Room {
    /// Tells those who know the floor of a changed list; `newcomer` has it already.
    pub(super) fn tell_publishers(&mut self, newcomer: Option<&ParticipantId>) {
        // Where nobody is to be told, the list is made when it is asked for.
        if !self.floor.is_stale() || self.presences.is_empty() {
            return;
        }
        let list = self.list_publishers();
        if !self.floor.know(list) {
            return;
        }
        let list = self.floor.list();
        let everybody = self.participants.iter().filter(|(_, it)| it.floor.is_some());
        let everybody: Vec<ParticipantId> = everybody.map(|(id, _)| id.clone()).collect();
        for participant in everybody.iter().filter(|it| Some(*it) != newcomer) {
            self.tell(participant, Notification::Publishers(Arc::clone(&list)));
        }
    }

    /// Who publishes, the owner first. Whoever knows the floor is in it as soon as it has the
    /// floor, others once they have a stream. A second stream is an entry of its own.
    pub(super) fn list_publishers(&self) -> Arc<[PublisherInfo]> {
        let mut list = Vec::new();
        for id in self.floor.holders() {
            let Some(publisher) = self.participants.get(id) else { continue };
            let own = self.publications.values().filter(|it| it.owner == *id);
            let mut streams = own.filter_map(|it| it.stream());
            let first = streams.next();
            if first.is_none() && publisher.floor.is_none() {
                continue;
            }
            let standing = self.standing(id);
            list.push(entry(publisher, standing, first, false));
            list.extend(streams.map(|it| entry(publisher, standing, Some(it), true)));
        }
        list.into()
    }
}

fn entry(
    publisher: &Participant,
    standing: Standing,
    stream: Option<&Arc<StreamInfo>>,
    further: bool,
) -> PublisherInfo {
    let flows = |kind| match stream {
        Some(stream) => stream.status(kind) == Some(TrackStatus::Active),
        None => true,
    };
    let says = publisher.floor.as_ref().map_or(Sending::BOTH, |it| it.sending);
    let screen = stream.and_then(|it| it.video.as_ref()).and_then(|it| it.source);
    PublisherInfo {
        participant: publisher.info.clone(),
        profile: Arc::clone(&publisher.profile),
        standing,
        sending: Sending {
            audio: says.audio && flows(TrackKind::Audio),
            video: says.video && flows(TrackKind::Video),
        },
        stream: stream.map(|it| it.id.clone()),
        tracks: Sending {
            audio: stream.is_some_and(|it| it.audio.is_some()),
            video: stream.is_some_and(|it| it.video.is_some()),
        },
        screen: screen == Some(VideoSource::ScreenCast),
        further,
    }
}
