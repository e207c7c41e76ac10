#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes is passed on")]

use std::{sync::Arc, time::Instant};

use portico_mixer_protocol::{AudioCodec, Encoding, VideoCodec};

use super::*;
use crate::{
    formats::{AudioFormat, LayerChoice, Resolution, VideoFormat},
    media::{Choice, Encoded, Source},
    mixing::testing::{
        H264, audio_feed, id, look, transcoded_audio, transcoded_video, video_feed, view,
    },
    room::TrackStatus,
};

#[derive(Default)]
struct Bench {
    plan: Plan,
    views: Views,
    outputs: Outputs,
}

impl Bench {
    fn set(&mut self, desired: DesiredView) -> Vec<String> {
        self.views.insert(id("mix"), Arc::new(desired));
        self.settle()
    }

    fn settle(&mut self) -> Vec<String> {
        let steps = self.plan.reconcile(&self.views, &self.outputs, &look());
        steps.iter().map(brief).collect()
    }

    fn listen(&mut self, session: &str, participant: &str) {
        let feed = audio_feed(Some(participant));
        let Source::Injected(choices) = self.outputs.listen(&id(session), feed, &self.views) else {
            panic!("a view is injected")
        };
        let chosen = Choice { output: choices[0].output, format: AudioFormat::OPUS };
        self.outputs.choose(&id(session), Encoded::Audio(chosen), Instant::now());
    }

    fn watch(&mut self, session: &str) {
        let Source::Injected(choices) = self.outputs.watch(&id(session), video_feed(700)) else {
            panic!("a view is injected")
        };
        let format = VideoFormat::of(crate::formats::VideoCodec::Vp8);
        let chosen = Choice { output: choices[0].output, format };
        self.outputs.choose(&id(session), Encoded::Video(chosen), Instant::now());
    }
}

/// A step in a few words.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest shows itself")]
fn brief(step: &Step) -> String {
    let message = match step {
        Step::Tap { input, stream, kind, payload_type, .. } => {
            return format!("tap {input} {stream} {kind:?} {payload_type}");
        }
        Step::SetTapLayer { input, layer } => return format!("layer {input} {layer:?}"),
        Step::Untap { input } => return format!("untap {input}"),
        Step::Tell(message) => message,
    };
    match message {
        ToAgent::CreateView { view, picture } => {
            let size = picture.map(|picture| (picture.width, picture.height));
            format!("view {view} {size:?}")
        }
        ToAgent::AddInput { input, source, label, .. } => {
            format!("input {input} of {source:?} {label:?}")
        }
        ToAgent::SetLayout { view, sequence, regions } => {
            let marked = |region: &Region| if region.highlighted { "!" } else { "" };
            let shown = |it: &Region| format!("{}{}", it.input.unwrap_or_default(), marked(it));
            let regions: Vec<String> = regions.iter().map(shown).collect();
            format!("layout {view} #{sequence} {}", regions.join(" "))
        }
        ToAgent::SetSound { view, inputs, .. } => format!("sound {view} {inputs:?}"),
        ToAgent::OpenOutput { output, view, encoding } => match encoding {
            Encoding::Audio { codec: AudioCodec::Opus, without } => {
                format!("open {output} of {view} opus without {without:?}")
            }
            Encoding::Video { codec: VideoCodec::Vp8, width, kbps, .. } => {
                format!("open {output} of {view} vp8 {width} {kbps}")
            }
            Encoding::Video { codec: VideoCodec::H264ConstrainedBaseline, width, .. } => {
                format!("open {output} of {view} h264 {width}")
            }
            Encoding::Audio { codec: AudioCodec::Pcmu, .. } => {
                format!("open {output} of {view} pcmu")
            }
            Encoding::Audio { .. } | Encoding::Video { .. } | Encoding::Package(_) => {
                format!("{encoding:?}")
            }
        },
        other => format!("{other:?}"),
    }
}

#[test]
fn a_view_is_built_before_it_is_encoded() {
    let mut bench = Bench::default();
    bench.views.insert(id("mix"), Arc::new(view(&[("cam", "ann")])));
    bench.watch("one");
    bench.listen("one", "ann");
    assert_eq!(
        bench.settle(),
        [
            "view 1 Some((640, 480))",
            "input 2 of Some(3) None",
            "tap 2 cam Audio 111",
            "input 4 of Some(3) Some(\"ann\")",
            "tap 4 cam Video 96",
            "layout 1 #1 4",
            "sound 1 [2]",
            "open 1 of 1 vp8 640 700",
            "open 3 of 1 opus without [2]",
        ]
    );
    assert!(bench.settle().is_empty(), "there is nothing more to do");
}

#[test]
fn the_layer_of_an_input_follows_its_place() {
    let mut bench = Bench::default();
    let whole = view(&[("a", "ann")]);
    bench.set(whole);
    let layers = |steps: Vec<String>| -> Vec<String> {
        steps.into_iter().filter(|step| step.starts_with("layer")).collect()
    };
    let number = bench.plan.input_number(&id("a"), TrackKind::Video).expect("an input");
    let steps = layers(bench.set(view(&[("a", "ann"), ("b", "bob")])));
    let half = LayerChoice::Filling(Resolution { width: 320, height: 480 });
    assert_eq!(steps, [format!("layer {number} {half:?}")]);
    assert!(
        layers(bench.set(view(&[("b", "bob"), ("a", "ann")]))).is_empty(),
        "as large as before"
    );
}

#[test]
fn only_differences_are_said_and_nothing_ends_before_it_is_replaced() {
    let mut bench = Bench::default();
    bench.set(view(&[("a", "ann"), ("b", "bob")]));
    let steps = bench.set(view(&[("b", "bob"), ("c", "cat")]));
    assert_eq!(
        steps,
        [
            "input 8 of Some(9) None",
            "tap 8 c Audio 111",
            "input 10 of Some(9) Some(\"cat\")",
            "tap 10 c Video 96",
            "layout 1 #2 7 10",
            "sound 1 [5, 8]",
            "untap 2",
            "RemoveInput { input: 2 }",
            "untap 4",
            "RemoveInput { input: 4 }",
        ]
    );
}

#[test]
fn a_pause_and_a_speaker_are_said() {
    let mut bench = Bench::default();
    bench.set(view(&[("a", "ann")]));
    let mut paused = view(&[("a", "ann")]);
    paused.speaker = Some(id("a"));
    if let Some(track) = &mut paused.inputs[0].video {
        track.status = TrackStatus::Inactive;
    }
    let steps = bench.set(paused);
    assert_eq!(steps, ["SetInputActive { input: 4, active: false }", "layout 1 #2 4!"]);
}

#[test]
fn an_input_of_two_views_is_sent_once() {
    let mut bench = Bench::default();
    bench.views.insert(id("other"), Arc::new(view(&[("a", "ann")])));
    let steps = bench.set(view(&[("a", "ann")]));
    assert_eq!(steps.iter().filter(|step| step.starts_with("input")).count(), 2);
    assert_eq!(steps.iter().filter(|step| step.starts_with("tap")).count(), 2);
    bench.views.insert(id("other"), Arc::new(view(&[])));
    let steps = bench.settle();
    assert!(steps.iter().all(|step| !step.contains("RemoveInput")), "{steps:?}");
}

#[test]
fn a_new_agent_is_told_everything_under_new_numbers() {
    let mut bench = Bench::default();
    bench.views.insert(id("mix"), Arc::new(view(&[("a", "ann")])));
    bench.watch("one");
    let first = bench.settle();
    bench.plan.reset();
    let again = bench.settle();
    assert_eq!(first.len(), again.len());
    assert_eq!(again[0], "view 5 Some((640, 480))");
    assert_eq!(again.last().map(String::as_str), Some("open 1 of 5 vp8 640 700"));
    assert_eq!(bench.plan.program(5), Some(&Program::View(id("mix"))));
    assert_eq!(bench.plan.view_number(&id("mix")), Some(5));
    assert_eq!(bench.plan.input(8), Some(&(id("a"), TrackKind::Video)));
    assert_eq!(bench.plan.input(4), None, "the dead agent's numbers mean nothing");
}

#[test]
fn what_nobody_gets_is_closed() {
    let mut bench = Bench::default();
    bench.views.insert(id("mix"), Arc::new(view(&[])));
    bench.watch("one");
    bench.settle();
    let now = Instant::now();
    bench.outputs.close(&id("one"), now);
    bench.outputs.expire(now + crate::mixing::outputs::LINGER);
    assert_eq!(bench.settle(), ["CloseOutput { output: 1 }"]);
    bench.views.clear();
    assert_eq!(bench.settle(), ["RemoveView { view: 1 }"]);
}

#[test]
fn whoever_has_two_sounds_hears_neither_even_after_one_was_away() {
    let mut bench = Bench::default();
    let both = [("a", "ann"), ("b", "bob"), ("c", "ann")];
    bench.views.insert(id("mix"), Arc::new(view(&both)));
    bench.listen("one", "ann");
    let steps = bench.settle();
    assert_eq!(steps.last().map(String::as_str), Some("open 1 of 1 opus without [2, 8]"));

    // One of the two leaves the mix and is back while its mix is still made.
    let now = Instant::now();
    bench.views.insert(id("mix"), Arc::new(view(&both[..2])));
    let moved = bench.outputs.reroute(&bench.views, now);
    assert_eq!(moved.len(), 1, "to a mix without the other one alone");
    let steps = bench.settle();
    assert!(steps.contains(&"open 3 of 1 opus without [2]".into()), "{steps:?}");
    assert!(steps.contains(&"SetWithout { output: 1, without: [2] }".into()), "{steps:?}");
    bench.views.insert(id("mix"), Arc::new(view(&both)));
    let moved = bench.outputs.reroute(&bench.views, now);
    assert_eq!(moved[0].1.output, OutputId(1), "it is not made a second time");
    let steps = bench.settle();
    assert!(steps.contains(&"SetWithout { output: 1, without: [2, 11] }".into()), "{steps:?}");
    assert!(bench.settle().is_empty(), "there is nothing more to do");
}

const SMALL: Resolution = Resolution { width: 320, height: 180 };

impl Bench {
    /// Somebody gets a forward stream's picture in H.264.
    fn transcode(&mut self, session: &str, stream: &str, size: Resolution) {
        let feed = transcoded_video(stream, size, false);
        let Source::Injected(choices) = self.outputs.watch(&id(session), feed) else {
            panic!("it has to be encoded")
        };
        let chosen = Choice { output: choices[0].output, format: H264 };
        self.outputs.choose(&id(session), Encoded::Video(chosen), Instant::now());
    }
}

#[test]
fn a_forward_stream_is_transcoded_as_a_view_of_one_input() {
    let mut bench = Bench::default();
    bench.transcode("one", "cam", SMALL);
    let feed = transcoded_audio("cam", false);
    let Source::Injected(choices) = bench.outputs.listen(&id("one"), feed, &bench.views) else {
        panic!("it has to be encoded")
    };
    let chosen = Choice { output: choices[0].output, format: AudioFormat::PCMU };
    bench.outputs.choose(&id("one"), Encoded::Audio(chosen), Instant::now());
    assert_eq!(
        bench.settle(),
        [
            "view 1 None",
            "view 2 Some((320, 180))",
            "input 3 of Some(4) None",
            "tap 3 cam Audio 111",
            "input 5 of Some(4) Some(\"ann\")",
            "tap 5 cam Video 96",
            "sound 1 [3]",
            "layout 2 #1 5",
            "open 1 of 2 h264 320",
            "open 2 of 1 pcmu",
        ]
    );
    assert!(bench.settle().is_empty(), "there is nothing more to do");
    bench.transcode("two", "cam", SMALL);
    assert!(bench.settle().is_empty(), "it is shared");
    assert_eq!(bench.plan.outputs_of(2).collect::<Vec<_>>(), [OutputId(1)]);

    // Another size is another view of the same input.
    bench.transcode("three", "cam", Resolution { width: 160, height: 90 });
    let more = bench.settle();
    assert_eq!(more, ["view 6 Some((160, 90))", "layout 6 #1 5", "open 3 of 6 h264 160"]);
    bench.outputs.set_track_active(&id("cam"), TrackKind::Video, false);
    assert_eq!(bench.settle(), ["SetInputActive { input: 5, active: false }"]);

    let now = Instant::now();
    ["one", "two"].iter().for_each(|session| bench.outputs.close(&id(session), now));
    bench.outputs.expire(now);
    assert!(bench.settle().is_empty(), "encoders linger");
    bench.outputs.expire(now + crate::mixing::outputs::LINGER);
    assert_eq!(
        bench.settle(),
        [
            "CloseOutput { output: 1 }",
            "CloseOutput { output: 2 }",
            "untap 3",
            "RemoveInput { input: 3 }",
            "RemoveView { view: 1 }",
            "RemoveView { view: 2 }",
        ]
    );
}

#[test]
fn a_stream_that_is_mixed_and_transcoded_is_tapped_once() {
    let mut bench = Bench::default();
    bench.set(view(&[("cam", "ann")]));
    bench.transcode("one", "cam", SMALL);
    let steps = bench.settle();
    assert_eq!(steps, ["view 5 Some((320, 180))", "layout 5 #1 4", "open 1 of 5 h264 320"]);
    let steps = bench.set(view(&[]));
    assert!(!steps.contains(&"untap 4".into()), "{steps:?}");
    bench.plan.reset();
    let again = bench.settle();
    assert!(again.iter().any(|step| step.starts_with("open 1 of")), "{again:?}");
}

#[test]
fn more_regions_than_the_agent_knows_are_left_out() {
    let mut bench = Bench::default();
    let mut crowded = view(&[("a", "ann")]);
    let region = crowded.layout[0].clone();
    crowded.layout = std::iter::repeat_n(region, MAX_REGIONS + 5).collect();
    bench.views.insert(id("mix"), Arc::new(crowded));
    let steps = bench.plan.reconcile(&bench.views, &bench.outputs, &look());
    let regions = steps.iter().find_map(|step| match step {
        Step::Tell(ToAgent::SetLayout { regions, .. }) => Some(regions.len()),
        Step::Tell(_) | Step::Tap { .. } | Step::SetTapLayer { .. } | Step::Untap { .. } => None,
    });
    assert_eq!(regions, Some(MAX_REGIONS));
}
