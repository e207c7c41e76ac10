//! Agents that die or hang while a full room is watched.

use std::time::{Duration, Instant};

use super::{
    changes::{grid, watched},
    clip::Clip,
    meeting::{Actor, PICTURE, colour},
    scene::Scene,
    stage::{agents, signal},
    watcher::Watcher,
};

/// Actors of a full room.
const ACTORS: usize = 4;

/// How long the picture may be away after an agent was killed.
const KILLED: Duration = Duration::from_secs(2);

/// The same after it was stopped, which has to be noticed by its silence first.
const STOPPED: Duration = Duration::from_secs(8);

/// Ends the agent and waits until the picture is back. The first actor changes its colour at the
/// same moment, so what is seen then was not drawn by the agent that is gone.
async fn survive(
    watcher: &mut Watcher,
    actors: &[Actor],
    cycle: usize,
    name: &str,
) -> (Scene, Duration) {
    let colours: Vec<_> = std::iter::once(5 + cycle).chain(1..ACTORS).map(colour).collect();
    let clip = Clip::colour(colours[0], PICTURE).await;
    let [gone] = *agents() else { panic!("one agent: {:?}", agents()) };
    signal(name).await;
    let start = Instant::now();
    actors[0].picture.change(Some(clip));
    let scene = grid(&colours);
    watcher.until_shows(&format!("the mix after {name} {cycle}"), &scene).await;
    let took = start.elapsed();
    let [new] = *agents() else { panic!("one agent: {:?}", agents()) };
    assert_ne!(new, gone, "another agent");
    (scene, took)
}

/// One session from beginning to end, whose packets are numbered without a gap.
fn assert_unbroken(watcher: &Watcher) {
    let seen = watcher.seen();
    assert_eq!(seen.ssrc_changes, 0);
    assert_eq!(seen.breaks, [], "sequence numbers that do not follow each other");
}

/// Kills so many agents with a pause after each. More than four within a minute would be given up.
async fn kill(times: usize, pause: Duration) {
    let (_meeting, actors, mut watcher) = watched(ACTORS).await;
    for cycle in 0..times {
        let (scene, took) = survive(&mut watcher, &actors, cycle, "KILL").await;
        assert!(took <= KILLED, "kill {cycle}: back after {took:?}");
        assert_unbroken(&watcher);
        watcher.steady("after it", &scene, pause).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_agent_is_replaced_within_two_seconds() {
    kill(4, Duration::from_millis(1500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes three minutes, as more than four deaths a minute are too many"]
async fn ten_killed_agents_are_replaced_within_two_seconds_each() {
    kill(10, Duration::from_secs(15)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_agent_is_replaced() {
    let (_meeting, actors, mut watcher) = watched(ACTORS).await;
    let (scene, took) = survive(&mut watcher, &actors, 0, "STOP").await;
    assert!(took <= STOPPED, "back after {took:?}");
    assert_unbroken(&watcher);
    watcher.steady("after it", &scene, Duration::from_secs(2)).await;
}
