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
        Command, Effect, Event, Input, Joined, Notification, Output, ParticipantInfo, Reply, Room,
        StreamInfo, StreamUpdate, TrackStatus,
    },
};

/// One participant's knowledge.
#[derive(Debug)]
struct Seen {
    participants: Vec<ParticipantInfo>,
    streams: Vec<Arc<StreamInfo>>,
    sessions: BTreeMap<SessionId, TransportId>,
    ready: BTreeSet<SessionId>,
}

/// Everybody's knowledge, and the media side's.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    seen: BTreeMap<ParticipantId, Seen>,
    media: BTreeMap<SessionId, TransportId>,
    /// The kinds of outputs that came by, so that a walk can tell that it was not a stroll.
    pub(super) met: BTreeSet<String>,
}

impl Mirror {
    /// Whom the room holds.
    pub(super) fn participants(&self) -> Vec<ParticipantId> {
        self.seen.keys().cloned().collect()
    }

    /// A session or stream that exists.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.media.keys().cloned().collect()
    }

    /// Notes what needs no telling: a lost connection sees nothing, a failed session is gone.
    pub(super) fn before(&mut self, input: &Input) {
        match input {
            Input::Event(Event::ConnectionLost { participant }) => {
                self.seen.remove(participant);
            }
            Input::Event(Event::SessionFailed { session, .. }) => {
                self.media.remove(session);
            }
            Input::Event(
                Event::Answered { .. }
                | Event::SessionReady { .. }
                | Event::Measured { .. }
                | Event::Drop { .. },
            )
            | Input::Command { .. } => {}
        }
    }

    /// Takes notice of an output.
    pub(super) fn notice(&mut self, input: &Input, output: &Output) {
        match output {
            Output::Reply { to, result: Ok(reply), .. } => {
                self.meet(reply);
                self.granted(to, input, reply);
            }
            Output::Reply { result: Err(rejection), .. } => self.meet(rejection),
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
        for (who, seen) in &self.seen {
            assert_eq!(seen.participants, info.participants, "whom {who} sees");
            assert_eq!(seen.streams, info.streams, "which streams {who} sees");
            assert_eq!(seen.sessions, sessions_of(room, Some(who)), "what {who} has");
        }
        assert_eq!(self.media, sessions_of(room, None), "what the media side carries");
    }

    fn meet(&mut self, thing: &impl Debug) {
        let text = format!("{thing:?}");
        let end = text.find(|it: char| !it.is_alphanumeric()).unwrap_or(text.len());
        self.met.insert(text[..end].to_owned());
    }

    fn granted(&mut self, who: &ParticipantId, input: &Input, reply: &Reply) {
        let Input::Command { command, .. } = input else { panic!("an event is not answered") };
        match reply {
            Reply::Joined(joined) => {
                let Joined { participant, room, .. } = &**joined;
                assert_eq!(participant.id, *who);
                let seen = Seen {
                    participants: room.participants.clone(),
                    streams: room.streams.clone(),
                    sessions: BTreeMap::new(),
                    ready: BTreeSet::new(),
                };
                assert!(self.seen.insert(who.clone(), seen).is_none(), "{who} comes in once");
            }
            Reply::SessionOpened { session, transport } => {
                let seen = self.seen.get_mut(who).expect("in the room");
                let known = seen.sessions.insert(session.clone(), transport.clone());
                assert_eq!(known, None, "{session} is new");
            }
            Reply::Done => match command {
                Command::Leave => assert!(self.seen.remove(who).is_some()),
                Command::Unpublish { session } | Command::Unsubscribe { session } => {
                    self.ended(who, session);
                }
                Command::Text { .. }
                | Command::Negotiate { .. }
                | Command::PauseStream { .. }
                | Command::PlayStream { .. } => {}
                Command::Join { .. } | Command::Publish { .. } | Command::Subscribe { .. } => {
                    panic!("{command:?} has a richer answer")
                }
            },
        }
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
        if *notification == Notification::Dropped {
            assert!(self.seen.remove(who).is_some(), "{who} is in the room");
            return;
        }
        let seen = self.seen.get_mut(who).expect("only those in the room are told");
        match notification {
            Notification::ParticipantJoined(newcomer) => seen.participants.push(newcomer.clone()),
            Notification::ParticipantLeft(leaver) => {
                let before = seen.participants.len();
                seen.participants.retain(|it| it.id != *leaver);
                assert_eq!(seen.participants.len() + 1, before, "{leaver} was there");
            }
            Notification::StreamAdded(stream) => seen.streams.push(Arc::clone(stream)),
            Notification::StreamUpdated { stream, update } => {
                let stream = seen.streams.iter_mut().find(|it| it.id == *stream);
                apply(stream.expect("only known streams change"), update);
            }
            Notification::StreamRemoved(stream) => {
                let before = seen.streams.len();
                seen.streams.retain(|it| it.id != *stream);
                assert_eq!(seen.streams.len() + 1, before, "{stream} was there");
            }
            Notification::Answer { transport, .. } => {
                assert!(seen.sessions.values().any(|it| it == transport), "{who}'s own");
            }
            Notification::SessionReady { session, transport } => {
                assert_eq!(seen.sessions.get(session), Some(transport), "{who}'s own");
                assert!(seen.ready.insert(session.clone()), "{session} gets ready once");
            }
            Notification::Text { .. } => {}
            Notification::SessionFailed { .. } | Notification::Dropped => unreachable!("above"),
        }
    }

    fn performed(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenPublication { session, transport, .. } => self.open(session, transport),
            Effect::OpenSubscription { session, transport, audio, video } => {
                for source in audio.iter().chain(video) {
                    self.carries(source);
                }
                self.open(session, transport);
            }
            Effect::Negotiate { transport, .. } => {
                assert!(self.media.values().any(|it| it == transport), "{transport} is up");
            }
            Effect::CloseSession { session } => {
                assert!(self.media.remove(session).is_some(), "{session} was open");
            }
            Effect::SetTrackActive { stream, .. } => self.carries(stream),
            Effect::Disconnect { participant } => {
                assert!(!self.seen.contains_key(participant), "{participant} was told before");
            }
            Effect::CloseRoom => assert!(self.seen.is_empty(), "nobody is in a closed room"),
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

fn apply(stream: &mut Arc<StreamInfo>, update: &StreamUpdate) {
    match update {
        StreamUpdate::Whole(whole) => *stream = Arc::clone(whole),
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
