//! Tells a story to a room and hears exactly what it answers.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread::panicking,
    time::{Duration, Instant},
};

use super::words::*;
use crate::room::{
    Command, Effect, Event, Input, Managed, Notification, Order, Output, Rejection, Reply,
    RequestId, Room, Settings, StreamInfo,
};

/// A room and its clock.
pub(super) struct Scenario {
    pub(super) room: Room,
    pub(super) now: Instant,
    requests: u64,
}

/// What an input led to. Each method takes the next output and insists that it is the given one;
/// when all is said, nothing may be left.
pub(super) struct Outcome {
    asker: Option<(String, RequestId)>,
    outputs: VecDeque<Output>,
}

impl Scenario {
    /// A room with the usual settings.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A room with unusual settings.
    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let now = Instant::now();
        let mut scenario = Self { room: Room::new(now, id(ROOM), settings), now, requests: 0 };
        let described = |it: &Output| matches!(it, Output::Effect(Effect::ViewChanged { .. }));
        assert!(scenario.drain().iter().all(described), "a new room tells of its views only");
        scenario
    }

    /// A participant asks for something. If it is refused, nothing may have changed.
    /// Whoever joins has an account of its own name.
    pub(super) fn asks(&mut self, who: &str, mut command: Command) -> Outcome {
        if let Command::Join { user, .. } = &mut command
            && **user == *ANY_USER
        {
            *user = who.into();
        }
        self.requests += 1;
        let request = RequestId(self.requests);
        let before = self.state();
        self.room.handle(self.now, Input::Command { from: id(who), request, command });
        let outputs = self.drain();
        if let Some(Output::Reply { result: Err(rejection), .. }) = outputs.front() {
            assert_eq!(self.state(), before, "{rejection:?} must leave all as it was");
        }
        Outcome { asker: Some((who.to_owned(), request)), outputs }
    }

    /// An administrator orders something. If it is refused, nothing may have changed.
    pub(super) fn orders(&mut self, order: Order) -> Outcome {
        self.requests += 1;
        let request = RequestId(self.requests);
        let before = self.state();
        self.room.handle(self.now, Input::Manage { request, order });
        let outputs = self.drain();
        if let Some(Output::Managed { result: Err(rejection), .. }) = outputs.front() {
            assert_eq!(self.state(), before, "{rejection:?} must leave all as it was");
        }
        Outcome { asker: Some((String::new(), request)), outputs }
    }

    /// Something happens.
    pub(super) fn happens(&mut self, event: Event) -> Outcome {
        self.room.handle(self.now, Input::Event(event));
        Outcome { asker: None, outputs: self.drain() }
    }

    /// Time passes; the room is woken if it wished so.
    pub(super) fn waits(&mut self, time: Duration) -> Outcome {
        self.now += time;
        if self.room.poll_timeout().is_some_and(|due| due <= self.now) {
            self.room.handle_timeout(self.now);
        }
        Outcome { asker: None, outputs: self.drain() }
    }

    fn drain(&mut self) -> VecDeque<Output> {
        std::iter::from_fn(|| self.room.poll_output()).collect()
    }

    fn state(&self) -> String {
        let Room { views, participants, publications, subscriptions, transports, .. } = &self.room;
        let floor: Vec<_> = self.room.floor.holders().collect();
        format!("{:?}", (views, participants, publications, subscriptions, transports, floor))
    }
}

/// Preparations, whose own outputs other tests look at.
impl Scenario {
    /// Presenters come in.
    pub(super) fn joined(&mut self, everybody: &[&str]) {
        for who in everybody {
            self.joined_as(who, "presenter");
        }
    }

    /// Somebody comes in.
    pub(super) fn joined_as(&mut self, who: &str, role: &str) {
        self.prepare(who, &join(role));
    }

    /// Somebody starts a publication with sound and picture, which connects.
    pub(super) fn publishing(&mut self, who: &str, session: &str) {
        self.prepare(who, &publish(session, AUDIO_VIDEO));
    }

    /// Somebody publishes a stream with sound and picture.
    pub(super) fn published(&mut self, who: &str, session: &str) -> Arc<StreamInfo> {
        self.publishing(who, session);
        self.happens(ready(session)).outputs.clear();
        self.stream(session)
    }

    /// Somebody mixes a stream into the common view.
    pub(super) fn mixed(&mut self, who: &str, stream: &str) {
        self.prepare(who, &mix(stream, "common"));
    }

    /// Something happens whose consequences other tests look at.
    pub(super) fn happened(&mut self, event: Event) {
        self.happens(event).outputs.clear();
    }

    /// Somebody subscribes; the media does not flow yet.
    pub(super) fn subscribing(&mut self, who: &str, session: &str, from: &str) {
        self.prepare(who, &subscribe(session, Some(from), Some(from)));
    }

    /// A stream as newcomers would find it.
    pub(super) fn stream(&self, stream: &str) -> Arc<StreamInfo> {
        let streams = self.room.info().streams;
        streams.into_iter().find(|it| it.id == id(stream)).expect("the stream is listed")
    }

    /// Asks for something that must be granted.
    pub(super) fn prepare(&mut self, who: &str, command: &Command) {
        let mut outcome = self.asks(who, command.clone());
        let granted = |it: &Output| matches!(it, Output::Reply { result: Ok(_), .. });
        assert!(outcome.outputs.iter().any(granted), "{command:?} must be granted");
        outcome.outputs.clear();
    }
}

impl Outcome {
    /// The request is granted.
    #[track_caller]
    pub(super) fn granted(self, reply: Reply) -> Self {
        self.answered(Ok(reply))
    }

    /// The request is refused, and that is all.
    #[track_caller]
    pub(super) fn refused(self, rejection: Rejection) {
        self.answered(Err(rejection)).and_nothing_else();
    }

    #[track_caller]
    fn answered(self, result: Result<Reply, Rejection>) -> Self {
        let (who, request) = self.asker.clone().expect("a request");
        self.next(&Output::Reply { to: id(&who), request, result })
    }

    /// The order is carried out, and that is all.
    #[track_caller]
    pub(super) fn managed(self, result: Managed) {
        self.order_answered(Ok(result)).and_nothing_else();
    }

    /// The order is refused, and that is all.
    #[track_caller]
    pub(super) fn order_refused(self, rejection: Rejection) {
        self.order_answered(Err(rejection)).and_nothing_else();
    }

    #[track_caller]
    fn order_answered(self, result: Result<Managed, Rejection>) -> Self {
        let (_, request) = self.asker.clone().expect("an order");
        self.next(&Output::Managed { request, result })
    }

    /// All of these are told the same, in this order.
    #[track_caller]
    pub(super) fn told(mut self, whom: &[&str], notification: Notification) -> Self {
        let notification = Arc::new(notification);
        for who in whom {
            let notification = Arc::clone(&notification);
            self = self.next(&Output::Notify { to: id(who), notification });
        }
        self
    }

    /// Something outside changes.
    #[track_caller]
    pub(super) fn effect(self, effect: Effect) -> Self {
        self.next(&Output::Effect(effect))
    }

    /// Nothing at all comes of it.
    #[track_caller]
    pub(super) fn ignored(self) {
        self.and_nothing_else();
    }

    #[track_caller]
    fn next(mut self, expected: &Output) -> Self {
        let actual = self.outputs.pop_front();
        if actual.as_ref() != Some(expected) {
            let rest = std::mem::take(&mut self.outputs);
            panic!("expected {expected:#?}\nbut got {actual:#?}\nand then {rest:#?}");
        }
        self
    }

    #[track_caller]
    fn and_nothing_else(mut self) {
        let rest = std::mem::take(&mut self.outputs);
        assert!(rest.is_empty(), "nothing more was expected, but got {rest:#?}");
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let rest = &self.outputs;
        assert!(panicking() || rest.is_empty(), "nothing more was expected, but got {rest:#?}");
    }
}
