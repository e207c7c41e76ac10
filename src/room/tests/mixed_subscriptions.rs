//! What may be asked of a mixed stream, and what the mixing side is to make of it.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{
        AudioFormat, Bitrate, H264Profile, LayerChoice, Offerer, Resolution, VideoCodec,
        VideoFormat,
    },
    room::{
        AudioFeed, AudioOutput, Command, Effect, Event, Rejection, SubscribeAudio, SubscribeMedia,
        SubscribeVideo, Unsatisfied, VideoFeed, VideoOutput, VideoRate,
    },
};

const CONSTRAINED: VideoFormat =
    VideoFormat { codec: VideoCodec::H264, profile: Some(H264Profile::ConstrainedBaseline) };

fn with_mixer() -> Scenario {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    room.joined_as("viewer", "viewer");
    room.happened(mixer_up());
    room
}

fn wishing(audio: Option<SubscribeAudio>, video: Option<SubscribeVideo>) -> Command {
    let media = SubscribeMedia { audio, video };
    Command::Subscribe { offerer: Offerer::Client, session: id("sub"), transport: id("sub"), media }
}

fn opens(audio: Option<AudioOutput>, video: Option<VideoOutput>) -> Effect {
    let audio = audio.map(|output| AudioFeed { from: id(MIXED), output: Some(output) });
    let video = video.map(|output| VideoFeed {
        from: id(MIXED),
        output: Some(output),
        layer: LayerChoice::Largest,
    });
    Effect::OpenSubscription {
        offerer: Offerer::Client,
        session: id("sub"),
        transport: id("sub"),
        audio,
        video,
    }
}

fn sound(formats: &[AudioFormat], without: Option<&str>) -> AudioOutput {
    AudioOutput { formats: formats.into(), without: without.map(id), original: None }
}

fn picture(
    encodings: &[(VideoFormat, u32)],
    resolution: Resolution,
    framerate: u32,
) -> VideoOutput {
    let rates = encodings.iter().map(|&(format, kbps)| VideoRate { format, kbps });
    VideoOutput {
        encodings: rates.collect(),
        resolution,
        framerate,
        key_frame_interval_secs: 100,
        original: None,
    }
}

fn gets(wish: SubscribeVideo, expected: VideoOutput) {
    let mut room = with_mixer();
    room.asks("alice", wishing(None, Some(wish)))
        .granted(opened("sub"))
        .effect(opens(None, Some(expected)));
}

fn is_refused(wish: SubscribeVideo, unsatisfied: Unsatisfied) {
    let mut room = with_mixer();
    let refused = Rejection::VideoUnsatisfied(unsatisfied);
    room.asks("alice", wishing(None, Some(wish))).refused(refused);
}

fn wanted(change: impl FnOnce(&mut SubscribeVideo)) -> SubscribeVideo {
    let mut wish = wanted_video(MIXED);
    change(&mut wish);
    wish
}

#[test]
fn without_wishes_the_view_is_had_as_it_is_in_any_format_that_it_offers() {
    let mut room = with_mixer();
    let all = [AudioFormat::OPUS, AudioFormat::PCMU];
    let rates = [(VP8, 666), (CONSTRAINED, 555)];
    room.asks("alice", subscribe("sub", Some(MIXED), Some(MIXED)))
        .granted(opened("sub"))
        .effect(opens(Some(sound(&all, Some("alice"))), Some(picture(&rates, VGA, 24))));
    room.happens(ready("sub")).told(&["alice"], session_ready("sub"));
}

#[test]
fn only_those_who_may_speak_are_left_out_of_what_they_hear() {
    let mut room = with_mixer();
    room.asks("viewer", wishing(Some(wanted_audio(MIXED)), None))
        .granted(opened("sub"))
        .effect(opens(Some(sound(&[AudioFormat::OPUS, AudioFormat::PCMU], None)), None));
}

#[test]
fn a_wish_for_a_format_is_granted_alone() {
    let mut room = with_mixer();
    let audio = SubscribeAudio { from: id(MIXED), format: Some(AudioFormat::PCMU) };
    room.asks("viewer", wishing(Some(audio), None))
        .granted(opened("sub"))
        .effect(opens(Some(sound(&[AudioFormat::PCMU], None)), None));
    let h264 = VideoFormat::of(VideoCodec::H264);
    gets(wanted(|wish| wish.format = Some(h264)), picture(&[(CONSTRAINED, 555)], VGA, 24));
    let vp9 = VideoFormat::of(VideoCodec::Vp9);
    is_refused(wanted(|wish| wish.format = Some(vp9)), Unsatisfied::Format);
    let audio = SubscribeAudio { from: id(MIXED), format: Some(AudioFormat::PCMA) };
    with_mixer()
        .asks("alice", wishing(Some(audio), None))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::Format));
}

#[test]
fn parameters_are_the_views_own_or_offered_ones() {
    let small = wanted(|wish| {
        wish.format = Some(VP8);
        wish.parameters.resolution = Some(QVGA);
        wish.parameters.framerate = Some(12.0);
    });
    gets(small, picture(&[(VP8, 154)], QVGA, 12));
    let frequent = wanted(|wish| {
        wish.format = Some(VP8);
        wish.parameters.key_frame_interval_secs = Some(5.0);
        wish.parameters.framerate = Some(24.0);
    });
    let expected = picture(&[(VP8, 666)], VGA, 24);
    gets(frequent, VideoOutput { key_frame_interval_secs: 5, ..expected });

    let odd = Resolution { width: 100, height: 100 };
    is_refused(wanted(|wish| wish.parameters.resolution = Some(odd)), Unsatisfied::Resolution);
    is_refused(wanted(|wish| wish.parameters.framerate = Some(30.0)), Unsatisfied::Framerate);
    let interval = wanted(|wish| wish.parameters.key_frame_interval_secs = Some(1.0));
    is_refused(interval, Unsatisfied::KeyFrameInterval);
    let layer = wanted(|wish| wish.simulcast_rid = Some("f".into()));
    is_refused(layer, Unsatisfied::SimulcastRid);
}

#[test]
fn bit_rates_are_multiples_of_the_computed_one() {
    let multiple = |text: &str| {
        wanted(|wish| {
            wish.format = Some(VP8);
            wish.parameters.bitrate = Some(Bitrate::Multiple(text.into()));
        })
    };
    gets(multiple("x0.5"), picture(&[(VP8, 333)], VGA, 24));
    gets(multiple("x1.0"), picture(&[(VP8, 666)], VGA, 24));
    is_refused(multiple("x0.4"), Unsatisfied::Bitrate);
    let kbps = |kbps| wanted(|wish| wish.parameters.bitrate = Some(Bitrate::Kbps(kbps)));
    is_refused(kbps(300.0), Unsatisfied::Bitrate);
}

#[test]
fn a_views_own_bit_rate_scales_with_the_picture() {
    let mut room = Scenario::with(|settings| {
        settings.views[0].video.as_mut().expect("a picture").kbps = Some(1_000.0);
    });
    room.joined(&["alice"]);
    room.happened(mixer_up());
    for (wish, expected) in [
        (wanted(|_| {}), picture(&[(VP8, 1_000), (CONSTRAINED, 1_000)], VGA, 24)),
        (
            wanted(|wish| {
                wish.parameters.resolution = Some(QVGA);
                wish.parameters.bitrate = Some(Bitrate::Multiple("x0.5".into()));
            }),
            picture(&[(VP8, 125), (CONSTRAINED, 125)], QVGA, 24),
        ),
        (
            wanted(|wish| wish.parameters.bitrate = Some(Bitrate::Kbps(1_000.0))),
            picture(&[(VP8, 1_000), (CONSTRAINED, 1_000)], VGA, 24),
        ),
    ] {
        room.asks("alice", wishing(None, Some(wish)))
            .granted(opened("sub"))
            .effect(opens(None, Some(expected)));
        room.asks("alice", unsubscribe("sub"))
            .granted(crate::room::Reply::Done)
            .effect(closes("sub"));
    }
}

#[test]
fn sound_of_a_view_and_a_forwarded_picture_go_together() {
    let mut room = with_mixer();
    room.published("alice", "cam");
    let audio = AudioFeed {
        from: id(MIXED),
        output: Some(sound(&[AudioFormat::OPUS, AudioFormat::PCMU], Some("alice"))),
    };
    let video = VideoFeed { from: id("cam"), output: None, layer: LayerChoice::Largest };
    room.asks("alice", subscribe("sub", Some(MIXED), Some("cam"))).granted(opened("sub")).effect(
        Effect::OpenSubscription {
            offerer: Offerer::Client,
            session: id("sub"),
            transport: id("sub"),
            audio: Some(audio),
            video: Some(video),
        },
    );
}

#[test]
fn whoever_subscribes_before_the_mixer_is_up_waits_for_it() {
    let mut room = Scenario::new();
    room.joined(&["alice"]);
    let refused = Rejection::VideoUnsatisfied(Unsatisfied::MixerNotReady);
    room.asks("alice", wishing(None, Some(wanted_video(MIXED)))).refused(refused);
    room.happened(Event::MixerDown);
    room.asks("alice", wishing(None, Some(wanted_video(MIXED))))
        .granted(opened("sub"))
        .effect(opens(None, Some(picture(&[(VP8, 666), (CONSTRAINED, 555)], VGA, 24))));
}
