//! What is always true of a room between two inputs. Checked after each one in debug builds; a
//! failure is a mistake of the room, never of a participant.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Layout, Notification, Output, RequestId, Room, StreamOrigin, TrackStatus, ViewInput,
    ViewStatus,
    offer::{Negotiating, Stage},
    telling::Asker,
    view::View,
};
use crate::{
    formats::TrackKind,
    ids::{ParticipantId, SessionId, StreamId, TransportId},
};

/// The answer that one input must lead to.
#[derive(Debug)]
pub(super) enum Due {
    /// None.
    Nothing,
    /// One to a participant.
    Reply(Asker),
    /// One to an administrator.
    Managed(RequestId),
}

/// Checks that the room's parts agree with each other and with the settings.
pub(super) fn check_state(room: &Room) {
    participants_are_counted(room);
    publications_are_owned(room);
    subscriptions_are_served(room);
    // An administrator's changes bind newcomers only.
    if !room.managed {
        limits_are_kept(room);
    }
    floor_is_held(room);
    session_ids_are_unique(room);
    transports_carry_their_owners_sessions(room);
    own_offers_are_waited_for(room);
    views_mix_ready_streams(room);
    for absent in room.absences.keys() {
        assert!(room.participants.contains(absent), "{absent:?} is away and keeps its place");
    }
    let waits = room.closes_at.is_some();
    assert!(!waits || room.participants.is_empty(), "a room with participants stays open");
}

/// Checks the outputs of one input: those after the first `undrained`.
pub(super) fn check_outputs(room: &Room, due: &Due, undrained: usize) {
    let told = room.outputs.iter().skip(undrained);
    let mut going: BTreeSet<ParticipantId> = told
        .filter_map(|output| {
            let Output::Notify { to, notification } = output else { return None };
            is_end(notification).then(|| to.clone())
        })
        .collect();
    let mut answers = 0;
    for output in room.outputs.iter().skip(undrained) {
        match output {
            Output::Reply { to, request, .. } => {
                answers += 1;
                let asked =
                    matches!(due, Due::Reply(it) if it.from == *to && it.request == *request);
                assert!(asked, "only whoever asked is answered: {output:?}");
            }
            Output::Managed { request, .. } => {
                answers += 1;
                let ordered = matches!(due, Due::Managed(it) if it == request);
                assert!(ordered, "only whoever ordered is answered: {output:?}");
            }
            Output::Notify { to, notification } => {
                // Of several who go at once, the later ones hear of the earlier ones.
                let present = room.participants.contains(to) || going.remove(to);
                let gone = is_end(notification);
                assert!(present, "only those in the room are told: {output:?}");
                assert!(!(gone && room.participants.contains(to)), "gone for good: {output:?}");
                if !gone && !room.participants.contains(to) {
                    going.insert(to.clone());
                }
            }
            Output::Effect(_) => {}
        }
    }
    let due = usize::from(!matches!(due, Due::Nothing));
    assert_eq!(answers, due, "a command is answered exactly once");
}

/// Whether this is the last thing that somebody is told.
fn is_end(notification: &Notification) -> bool {
    matches!(
        notification,
        Notification::Dropped | Notification::Kicked { .. } | Notification::Expired
    )
}

fn limits_are_kept(room: &Room) {
    let capacity = room.capacity() as usize;
    assert!(room.participants.len() <= capacity, "the room is not overcrowded");
    if let Some(limit) = room.settings.input_limit {
        assert!(room.publications.len() <= limit as usize, "the room has no more inputs");
    }
    for (id, participant) in room.participants.iter() {
        let permission = room.settings.permission_of(&participant.info.role);
        let on_floor = |role| room.permission_on_floor(role, room.floor.has(id));
        let permission =
            permission.map(|role| if participant.floor.is_some() { on_floor(role) } else { role });
        assert_eq!(permission, Ok(participant.permission), "{id:?} may what its role permits");
    }
    for (session, publication) in room.publications.iter() {
        let (audio, video) = publication.kinds();
        let owner = room.participants.get(&publication.owner);
        let permitted = owner.map(|it| it.permission.publish.check(audio, video));
        assert_eq!(permitted, Some(Ok(())), "{session:?} is permitted");
    }
    for (session, subscription) in room.subscriptions.iter() {
        let (audio, video) = (subscription.audio.is_some(), subscription.video.is_some());
        let owner = room.participants.get(&subscription.owner);
        let permitted = owner.map(|it| it.permission.subscribe.check(audio, video));
        assert_eq!(permitted, Some(Ok(())), "{session:?} is permitted");
    }
}

fn participants_are_counted(room: &Room) {
    for (id, participant) in room.participants.iter() {
        assert_eq!(*id, participant.info.id, "a participant is found by its own id");
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

fn floor_is_held(room: &Room) {
    for holder in room.floor.holders() {
        assert!(room.participants.contains(holder), "{holder:?} has the floor and is there");
    }
    for (id, participant) in room.participants.iter() {
        let publishes = participant.publications > 0;
        let known = participant.floor.is_some();
        let has = room.floor.has(id);
        assert!(has || !publishes, "{id:?} has the floor where it publishes");
        assert!(known || !has || publishes, "{id:?} has the floor while it publishes");
        let expected = room.presences.keys().any(|it| it == id);
        assert_eq!(expected, known, "{id:?} is heard or not");
    }
    let heard = room.presences.keys();
    assert!(heard.into_iter().all(|it| room.participants.contains(it)), "who is heard is there");
    let limit = room.settings.floor.limit.map_or(usize::MAX, |limit| limit as usize);
    assert!(room.floor.holders().count() <= limit, "the floor is not overcrowded");
}

fn publications_are_owned(room: &Room) {
    for (session, publication) in room.publications.iter() {
        let owned = room.participants.contains(&publication.owner);
        assert!(owned, "{session:?} has an owner in the room");
        let (audio, video) = publication.kinds();
        assert!(audio || video, "{session:?} has a track");
        if let Some(stream) = publication.stream() {
            assert_eq!(stream.id.as_str(), session.as_str(), "a stream bears its session's id");
        }
    }
}

fn subscriptions_are_served(room: &Room) {
    for (session, subscription) in room.subscriptions.iter() {
        let owned = room.participants.contains(&subscription.owner);
        assert!(owned, "{session:?} has an owner in the room");
        let (audio, video) = (subscription.audio.is_some(), subscription.video.is_some());
        assert!(audio || video, "{session:?} takes something");
        for (kind, from) in subscription.sources() {
            let publication = room.publications.get(from.as_str()).and_then(|it| it.stream());
            let view = room.view(from).filter(|it| it.is_available()).map(|it| &it.stream);
            let source = publication.or(view);
            assert!(
                source.is_some_and(|it| it.has(kind)),
                "{session:?} has its {kind:?} of {from}"
            );
        }
    }
}

fn session_ids_are_unique(room: &Room) {
    let mut taken = BTreeSet::new();
    let views = room.views.iter().map(|view| SessionId::from(&view.stream.id));
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

fn own_offers_are_waited_for(room: &Room) {
    let mut waiting = BTreeSet::new();
    for (transport, known) in &room.transports {
        let Negotiating::ByServer { session, stage } = &known.negotiating else { continue };
        assert_eq!(known.sessions, 1, "{transport:?} carries one session only");
        let carried = room.subscriptions.get(session).map(|it| &it.transport);
        assert_eq!(carried, Some(transport), "{session:?} is what {transport:?} carries");
        if *stage == Stage::Offered {
            waiting.insert(session);
        }
    }
    let open: BTreeSet<_> = room.offers.keys().collect();
    assert_eq!(open, waiting, "every unanswered offer ends some time");
}

fn views_mix_ready_streams(room: &Room) {
    for view in &room.views {
        let label = view.label();
        let mut mixed = BTreeSet::new();
        for input in view.inputs() {
            assert!(mixed.insert(&input.stream), "{label} mixes {:?} once", input.stream);
            let expected = room.publications.get(input.stream.as_str());
            let expected = expected.and_then(|it| view.input_of(it, &input.user));
            assert_eq!(expected.as_ref(), Some(input), "{label} mixes a stream as it is");
        }
        for publication in room.publications.values() {
            let Some(stream) = publication.stream() else { continue };
            let StreamOrigin::Forward { in_views, .. } = &stream.origin else {
                panic!("{:?} is a forward stream", stream.id)
            };
            let listed = in_views.iter().filter(|it| *it == label).count();
            let expected = usize::from(mixed.contains(&stream.id));
            assert_eq!(listed, expected, "{:?} says whether {label} mixes it", stream.id);
        }
        assert_eq!(view.desire(), *view.desired, "the mixing side knows {label} as it is");
        layout_shows_inputs(view);
        let flows = view.status == ViewStatus::Up;
        let status = if flows { TrackStatus::Active } else { TrackStatus::Inactive };
        for kind in [TrackKind::Audio, TrackKind::Video] {
            assert!(view.stream.status(kind).is_none_or(|it| it == status), "{label} flows or not");
        }
    }
}

fn layout_shows_inputs(view: &View) {
    let StreamOrigin::Mixed { active_input, layout, .. } = &view.stream.origin else {
        panic!("{:?} is a mixed stream", view.stream.id)
    };
    let input = |stream: &StreamId, is: fn(&ViewInput) -> bool| {
        view.inputs().iter().any(|input| input.stream == *stream && is(input))
    };
    assert!(active_input.iter().all(|it| input(it, |it| it.audio.is_some())), "a speaker is heard");
    let known: &Layout = view.arrangement.layout();
    assert_eq!(layout, known, "everybody knows the layout");
    let shown: Vec<_> = layout.iter().filter_map(|placed| placed.stream.as_ref()).collect();
    let distinct: BTreeSet<_> = shown.iter().collect();
    assert_eq!(distinct.len(), shown.len(), "an input is shown once");
    assert!(shown.iter().all(|it| input(it, |it| it.video.is_some())), "a picture is an input's");
    let filled = layout.iter().take_while(|placed| placed.stream.is_some()).count();
    assert_eq!(filled, shown.len(), "regions are filled from the first on");
}
