use std::sync::Mutex;

use portico_mixer_protocol::VERSION;
use tokio::{
    io::{DuplexStream, duplex},
    time::timeout,
};

use super::*;
use crate::mixing::link::tests::{Peer, media};

const ENDURANCE: Endurance = Endurance { max_deaths: 5, window: Duration::from_secs(60) };

/// Notes when it is dropped, as a process that is killed would.
struct Process(mpsc::UnboundedSender<()>);

impl Drop for Process {
    fn drop(&mut self) {
        // The test may be over.
        self.0.send(()).ok();
    }
}

/// Starts agents that the test plays.
struct Script {
    peers: mpsc::UnboundedSender<(Instant, DuplexStream)>,
    ended: mpsc::UnboundedSender<()>,
    refusal: Option<String>,
}

impl Start for Script {
    type Stream = DuplexStream;
    type Process = Process;

    async fn start(&mut self) -> Result<Started<DuplexStream, Process>, NoAgent> {
        if let Some(reason) = &self.refusal {
            return Err(NoAgent::Useless(reason.clone()));
        }
        let (own, other) = duplex(64 * 1024);
        self.peers.send((Instant::now(), other)).expect("the test takes it");
        let process = Process(self.ended.clone());
        let (link, capabilities) = Link::greet(own).await?;
        Ok(Started { link, capabilities, process })
    }
}

struct Stage {
    agent: Agent,
    peers: mpsc::UnboundedReceiver<(Instant, DuplexStream)>,
    ended: mpsc::UnboundedReceiver<()>,
    _media: crate::media::Media,
}

fn stage(refusal: Option<&str>) -> Stage {
    stage_with(refusal, ENDURANCE)
}

fn stage_with(refusal: Option<&str>, endurance: Endurance) -> Stage {
    let (peers_to, peers) = mpsc::unbounded_channel();
    let (ended_to, ended) = mpsc::unbounded_channel();
    let refusal = refusal.map(str::to_owned);
    let script = Script { peers: peers_to, ended: ended_to, refusal };
    let (plane, room) = media();
    let agent =
        Agent::keep("room".parse().expect("valid"), script, endurance, move || room.injector());
    Stage { agent, peers, ended, _media: plane }
}

impl Stage {
    async fn peer(&mut self) -> (Instant, Peer<DuplexStream>) {
        let (at, stream) = self.peers.recv().await.expect("an agent is started");
        (at, Peer::new(stream))
    }

    async fn up(&mut self) -> (Instant, Peer<DuplexStream>, mpsc::Sender<ToAgent>) {
        let (at, mut peer) = self.peer().await;
        peer.greet(VERSION).await;
        match self.agent.report().await {
            Some(Report::Up { commands, .. }) => (at, peer, commands),
            other => panic!("not up: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_agent_is_started_again_ever_later_and_then_given_up() {
    let mut stage = stage(None);
    let mut pauses = Vec::new();
    let mut died = None;
    for death in 1..=ENDURANCE.max_deaths {
        let (started, peer, _commands) = stage.up().await;
        if let Some(died) = died {
            pauses.push(started - died);
        }
        drop(peer);
        died = Some(Instant::now());
        match stage.agent.report().await {
            Some(Report::Down) if death < ENDURANCE.max_deaths => {}
            Some(Report::GivenUp(reason)) if death == ENDURANCE.max_deaths => {
                assert!(reason.starts_with("The mixer failed: "), "{reason}");
            }
            other => panic!("death {death}: {other:?}"),
        }
    }
    assert_eq!(pauses, BACK_OFF);
    assert!(stage.agent.report().await.is_none());
    assert!(stage.peers.try_recv().is_err(), "and not started again");
}

#[tokio::test(start_paused = true)]
async fn deaths_long_ago_are_forgotten() {
    let mut stage = stage(None);
    for _ in 0..ENDURANCE.max_deaths * 2 {
        let (_, mut peer, _commands) = stage.up().await;
        let living = timeout(ENDURANCE.window / 2, peer.message()).await;
        assert!(living.is_err(), "it answers and is told nothing: {living:?}");
        drop(peer);
        assert!(matches!(stage.agent.report().await, Some(Report::Down)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_want_more_endurance() {
    let endurance = Endurance { max_deaths: 30, ..ENDURANCE };
    let mut stage = stage_with(None, endurance);
    for _ in 1..endurance.max_deaths {
        let (_, peer, _commands) = stage.up().await;
        drop(peer);
        assert!(matches!(stage.agent.report().await, Some(Report::Down)));
    }
    let _last = stage.up().await;
    assert!(matches!(stage.agent.report().await, Some(Report::GivenUp(_))));
}

#[tokio::test(start_paused = true)]
async fn a_hung_agent_is_killed_and_replaced() {
    let mut stage = stage(None);
    let (_, silent, _commands) = stage.up().await;
    assert!(matches!(stage.agent.report().await, Some(Report::Down)));
    stage.ended.recv().await.expect("killed");
    let (_, _peer, commands) = stage.up().await;
    commands.send(ToAgent::RemoveView { view: 1 }).await.expect("the new one is told");
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_not_told_any_more_is_killed() {
    let mut stage = stage(None);
    let (_, _peer, commands) = stage.up().await;
    drop(commands);
    assert!(matches!(stage.agent.report().await, Some(Report::Down)));
    stage.ended.recv().await.expect("killed");
}

#[tokio::test(start_paused = true)]
async fn another_version_and_a_missing_program_are_given_up_at_once() {
    let mut other = stage(None);
    let (_, mut peer) = other.peer().await;
    peer.greet(VERSION + 1).await;
    let Some(Report::GivenUp(reason)) = other.agent.report().await else { panic!("not given up") };
    assert!(reason.contains("same release"), "{reason}");
    let mut missing = stage(Some("there is none"));
    let Some(Report::GivenUp(reason)) = missing.agent.report().await else { panic!("started") };
    assert!(reason.contains("there is none"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_ends_with_its_keeper() {
    let mut stage = stage(None);
    let (_, mut peer, _commands) = stage.up().await;
    let ended = Mutex::new(stage.ended);
    drop(stage.agent);
    assert!(ended.into_inner().expect("unlocked").recv().await.is_some(), "killed");
    assert_eq!(peer.message().await, None, "the connection is closed");
}
