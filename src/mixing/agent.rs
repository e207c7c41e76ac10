//! A room's mixing agent: started, watched, started again when it dies, given up when it dies too
//! often.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use portico_mixer_protocol::{Capabilities, ToAgent};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};
use tracing::{info, warn};

use super::link::{Ends, Link, LinkError, MAX_COMMANDS, Said};
use crate::{
    config,
    ids::RoomId,
    media::{Feed, Injector},
};

/// How long to wait before an agent is started again, by how often it died lately. With its start
/// and the first pictures viewers are without a picture for less than two seconds each time.
const BACK_OFF: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(600),
    Duration::from_millis(800),
];

/// Reports that wait for the room at most; then the agent's connection waits.
const MAX_REPORTS: usize = 256;

/// What becomes of an agent.
#[derive(Debug)]
pub(super) enum Report {
    /// It runs, and knows nothing yet.
    Up {
        /// What it can do.
        capabilities: Capabilities,
        /// What it is told.
        commands: mpsc::Sender<ToAgent>,
        /// The packets that it gets.
        feed: Feed,
    },
    /// It says something.
    Said(Said),
    /// It is dead, and is started again.
    Down,
    /// It is dead for good.
    GivenUp(Arc<str>),
}

/// How many deaths of an agent are borne.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endurance {
    /// After so many it is given up.
    pub(super) max_deaths: u32,
    /// How long a death counts.
    pub(super) window: Duration,
}

impl Endurance {
    pub(super) fn of(config: &config::Mixing) -> Self {
        Self { max_deaths: config.max_deaths, window: config.deaths_window }
    }
}

/// An agent that has greeted.
pub(super) struct Started<S, P> {
    /// Its connection.
    pub(super) link: Link<S>,
    /// What it can do.
    pub(super) capabilities: Capabilities,
    /// What ends it when it is dropped.
    pub(super) process: P,
}

/// Why there is no agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAgent {
    /// It may go better the next time.
    Died(String),
    /// It would be the same again.
    Useless(String),
}

impl From<LinkError> for NoAgent {
    fn from(error: LinkError) -> Self {
        let reason = error.to_string();
        if matches!(error, LinkError::Version(_)) {
            Self::Useless(reason)
        } else {
            Self::Died(reason)
        }
    }
}

/// How an agent is started; each call starts one.
pub(super) trait Start: Send + 'static {
    /// Its connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// What ends it when it is dropped.
    type Process: Send + 'static;

    /// Starts one and waits until it has greeted.
    fn start(
        &mut self,
    ) -> impl Future<Output = Result<Started<Self::Stream, Self::Process>, NoAgent>> + Send;
}

/// An agent that is kept alive until this is dropped.
pub(super) struct Agent {
    reports: mpsc::Receiver<Report>,
    _alive: oneshot::Sender<()>,
}

impl Agent {
    /// Starts an agent. Each one that is started has an injector of its own.
    pub(super) fn keep(
        room: RoomId,
        start: impl Start,
        endurance: Endurance,
        injector: impl Fn() -> Injector + Send + 'static,
    ) -> Self {
        let (report, reports) = mpsc::channel(MAX_REPORTS);
        let (alive, ended) = oneshot::channel();
        let keeper = Keeper { room, start, endurance, injector, report, deaths: VecDeque::new() };
        tokio::spawn(keeper.run(ended));
        Self { reports, _alive: alive }
    }

    /// The next report; `None` after it was given up.
    pub(super) async fn report(&mut self) -> Option<Report> {
        self.reports.recv().await
    }
}

struct Keeper<S, I> {
    room: RoomId,
    start: S,
    endurance: Endurance,
    injector: I,
    report: mpsc::Sender<Report>,
    deaths: VecDeque<Instant>,
}

/// How an agent came to its end.
enum End {
    /// It is no longer needed.
    Unneeded,
    /// Against its will.
    Lost(NoAgent),
}

impl<S: Start, I: Fn() -> Injector + Send + 'static> Keeper<S, I> {
    async fn run(mut self, mut ended: oneshot::Receiver<()>) {
        loop {
            let end = self.live(&mut ended).await;
            let (reason, is_useless) = match end {
                End::Unneeded => return,
                End::Lost(NoAgent::Died(reason)) => (reason, false),
                End::Lost(NoAgent::Useless(reason)) => (reason, true),
            };
            warn!(room = %self.room, reason, "mixing agent died");
            let deaths = self.note_death();
            if is_useless || deaths >= self.endurance.max_deaths as usize {
                let reason = format!("The mixer failed: {reason}.").into();
                // Whoever would hear of it may be gone.
                self.report.send(Report::GivenUp(reason)).await.ok();
                return;
            }
            if self.report.send(Report::Down).await.is_err() {
                return;
            }
            let pause = BACK_OFF[(deaths - 1).min(BACK_OFF.len() - 1)];
            tokio::select! {
                () = sleep(pause) => {}
                _ = &mut ended => return,
            }
        }
    }

    /// Notes a death; how many are remembered.
    fn note_death(&mut self) -> usize {
        let now = Instant::now();
        self.deaths.push_back(now);
        while self.deaths.front().is_some_and(|death| now - *death > self.endurance.window) {
            self.deaths.pop_front();
        }
        self.deaths.len()
    }

    /// One agent's life. Its connection and its process end with it.
    async fn live(&mut self, ended: &mut oneshot::Receiver<()>) -> End {
        let started = tokio::select! {
            started = self.start.start() => started,
            _ = &mut *ended => return End::Unneeded,
        };
        let Started { link, capabilities, process: _process } = match started {
            Ok(started) => started,
            Err(lost) => return End::Lost(lost),
        };
        info!(room = %self.room, "mixing agent runs");
        let (commands, received) = mpsc::channel(MAX_COMMANDS);
        let (feed, reports) = (Feed::default(), self.report.clone());
        let up = Report::Up { capabilities, commands, feed: feed.clone() };
        if self.report.send(up).await.is_err() {
            return End::Unneeded;
        }
        let ends = Ends { commands: received, feed, injector: (self.injector)(), reports };
        tokio::select! {
            error = link.carry(ends) => End::Lost(NoAgent::Died(error.to_string())),
            _ = &mut *ended => End::Unneeded,
        }
    }
}

#[cfg(test)]
mod tests;
