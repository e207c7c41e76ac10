//! Packaged outputs: fragmented MP4 that a demuxer of others takes apart and decodes.

use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use portico_mixer_protocol::{
    Codec, Encoding, FromAgent, PackagedPicture, Packaging, Piece, Scope, ToAgent, VideoCodec,
};

use crate::harness::{Agent, grid, picture};
use crate::media::{add_solid, add_tone, colour, tone};
use crate::probe::{Frame, RATE, frame, goertzel};

const PART: Duration = Duration::from_millis(400);

fn packaging(pictures: bool, sound: bool) -> Packaging {
    let picture = PackagedPicture { width: 320, height: 180, framerate: 30, kbps: 600 };
    Packaging { picture: pictures.then_some(picture), sound, part_ms: 400, segment_secs: 2 }
}

/// Opens a package and waits until so many parts came.
fn record(agent: &Agent, output: u32, packaging: Packaging, parts: usize) -> Vec<(Piece, Vec<u8>)> {
    agent.send(ToAgent::OpenOutput { output, view: 1, encoding: Encoding::Package(packaging) });
    let pieces = agent.wait("parts", |received| {
        let of_output = received.pieces.iter().filter(|(of, ..)| *of == output);
        let pieces: Vec<_> = of_output.map(|(_, piece, bytes)| (*piece, bytes.clone())).collect();
        (pieces.len() > parts).then_some(pieces)
    });
    agent.send(ToAgent::CloseOutput { output });
    pieces
}

/// Whether the pieces are what players of low-latency streams rely on.
fn check(pieces: &[(Piece, Vec<u8>)]) {
    let ((first, init), parts) = pieces.split_first().expect("pieces");
    assert_eq!((*first, &init[4..8]), (Piece::Init, &b"ftyp"[..]));
    let mut segments = 0;
    for (index, (piece, bytes)) in parts.iter().enumerate() {
        let Piece::Part { duration, independent, starts_segment } = *piece else {
            panic!("a second initialization section");
        };
        assert_eq!(&bytes[4..8], b"moof");
        assert!(duration <= PART, "a part of {duration:?}");
        assert!(independent || !starts_segment, "a segment begins with a picture of others");
        assert!(starts_segment || index > 0, "the first part begins no segment");
        segments += usize::from(starts_segment);
        let next_starts = parts
            .get(index + 1)
            .is_none_or(|(piece, _)| matches!(piece, Piece::Part { starts_segment: true, .. }));
        // RFC 8216bis, 4.4.4.9: all but the last of a segment last 85 % of the target.
        assert!(next_starts || duration.as_secs_f64() >= 0.85 * PART.as_secs_f64(), "{duration:?}");
    }
    assert!(segments >= 2, "{segments} segments");
}

/// A decoded movie.
struct Movie {
    pictures: Vec<Frame>,
    sound: Vec<f64>,
}

fn decode(pieces: &[(Piece, Vec<u8>)], pictures: bool, sound: bool) -> Movie {
    gst::init().expect("GStreamer");
    let mut description = "appsrc name=source ! qtdemux name=demux".to_owned();
    if pictures {
        description += " demux.video_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 \
             ! h264parse ! avdec_h264 max-threads=1 ! appsink name=pictures sync=false";
    }
    if sound {
        description += " demux.audio_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 \
             ! aacparse ! avdec_aac ! audioconvert ! audioresample \
             ! audio/x-raw,format=F32LE,rate=48000,channels=1 ! appsink name=sound sync=false";
    }
    let pipeline = gst::parse::launch(&description).expect("a pipeline");
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    let source = pipeline.by_name("source").expect("named").downcast::<gst_app::AppSrc>();
    pipeline.set_state(gst::State::Playing).expect("plays");
    let source = source.expect("an appsrc");
    for (_, bytes) in pieces {
        source.push_buffer(gst::Buffer::from_slice(bytes.clone())).expect("accepted");
    }
    source.end_of_stream().expect("accepted");
    let samples = |name: &str| {
        let sink = pipeline.by_name(name).map(|sink| sink.downcast::<gst_app::AppSink>());
        let sink = sink.map(|sink| sink.expect("an appsink"));
        sink.map(|sink| std::iter::from_fn(|| sink.pull_sample().ok()).collect::<Vec<_>>())
    };
    let movie = Movie {
        pictures: samples("pictures").unwrap_or_default().iter().map(frame).collect(),
        sound: samples("sound").unwrap_or_default().iter().flat_map(floats).collect(),
    };
    pipeline.set_state(gst::State::Null).expect("ends");
    movie
}

fn floats(sample: &gst::Sample) -> Vec<f64> {
    let bytes = sample.buffer().expect("a buffer").map_readable().expect("readable");
    let (floats, _) = bytes.as_chunks::<4>();
    floats.iter().map(|float| f64::from(f32::from_le_bytes(*float))).collect()
}

#[test]
fn a_view_is_packaged_with_its_sound() {
    let agent = Agent::start();
    let codecs = agent.capabilities.encoders.clone();
    assert!(codecs.contains(&Codec::Video(VideoCodec::H264ConstrainedBaseline)));
    agent.create_view(1, picture(320, 180));
    let inputs = [1, 2, 3, 4];
    let _pictures = inputs.map(|input| add_solid(&agent, input, 160, 90));
    let _sounds = [11, 12].map(|input| add_tone(&agent, input, 0.2));
    let regions = grid(&inputs);
    agent.send(ToAgent::SetLayout { view: 1, sequence: 1, regions: regions.clone() });
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![11, 12], loudest: 0 });
    let pieces = record(&agent, 7, packaging(true, true), 16);
    check(&pieces);
    let codecs = agent.wait_for("codecs", |m| matches!(m, FromAgent::PackageReady { .. }));
    let FromAgent::PackageReady { output: 7, codecs } = codecs else { panic!("{codecs:?}") };
    assert!(codecs.starts_with("avc1.42") && codecs.ends_with(",mp4a.40.2"), "{codecs}");

    let movie = decode(&pieces, true, true);
    let last = movie.pictures.last().expect("pictures");
    assert_eq!((last.size.width, last.size.height), (320, 180));
    for (region, input) in regions.iter().zip(inputs) {
        assert!(last.shows(region, colour(input)), "input {input}");
    }
    let tail = &movie.sound[movie.sound.len().saturating_sub(RATE as usize)..];
    assert!(goertzel(tail, tone(11)) > 0.05 && goertzel(tail, tone(12)) > 0.05);
    assert!(goertzel(tail, 3000.0) < 0.01);
    let said: Duration = pieces
        .iter()
        .map(|(piece, _)| match piece {
            Piece::Init => Duration::ZERO,
            Piece::Part { duration, .. } => *duration,
        })
        .sum();
    let (first, last) = (movie.pictures[0].time, last.time);
    let (shown, heard) = ((last - first).as_secs_f64(), movie.sound.len() as f64 / RATE);
    assert!((shown - said.as_secs_f64()).abs() < 0.2, "{shown} s of {said:?}");
    assert!((heard - said.as_secs_f64()).abs() < 0.4, "{heard} s of {said:?}");
}

#[test]
fn sound_alone_is_packaged() {
    let agent = Agent::start();
    agent.send(ToAgent::CreateView { view: 1, picture: None });
    let _source = add_tone(&agent, 1, 0.2);
    agent.send(ToAgent::SetSound { view: 1, inputs: vec![1], loudest: 0 });
    let pieces = record(&agent, 3, packaging(false, true), 11);
    check(&pieces);
    let movie = decode(&pieces, false, true);
    let tail = &movie.sound[movie.sound.len().saturating_sub(RATE as usize)..];
    assert!(goertzel(tail, tone(1)) > 0.05);
}

#[test]
fn what_cannot_be_packaged_is_refused() {
    let agent = Agent::start();
    agent.send(ToAgent::CreateView { view: 1, picture: None });
    let good = packaging(false, true);
    let bad = [
        packaging(true, true),
        Packaging { part_ms: 1, ..good },
        Packaging { part_ms: 2001, ..good },
        Packaging { segment_secs: 0, ..good },
        Packaging { segment_secs: 4000, ..good },
        Packaging { segment_secs: u32::MAX, ..good },
    ];
    for (output, packaging) in (1..).zip(bad) {
        let encoding = Encoding::Package(packaging);
        agent.send(ToAgent::OpenOutput { output, view: 1, encoding });
        agent.wait_for(
            "a refusal",
            |m| matches!(m, FromAgent::Failed { scope: Scope::Output(of), .. } if *of == output),
        );
    }
}
