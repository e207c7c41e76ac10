//! A room's views between the room, the media plane and the mixing agent.

mod broadcasting;
mod failing;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use portico_mixer_protocol::{FromAgent, ToAgent};
use tokio::{
    sync::{mpsc, watch},
    time::sleep_until,
};
use tracing::{debug, info};

use super::{
    Mixing,
    agent::{Agent, Report},
    broadcasts::Broadcasts,
    link::Said,
    outputs::{Outputs, Views},
    plan::{Plan, Program, Step},
    program::Availability,
    snapshots::{SnapshotError, SnapshotSender, Snapshots, answer},
    words,
};
use crate::{
    formats::{AudioFormat, TrackKind, VideoFormat},
    ids::{RoomId, SessionId, StreamId},
    media::{self, RoomMedia, Source},
    room::{AudioFeed, DesiredView, Event, VideoFeed},
};

/// How long an agent runs after it was last needed.
const SPARE_TIME: Duration = Duration::from_secs(30);

/// How long a room does without an agent that was given up.
const RESPITE: Duration = Duration::from_secs(60);

/// The agent's connection.
struct Connection {
    commands: mpsc::Sender<ToAgent>,
}

/// A room's views: what they should be, and what the agent makes of them.
///
/// An agent runs while somebody subscribes to a view or asks for a snapshot, and a while longer;
/// a room that nobody watches costs nothing.
pub struct RoomMixing {
    id: RoomId,
    mixing: Mixing,
    availability: watch::Receiver<Availability>,
    media: Arc<RoomMedia>,
    views: Views,
    outputs: Outputs,
    broadcasts: Broadcasts,
    plan: Plan,
    agent: Option<Agent>,
    connection: Option<Connection>,
    snapshots: Snapshots,
    /// When the agent was last needed.
    needed: Option<Instant>,
    /// Since an agent was given up: no other one is started before, and why.
    respite: Option<(Instant, Arc<str>)>,
    /// What the room is to be told.
    events: VecDeque<Event>,
}

impl RoomMixing {
    pub(super) fn new(id: RoomId, mixing: Mixing, media: Arc<RoomMedia>) -> Self {
        let mut availability = mixing.availability();
        availability.mark_changed();
        let broadcasts = Broadcasts::new(id.clone(), mixing.live().clone());
        Self {
            id,
            mixing,
            availability,
            media,
            views: Views::new(),
            outputs: Outputs::default(),
            broadcasts,
            plan: Plan::default(),
            agent: None,
            connection: None,
            snapshots: Snapshots::default(),
            needed: None,
            respite: None,
            events: VecDeque::new(),
        }
    }

    /// A view is to be like this.
    pub fn view_changed(&mut self, view: StreamId, desired: Arc<DesiredView>) {
        self.views.insert(view, desired);
        self.settle();
    }

    /// Where a subscription's tracks come from, whether it is new or changes: published streams as
    /// they are, and encodings of views. A kind that is absent stays as it is.
    pub fn subscribe(
        &mut self,
        session: &SessionId,
        audio: Option<AudioFeed>,
        video: Option<VideoFeed>,
    ) -> (Option<Source<AudioFormat>>, Option<Source<VideoFormat>>) {
        let audio = audio.map(|feed| self.outputs.listen(session, feed, &self.views));
        let video = video.map(|feed| self.outputs.watch(session, feed));
        self.settle();
        (audio, video)
    }

    /// A track of a forward stream was paused or resumed.
    pub fn set_track_active(&mut self, stream: &StreamId, kind: TrackKind, active: bool) {
        self.outputs.set_track_active(stream, kind, active);
        self.settle();
    }

    /// A session has ended.
    pub fn session_closed(&mut self, session: &SessionId) {
        self.outputs.close(session, Instant::now());
        self.settle();
    }

    /// Learns from a report of the media plane what is about mixing.
    pub fn media_event(&mut self, event: &media::Event) {
        match event {
            media::Event::Chosen { session, output } => {
                self.outputs.choose(session, *output, Instant::now());
                // The room may have changed between the offer and its answer.
                self.settle();
            }
            media::Event::KeyFrameWanted { output } => {
                self.tell(ToAgent::RequestKeyFrame { output: output.0 });
            }
            media::Event::SessionFailed { session, .. } => self.session_closed(session),
            media::Event::Answered { .. }
            | media::Event::Offered { .. }
            | media::Event::SessionReady { .. }
            | media::Event::Layered { .. }
            | media::Event::Measured { .. }
            | media::Event::Level { .. } => {}
        }
    }

    /// Takes a picture of a view as it is now.
    pub fn snapshot(&mut self, view: StreamId, respond: SnapshotSender) {
        let reason = match &*self.availability.borrow() {
            Availability::Unavailable(reason) => Some(reason.clone()),
            Availability::Unknown | Availability::Ready(_) => {
                self.respite.as_ref().map(|(_, reason)| reason.clone())
            }
        };
        let has_picture = self.views.get(&view).is_some_and(|it| it.settings.video.is_some());
        if !has_picture {
            answer(respond, Err(SnapshotError::NoPicture));
        } else if let Some(reason) = reason {
            answer(respond, Err(SnapshotError::Unavailable(reason)));
        } else {
            self.snapshots.add(view, respond, Instant::now());
            self.settle();
        }
    }

    /// The next thing that the room must know. Nothing is lost when this is dropped while waiting.
    pub async fn event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let due = self.next_due();
            tokio::select! {
                changed = self.availability.changed() => match changed {
                    Ok(()) => self.note_availability(),
                    Err(_) => std::future::pending().await,
                },
                report = next_report(&mut self.agent) => self.heed(report),
                () = sleep_until_some(due) => {}
            }
            self.settle();
        }
    }

    fn note_availability(&mut self) {
        let availability = self.availability.borrow_and_update().clone();
        match availability {
            Availability::Unknown => self.events.push_back(Event::MixerDown),
            Availability::Ready(capabilities) => {
                self.events.push_back(Event::MixerUp { capabilities });
            }
            Availability::Unavailable(reason) => self.fail_views(&reason),
        }
    }
    fn heed(&mut self, report: Option<Report>) {
        match report {
            Some(Report::Up { capabilities, commands, feed }) => {
                self.plan.reset();
                self.connection = Some(Connection { commands });
                self.media.send(media::Command::OpenFeed { feed });
                self.snapshots.ask_again();
                let capabilities = words::capabilities(&capabilities);
                self.events.push_back(Event::MixerUp { capabilities });
                self.events.push_back(Event::MixerListens { listens: true });
            }
            Some(Report::Said(Said::Message(message))) => self.hear(message),
            Some(Report::Said(Said::Snapshot { request, picture })) => {
                self.snapshots.fulfil(request, picture);
            }
            Some(Report::Said(Said::Piece { output, piece, bytes })) => {
                self.broadcasts.take(output, piece, bytes);
            }
            Some(Report::Down) => {
                self.disconnect();
                self.events.push_back(Event::MixerDown);
            }
            Some(Report::GivenUp(reason)) => {
                self.disconnect();
                self.fail_views(&reason);
                self.respite = Some((Instant::now() + RESPITE, reason));
            }
            None => self.agent = None,
        }
    }

    fn disconnect(&mut self) {
        if self.connection.take().is_some() {
            self.media.send(media::Command::CloseFeed);
            self.events.push_back(Event::MixerListens { listens: false });
        }
    }

    fn hear(&mut self, message: FromAgent) {
        match message {
            FromAgent::KeyFrameWanted { input } => {
                self.media.send(media::Command::RequestKeyFrame { input });
            }
            FromAgent::Loudest { view, input } => {
                let stream = self.plan.input(input).map(|(stream, _)| stream.clone());
                if let (Some(Program::View(view)), Some(stream)) = (self.plan.program(view), stream)
                {
                    self.events.push_back(Event::Loudest { view: view.clone(), stream });
                }
            }
            FromAgent::PackageReady { output, codecs } => {
                self.broadcasts.set_codecs(output, codecs);
            }
            FromAgent::Failed { scope, reason } => self.note_failure(scope, &reason),
            FromAgent::Shown { input, width, height } => {
                debug!(room = %self.id, input, width, height, "an input is shown");
            }
            FromAgent::Ready { .. }
            | FromAgent::OutputReady { .. }
            | FromAgent::LayoutShown { .. }
            | FromAgent::Statistics { .. }
            | FromAgent::Pong { .. } => {}
        }
    }
    /// Brings the agent and the media plane to where they should be.
    fn settle(&mut self) {
        let now = Instant::now();
        for (session, to) in self.outputs.reroute(&self.views, now) {
            let audio = Some(Source::Injected([to].into()));
            self.media.send(media::Command::SwitchSubscription { session, audio, video: None });
        }
        for output in self.outputs.expire(now) {
            self.media.send(media::Command::CloseOutput { output });
        }
        self.snapshots.expire(now);
        self.look_after_agent(now);
        if self.connection.is_none() {
            return;
        }
        let mut steps = self.plan.reconcile(&self.views, &self.outputs, self.mixing.look());
        steps.extend(self.plan.package(self.broadcasts.packages()));
        for step in steps {
            match step {
                Step::Tell(message) => self.tell(message),
                Step::Tap { input, stream, kind, payload_type, layer } => {
                    let tap = media::Command::Tap { input, stream, kind, payload_type, layer };
                    self.media.send(tap);
                }
                Step::SetTapLayer { input, layer } => {
                    self.media.send(media::Command::SetTapLayer { input, layer });
                }
                Step::Untap { input } => self.media.send(media::Command::Untap { input }),
            }
        }
        for (request, view) in self.snapshots.take_unasked() {
            match self.plan.view_number(&view) {
                Some(view) => self.tell(ToAgent::TakeSnapshot { request, view }),
                None => self.snapshots.fulfil(request, Bytes::new()),
            }
        }
    }

    /// Starts the agent when it is needed, and ends it when it has not been for a while.
    fn look_after_agent(&mut self, now: Instant) {
        if self.respite.as_ref().is_some_and(|(until, _)| *until <= now) {
            self.respite = None;
            self.note_availability();
        }
        if self.is_needed() {
            self.needed = Some(now);
            let can_run = matches!(*self.availability.borrow(), Availability::Ready(_));
            if self.agent.is_none() && self.respite.is_none() && can_run {
                let media = Arc::clone(&self.media);
                let injector = move || media.injector();
                self.agent = Some(self.mixing.keep_agent(self.id.clone(), injector));
            }
        } else if self.agent.is_some() && self.spare_until().is_none_or(|until| until <= now) {
            info!(room = %self.id, "mixing agent is no longer needed");
            self.agent = None;
            if self.connection.is_none() {
                // It was dead, and is not missed any more.
                self.note_availability();
            }
            self.disconnect();
        }
    }

    fn is_needed(&self) -> bool {
        self.outputs.has_subscribers() || !self.broadcasts.is_empty() || !self.snapshots.is_empty()
    }

    fn spare_until(&self) -> Option<Instant> {
        Some(self.needed? + SPARE_TIME)
    }

    fn next_due(&self) -> Option<Instant> {
        let is_idle = self.agent.is_some() && !self.is_needed();
        let spare = self.spare_until().filter(|_| is_idle);
        let own = [spare, self.respite.as_ref().map(|(until, _)| *until)];
        let parts = [self.outputs.next_expiry(), self.snapshots.next_expiry()];
        own.into_iter().chain(parts).flatten().min()
    }

    /// Says something to the agent, if there is one. One that does not listen loses its connection,
    /// and its life.
    fn tell(&mut self, message: ToAgent) {
        let Some(connection) = &self.connection else { return };
        if connection.commands.try_send(message).is_err() {
            self.disconnect();
        }
    }
}

async fn next_report(agent: &mut Option<Agent>) -> Option<Report> {
    match agent {
        Some(agent) => agent.report().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until_some(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
