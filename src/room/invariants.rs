//! What is always true of a room between two inputs. Checked after each one in debug builds; a
//! failure is a mistake of the room, never of a participant.

use std::collections::{BTreeMap, BTreeSet};

use super::{Notification, Output, Room, telling::Asker};
use crate::ids::{ParticipantId, SessionId, TransportId};

/// Checks that the room's parts agree with each other and with the settings.
pub(super) fn check_state(room: &Room) {
    participants_are_admitted(room);
    publications_are_permitted(room);
    subscriptions_are_served(room);
    session_ids_are_unique(room);
    transports_carry_their_owners_sessions(room);
    let waits = room.closes_at.is_some();
    assert!(!waits || room.participants.is_empty(), "a room with participants stays open");
}

/// Checks the outputs of one input: those after the first `undrained`.
pub(super) fn check_outputs(room: &Room, asker: Option<&Asker>, undrained: usize) {
    let mut answers = 0;
    for output in room.outputs.iter().skip(undrained) {
        match output {
            Output::Reply { to, request, .. } => {
                answers += 1;
                let asked = asker.is_some_and(|it| it.from == *to && it.request == *request);
                assert!(asked, "only whoever asked is answered: {output:?}");
            }
            Output::Notify { to, notification } => {
                let dropped = matches!(**notification, Notification::Dropped);
                let present = room.participants.contains(to);
                assert!(present != dropped, "only those in the room are told: {output:?}");
            }
            Output::Effect(_) => {}
        }
    }
    assert_eq!(answers, usize::from(asker.is_some()), "a command is answered exactly once");
}

fn participants_are_admitted(room: &Room) {
    let capacity = room.capacity() as usize;
    assert!(room.participants.len() <= capacity, "the room is not overcrowded");
    for (id, participant) in room.participants.iter() {
        assert_eq!(*id, participant.info.id, "a participant is found by its own id");
        let permission = room.settings.permission_of(&participant.info.role);
        assert_eq!(permission, Ok(participant.permission), "{id:?} may what its role permits");
        let publications = room.publications.values().filter(|it| it.owner == *id).count();
        assert_eq!(publications, participant.publications as usize, "{id:?} publishes so much");
        let bound = room.settings.bounds.publications_per_participant;
        assert!(participant.publications <= bound, "{id:?} publishes no more than it may");
        let subscriptions = room.subscriptions.values().filter(|it| it.owner == *id).count();
        assert_eq!(subscriptions, participant.subscriptions as usize, "{id:?} subscribes so much");
        let bound = room.settings.bounds.subscriptions_per_participant;
        assert!(participant.subscriptions <= bound, "{id:?} subscribes no more than it may");
    }
}

fn publications_are_permitted(room: &Room) {
    if let Some(limit) = room.settings.input_limit {
        assert!(room.publications.len() <= limit as usize, "the room has no more inputs");
    }
    for (session, publication) in room.publications.iter() {
        let owner = room.participants.get(&publication.owner);
        let owner = owner.unwrap_or_else(|| panic!("{session:?} has an owner in the room"));
        let (audio, video) = publication.kinds();
        assert!(audio || video, "{session:?} has a track");
        let permitted = owner.permission.publish.check(audio, video);
        assert_eq!(permitted, Ok(()), "{session:?} is permitted");
        if let Some(stream) = publication.stream() {
            assert_eq!(stream.id.as_str(), session.as_str(), "a stream bears its session's id");
        }
    }
}

fn subscriptions_are_served(room: &Room) {
    for (session, subscription) in room.subscriptions.iter() {
        let owner = room.participants.get(&subscription.owner);
        let owner = owner.unwrap_or_else(|| panic!("{session:?} has an owner in the room"));
        let (audio, video) = (subscription.audio.is_some(), subscription.video.is_some());
        assert!(audio || video, "{session:?} takes something");
        let permitted = owner.permission.subscribe.check(audio, video);
        assert_eq!(permitted, Ok(()), "{session:?} is permitted");
        for (kind, from) in subscription.sources() {
            let source = room.publications.get(from.as_str()).and_then(|it| it.stream());
            assert!(
                source.is_some_and(|it| it.has(kind)),
                "{session:?} has its {kind:?} of {from}"
            );
        }
    }
}

fn session_ids_are_unique(room: &Room) {
    let mut taken = BTreeSet::new();
    let views = room.views.iter().map(|view| SessionId::from(&view.id));
    let sessions = room.publications.keys().chain(room.subscriptions.keys()).cloned();
    for session in sessions.chain(views) {
        assert!(taken.insert(session.clone()), "{session:?} names one thing");
    }
}

fn transports_carry_their_owners_sessions(room: &Room) {
    let mut carried: BTreeMap<&TransportId, (&ParticipantId, u32)> = BTreeMap::new();
    let publications = room.publications.values().map(|it| (&it.transport, &it.owner));
    let subscriptions = room.subscriptions.values().map(|it| (&it.transport, &it.owner));
    for (transport, owner) in publications.chain(subscriptions) {
        let (first, sessions) = carried.entry(transport).or_insert((owner, 0));
        assert_eq!(*first, owner, "{transport:?} carries sessions of one participant");
        *sessions += 1;
    }
    let known = room.transports.iter().map(|(id, known)| (id, (&known.owner, known.sessions)));
    assert_eq!(known.collect::<BTreeMap<_, _>>(), carried, "transports are those in use");
}
