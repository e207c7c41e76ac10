//! What participants and the media side know of a room from what they are told alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

use crate::{
    formats::TrackKind,
    ids::{ParticipantId, SessionId, StreamId, TransportId},
    room::{
        AudioFeed, Command, DesiredView, Effect, Event, Input, Joined, Notification, Output,
        ParticipantInfo, PublisherInfo, Reply, Room, StreamInfo, StreamOrigin, StreamUpdate,
        TrackStatus, VideoFeed,
    },
};

/// One participant's knowledge.
#[derive(Debug)]
struct Seen {
    participants: Vec<ParticipantInfo>,
    streams: Vec<Arc<StreamInfo>>,
    sessions: BTreeMap<SessionId, TransportId>,
    ready: BTreeSet<SessionId>,
    /// Who publishes, as far as it is told such things.
    publishers: Option<Arc<[PublisherInfo]>>,
}

/// Everybody's knowledge, and the media side's.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    seen: BTreeMap<ParticipantId, Seen>,
    media: BTreeMap<SessionId, TransportId>,
    views: BTreeMap<StreamId, Arc<DesiredView>>,
    away: BTreeSet<ParticipantId>,
    /// The kinds of outputs that came by, so that a walk can tell that it was not a stroll.
    pub(super) met: BTreeSet<String>,
}

impl Mirror {
    /// Whom the room holds.
    pub(super) fn participants(&self) -> Vec<ParticipantId> {
        self.seen.keys().cloned().collect()
    }

    /// Whoever has a session, and the session.
    pub(super) fn owned(&self) -> Vec<(ParticipantId, SessionId)> {
        let all = self.seen.iter();
        all.flat_map(|(who, seen)| seen.sessions.keys().map(|it| (who.clone(), it.clone())))
            .collect()
    }

    /// A session or stream that exists.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.media.keys().cloned().collect()
    }

    /// What carries a session that exists.
    pub(super) fn transport(&self, session: &SessionId) -> TransportId {
        self.media[session].clone()
    }

    /// Notes what needs no telling: a lost connection sees nothing, a failed session is gone.
    pub(super) fn before(&mut self, input: &Input) {
        match input {
            Input::Event(Event::ConnectionLost { participant, keep }) if keep.is_zero() => {
                self.seen.remove(participant);
                self.away.remove(participant);
            }
            Input::Event(Event::ConnectionLost { participant, .. }) => {
                if self.seen.contains_key(participant) {
                    self.away.insert(participant.clone());
                }
            }
            Input::Event(Event::Resumed { participant }) => {
                self.away.remove(participant);
            }
            Input::Event(Event::SessionFailed { session, .. }) => {
                self.media.remove(session);
            }
            Input::Event(
                Event::Answered { .. }
                | Event::Offered { .. }
                | Event::SessionReady { .. }
                | Event::Layered { .. }
                | Event::Measured { .. }
                | Event::MixerUp { .. }
                | Event::MixerDown
                | Event::MixerGone
                | Event::ViewFailed { .. }
                | Event::MixerListens { .. }
                | Event::Loudest { .. }
                | Event::Level { .. }
                | Event::Restored { .. }
                | Event::Drop { .. },
            )
            | Input::Command { .. }
            | Input::Manage { .. } => {}
        }
    }

    /// Takes notice of an output.
    pub(super) fn notice(&mut self, input: &Input, output: &Output) {
        match output {
            Output::Reply { to, result: Ok(reply), .. } => {
                self.meet(reply);
                self.granted(to, input, reply);
            }
            Output::Managed { result: Ok(managed), .. } => self.meet(managed),
            Output::Reply { result: Err(rejection), .. }
            | Output::Managed { result: Err(rejection), .. } => self.meet(rejection),
            Output::Notify { to, notification } => {
                self.meet(notification);
                self.told(to, notification);
            }
            Output::Effect(effect) => {
                self.meet(effect);
                self.performed(effect);
            }
        }
    }

    /// Insists that everybody knows the truth.
    pub(super) fn compare(&self, room: &Room) {
        let info = room.info();
        let present: BTreeSet<_> = info.participants.iter().map(|it| it.id.clone()).collect();
        assert_eq!(present, self.seen.keys().cloned().collect(), "who is in the room");
        // Nobody is told when a stream's own list of views changes.
        let streams: Vec<_> = info.streams.iter().map(without_views).collect();
        for (who, seen) in &self.seen {
            assert_eq!(seen.participants, info.participants, "whom {who} sees");
            assert_eq!(seen.streams, streams, "which streams {who} sees");
            assert_eq!(seen.sessions, sessions_of(room, Some(who)), "what {who} has");
            if let Some(publishers) = &seen.publishers {
                assert_eq!(*publishers, room.list_publishers(), "who publishes for {who}");
            }
        }
        assert_eq!(self.media, sessions_of(room, None), "what the media side carries");
        let views =
            room.views.iter().map(|view| (view.stream.id.clone(), Arc::clone(&view.desired)));
        assert_eq!(self.views, views.collect(), "what the mixing side makes");
        for input in self.views.values().flat_map(|desired| &desired.inputs) {
            self.carries(&input.stream);
        }
    }

    fn meet(&mut self, thing: &impl Debug) {
        self.met.insert(first_word(thing));
    }

    fn joined(&mut self, who: &ParticipantId, joined: &Joined) {
        let Joined { participant, room, floor, .. } = joined;
        assert_eq!(participant.id, *who);
        let publishers = floor.as_ref().map(|it| Arc::clone(&it.publishers));
        self.away.remove(who);
        let own = floor.iter().flat_map(|it| &it.sessions);
        let own: BTreeMap<_, _> = own.map(|it| (it.id.clone(), it.transport.clone())).collect();
        if let Some(seen) = self.seen.get_mut(who) {
            assert_eq!(own, seen.sessions, "{who} comes again and has what it had");
            assert_eq!(room.participants, seen.participants, "{who} knows everybody");
            seen.publishers = publishers;
            return;
        }
        assert!(own.is_empty(), "{who} is new");
        let seen = Seen {
            participants: room.participants.clone(),
            streams: room.streams.iter().map(without_views).collect(),
            sessions: BTreeMap::new(),
            ready: BTreeSet::new(),
            publishers,
        };
        assert!(self.seen.insert(who.clone(), seen).is_none(), "{who} comes in once");
    }

    fn granted(&mut self, who: &ParticipantId, input: &Input, reply: &Reply) {
        let Input::Command { command, .. } = input else { panic!("an event is not answered") };
        match reply {
            Reply::Joined(joined) => self.joined(who, joined),
            Reply::SessionOpened { session, transport } => {
                let seen = self.seen.get_mut(who).expect("in the room");
                let known = seen.sessions.insert(session.clone(), transport.clone());
                assert_eq!(known, None, "{session} is new");
            }
            Reply::Described(room) => {
                let seen = self.seen.get(who).expect("in the room");
                assert_eq!(room.participants, seen.participants, "{who} knows everybody");
            }
            Reply::Done => match command {
                Command::Leave => {
                    self.away.remove(who);
                    assert!(self.seen.remove(who).is_some());
                }
                Command::Unpublish { session } | Command::Unsubscribe { session } => {
                    self.ended(who, session);
                }
                Command::Text { .. }
                | Command::Broadcast { .. }
                | Command::UpdateSubscription { .. }
                | Command::PauseSubscription { .. }
                | Command::PlaySubscription { .. }
                | Command::Negotiate { .. }
                | Command::PauseStream { .. }
                | Command::PlayStream { .. }
                | Command::Mix { .. }
                | Command::Unmix { .. }
                | Command::SetSending { .. }
                | Command::AskForFloor { .. }
                | Command::GrantFloor { .. }
                | Command::DenyFloor { .. }
                | Command::Kick { .. }
                | Command::Relay { .. }
                | Command::SetRegion { .. } => {}
                Command::Heartbeat
                | Command::Join { .. }
                | Command::Describe
                | Command::Publish { .. }
                | Command::Subscribe { .. }
                | Command::EstimateBandwidth { .. }
                | Command::GetRegion { .. } => {
                    panic!("{command:?} has a richer answer")
                }
            },
            Reply::Publishers(list) => {
                assert_eq!(self.seen[who].publishers.as_ref(), Some(list), "{who} knows the list");
            }
            Reply::Region { region } => self.shown(who, command, region),
        }
    }

    /// Whoever asked for a region already knew it from the layout.
    fn shown(&self, who: &ParticipantId, command: &Command, region: &str) {
        let Command::GetRegion { stream, view } = command else { panic!("not asked for a region") };
        let found = self.seen[who].streams.iter().find_map(|it| match &it.origin {
            StreamOrigin::Mixed { label, layout, .. } if label == view => Some(layout),
            StreamOrigin::Mixed { .. } | StreamOrigin::Forward { .. } => None,
        });
        let placed = found.expect("a view").iter().find(|it| *it.region.id == *region);
        assert_eq!(placed.and_then(|it| it.stream.as_ref()), Some(stream), "{region} shows it");
    }

    fn ended(&mut self, who: &ParticipantId, session: &SessionId) {
        let seen = self.seen.get_mut(who).expect("in the room");
        assert!(seen.sessions.remove(session).is_some(), "{session} is {who}'s");
        seen.ready.remove(session);
    }

    fn told(&mut self, who: &ParticipantId, notification: &Notification) {
        if let Notification::SessionFailed { session, .. } = notification {
            return self.ended(who, session);
        }
        if let Notification::Dropped | Notification::Kicked { .. } | Notification::Expired =
            notification
        {
            self.away.remove(who);
            assert!(self.seen.remove(who).is_some(), "{who} is in the room");
            return;
        }
        let seen = self.seen.get_mut(who).expect("only those in the room are told");
        match notification {
            Notification::ParticipantJoined(newcomer) => seen.participants.push(newcomer.clone()),
            Notification::ParticipantLeft(leaver) => {
                let before = seen.participants.len();
                seen.participants.retain(|it| it.id != leaver.id);
                assert_eq!(seen.participants.len() + 1, before, "{leaver:?} was there");
            }
            Notification::StreamAdded(stream) => seen.streams.push(without_views(stream)),
            Notification::StreamUpdated { stream, update } => {
                self.met.insert(first_word(update));
                let stream = seen.streams.iter_mut().find(|it| it.id == *stream);
                apply(stream.expect("only known streams change"), update);
            }
            Notification::StreamRemoved { stream, .. } => {
                let before = seen.streams.len();
                seen.streams.retain(|it| it.id != *stream);
                assert_eq!(seen.streams.len() + 1, before, "{stream} was there");
            }
            Notification::Answer { transport, .. } | Notification::Offer { transport, .. } => {
                assert!(seen.sessions.values().any(|it| it == transport), "{who}'s own");
            }
            Notification::SessionReady { session, transport } => {
                assert_eq!(seen.sessions.get(session), Some(transport), "{who}'s own");
                assert!(seen.ready.insert(session.clone()), "{session} gets ready once");
            }
            Notification::Publishers(list) => {
                let known = seen.publishers.replace(Arc::clone(list));
                assert!(known.is_some_and(|known| known != *list), "{who} hears news of it");
            }
            Notification::Relayed { .. } => {
                assert!(seen.publishers.is_some(), "{who} knows the floor");
            }
            Notification::Text { .. } => {}
            Notification::Broadcast { from, .. } => {
                assert_ne!(from.id, *who, "nobody hears its own broadcast");
                assert!(seen.participants.contains(from), "{from:?} is known");
            }
            Notification::SessionFailed { .. }
            | Notification::Kicked { .. }
            | Notification::Expired
            | Notification::Dropped => unreachable!("above"),
        }
    }

    fn performed(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenPublication { session, transport, .. } => self.open(session, transport),
            Effect::OpenSubscription { session, transport, audio, video, .. } => {
                self.feeds(audio.as_ref(), video.as_ref());
                self.open(session, transport);
            }
            Effect::SwitchSubscription { session, audio, video } => {
                assert!(self.media.contains_key(session), "{session} is open");
                self.feeds(audio.as_ref(), video.as_ref());
            }
            Effect::SetSubscriptionActive { session, .. } => {
                assert!(self.media.contains_key(session), "{session} is open");
            }
            Effect::Negotiate { transport, .. } => {
                assert!(self.media.values().any(|it| it == transport), "{transport} is up");
            }
            Effect::CloseSession { session } => {
                assert!(self.media.remove(session).is_some(), "{session} was open");
            }
            Effect::SetTrackActive { stream, .. } => self.carries(stream),
            Effect::ViewChanged { view, desired } => {
                let before = self.views.insert(view.clone(), Arc::clone(desired));
                assert_ne!(before.as_ref(), Some(desired), "{view} changed");
            }
            Effect::Disconnect { participant } => {
                if self.away.remove(participant) {
                    // It was away for too long and learns no more.
                    self.seen.remove(participant);
                }
                assert!(!self.seen.contains_key(participant), "{participant} was told before");
            }
            Effect::CloseRoom => assert!(self.seen.is_empty(), "nobody is in a closed room"),
        }
    }

    fn feeds(&self, audio: Option<&AudioFeed>, video: Option<&VideoFeed>) {
        let audio = audio.map(|feed| {
            let output = feed.output.as_ref();
            (&feed.from, output.map(|output| output.original.is_some()))
        });
        let video = video.map(|feed| {
            let output = feed.output.as_ref();
            (&feed.from, output.map(|output| output.original.is_some()))
        });
        for (source, encoded_original) in audio.into_iter().chain(video) {
            let is_view = self.views.contains_key(source);
            assert_eq!(encoded_original == Some(false), is_view, "{source} is mixed");
            if !is_view {
                self.carries(source);
            }
        }
    }

    fn open(&mut self, session: &SessionId, transport: &TransportId) {
        let known = self.media.insert(session.clone(), transport.clone());
        assert_eq!(known, None, "{session} is new");
    }

    fn carries(&self, stream: &StreamId) {
        assert!(self.media.contains_key(stream.as_str()), "{stream} is carried");
    }
}

fn first_word(thing: &impl Debug) -> String {
    let text = format!("{thing:?}");
    let end = text.find(|it: char| !it.is_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

fn apply(stream: &mut Arc<StreamInfo>, update: &StreamUpdate) {
    match update {
        StreamUpdate::Whole(whole) => *stream = without_views(whole),
        StreamUpdate::Layout(new) => match &mut Arc::make_mut(stream).origin {
            StreamOrigin::Mixed { layout, .. } => {
                assert_ne!(layout, new, "a layout is told when it changed");
                layout.clone_from(new);
            }
            StreamOrigin::Forward { .. } => panic!("only mixed streams have a layout"),
        },
        StreamUpdate::ActiveInput(new) => match &mut Arc::make_mut(stream).origin {
            StreamOrigin::Mixed { active_input, .. } => {
                assert_ne!(active_input, new, "a speaker is told when it changed");
                active_input.clone_from(new);
            }
            StreamOrigin::Forward { .. } => panic!("only mixed streams have a speaker"),
        },
        StreamUpdate::Status { kind, status } => *track_status(stream, *kind) = *status,
    }
}

fn track_status(stream: &mut Arc<StreamInfo>, kind: TrackKind) -> &mut TrackStatus {
    let stream = Arc::make_mut(stream);
    let status = match kind {
        TrackKind::Audio => stream.audio.as_mut().map(|it| &mut it.status),
        TrackKind::Video => stream.video.as_mut().map(|it| &mut it.status),
    };
    status.expect("only tracks that are there change")
}

/// A stream without the list of views that mix it, of whose changes nobody is told.
fn without_views(stream: &Arc<StreamInfo>) -> Arc<StreamInfo> {
    let mut stream = Arc::clone(stream);
    if let Some(views) = Arc::make_mut(&mut stream).in_views_mut() {
        views.clear();
    }
    stream
}

/// The sessions that a room holds, of one participant or of everybody.
fn sessions_of(room: &Room, who: Option<&ParticipantId>) -> BTreeMap<SessionId, TransportId> {
    let publications = room.publications.iter().map(|(id, it)| (id, &it.owner, &it.transport));
    let subscriptions = room.subscriptions.iter().map(|(id, it)| (id, &it.owner, &it.transport));
    publications
        .chain(subscriptions)
        .filter(|(_, owner, _)| who.is_none_or(|who| who == *owner))
        .map(|(id, _, transport)| (id.clone(), transport.clone()))
        .collect()
}
