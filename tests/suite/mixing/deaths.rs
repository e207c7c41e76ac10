//! Agents that die or hang while a full room is watched.

use std::time::{Duration, Instant};

use super::{
    changes::{grid, watched, watched_with},
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_killed_agents_in_a_row_are_replaced_within_two_seconds_each() {
    const KILLS: usize = 10;
    let (_meeting, actors, mut watcher) = watched_with(ACTORS, |config| {
        config.mixing.max_deaths = u32::try_from(KILLS).expect("small") + 1;
    })
    .await;
    for cycle in 0..KILLS {
        let (scene, took) = survive(&mut watcher, &actors, cycle, "KILL").await;
        assert!(took <= KILLED, "kill {cycle}: back after {took:?}");
        assert_unbroken(&watcher);
        watcher.steady("after it", &scene, Duration::from_millis(1200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_agent_is_replaced() {
    let (_meeting, actors, mut watcher) = watched(ACTORS).await;
    let (scene, took) = survive(&mut watcher, &actors, 0, "STOP").await;
    assert!(took <= STOPPED, "back after {took:?}");
    assert_unbroken(&watcher);
    watcher.steady("after it", &scene, Duration::from_secs(2)).await;
}
