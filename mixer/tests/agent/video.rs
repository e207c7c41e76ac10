//! Pictures: who is where, and what disturbs nobody.

use std::time::Duration;

use portico_mixer_protocol::{Fit, FromAgent, Picture, ToAgent, VideoCodec};

use crate::harness::{Agent, grid, picture, rectangle, video};
use crate::media::{Source, add_solid, colour};
use crate::probe::{SAME, Watcher, decode_jpeg, distance};

const BLACK: [u8; 3] = [16, 128, 128];

fn set_layout(agent: &Agent, sequence: u64, regions: &[portico_mixer_protocol::Region]) {
    agent.send(ToAgent::SetLayout { view: 1, sequence, regions: regions.to_vec() });
}

/// An agent with a view and some inputs in a grid, watched.
fn meeting(count: u32, view: Picture) -> (Agent, Vec<Source>, Watcher) {
    let agent = Agent::start();
    agent.create_view(1, view);
    let inputs: Vec<u32> = (1..=count).collect();
    let sources = inputs.iter().map(|n| add_solid(&agent, *n, 320, 180)).collect();
    set_layout(&agent, 1, &grid(&inputs));
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    wait_for_grid(&watcher, &inputs);
    (agent, sources, watcher)
}

fn wait_for_grid(watcher: &Watcher, inputs: &[u32]) {
    let regions = grid(inputs);
    watcher.wait("the grid", |frame| {
        regions.iter().zip(inputs).all(|(region, input)| frame.shows(region, colour(*input)))
    });
}

fn assert_steady(watcher: &Watcher) {
    watcher.assert_steady(30.0, |_| {});
}

#[test]
fn one_fills_the_picture() {
    let (_agent, _sources, watcher) = meeting(1, picture(640, 360));
    assert_steady(&watcher);
}

#[test]
fn two_and_four_stand_in_a_grid() {
    for count in [2, 4] {
        let (_agent, _sources, watcher) = meeting(count, picture(640, 360));
        assert_steady(&watcher);
    }
}

#[test]
fn nine_stand_in_a_grid() {
    let (_agent, _sources, watcher) = meeting(9, picture(640, 360));
    assert_steady(&watcher);
}

#[test]
fn sixteen_stand_in_a_grid() {
    let (_agent, _sources, watcher) = meeting(16, picture(640, 360));
    assert_steady(&watcher);
}

#[test]
fn inputs_join_swap_and_leave() {
    let (agent, mut sources, watcher) = meeting(3, picture(640, 360));
    sources.push(add_solid(&agent, 4, 480, 270));
    set_layout(&agent, 2, &grid(&[1, 2, 3, 4]));
    wait_for_grid(&watcher, &[1, 2, 3, 4]);
    set_layout(&agent, 3, &grid(&[4, 3, 2, 1]));
    wait_for_grid(&watcher, &[4, 3, 2, 1]);
    agent.send(ToAgent::RemoveInput { input: 3 });
    let regions = grid(&[4, 3, 2, 1]);
    watcher.wait("the gap", |frame| {
        frame.shows(&regions[1], BLACK) && frame.shows(&regions[2], colour(2))
    });
    set_layout(&agent, 4, &grid(&[4, 2, 1]));
    wait_for_grid(&watcher, &[4, 2, 1]);
    assert_steady(&watcher);
    agent.wait_for("the layout", |m| *m == FromAgent::LayoutShown { view: 1, sequence: 4 });
}

#[test]
fn a_stalled_input_keeps_its_picture_and_delays_nobody() {
    let (_agent, sources, watcher) = meeting(4, picture(640, 360));
    sources[1].stall(true);
    let region = grid(&[1, 2, 3, 4])[1];
    watcher.assert_steady(30.0, |frame| assert!(frame.shows(&region, colour(2))));
    sources[1].stall(false);
    wait_for_grid(&watcher, &[1, 2, 3, 4]);
}

#[test]
fn a_paused_input_shows_an_avatar_until_it_goes_on() {
    let (agent, _sources, watcher) = meeting(2, picture(640, 360));
    agent.send(ToAgent::SetInputActive { input: 2, active: false });
    let regions = grid(&[1, 2]);
    // The avatar's ground, beside its figure.
    let (x, y) = (640 - 12, 12);
    watcher.wait("the avatar", |frame| {
        let ground = frame.at(x, y);
        let figure = frame.at(480, 75);
        distance(ground, colour(2)) > 2 * SAME
            && distance(ground, BLACK) > 10
            && distance(ground, figure) > SAME
            && frame.shows(&regions[0], colour(1))
    });
    agent.send(ToAgent::SetInputActive { input: 2, active: true });
    wait_for_grid(&watcher, &[1, 2]);
    let wanted = |m: &FromAgent| *m == FromAgent::KeyFrameWanted { input: 2 };
    let asked = agent.received(|r| r.messages.iter().filter(|m| wanted(m)).count());
    assert!(asked >= 2, "a decoder that starts again asks for a key frame");
}

#[test]
fn a_resolution_changes_in_the_middle() {
    let (_agent, sources, watcher) = meeting(2, picture(640, 360));
    for (width, height) in [(640, 360), (160, 90), (320, 180)] {
        sources[0].resize(width, height);
        assert_steady(&watcher);
        wait_for_grid(&watcher, &[1, 2]);
    }
    // Another shape: it stands upright in its region, which is 320 by 180 pixels.
    sources[0].resize(180, 320);
    watcher.wait("the upright picture", |frame| {
        let edge = (320 - 180 * 180 / 320) / 2;
        frame.is(160, 90, colour(1))
            && frame.is(edge - 8, 90, BLACK)
            && frame.is(edge + 8, 90, colour(1))
    });
}

#[test]
fn thirty_come_and_go() {
    let (agent, _sources, watcher) = meeting(2, picture(640, 360));
    agent.settle();
    let (threads, files) = (agent.count("task"), agent.count("fd"));
    let regions = grid(&[1, 2, 3]);
    for cycle in 0..30_u32 {
        let input = 100 + cycle;
        let _source = {
            let format =
                crate::harness::format(portico_mixer_protocol::Codec::Video(VideoCodec::Vp8));
            agent.send(ToAgent::AddInput { input, source: None, format, label: None });
            let raw = crate::media::solid(crate::media::COLOURS[3], 160, 90, 15);
            let description = format!("{raw} ! {}", crate::media::video_encoder(VideoCodec::Vp8));
            Source::start(&description, agent.sender.clone(), input, Duration::ZERO, |_| {})
        };
        set_layout(&agent, 10 + u64::from(cycle), &grid(&[1, 2, input]));
        if cycle % 10 == 0 {
            watcher.wait("the guest", |frame| frame.shows(&regions[2], colour(3)));
        } else {
            watcher.watch(3, |_| {});
        }
        agent.send(ToAgent::RemoveInput { input });
    }
    set_layout(&agent, 99, &grid(&[1, 2]));
    wait_for_grid(&watcher, &[1, 2]);
    assert_steady(&watcher);
    assert!(agent.count("task") <= threads + 3, "threads stay behind");
    assert!(agent.count("fd") <= files + 3, "files stay open");
}

#[test]
fn letterbox_shows_all_and_crop_fills() {
    for fit in [Fit::Letterbox, Fit::Crop] {
        let agent = Agent::start();
        let view = Picture { fit, background: [10, 30, 200], ..picture(640, 360) };
        agent.create_view(1, view);
        let _source = add_solid(&agent, 5, 320, 180);
        let region = rectangle([1, 1, 1, 2], 4, Some(5));
        set_layout(&agent, 1, &[region]);
        let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
        let ground = portico_mixer::canvas::Colour::from_rgb(view.background).yuv;
        // The region is 160 by 180 at (160, 90); the whole picture in it is 160 by 90.
        watcher.wait("the picture", |frame| {
            let bars = if fit == Fit::Crop { colour(5) } else { ground };
            frame.is(240, 180, colour(5))
                && frame.is(240, 142, colour(5))
                && frame.is(240, 128, bars)
                && frame.is(240, 96, bars)
                && frame.is(240, 264, bars)
                && frame.is(100, 100, ground)
        });
    }
}

#[test]
fn a_snapshot_shows_a_view_that_nobody_watches() {
    let agent = Agent::start();
    agent.create_view(1, picture(640, 360));
    let _sources: Vec<_> = (1..=2).map(|n| add_solid(&agent, n, 320, 180)).collect();
    set_layout(&agent, 1, &grid(&[1, 2]));
    let regions = grid(&[1, 2]);
    // Decoding starts with the first snapshot, and the sources' next key frame is up to two seconds
    // away, as nothing here answers the request for one.
    let shown = (0..10).any(|request| {
        let frame = decode_jpeg(&agent.snapshot(request, 1));
        frame.shows(&regions[0], colour(1)) && frame.shows(&regions[1], colour(2))
    });
    assert!(shown, "no snapshot shows the inputs");
    assert!(agent.snapshot(90, 7).is_empty(), "there is no view 7");
}

#[test]
fn a_view_that_nobody_watches_costs_next_to_nothing() {
    let (agent, _sources, watcher) = meeting(4, picture(640, 360));
    assert_steady(&watcher);
    agent.send(ToAgent::CloseOutput { output: 1 });
    agent.settle();
    let (cpu, pictures, _) = agent.statistics();
    let (_, _, _) = agent.statistics();
    let (later_cpu, later_pictures, dropped) = agent.statistics();
    assert_eq!((pictures, dropped), (later_pictures, 0));
    // Two seconds, at a cost of reading the packets.
    assert!(later_cpu - cpu < 60, "{} ms", later_cpu - cpu);
    // Somebody comes back.
    let watcher = Watcher::start(&agent, 2, &agent.open_video(2, 1, picture(640, 360)));
    agent.send(ToAgent::RequestKeyFrame { output: 2 });
    wait_for_grid(&watcher, &[1, 2, 3, 4]);
}

#[test]
fn two_outputs_of_different_sizes_and_codecs_at_once() {
    let (agent, _sources, first) = meeting(4, picture(640, 360));
    let encoding = video(VideoCodec::H264ConstrainedBaseline, 320, 240, 15);
    let second = Watcher::start(&agent, 2, &agent.open(2, 1, encoding));
    // The picture is 16:9 in an output of 4:3: bars of 30 lines above and below.
    let frame = second.wait("the small picture", |frame| {
        frame.is(80, 75, colour(1)) && frame.is(240, 165, colour(4)) && frame.is(160, 12, BLACK)
    });
    assert_eq!((frame.size.width, frame.size.height), (320, 240));
    second.assert_steady(15.0, |_| {});
    let rate = second.watch(30, |_| {});
    assert!(rate < 15.5, "{rate} pictures per second");
    assert_steady(&first);
    wait_for_grid(&first, &[1, 2, 3, 4]);
}

#[test]
fn a_late_watcher_gets_a_key_frame() {
    let (agent, _sources, watcher) = meeting(1, picture(320, 180));
    drop(watcher);
    // Packets from the middle of the stream: nothing can be decoded before a key frame, and the
    // next one is 100 seconds away.
    let late = Watcher::start(&agent, 1, &agent.format(1));
    agent.send(ToAgent::RequestKeyFrame { output: 1 });
    wait_for_grid(&late, &[1]);
}

/// A request for a key frame may get lost on its way to the sender.
#[test]
fn key_frames_are_asked_for_again_but_not_all_the_time() {
    let agent = Agent::start();
    let view = picture(320, 180);
    agent.create_view(1, view);
    let raw = crate::media::solid([9, 99, 9], 320, 180, 30);
    let encoder = crate::media::video_encoder(VideoCodec::Vp8).replace("-dist=30", "-dist=9999");
    let description = format!("{raw} ! {encoder}");
    let mut packets = 0;
    // Its only key frame is broken.
    let damage = move |packet: &mut Vec<u8>| {
        packets += 1;
        if packets < 5 {
            packet.truncate(20);
        }
    };
    let _source = Source::start(&description, agent.sender.clone(), 1, Duration::ZERO, damage);
    let format = crate::harness::format(portico_mixer_protocol::Codec::Video(VideoCodec::Vp8));
    let watcher = Watcher::start(&agent, 1, &agent.open_video(1, 1, view));
    watcher.watch(10, |_| {});
    agent.send(ToAgent::AddInput { input: 1, source: None, format, label: None });
    set_layout(&agent, 1, &grid(&[1]));
    let start = std::time::Instant::now();
    let asked = |count: usize| {
        agent.wait("another request", |received| {
            let wanted = |m: &&FromAgent| **m == FromAgent::KeyFrameWanted { input: 1 };
            (received.messages.iter().filter(wanted).count() >= count).then_some(())
        });
    };
    asked(4);
    assert!(start.elapsed() >= Duration::from_millis(1400), "{:?}", start.elapsed());
}

#[test]
fn the_server_learns_how_large_inputs_are_shown() {
    let agent = Agent::start();
    agent.create_view(1, picture(640, 360));
    agent.create_view(2, picture(1280, 720));
    let _source = add_solid(&agent, 1, 320, 180);
    set_layout(&agent, 1, &grid(&[1]));
    let shown = |width, height| {
        agent.wait_for("the size", |m| *m == FromAgent::Shown { input: 1, width, height });
    };
    shown(640, 360);
    let regions = grid(&[1]);
    agent.send(ToAgent::SetLayout { view: 2, sequence: 1, regions });
    shown(1280, 720);
    agent.send(ToAgent::RemoveView { view: 2 });
    set_layout(&agent, 2, &grid(&[1, 9, 9, 9]));
    shown(320, 180);
    set_layout(&agent, 3, &[]);
    shown(0, 0);
}
