use super::*;
use crate::{
    formats::Resolution,
    mixing::testing::{H264, audio_feed, id, transcoded_audio, transcoded_video, video_feed, view},
};

const OPUS: AudioFormat = AudioFormat::OPUS;

fn injected<F: Copy>(source: Source<F>) -> Vec<OutputId> {
    let Source::Injected(choices) = source else { panic!("a published stream") };
    choices.iter().map(|choice| choice.output).collect()
}

struct Bench {
    outputs: Outputs,
    views: Views,
    now: Instant,
}

impl Bench {
    fn new(inputs: &[(&str, &str)]) -> Self {
        let views = Views::from([(id("mix"), Arc::new(view(inputs)))]);
        Self { outputs: Outputs::default(), views, now: Instant::now() }
    }

    /// A listener who has chosen opus.
    fn listener(&mut self, session: &str, participant: Option<&str>) -> OutputId {
        let session = id(session);
        let source = self.outputs.listen(&session, audio_feed(participant), &self.views);
        let output = injected(source)[0];
        let chosen = Encoded::Audio(Choice { output, format: OPUS });
        self.outputs.choose(&session, chosen, self.now);
        output
    }

    fn watcher(&mut self, session: &str, kbps: u32) -> OutputId {
        let session = id(session);
        let output = injected(self.outputs.watch(&session, video_feed(kbps)))[0];
        let format = VideoFormat::of(crate::formats::VideoCodec::Vp8);
        self.outputs.choose(&session, Encoded::Video(Choice { output, format }), self.now);
        output
    }

    fn open(&self) -> Vec<OutputId> {
        self.outputs.open().map(|(output, _)| output).collect()
    }
}

#[test]
fn equal_wishes_share_an_encoder_and_others_do_not() {
    let mut bench = Bench::new(&[]);
    let first = bench.watcher("one", 1000);
    assert_eq!(bench.watcher("two", 1000), first);
    let other = bench.watcher("three", 600);
    assert_ne!(other, first);
    assert_eq!(bench.open(), [first, other]);
    assert_eq!(bench.outputs.subscribers_of(first), [id("one"), id("two")]);
}

#[test]
fn what_could_be_chosen_is_not_encoded_before_it_is() {
    let mut bench = Bench::new(&[]);
    let choices = injected(bench.outputs.watch(&id("one"), video_feed(1000)));
    assert_eq!(choices.len(), 2, "the feed names two codecs");
    assert!(bench.open().is_empty());
    assert!(bench.outputs.expire(bench.now + LINGER * 2).is_empty(), "it may still be chosen");
    assert_eq!(bench.watcher("two", 1000), choices[0]);
    assert_eq!(bench.open(), [choices[0]]);
    bench.outputs.close(&id("one"), bench.now);
    assert_eq!(bench.outputs.expire(bench.now), [choices[1]], "nobody can choose it any more");
}

#[test]
fn an_encoder_lingers_after_the_last_subscriber() {
    let mut bench = Bench::new(&[]);
    let output = bench.watcher("one", 1000);
    bench.watcher("two", 1000);
    bench.outputs.close(&id("one"), bench.now);
    bench.outputs.expire(bench.now);
    assert_eq!(bench.outputs.next_expiry(), None, "one is left");
    bench.outputs.close(&id("two"), bench.now);
    bench.outputs.expire(bench.now);
    assert_eq!(bench.outputs.next_expiry(), Some(bench.now + LINGER));
    assert!(bench.outputs.expire(bench.now + LINGER / 2).is_empty());
    assert_eq!(bench.watcher("three", 1000), output, "come back in time");
    bench.outputs.close(&id("three"), bench.now);
    bench.outputs.expire(bench.now);
    assert_eq!(bench.outputs.expire(bench.now + LINGER), [output]);
    assert!(bench.open().is_empty());
    let fresh = bench.watcher("four", 1000);
    assert!(fresh > output, "numbers are not used twice");
}

#[test]
fn whoever_speaks_hears_everybody_else_and_listeners_share_one_mix() {
    let mut bench = Bench::new(&[("screen", "ann"), ("mic", "dan"), ("cam", "ann")]);
    let ann = bench.listener("a", Some("ann"));
    let bob = bench.listener("b", Some("bob"));
    assert_eq!(bench.listener("c", None), bob);
    assert_ne!(ann, bob);
    let keys: Vec<_> = bench.outputs.open().map(|(_, key)| key.clone()).collect();
    let without = |without: &[&str]| Key::Audio {
        of: id("mix"),
        format: OPUS,
        without: without.iter().map(|own| id(own)).collect(),
    };
    assert_eq!(keys, [without(&["cam", "screen"]), without(&[])]);
}

#[test]
fn a_listener_who_starts_and_stops_to_speak_gets_another_mix() {
    let mut bench = Bench::new(&[]);
    let shared = bench.listener("b", Some("bob"));
    bench.listener("c", Some("cat"));
    assert!(bench.outputs.reroute(&bench.views, bench.now).is_empty());
    bench.views = Views::from([(id("mix"), Arc::new(view(&[("mic", "bob")])))]);
    let moves = bench.outputs.reroute(&bench.views, bench.now);
    let [(session, to)] = &*moves else { panic!("{moves:?}") };
    assert_eq!((session, to.format), (&id("b"), OPUS));
    assert_ne!(to.output, shared);
    assert_eq!(bench.outputs.subscribers_of(to.output), [id("b")]);
    assert!(bench.outputs.reroute(&bench.views, bench.now).is_empty(), "said once");
    bench.views = Views::from([(id("mix"), Arc::new(view(&[])))]);
    let back = bench.outputs.reroute(&bench.views, bench.now);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].1.output, shared);
}

#[test]
fn a_subscription_can_be_taken_away_from_a_view() {
    let mut bench = Bench::new(&[]);
    let output = bench.watcher("one", 1000);
    let feed = VideoFeed { from: id("cam"), output: None, layer: LayerChoice::Largest };
    assert_eq!(
        bench.outputs.watch(&id("one"), feed),
        Source::Published(id("cam"), LayerChoice::Largest)
    );
    assert!(!bench.outputs.has_subscribers());
    bench.outputs.expire(bench.now);
    assert_eq!(bench.outputs.expire(bench.now + LINGER), [output]);
    let other = bench.watcher("one", 600);
    assert_eq!(bench.watcher("one", 500), OutputId(other.0 + 2), "two candidates each");
    assert_eq!(bench.outputs.subscribers_of(other), [] as [SessionId; 0]);
}

#[test]
fn a_forward_stream_needs_no_encoder() {
    let mut bench = Bench::new(&[]);
    let feed = AudioFeed { from: id("cam"), output: None };
    let source = bench.outputs.listen(&id("one"), feed, &bench.views);
    assert_eq!(source, Source::Published(id("cam"), LayerChoice::Largest));
    assert!(!bench.outputs.has_subscribers());
}

const SIZE: Resolution = Resolution { width: 320, height: 180 };

/// Whoever may do with a stream as it is.
fn candidate(bench: &mut Bench, session: &str) -> Choice<VideoFormat> {
    let source = bench.outputs.watch(&id(session), transcoded_video("cam", SIZE, true));
    let Source::Either(stream, choices) = source else { panic!("{source:?}") };
    assert_eq!(stream, id("cam"));
    choices[0]
}

#[test]
fn an_encoder_that_may_not_be_needed_is_not() {
    let mut bench = Bench::new(&[]);
    let choice = candidate(&mut bench, "one");
    assert!(!bench.outputs.has_subscribers(), "it gets the stream as it is, as far as is known");
    assert!(bench.open().is_empty());
    assert!(bench.outputs.expire(bench.now + LINGER * 2).is_empty(), "it may still be chosen");
    bench.outputs.choose(&id("one"), Encoded::Video(choice), bench.now);
    assert!(bench.outputs.has_subscribers());
    assert_eq!(bench.open(), [choice.output]);
    assert_eq!(bench.outputs.transcoded_subscribers(), [id("one")]);
}

#[test]
fn whoever_does_without_an_encoder_does_not_keep_it_running() {
    let mut bench = Bench::new(&[]);
    let choice = candidate(&mut bench, "one");
    assert_eq!(candidate(&mut bench, "two"), choice, "shared");
    bench.outputs.choose(&id("one"), Encoded::Video(choice), bench.now);
    assert_eq!(bench.outputs.subscribers_of(choice.output), [id("one")]);
    bench.outputs.close(&id("one"), bench.now);
    assert!(!bench.outputs.has_subscribers());
    bench.outputs.expire(bench.now);
    assert_eq!(bench.open(), [choice.output], "it lingers");
    assert_eq!(bench.outputs.expire(bench.now + LINGER), [choice.output]);
    assert!(bench.open().is_empty());
    assert!(bench.outputs.transcoded(&id("cam")).is_some());
    bench.outputs.choose(&id("two"), Encoded::Video(choice), bench.now);
    assert_eq!(bench.open(), [choice.output], "and can be chosen late");
    bench.outputs.close(&id("two"), bench.now);
    bench.outputs.expire(bench.now);
    assert_eq!(bench.outputs.expire(bench.now + LINGER), [choice.output]);
    assert!(bench.outputs.transcoded(&id("cam")).is_none(), "nothing of it is left");
    assert_ne!(candidate(&mut bench, "three").output, choice.output);
}

#[test]
fn a_pause_of_what_is_transcoded_is_noted() {
    let mut bench = Bench::new(&[]);
    let source = bench.outputs.listen(&id("one"), transcoded_audio("cam", false), &bench.views);
    assert_eq!(injected(source).len(), 1);
    bench.outputs.watch(&id("one"), transcoded_video("cam", SIZE, false));
    assert!(bench.outputs.has_subscribers(), "it has to be encoded");
    bench.outputs.set_track_active(&id("cam"), TrackKind::Audio, false);
    bench.outputs.set_track_active(&id("other"), TrackKind::Audio, false);
    let transcoded = bench.outputs.transcoded(&id("cam")).expect("known");
    let paused = |status| status == TrackStatus::Inactive;
    assert!(transcoded.audio.is_some_and(|track| paused(track.status)));
    assert!(transcoded.video.is_some_and(|track| !paused(track.status)));
    let h264 = Choice { output: OutputId(2), format: H264 };
    bench.outputs.choose(&id("one"), Encoded::Video(h264), bench.now);
    assert_eq!(bench.open(), [OutputId(2)]);
}
