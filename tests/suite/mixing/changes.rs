//! What changes while somebody watches: comings and goings, layouts, pauses, stalls, sizes.

use std::time::Duration;

use portico::config::Config;
use serde_json::{Value, json};

use super::{
    clip::Clip,
    meeting::{Actor, BACKGROUND, Meeting, PICTURE, colour, tone},
    scene::{Outline, Scene},
    stage::{agents, server_with},
    watcher::Watcher,
};

/// How long a picture is watched after each change.
const WATCHED: Duration = Duration::from_secs(2);

/// What is behind an avatar.
const AVATAR_GROUND: [u8; 3] = [0x2b, 0x30, 0x3b];

/// Colours in the cells of a grid, row by row.
pub(super) fn grid(colours: &[[u8; 3]]) -> Scene {
    let side = (1..).find(|side| side * side >= colours.len()).expect("some");
    let cells = (0..side * side).map(|at| {
        let cell = |at: usize| u32::try_from(at).expect("small");
        let outline = Outline::cell(cell(at % side), cell(at / side), 1, cell(side));
        (outline, colours.get(at).copied().unwrap_or(BACKGROUND))
    });
    Scene::new(BACKGROUND, cells.collect())
}

/// Colours in the regions of [`circles`], the lowest first.
pub(super) fn round(colours: [[u8; 3]; 4]) -> Scene {
    let outlines = [
        Outline::cell(0, 0, 1, 2),
        Outline::Circle(0.75, 0.25, 0.125),
        Outline::Circle(0.25, 0.75, 0.125),
        // Over the corner of the first.
        Outline::Circle(0.5, 0.5, 0.0625),
    ];
    Scene::new(BACKGROUND, outlines.into_iter().zip(colours).collect())
}

/// A layout of a rectangle and three circles.
pub(super) fn circles(streams: [&str; 4]) -> Value {
    let circle = |id: &str, center_w: &str, center_h: &str, radius: &str, stream: &str| {
        let area = json!({"centerW": center_w, "centerH": center_h, "radius": radius});
        json!({"stream": stream, "region": {"id": id, "shape": "circle", "area": area}})
    };
    let area = json!({"left": "0", "top": "0", "width": "1/2", "height": "1/2"});
    json!([
        {"stream": streams[0], "region": {"id": "a", "shape": "rectangle", "area": area}},
        circle("b", "3/4", "1/4", "1/8", streams[1]),
        circle("c", "1/4", "3/4", "1/8", streams[2]),
        circle("d", "1/2", "1/2", "1/16", streams[3]),
    ])
}

/// A meeting of the first few actors in a fluid view whose pictures are cropped, watched.
pub(super) async fn watched(count: usize) -> (Meeting, Vec<Actor>, Watcher) {
    watched_with(count, |_| {}).await
}

/// The same on a server with some settings changed.
pub(super) async fn watched_with(
    count: usize,
    change: impl FnOnce(&mut Config),
) -> (Meeting, Vec<Actor>, Watcher) {
    let layout = json!({"templates": {"base": "fluid"}, "fitPolicy": "crop"});
    let meeting = Meeting::on(server_with(change).await, layout, 16).await;
    let mut actors = Vec::new();
    for number in 0..count {
        actors.push(Actor::join(&meeting, number).await);
    }
    let mut viewer = meeting.guest("viewer").await;
    let mut watcher = meeting.watcher(&mut viewer).await;
    let colours: Vec<_> = (0..count).map(colour).collect();
    watcher.until_shows("everybody", &grid(&colours)).await;
    // The viewer's notifications are of no interest, but its connection has to stay.
    tokio::spawn(async move {
        loop {
            viewer.client.next().await;
        }
    });
    (meeting, actors, watcher)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_follows_joining_leaving_moving_and_custom_layouts() {
    let (meeting, mut actors, mut watcher) = watched(4).await;
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(colour);

    actors.pop().expect("the fourth").leave().await;
    let scene = grid(&[a, b, c]);
    watcher.until_shows("one left", &scene).await;
    watcher.steady("one left", &scene, WATCHED).await;

    actors.push(Actor::join(&meeting, 4).await);
    let scene = grid(&[a, b, c, e]);
    watcher.until_shows("one joined", &scene).await;
    watcher.steady("one joined", &scene, WATCHED).await;

    actors[1].move_to("1").await;
    let scene = grid(&[b, a, c, e]);
    watcher.until_shows("two changed places", &scene).await;
    watcher.steady("two changed places", &scene, WATCHED).await;

    let [first, second, third, fourth] = [0, 1, 2, 3].map(|at: usize| actors[at].id());
    meeting.lay_out(circles([first, second, third, fourth])).await;
    let scene = round([a, b, c, e]);
    watcher.until_shows("circles", &scene).await;
    watcher.steady("circles", &scene, WATCHED).await;

    actors[2].move_to("b").await;
    watcher.until_shows("a circle moved", &round([a, c, b, e])).await;
    let seat = json!([
        {"op": "replace", "path": "/info/layout/3/stream", "value": actors[0].id()},
    ]);
    meeting.back_end.patch(&meeting.stream(&meeting.view()), seat).await.granted();
    let scene = round([e, c, b, a]);
    watcher.until_shows("an administrator moved it", &scene).await;
    watcher.steady("an administrator moved it", &scene, WATCHED).await;

    // A fifth one waits until a place is free.
    let late = Actor::join(&meeting, 3).await;
    watcher.steady("one waits", &scene, WATCHED).await;
    actors.remove(2).leave().await;
    watcher.until_shows("those behind move up", &round([e, b, a, d])).await;
    drop(late);
    watcher.in_time_throughout().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_a_stall_and_another_size_disturb_nobody() {
    let (meeting, mut actors, mut watcher) = watched(4).await;
    let mut ear = meeting.guest("ear").await;
    let mut listener = meeting.listener(&mut ear).await;
    let [a, b, c, d] = [0, 1, 2, 3].map(colour);
    let tones = [0, 1, 2, 3].map(tone);
    listener.until("the listener", &tones, &[]).await;

    actors[1].control("pause", json!("av")).await;
    listener.until("the listener", &[tones[0], tones[2], tones[3]], &[tones[1]]).await;
    let corner = Outline::Rectangle(0.5, 0.0, 0.06, 0.1);
    let mut paused = grid(&[a, b, c, d]);
    paused.regions[1] = (corner, AVATAR_GROUND);
    watcher.until_shows("an avatar", &paused).await;
    watcher.steady("an avatar", &paused, WATCHED).await;
    actors[1].control("play", json!("av")).await;
    let all = grid(&[a, b, c, d]);
    watcher.until_shows("played again", &all).await;
    listener.until("the listener", &tones, &[]).await;

    // It stops without a word: its last picture stays, the others go on.
    let silenced = Clip::tone(tone(0)).await;
    actors[0].picture.change(None);
    actors[0].sound.change(None);
    listener.until("the listener", &tones[1..], &[tones[0]]).await;
    watcher.steady("one stalls", &all, WATCHED).await;
    let other = colour(20);
    actors[3].picture.change(Some(Clip::colour(other, PICTURE).await));
    watcher.until_shows("others go on", &grid(&[a, b, c, other])).await;
    actors[0].picture.change(Some(Clip::colour(a, PICTURE).await));
    actors[0].sound.change(Some(silenced));
    listener.until("the listener", &tones, &[]).await;

    // Larger, smaller, upright: the picture is cropped to its region.
    for (size, other) in [((320, 180), 21), ((80, 46), 22), ((180, 320), 23)] {
        let other = colour(other);
        actors[2].picture.change(Some(Clip::colour(other, size).await));
        let scene = grid(&[a, b, other, colour(20)]);
        let what = format!("a picture of {size:?}");
        watcher.until_shows(&what, &scene).await;
        watcher.steady(&what, &scene, WATCHED).await;
    }
    watcher.in_time_throughout().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_come_and_go() {
    let (meeting, _actors, mut watcher) = watched(2).await;
    let [a, b] = [0, 1].map(colour);
    let alone = grid(&[a, b]);
    let [agent] = *agents() else { panic!("one agent") };
    let count =
        |what: &str| std::fs::read_dir(format!("/proc/{agent}/{what}")).expect("it lives").count();
    let (threads, files) = (count("task"), count("fd"));
    for cycle in 0..30 {
        let guest = 2 + cycle % 20;
        let actor = Actor::join(&meeting, guest).await;
        watcher.until_shows("a guest", &grid(&[a, b, colour(guest)])).await;
        actor.leave().await;
        watcher.until_shows("the guest left", &alone).await;
    }
    watcher.steady("all left", &alone, WATCHED).await;
    watcher.in_time_throughout().await;
    assert_eq!(agents(), [agent], "it is still the same agent");
    assert!(count("task") <= threads + 3, "threads stay behind");
    assert!(count("fd") <= files + 3, "files stay open");
}
