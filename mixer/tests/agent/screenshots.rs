//! Pictures to look at, in `target/screenshots`.

use std::path::PathBuf;

use gstreamer as gst;
use gstreamer::prelude::*;
use portico_mixer_protocol::{Codec, Fit, Picture, ToAgent, VideoCodec};

use crate::harness::{Agent, format, grid, picture, rectangle};
use crate::layouts::circle;
use crate::media::{Source, name, video_encoder};
use crate::probe::decode_jpeg;

/// Adds an input with something to look at.
fn add_pattern(agent: &Agent, input: u32) -> Source {
    const PATTERNS: [&str; 9] = [
        "smpte",
        "ball",
        "circular",
        "pinwheel",
        "zone-plate kx2=20 ky2=20",
        "colors",
        "checkers-8",
        "spokes",
        "gradient",
    ];
    let format = format(Codec::Video(VideoCodec::Vp8));
    agent.send(ToAgent::AddInput { input, source: None, format, label: Some(name(input)) });
    let pattern = PATTERNS[input as usize % PATTERNS.len()];
    let description = format!(
        "videotestsrc is-live=true pattern={pattern} \
         ! video/x-raw,format=I420,width=640,height=360,framerate=10/1 ! {}",
        video_encoder(VideoCodec::Vp8)
    );
    Source::start(&description, agent.sender.clone(), input, std::time::Duration::ZERO, |_| {})
}

/// Takes a snapshot in which all inputs have a picture, and saves it as PNG.
fn save(agent: &Agent, view: u32, file: &str) {
    // The first one wakes the view; key frames of its inputs come within three seconds.
    let mut jpeg = Vec::new();
    for request in 0..5 {
        jpeg = agent.snapshot(view * 100 + request, view);
    }
    assert!(decode_jpeg(&jpeg).size.width > 0);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let source = folder.join(format!("{file}.jpg"));
    std::fs::write(&source, jpeg).expect("written");
    let png = folder.join(format!("{file}.png"));
    let description = format!(
        "filesrc location={} ! jpegdec ! videoconvert ! pngenc snapshot=true ! filesink location={}",
        source.display(),
        png.display()
    );
    let pipeline = gst::parse::launch(&description).expect("a pipeline");
    pipeline.set_state(gst::State::Playing).expect("plays");
    let bus = pipeline.bus().expect("a bus");
    bus.timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Eos])
        .expect("it is written");
    pipeline.set_state(gst::State::Null).expect("ends");
}

#[test]
fn a_grid_of_nine_and_a_layout_of_circles() {
    let agent = Agent::start();
    let view = Picture {
        background: [20, 26, 38],
        labels: true,
        avatars: true,
        fit: Fit::Crop,
        ..picture(1280, 720)
    };
    agent.create_view(1, view);
    agent.create_view(2, view);
    agent.create_view(3, Picture { avatars: false, fit: Fit::Letterbox, ..view });
    let inputs: Vec<u32> = (0..9).collect();
    let _sources: Vec<_> = inputs.iter().map(|n| add_pattern(&agent, *n)).collect();
    let mut regions = grid(&inputs);
    regions[4].highlighted = true;
    agent.send(ToAgent::SetInputActive { input: 7, active: false });
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions });
    let mut circles = vec![
        rectangle([0, 0, 1, 1], 1, Some(0)),
        circle(1, 6, 1, 1),
        circle(3, 6, 1, 2),
        circle(5, 6, 1, 7),
        circle(7, 6, 1, 8),
    ];
    circles[2].highlighted = true;
    agent.send(ToAgent::SetLayout { view: 2, sequence: 1, regions: circles });
    let lecture = vec![
        rectangle([0, 0, 2, 2], 3, Some(3)),
        rectangle([2, 0, 1, 1], 3, Some(4)),
        rectangle([2, 1, 1, 1], 3, Some(7)),
        rectangle([0, 2, 1, 1], 3, Some(5)),
        rectangle([1, 2, 1, 1], 3, Some(6)),
    ];
    agent.send(ToAgent::SetLayout { view: 3, sequence: 1, regions: lecture });
    save(&agent, 1, "grid");
    save(&agent, 2, "circles");
    save(&agent, 3, "lecture");
}
