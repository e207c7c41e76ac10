//! The layouts that views have by themselves, full of actors.

use std::time::Duration;

use serde_json::json;

use super::{
    meeting::{Actor, BACKGROUND, Meeting, colour, tone},
    scene::{Outline, Scene},
    watcher::Listener,
};

/// How long a picture of each number of inputs is watched.
const WATCHED: Duration = Duration::from_secs(2);

/// A tone that nobody plays.
const NOBODYS: f64 = 250.0;

/// Square grids, row by row.
fn fluid(inputs: usize) -> Vec<Outline> {
    let side = (1..).find(|side| side * side >= inputs).expect("some");
    let side = u32::try_from(side).expect("small");
    (0..side * side).map(|at| Outline::cell(at % side, at / side, 1, side)).collect()
}

/// One large region, and small ones on its right, downwards, and below it, leftwards.
fn lecture(inputs: usize) -> Vec<Outline> {
    let side = match inputs {
        1 => return vec![Outline::cell(0, 0, 1, 1)],
        2..=6 => 3,
        7..=8 => 4,
        more => panic!("no template for {more}"),
    };
    let last = side - 1;
    let column = (0..=last).map(|top| Outline::cell(last, top, 1, side));
    let row = (0..last).rev().map(|left| Outline::cell(left, last, 1, side));
    [Outline::cell(0, 0, last, side)].into_iter().chain(column).chain(row).collect()
}

/// Actors in order, and background in what is left.
fn scene(regions: &[Outline], inputs: usize) -> Scene {
    let shown = |at: usize| if at < inputs { colour(at) } else { BACKGROUND };
    let regions = regions.iter().enumerate().map(|(at, outline)| (*outline, shown(at)));
    Scene::new(BACKGROUND, regions.collect())
}

/// Grows a meeting and looks at it, and has everybody listen, whenever it has one of these sizes.
async fn grow(base: &str, sizes: &[usize], regions: fn(usize) -> Vec<Outline>) {
    let most = *sizes.last().expect("some");
    let layout = json!({"templates": {"base": base}});
    let meeting = Meeting::with(layout, u32::try_from(most).expect("small")).await;
    let mut viewer = meeting.guest("viewer").await;
    let mut watcher = meeting.watcher(&mut viewer).await;
    let mut listener = meeting.listener(&mut viewer).await;
    let mut actors: Vec<(Actor, Listener)> = Vec::new();
    for size in sizes {
        for number in actors.len()..*size {
            let mut actor = Actor::join(&meeting, number).await;
            let own = meeting.listener(&mut actor.guest).await;
            actors.push((actor, own));
        }
        let what = format!("{base}, {size} inputs");
        let scene = scene(&regions(*size), *size);
        watcher.until_shows(&what, &scene).await;
        watcher.steady(&what, &scene, WATCHED).await;
        let tones: Vec<f64> = (0..*size).map(tone).collect();
        listener.until("the viewer", &tones, &[NOBODYS]).await;
        for (number, (_, own)) in actors.iter_mut().enumerate() {
            let (own_tone, others) = (tone(number), tones.iter().copied());
            let others: Vec<f64> = others.filter(|tone| *tone != own_tone).collect();
            own.until(&format!("actor {number} of {size}"), &others, &[own_tone]).await;
        }
    }
    watcher.in_time_throughout().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fluid_view_shows_and_plays_one_to_sixteen() {
    grow("fluid", &[1, 2, 4, 5, 9, 10, 16], fluid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lecture_shows_and_plays_one_to_eight() {
    grow("lecture", &[1, 6, 8], lecture).await;
}
