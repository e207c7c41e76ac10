//! What may be asked of forward streams where a mixer can transcode them.

use super::{scenario::Scenario, words::*};
use crate::{
    formats::{
        AudioFormat, Bitrate, H264Profile, LayerChoice, Offerer, Resolution, TrackKind,
        TrackSelection, VideoCodec, VideoFormat, VideoParameters,
    },
    room::{
        AgreedMedia, AudioFeed, AudioOutput, Command, Effect, Event, InputTrack, MixerCapabilities,
        Original, PublishMedia, PublishVideo, Rejection, StreamInfo, SubscribeAudio,
        SubscribeMedia, SubscribeVideo, SubscriptionUpdate, TrackStatus, Transcoding, Unsatisfied,
        VideoFeed, VideoOptions, VideoOutput, VideoRate, VideoUpdate,
    },
};

const CONSTRAINED: VideoFormat =
    VideoFormat { codec: VideoCodec::H264, profile: Some(H264Profile::ConstrainedBaseline) };
const HD: Resolution = Resolution { width: 1280, height: 720 };

fn with(transcoding: Transcoding) -> Scenario {
    let mut room = Scenario::with(|settings| settings.transcoding = transcoding);
    room.joined(&["alice", "bob"]);
    room
}

/// A room with a mixer in which alice publishes `cam`.
fn with_camera() -> Scenario {
    let mut room = with(Transcoding::ALL);
    room.happened(mixer_up());
    room.published("alice", "cam");
    room
}

fn options() -> VideoOptions {
    VideoOptions {
        formats: vec![CONSTRAINED],
        resolutions: vec![QVGA],
        framerates: vec![12, 24],
        bitrates: vec!["x0.5".into()],
        key_frame_intervals_secs: vec![100, 5],
    }
}

/// Alice's camera with everything that may be asked of it.
fn offering() -> StreamInfo {
    let mut offering = stream("cam", "alice", AUDIO_VIDEO);
    offering.audio.as_mut().expect("sound").optional = vec![AudioFormat::PCMU];
    offering.video.as_mut().expect("a picture").optional = options();
    offering
}

fn original<F>(format: F, suffices: bool) -> Option<Original<F>> {
    let track = InputTrack { format, status: TrackStatus::Active };
    Some(Original { track, user: "alice".into(), suffices })
}

fn sound(formats: &[AudioFormat], suffices: bool) -> AudioOutput {
    let original = original(AudioFormat::OPUS, suffices);
    AudioOutput { formats: formats.into(), without: None, original }
}

fn picture(
    encodings: &[(VideoFormat, u32)],
    resolution: Resolution,
    framerate: u32,
    suffices: bool,
) -> VideoOutput {
    let rates = encodings.iter().map(|&(format, kbps)| VideoRate { format, kbps });
    VideoOutput {
        encodings: rates.collect(),
        resolution,
        framerate,
        key_frame_interval_secs: 100,
        original: original(VP8, suffices),
    }
}

fn wishing(audio: Option<SubscribeAudio>, video: Option<SubscribeVideo>) -> Command {
    let media = SubscribeMedia { audio, video };
    Command::Subscribe { session: id("sub"), transport: id("sub"), offerer: Offerer::Client, media }
}

fn wanted(change: impl FnOnce(&mut SubscribeVideo)) -> SubscribeVideo {
    let mut wish = wanted_video("cam");
    change(&mut wish);
    wish
}

fn video_feed(output: Option<VideoOutput>) -> Option<VideoFeed> {
    Some(VideoFeed { from: id("cam"), output, layer: LayerChoice::Largest })
}

fn opens(audio: Option<AudioFeed>, video: Option<VideoFeed>) -> Effect {
    Effect::OpenSubscription {
        session: id("sub"),
        transport: id("sub"),
        offerer: Offerer::Client,
        audio,
        video,
    }
}

fn gets(wish: SubscribeVideo, expected: Option<VideoOutput>) {
    with_camera()
        .asks("bob", wishing(None, Some(wish)))
        .granted(opened("sub"))
        .effect(opens(None, video_feed(expected)));
}

fn is_refused(room: &mut Scenario, wish: SubscribeVideo, unsatisfied: Unsatisfied) {
    let refused = Rejection::VideoUnsatisfied(unsatisfied);
    room.asks("bob", wishing(None, Some(wish))).refused(refused);
}

#[test]
fn a_stream_offers_what_the_mixer_makes_of_it_as_long_as_there_is_one() {
    let mut room = with(Transcoding::ALL);
    let plain = room.published("alice", "cam");
    assert_eq!(*plain, stream("cam", "alice", AUDIO_VIDEO));
    let everybody = ["alice", "bob"];
    room.happens(Event::MixerDown).ignored();
    assert_eq!(room.stream("cam"), plain, "nobody knows yet what it can do");
    room.happens(mixer_up())
        .told(&everybody, status(MIXED, TrackKind::Audio, TrackStatus::Active))
        .told(&everybody, status(MIXED, TrackKind::Video, TrackStatus::Active))
        .told(&everybody, changed(offering()));
    room.happened(Event::MixerDown);
    assert_eq!(*room.stream("cam"), offering(), "it is taken to come up as it was");
    room.published("bob", "second");
    let second = room.stream("second");
    assert_eq!(second.video.as_ref().map(|it| &it.optional), Some(&options()), "from the start");
    room.happens(Event::MixerGone)
        .told(&everybody, changed((*plain).clone()))
        .told(&everybody, changed(stream("second", "bob", AUDIO_VIDEO)));
    room.happens(Event::MixerGone).ignored();
    is_refused(&mut room, wanted(|wish| wish.format = Some(CONSTRAINED)), Unsatisfied::Format);
}

#[test]
fn only_what_the_room_allows_is_offered_and_granted() {
    let cases = [
        (
            Transcoding { audio: true, ..Transcoding::NONE },
            VideoOptions::default(),
            vec![AudioFormat::PCMU],
        ),
        (
            Transcoding { video: true, ..Transcoding::NONE },
            VideoOptions { formats: options().formats, ..VideoOptions::default() },
            vec![],
        ),
        (
            Transcoding { video: false, audio: false, ..Transcoding::ALL },
            VideoOptions { formats: Vec::new(), ..options() },
            vec![],
        ),
    ];
    for (allowed, video, audio) in cases {
        let mut room = with(allowed);
        room.happened(mixer_up());
        let stream = room.published("alice", "cam");
        assert_eq!(stream.video.as_ref().expect("a picture").optional, video);
        assert_eq!(stream.audio.as_ref().expect("sound").optional, audio);
    }
    let mut room = with(Transcoding { bitrate: true, ..Transcoding::NONE });
    room.happened(mixer_up());
    room.published("alice", "cam");
    room.happened(measured("cam", VGA));
    for (wish, unsatisfied) in [
        (wanted(|wish| wish.format = Some(CONSTRAINED)), Unsatisfied::Format),
        (wanted(|wish| wish.parameters.resolution = Some(QVGA)), Unsatisfied::Resolution),
        (wanted(|wish| wish.parameters.framerate = Some(12.0)), Unsatisfied::Framerate),
        (
            wanted(|wish| wish.parameters.key_frame_interval_secs = Some(5.0)),
            Unsatisfied::KeyFrameInterval,
        ),
        (
            wanted(|wish| wish.parameters.bitrate = Some(Bitrate::Multiple("x0.4".into()))),
            Unsatisfied::Bitrate,
        ),
    ] {
        is_refused(&mut room, wish, unsatisfied);
    }
    let audio = SubscribeAudio { from: id("cam"), format: Some(AudioFormat::PCMU) };
    room.asks("bob", wishing(Some(audio), None))
        .refused(Rejection::AudioUnsatisfied(Unsatisfied::Format));
}

#[test]
fn a_mixer_that_cannot_decode_a_stream_makes_nothing_of_it() {
    let mut room = with(Transcoding::ALL);
    let Event::MixerUp { capabilities } = mixer_up() else { unreachable!("it comes up") };
    let capabilities =
        MixerCapabilities { video_in: Vec::new(), audio_in: Vec::new(), ..capabilities };
    room.happened(Event::MixerUp { capabilities });
    assert_eq!(*room.published("alice", "cam"), stream("cam", "alice", AUDIO_VIDEO));
}

#[test]
fn a_subscriber_without_wishes_gets_the_stream_as_it_is_if_it_can() {
    let audio =
        Some(AudioFeed { from: id("cam"), output: Some(sound(&[AudioFormat::PCMU], true)) });
    let video = video_feed(Some(picture(&[(CONSTRAINED, 800)], VGA, 30, true)));
    with_camera()
        .asks("bob", subscribe("sub", Some("cam"), Some("cam")))
        .granted(opened("sub"))
        .effect(opens(audio, video));
}

#[test]
fn a_wish_for_the_streams_own_format_needs_no_encoder() {
    gets(wanted(|wish| wish.format = Some(VP8)), None);
    let audio = SubscribeAudio { from: id("cam"), format: Some(AudioFormat::OPUS) };
    with_camera()
        .asks("bob", wishing(Some(audio), None))
        .granted(opened("sub"))
        .effect(opens(Some(AudioFeed { from: id("cam"), output: None }), None));
}

#[test]
fn other_formats_and_parameters_are_encoded() {
    let h264 = VideoFormat::of(VideoCodec::H264);
    let format = wanted(|wish| wish.format = Some(h264));
    gets(format, Some(picture(&[(CONSTRAINED, 800)], VGA, 30, false)));
    let small = wanted(|wish| wish.parameters.resolution = Some(QVGA));
    gets(small, Some(picture(&[(VP8, 480), (CONSTRAINED, 400)], QVGA, 30, false)));
    let all = wanted(|wish| {
        wish.format = Some(VP8);
        wish.parameters = VideoParameters {
            resolution: Some(QVGA),
            framerate: Some(12.0),
            bitrate: Some(Bitrate::Multiple("x0.5".into())),
            key_frame_interval_secs: Some(5.0),
        };
    });
    let expected = picture(&[(VP8, 96)], QVGA, 12, false);
    gets(all, Some(VideoOutput { key_frame_interval_secs: 5, ..expected }));
    let audio = SubscribeAudio { from: id("cam"), format: Some(AudioFormat::PCMU) };
    let output = Some(sound(&[AudioFormat::PCMU], false));
    with_camera()
        .asks("bob", wishing(Some(audio), None))
        .granted(opened("sub"))
        .effect(opens(Some(AudioFeed { from: id("cam"), output }), None));
}

#[test]
fn what_a_publisher_says_of_its_picture_counts() {
    let mut room = with(Transcoding::ALL);
    room.happened(mixer_up());
    let parameters = VideoParameters {
        resolution: Some(HD),
        framerate: Some(24.0),
        bitrate: Some(Bitrate::Kbps(1000.0)),
        key_frame_interval_secs: Some(5.0),
    };
    let media =
        PublishMedia { audio: None, video: Some(PublishVideo { source: None, parameters }) };
    let attributes = "{}".into();
    let publish = Command::Publish { session: id("cam"), transport: id("cam"), media, attributes };
    room.asks("alice", publish).granted(opened("cam")).effect(opens_publication("cam", VIDEO));
    room.happened(ready_with("cam", VIDEO));
    let stream = room.stream("cam");
    let options = &stream.video.as_ref().expect("a picture").optional;
    assert_eq!(options.resolutions, [QVGA, VGA]);
    assert_eq!((&*options.framerates, &*options.key_frame_intervals_secs), (&[12][..], &[][..]));
    let wish = wanted(|wish| {
        wish.format = Some(VP8);
        wish.parameters.resolution = Some(VGA);
        wish.parameters.framerate = Some(24.0);
    });
    room.asks("bob", wishing(None, Some(wish)))
        .granted(opened("sub"))
        .effect(opens(None, video_feed(Some(picture(&[(VP8, 333)], VGA, 24, false)))));
}

#[test]
fn what_is_encoded_follows_the_size_of_the_stream_unless_one_was_asked_for() {
    let mut room = with_camera();
    let h264 = wanted(|wish| wish.format = Some(CONSTRAINED));
    room.asks("bob", wishing(None, Some(h264)))
        .granted(opened("sub"))
        .effect(opens(None, video_feed(Some(picture(&[(CONSTRAINED, 800)], VGA, 30, false)))));
    let small = wanted(|wish| wish.parameters.resolution = Some(QVGA));
    let media = SubscribeMedia { audio: None, video: Some(small) };
    let fixed = Command::Subscribe {
        session: id("fixed"),
        transport: id("fixed"),
        offerer: Offerer::Client,
        media,
    };
    let output = picture(&[(VP8, 480), (CONSTRAINED, 400)], QVGA, 30, false);
    room.asks("bob", fixed).granted(opened("fixed")).effect(Effect::OpenSubscription {
        session: id("fixed"),
        transport: id("fixed"),
        offerer: Offerer::Client,
        audio: None,
        video: video_feed(Some(output)),
    });
    let mut larger = offering();
    let video = larger.video.as_mut().expect("a picture");
    video.original[0].parameters.resolution = Some(HD);
    video.optional.resolutions = vec![QVGA, VGA];
    room.happens(measured("cam", HD)).told(&["alice", "bob"], changed(larger)).effect(
        Effect::SwitchSubscription {
            session: id("sub"),
            audio: None,
            video: video_feed(Some(picture(&[(CONSTRAINED, 2000)], HD, 30, false))),
        },
    );
    room.happens(measured("cam", HD)).ignored();
}

#[test]
fn an_encoder_starts_with_a_paused_track_as_it_is() {
    let mut room = with_camera();
    room.asks("alice", pause("cam", TrackSelection::Video))
        .granted(crate::room::Reply::Done)
        .effect(stops("cam", TrackKind::Video))
        .told(&["alice", "bob"], status("cam", TrackKind::Video, TrackStatus::Inactive));
    let mut expected = picture(&[(CONSTRAINED, 800)], VGA, 30, false);
    expected.original.as_mut().expect("of a stream").track.status = TrackStatus::Inactive;
    room.asks("bob", wishing(None, Some(wanted(|wish| wish.format = Some(CONSTRAINED)))))
        .granted(opened("sub"))
        .effect(opens(None, video_feed(Some(expected))));
}

#[test]
fn a_subscription_is_changed_within_its_format() {
    let mut room = with_camera();
    room.happened(measured("cam", VGA));
    room.subscribing("bob", "sub", "cam");
    let agreed = AgreedMedia { audio: Some(AudioFormat::OPUS), video: Some(VP8) };
    room.happened(Event::SessionReady { session: id("sub"), media: agreed });
    let video = Some(VideoUpdate {
        from: None,
        parameters: VideoParameters { resolution: Some(QVGA), ..VideoParameters::default() },
        simulcast_rid: None,
    });
    let update = SubscriptionUpdate { audio: None, video };
    room.asks("bob", Command::UpdateSubscription { session: id("sub"), update })
        .granted(crate::room::Reply::Done)
        .effect(Effect::SwitchSubscription {
            session: id("sub"),
            audio: None,
            video: video_feed(Some(picture(&[(VP8, 480)], QVGA, 30, false))),
        });
    room.asks("bob", super::words::update("sub", None, Some("cam")))
        .granted(crate::room::Reply::Done)
        .effect(switches("sub", None, Some("cam")));
}
