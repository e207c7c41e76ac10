//! The words that stories about rooms are told in.

use std::{collections::BTreeMap, fmt::Debug, str::FromStr, sync::Arc, time::Duration};

use crate::{
    formats::{
        AudioFormat, AudioSource, Resolution, TrackKind, TrackSelection, VideoCodec, VideoFormat,
        VideoParameters, VideoSource,
    },
    room::{
        AgreedMedia, AudioTrack, Bounds, Command, Effect, Event, MediaPermission, Negotiation,
        Notification, ParticipantInfo, Permission, PublishAudio, PublishMedia, PublishVideo, Reply,
        Settings, StreamInfo, StreamOrigin, StreamUpdate, SubscribeAudio, SubscribeMedia,
        SubscribeVideo, TextTarget, TrackStatus, VideoEncoding, VideoOptions, VideoTrack,
        ViewSettings, ViewVideo,
    },
};

pub(super) const ROOM: &str = "room";
/// The mixed stream of the room's only view.
pub(super) const MIXED: &str = "room-common";
pub(super) const VP8: VideoFormat = VideoFormat::of(VideoCodec::Vp8);
pub(super) const VGA: Resolution = Resolution { width: 640, height: 480 };
pub(super) const IDLE: Duration = Duration::from_secs(30);
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
        input_limit: None,
        roles,
        audio_in: [AudioFormat::OPUS, AudioFormat::PCMU].into(),
        video_in: [VP8, VideoFormat::of(VideoCodec::H264)].into(),
        views: vec![view("common")],
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
    let video =
        ViewVideo { format: VP8, resolution: VGA, framerate: 24, key_frame_interval_secs: 100 };
    ViewSettings { label: label.into(), audio: Some(AudioFormat::OPUS), video: Some(video) }
}

// Commands. A session has a transport of its own name unless the story says otherwise.

pub(super) fn join(role: &str) -> Command {
    Command::Join { user: "user".into(), role: role.into() }
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
    Command::Subscribe { session: id(session), transport: id(transport), media }
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

// Events.

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
    Event::Measured { stream: id(stream), resolution }
}

pub(super) fn lost(participant: &str) -> Event {
    Event::ConnectionLost { participant: id(participant) }
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
    ParticipantInfo { id: id(who), user: "user".into(), role: role.into() }
}

pub(super) fn came(who: &str, role: &str) -> Notification {
    Notification::ParticipantJoined(info(who, role))
}

pub(super) fn left(who: &str) -> Notification {
    Notification::ParticipantLeft(id(who))
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

pub(super) fn removed(stream: &str) -> Notification {
    Notification::StreamRemoved(id(stream))
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
        in_views: Vec::new(),
        attributes: ATTRIBUTES.into(),
    };
    StreamInfo { id: id(session), audio, video, origin }
}

/// The mixed stream of [`view`].
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
            status: TrackStatus::Active,
            source: None,
            format: AudioFormat::OPUS,
            optional: Vec::new(),
        }),
        video: Some(VideoTrack {
            status: TrackStatus::Active,
            source: None,
            original: vec![VideoEncoding { format: VP8, parameters, simulcast_rid: None }],
            optional: VideoOptions::default(),
        }),
        origin: StreamOrigin::Mixed { label: label.into() },
    }
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
    let (audio, video) = (audio.map(id), video.map(id));
    Effect::OpenSubscription { session: id(session), transport: id(session), audio, video }
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
