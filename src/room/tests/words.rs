//! The words that stories about rooms are told in.

use std::{collections::BTreeMap, fmt::Debug, str::FromStr, sync::Arc, time::Duration};

use crate::{
    formats::{
        AudioCodec, AudioFormat, AudioSource, H264Profile, LayerChoice, Offerer, Resolution,
        TrackKind, TrackSelection, VideoCodec, VideoFormat, VideoParameters, VideoSource,
    },
    room::{
        AgreedMedia, AudioFeed, AudioTrack, Bounds, Command, DesiredView, Effect, Event, Fit,
        FloorEntry, FloorSettings, Fraction, InputTrack, Layout, LayoutSettings, Manner, MediaOut,
        MediaPermission, MixerCapabilities, Multiple, Negotiation, Notification, ParticipantInfo,
        Permission, PlacedRegion, Profile, PublishAudio, PublishMedia, PublishVideo, Region, Reply,
        ResolutionOption, RoomKind, Sending, Settings, Shape, StreamInfo, StreamOrigin,
        StreamUpdate, SubscribeAudio, SubscribeMedia, SubscribeVideo, SubscriptionUpdate,
        TemplateBase, TextTarget, TrackStatus, Transcoding, VideoEncoding, VideoFeed, VideoOptions,
        VideoTrack, VideoUpdate, ViewAudio, ViewInput, ViewSettings, ViewVideo, Whom,
    },
};

/// An account that does not matter.
pub(super) const ANY_USER: &str = "user";
pub(super) const ROOM: &str = "room";
/// The mixed stream of the room's only view.
pub(super) const MIXED: &str = "room-common";
pub(super) const VP8: VideoFormat = VideoFormat::of(VideoCodec::Vp8);
pub(super) const VGA: Resolution = Resolution { width: 640, height: 480 };
pub(super) const QVGA: Resolution = Resolution { width: 320, height: 240 };
pub(super) const IDLE: Duration = Duration::from_secs(30);
/// How long those may be silent who know the floor.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);
pub(super) const ATTRIBUTES: &str = r#"{"seat":"12"}"#;

/// Which kinds of track are meant.
pub(super) type Kinds = (bool, bool);
pub(super) const AUDIO: Kinds = (true, false);
pub(super) const VIDEO: Kinds = (false, true);
pub(super) const AUDIO_VIDEO: Kinds = (true, true);
pub(super) const NEITHER: Kinds = (false, false);

const EVERYTHING: MediaPermission = MediaPermission { audio: true, video: true };
const SOUND: MediaPermission = MediaPermission { audio: true, video: false };
const NOTHING: MediaPermission = MediaPermission { audio: false, video: false };
pub(super) const PRESENTER: Permission = Permission { publish: EVERYTHING, subscribe: EVERYTHING };

/// Any kind of id.
pub(super) fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("a valid id")
}

/// A room that has room for everything the stories need.
pub(super) fn settings() -> Settings {
    let role = |publish, subscribe| Permission { publish, subscribe };
    let roles = BTreeMap::from([
        ("presenter".into(), PRESENTER),
        ("viewer".into(), role(NOTHING, EVERYTHING)),
        ("caller".into(), role(SOUND, SOUND)),
        ("guest".into(), role(NOTHING, NOTHING)),
    ]);
    Settings {
        participant_limit: None,
        kind: RoomKind::Meeting,
        floor: FloorSettings::default(),
        input_limit: None,
        roles,
        audio_in: [AudioFormat::OPUS, AudioFormat::PCMU].into(),
        video_in: [VP8, VideoFormat::of(VideoCodec::H264)].into(),
        views: vec![view("common")],
        auto_mix: false,
        media_out: media_out(),
        transcoding: Transcoding::NONE,
        notify_participants: true,
        notify_streams: true,
        bounds: Bounds {
            participants: 10,
            publications_per_participant: 5,
            subscriptions_per_participant: 5,
            text_chars: 20,
            idle: IDLE,
        },
    }
}

pub(super) fn view(label: &str) -> ViewSettings {
    let video = ViewVideo {
        format: VP8,
        resolution: VGA,
        framerate: 24,
        kbps: None,
        key_frame_interval_secs: 100,
        max_input: 4,
        motion_factor: 0.8,
        background: [0; 3],
        fit: Fit::Letterbox,
        keep_active_input_primary: false,
        layout: LayoutSettings { base: TemplateBase::Fluid, custom: Vec::new() },
    };
    let audio = ViewAudio { format: AudioFormat::OPUS, voice_activity: true };
    ViewSettings { label: label.into(), audio: Some(audio), video: Some(video) }
}

pub(super) fn h264(profile: H264Profile) -> VideoFormat {
    VideoFormat { codec: VideoCodec::H264, profile: Some(profile) }
}

/// What of it suits the view of [`view`] is in [`mixed`].
fn media_out() -> MediaOut {
    MediaOut {
        audio: vec![AudioFormat::OPUS, AudioFormat::PCMU],
        video: vec![VP8, h264(H264Profile::ConstrainedBaseline)],
        resolutions: vec![ResolutionOption::Fixed(QVGA), ResolutionOption::Fixed(VGA)],
        framerates: vec![12, 24],
        bitrates: vec![Multiple::new("x0.5").expect("a multiple")],
        key_frame_intervals_secs: vec![100, 5],
    }
}

// Commands. A session has a transport of its own name unless the story says otherwise.

pub(super) fn join(role: &str) -> Command {
    join_as(ANY_USER, role)
}

pub(super) fn join_as(user: &str, role: &str) -> Command {
    Command::Join { user: user.into(), role: role.into(), manner: Manner::default() }
}

/// Comes in by a dialect that knows the floor.
pub(super) fn enter(user: &str, kind: RoomKind) -> Command {
    entering(user, "presenter", kind, false)
}

/// The same, and makes the room.
pub(super) fn found(user: &str, kind: RoomKind) -> Command {
    entering(user, "presenter", kind, true)
}

pub(super) fn entering(user: &str, role: &str, kind: RoomKind, founding: bool) -> Command {
    let sending = Sending::BOTH;
    let entry = FloorEntry { kind, founding, sending, heartbeat: HEARTBEAT };
    let manner = Manner { profile: Profile::default(), floor: Some(entry) };
    Command::Join { user: user.into(), role: role.into(), manner }
}

pub(super) fn sending(audio: bool, video: bool) -> Command {
    Command::SetSending { sending: Sending { audio, video } }
}

pub(super) fn ask_for_floor() -> Command {
    Command::AskForFloor { sending: Sending::BOTH, message: "please".into() }
}

pub(super) fn grant_floor(to: Whom) -> Command {
    Command::GrantFloor { to, message: "come".into() }
}

pub(super) fn deny_floor(to: Whom) -> Command {
    Command::DenyFloor { to, message: "no".into() }
}

pub(super) fn kick(whom: Whom) -> Command {
    Command::Kick { whom, message: "out".into() }
}

pub(super) fn relay(to: Option<Whom>) -> Command {
    Command::Relay { to, message: "hi".into() }
}

pub(super) fn one(who: &str) -> Whom {
    Whom::One(id(who))
}

pub(super) fn broadcast(data: &str) -> Command {
    Command::Broadcast { data: data.into() }
}

pub(super) fn say(to: TextTarget, message: &str) -> Command {
    Command::Text { to, message: message.into() }
}

pub(super) fn publish(session: &str, kinds: Kinds) -> Command {
    publish_on(session, session, kinds)
}

pub(super) fn publish_on(transport: &str, session: &str, (audio, video): Kinds) -> Command {
    let media = PublishMedia {
        audio: audio.then_some(PublishAudio { source: Some(AudioSource::Mic) }),
        video: video.then_some(PublishVideo {
            source: Some(VideoSource::Camera),
            parameters: VideoParameters::default(),
        }),
    };
    let attributes = ATTRIBUTES.into();
    Command::Publish { session: id(session), transport: id(transport), media, attributes }
}

pub(super) fn unpublish(session: &str) -> Command {
    Command::Unpublish { session: id(session) }
}

pub(super) fn subscribe(session: &str, audio: Option<&str>, video: Option<&str>) -> Command {
    subscribe_on(session, session, audio, video)
}

pub(super) fn subscribe_on(
    transport: &str,
    session: &str,
    audio: Option<&str>,
    video: Option<&str>,
) -> Command {
    let media = SubscribeMedia { audio: audio.map(wanted_audio), video: video.map(wanted_video) };
    Command::Subscribe {
        session: id(session),
        transport: id(transport),
        offerer: Offerer::Client,
        media,
    }
}

pub(super) fn wanted_audio(from: &str) -> SubscribeAudio {
    SubscribeAudio { from: id(from), format: None }
}

pub(super) fn wanted_video(from: &str) -> SubscribeVideo {
    let parameters = VideoParameters::default();
    SubscribeVideo { from: id(from), format: None, parameters, simulcast_rid: None }
}

pub(super) fn unsubscribe(session: &str) -> Command {
    Command::Unsubscribe { session: id(session) }
}

pub(super) fn update(session: &str, audio: Option<&str>, video: Option<&str>) -> Command {
    let video = video.map(|from| VideoUpdate { from: Some(id(from)), ..VideoUpdate::default() });
    let update = SubscriptionUpdate { audio: audio.map(id), video };
    Command::UpdateSubscription { session: id(session), update }
}

pub(super) fn pause_own(session: &str, tracks: TrackSelection) -> Command {
    Command::PauseSubscription { session: id(session), tracks }
}

pub(super) fn play_own(session: &str, tracks: TrackSelection) -> Command {
    Command::PlaySubscription { session: id(session), tracks }
}

pub(super) fn negotiate(transport: &str, payload: Negotiation) -> Command {
    Command::Negotiate { transport: id(transport), payload }
}

pub(super) fn offer() -> Negotiation {
    Negotiation::Offer("v=0 offer".into())
}

pub(super) fn pause(stream: &str, tracks: TrackSelection) -> Command {
    Command::PauseStream { stream: id(stream), tracks }
}

pub(super) fn play(stream: &str, tracks: TrackSelection) -> Command {
    Command::PlayStream { stream: id(stream), tracks }
}

pub(super) fn mix(stream: &str, view: &str) -> Command {
    Command::Mix { stream: id(stream), view: view.into() }
}

pub(super) fn unmix(stream: &str, view: &str) -> Command {
    Command::Unmix { stream: id(stream), view: view.into() }
}

pub(super) fn get_region(stream: &str, view: &str) -> Command {
    Command::GetRegion { stream: id(stream), view: view.into() }
}

pub(super) fn set_region(stream: &str, view: &str, region: &str) -> Command {
    Command::SetRegion { stream: id(stream), view: view.into(), region: region.into() }
}

// Events.

/// A mixer that can encode everything that the room gives out.
pub(super) fn mixer_up() -> Event {
    let audio = vec![AudioCodec::Opus, AudioCodec::Pcmu];
    let capabilities = MixerCapabilities {
        audio: audio.clone(),
        video: vec![VP8, VideoFormat::of(VideoCodec::H264)],
        audio_in: audio,
        video_in: vec![VideoCodec::Vp8, VideoCodec::H264],
    };
    Event::MixerUp { capabilities }
}

pub(super) fn view_failed(view: &str, reason: &str) -> Event {
    Event::ViewFailed { view: id(view), reason: reason.into() }
}

pub(super) fn loudest(view: &str, stream: &str) -> Event {
    Event::Loudest { view: id(view), stream: id(stream) }
}

pub(super) fn level(stream: &str, decibels: i8) -> Event {
    Event::Level { stream: id(stream), decibels }
}

pub(super) fn ready(session: &str) -> Event {
    ready_with(session, AUDIO_VIDEO)
}

pub(super) fn ready_with(session: &str, (audio, video): Kinds) -> Event {
    let media =
        AgreedMedia { audio: audio.then_some(AudioFormat::OPUS), video: video.then_some(VP8) };
    Event::SessionReady { session: id(session), media }
}

pub(super) fn failed(session: &str, reason: &str) -> Event {
    Event::SessionFailed { session: id(session), reason: reason.into() }
}

pub(super) fn answered(transport: &str) -> Event {
    Event::Answered { transport: id(transport), sdp: "v=0 answer".into() }
}

pub(super) fn measured(stream: &str, resolution: Resolution) -> Event {
    Event::Measured { stream: id(stream), layer: None, resolution }
}

pub(super) fn lost(participant: &str) -> Event {
    lost_for(participant, Duration::ZERO)
}

pub(super) fn lost_for(participant: &str, keep: Duration) -> Event {
    Event::ConnectionLost { participant: id(participant), keep }
}

pub(super) fn resumed(participant: &str) -> Event {
    Event::Resumed { participant: id(participant) }
}

pub(super) fn drop_out(participant: &str) -> Event {
    Event::Drop { participant: id(participant) }
}

// Replies.

pub(super) fn opened(session: &str) -> Reply {
    opened_on(session, session)
}

pub(super) fn opened_on(transport: &str, session: &str) -> Reply {
    Reply::SessionOpened { session: id(session), transport: id(transport) }
}

// Notifications.

pub(super) fn info(who: &str, role: &str) -> ParticipantInfo {
    ParticipantInfo { id: id(who), user: who.into(), role: role.into(), handle: who.into() }
}

pub(super) fn came(who: &str, role: &str) -> Notification {
    Notification::ParticipantJoined(info(who, role))
}

pub(super) fn left(who: &str) -> Notification {
    left_as(who, "presenter")
}

pub(super) fn left_as(who: &str, role: &str) -> Notification {
    Notification::ParticipantLeft(info(who, role))
}

pub(super) fn session_ready(session: &str) -> Notification {
    Notification::SessionReady { session: id(session), transport: id(session) }
}

pub(super) fn session_failed(session: &str, reason: &str) -> Notification {
    let reason = reason.into();
    Notification::SessionFailed { session: id(session), transport: id(session), reason }
}

pub(super) fn source_lost(session: &str) -> Notification {
    session_failed(session, "Source stream loss")
}

pub(super) fn added(stream: StreamInfo) -> Notification {
    Notification::StreamAdded(Arc::new(stream))
}

/// A stream of alice's.
pub(super) fn removed(stream: &str) -> Notification {
    removed_of(stream, "alice")
}

pub(super) fn removed_of(stream: &str, owner: &str) -> Notification {
    Notification::StreamRemoved { stream: id(stream), owner_handle: owner.into() }
}

pub(super) fn status(stream: &str, kind: TrackKind, status: TrackStatus) -> Notification {
    let update = StreamUpdate::Status { kind, status };
    Notification::StreamUpdated { stream: id(stream), update }
}

pub(super) fn changed(stream: StreamInfo) -> Notification {
    let update = StreamUpdate::Whole(Arc::new(stream.clone()));
    Notification::StreamUpdated { stream: stream.id, update }
}

/// The stream that comes of [`publish`] and [`ready`].
pub(super) fn stream(session: &str, owner: &str, (audio, video): Kinds) -> StreamInfo {
    let audio = audio.then_some(AudioTrack {
        status: TrackStatus::Active,
        source: Some(AudioSource::Mic),
        format: AudioFormat::OPUS,
        optional: Vec::new(),
    });
    let parameters = VideoParameters::default();
    let video = video.then(|| VideoTrack {
        status: TrackStatus::Active,
        source: Some(VideoSource::Camera),
        original: vec![VideoEncoding { format: VP8, parameters, simulcast_rid: None }],
        optional: VideoOptions::default(),
    });
    let origin = StreamOrigin::Forward {
        owner: id(owner),
        owner_handle: owner.into(),
        in_views: Vec::new(),
        attributes: ATTRIBUTES.into(),
    };
    StreamInfo { id: id(session), audio, video, origin }
}

/// The mixed stream of [`view`], whose mixer does not run.
pub(super) fn mixed(label: &str) -> StreamInfo {
    let parameters = VideoParameters {
        resolution: Some(VGA),
        framerate: Some(24.0),
        bitrate: None,
        key_frame_interval_secs: Some(100.0),
    };
    StreamInfo {
        id: id(&format!("{ROOM}-{label}")),
        audio: Some(AudioTrack {
            status: TrackStatus::Inactive,
            source: None,
            format: AudioFormat::OPUS,
            optional: vec![AudioFormat::PCMU],
        }),
        video: Some(VideoTrack {
            status: TrackStatus::Inactive,
            source: None,
            original: vec![VideoEncoding { format: VP8, parameters, simulcast_rid: None }],
            optional: VideoOptions {
                formats: vec![h264(H264Profile::ConstrainedBaseline)],
                resolutions: vec![QVGA],
                framerates: vec![12],
                bitrates: vec!["x0.5".into()],
                key_frame_intervals_secs: vec![5],
            },
        }),
        origin: StreamOrigin::Mixed {
            label: label.into(),
            active_input: None,
            layout: Arc::new([]),
        },
    }
}

/// One of OWT's grids with these streams in its first cells.
pub(super) fn grid(side: u32, streams: &[&str]) -> Layout {
    let share = |at| Fraction::new(at, side).expect("a share");
    let region = |at: u32| Region {
        id: (at + 1).to_string().into(),
        shape: Shape::Rectangle {
            left: share(at % side),
            top: share(at / side),
            width: share(1),
            height: share(1),
        },
    };
    let stream = |at: u32| streams.get(at as usize).map(|stream| id(stream));
    (0..side * side).map(|at| PlacedRegion { region: region(at), stream: stream(at) }).collect()
}

pub(super) fn relaid(view: &str, layout: Layout) -> Notification {
    Notification::StreamUpdated { stream: id(view), update: StreamUpdate::Layout(layout) }
}

pub(super) fn speaks(view: &str, stream: Option<&str>) -> Notification {
    let update = StreamUpdate::ActiveInput(stream.map(id));
    Notification::StreamUpdated { stream: id(view), update }
}

/// The input that comes of [`publish`] and [`ready`] in a view that mixes both kinds.
pub(super) fn input(session: &str, owner: &str, (audio, video): Kinds) -> ViewInput {
    let status = TrackStatus::Active;
    ViewInput {
        stream: id(session),
        owner: id(owner),
        user: owner.into(),
        audio: audio.then_some(InputTrack { format: AudioFormat::OPUS, status }),
        video: video.then_some(InputTrack { format: VP8, status }),
    }
}

/// The mixing side is told of [`view`]'s `common`.
pub(super) fn desires(inputs: &[ViewInput], layout: Layout, speaker: Option<&str>) -> Effect {
    desires_of(&view("common"), inputs, layout, speaker)
}

pub(super) fn desires_of(
    settings: &ViewSettings,
    inputs: &[ViewInput],
    layout: Layout,
    speaker: Option<&str>,
) -> Effect {
    let desired = DesiredView {
        settings: Arc::new(settings.clone()),
        inputs: inputs.to_vec(),
        layout,
        speaker: speaker.map(id),
    };
    let view = id(&format!("{ROOM}-{}", settings.label));
    Effect::ViewChanged { view, desired: Arc::new(desired) }
}

// Effects.

pub(super) fn opens_publication(session: &str, (audio, video): Kinds) -> Effect {
    Effect::OpenPublication {
        session: id(session),
        transport: id(session),
        audio: audio.then(|| settings().audio_in),
        video: video.then(|| settings().video_in),
    }
}

pub(super) fn opens_subscription(
    session: &str,
    audio: Option<&str>,
    video: Option<&str>,
) -> Effect {
    let audio = audio.map(|from| AudioFeed { from: id(from), output: None });
    let video =
        video.map(|from| VideoFeed { from: id(from), output: None, layer: LayerChoice::Largest });
    Effect::OpenSubscription {
        session: id(session),
        transport: id(session),
        offerer: Offerer::Client,
        audio,
        video,
    }
}

pub(super) fn switches(session: &str, audio: Option<&str>, video: Option<&str>) -> Effect {
    let audio = audio.map(|from| AudioFeed { from: id(from), output: None });
    let video =
        video.map(|from| VideoFeed { from: id(from), output: None, layer: LayerChoice::Largest });
    Effect::SwitchSubscription { session: id(session), audio, video }
}

pub(super) fn sends(session: &str, kind: TrackKind, active: bool) -> Effect {
    Effect::SetSubscriptionActive { session: id(session), kind, active }
}

pub(super) fn closes(session: &str) -> Effect {
    Effect::CloseSession { session: id(session) }
}

pub(super) fn stops(stream: &str, kind: TrackKind) -> Effect {
    Effect::SetTrackActive { stream: id(stream), kind, active: false }
}

pub(super) fn resumes(stream: &str, kind: TrackKind) -> Effect {
    Effect::SetTrackActive { stream: id(stream), kind, active: true }
}
