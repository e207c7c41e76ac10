//! Layouts: circles, overlaps, quick changes, nonsense.

use std::time::Duration;

use portico_mixer_protocol::{FromAgent, Picture, Region, Scope, Shape, ToAgent};

use crate::harness::{Agent, grid, picture, rectangle, share};
use crate::media::{add_solid, colour};
use crate::probe::Watcher;

/// A circle; centre and radius in eighths.
pub(crate) fn circle(center_w: u32, center_h: u32, radius: u32, input: u32) -> Region {
    let shape = Shape::Circle {
        center_w: share(center_w, 8),
        center_h: share(center_h, 8),
        radius: share(radius, 8),
    };
    Region { shape, input: Some(input), highlighted: false }
}

#[test]
fn circles_lie_over_what_was_before_them() {
    let agent = Agent::start();
    let view = Picture { background: [40, 60, 90], ..picture(640, 360) };
    agent.create_view(1, view);
    // Square pictures fill circles.
    let _sources: Vec<_> = (1..=3).map(|n| add_solid(&agent, n, 200, 200)).collect();
    let regions = vec![rectangle([0, 0, 2, 2], 4, Some(1)), circle(2, 4, 1, 2), circle(6, 4, 1, 3)];
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    let ground = portico_mixer::canvas::Colour::from_rgb(view.background).yuv;
    watcher.wait("the circles", |frame| {
        // Circles of radius 80 around (160, 180) and (480, 180).
        frame.shows(&regions[1], colour(2))
            && frame.shows(&regions[2], colour(3))
            && [(416, 116), (544, 116), (416, 244), (544, 244)]
                .iter()
                .all(|(x, y)| frame.is(*x, *y, ground))
            // The circle covers the rectangle; its corner does not. The rectangle's square picture
            // is 180 wide in its middle, and ends at line 180.
            && frame.is(160, 150, colour(2))
            && frame.is(100, 112, colour(1))
            && frame.is(160, 8, colour(1))
            && frame.is(160, 256, colour(2))
            && frame.is(100, 250, ground)
    });
}

/// Layouts change faster than pictures come: each decoded picture shows one of them.
#[test]
fn no_picture_of_a_thousand_changes_mixes_two_layouts() {
    const CHANGES: u32 = 1000;
    const PAUSE: Duration = Duration::from_millis(5);
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let _sources: Vec<_> = (1..=4).map(|n| add_solid(&agent, n, 320, 180)).collect();
    let turned = |turn: u32| grid(&[1, 2, 3, 4].map(|n| (n + turn) % 4 + 1));
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: turned(0) });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    let layout = |frame: &crate::probe::Frame| {
        (0..4).find(|turn| {
            let regions = turned(*turn);
            regions.iter().all(|r| frame.shows(r, colour(r.input.expect("all have one"))))
        })
    };
    let first = watcher.wait("the first layout", |frame| layout(frame) == Some(0)).time;
    for change in 0..CHANGES {
        let (sequence, regions) = (2 + u64::from(change), turned(change % 4));
        agent.send(ToAgent::SetLayout { view: 1, sequence, regions });
        std::thread::sleep(PAUSE);
    }
    let last = u64::from(CHANGES) + 1;
    agent.wait_for("the last", |m| *m == FromAgent::LayoutShown { view: 1, sequence: last });
    watcher.wait("the last layout", |frame| layout(frame) == Some((CHANGES - 1) % 4));
    let frames: Vec<_> = watcher.kept().into_iter().filter(|frame| frame.time > first).collect();
    let mut seen = [0; 4];
    for frame in &frames {
        let turn = layout(frame).expect("a picture shows one layout");
        seen[turn as usize] += 1;
    }
    assert!(frames.len() > 100, "{} pictures", frames.len());
    assert!(seen.iter().all(|count| *count > 5), "layouts seen: {seen:?}");
}

#[test]
fn nonsense_changes_nothing() {
    let agent = Agent::start();
    let view = picture(640, 360);
    agent.create_view(1, view);
    let _source = add_solid(&agent, 1, 320, 180);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: grid(&[1]) });
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    watcher.wait("the picture", |frame| frame.shows(&grid(&[1])[0], colour(1)));
    let zero = rectangle([0, 0, 1, 1], 0, Some(1));
    let large = rectangle([0, 0, 3, 1], 2, Some(1));
    let many = vec![rectangle([0, 0, 1, 1], 2, None); 10_000];
    let layouts = [(1, vec![zero]), (1, vec![large]), (1, many), (9, grid(&[1]))];
    for (view, regions) in layouts {
        agent.send(ToAgent::SetLayout { view, sequence: 5, regions });
    }
    agent.send(ToAgent::RequestKeyFrame { output: 77 });
    agent.send(ToAgent::RemoveInput { input: 77 });
    agent.send(ToAgent::CreateView { view: 1, picture: None });
    agent.send(ToAgent::CreateView { view: 3, picture: Some(picture(641, 360)) });
    agent.settle();
    let refused = agent.received(|received| {
        let refusal = |m: &&FromAgent| matches!(m, FromAgent::Failed { scope: Scope::Message, .. });
        received.messages.iter().filter(refusal).count()
    });
    assert_eq!(refused, 8);
    watcher.watch(5, |frame| assert!(frame.shows(&grid(&[1])[0], colour(1))));
}
