//! Pictures: who is where, and what disturbs nobody.

use std::time::{Duration, Instant};

use portico_mixer_protocol::{Fit, FromAgent, ToAgent};

use crate::harness::{Agent, grid, picture, rectangle};
use crate::media::{add_solid, colour};
use crate::probe::{Watcher, distance};

const BLACK: [u8; 3] = [16, 128, 128];

/// Shows some inputs in a grid and checks every region.
fn shows_a_grid_of(count: u32) {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let inputs: Vec<u32> = (1..=count).collect();
    let _sources: Vec<_> = inputs.iter().map(|n| add_solid(&agent, *n, 320, 180)).collect();
    let regions = grid(&inputs);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    watcher.wait("the grid", |frame| {
        regions.iter().zip(&inputs).all(|(region, input)| frame.shows(region, colour(*input)))
    });
    let rate = watcher.watch(60, |_| {});
    assert!(rate >= 0.95 * 30.0, "{rate} pictures per second");
}

#[test]
fn one_fills_the_picture() {
    shows_a_grid_of(1);
}

#[test]
fn two_and_four_stand_in_a_grid() {
    shows_a_grid_of(2);
    shows_a_grid_of(4);
}

#[test]
fn nine_stand_in_a_grid() {
    shows_a_grid_of(9);
}

#[test]
fn sixteen_stand_in_a_grid() {
    shows_a_grid_of(16);
}
