//! What is made of forward streams beside what their publishers send, where the room allows it and
//! there is a mixer.

use super::{
    AudioOutput, AudioTrack, InputTrack, MixerCapabilities, Notification, Original, Room, Settings,
    StreamInfo, StreamUpdate, SubscribeAudio, SubscribeVideo, Unsatisfied, VideoEncoding,
    VideoOptions, VideoOutput, VideoRate, VideoTrack,
    bitrate::default_kbps,
    feed::{bitrate_factor, share, whole_kbps},
    publication::{Publication, PublicationState},
    wish::{audio_matches, video_matches},
};
use crate::{
    formats::{AudioFormat, Bitrate, Resolution, VideoFormat, VideoParameters},
    ids::{SessionId, StreamId},
};

/// What may be asked of forward streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcoding {
    /// Other audio formats.
    pub audio: bool,
    /// Other video formats.
    pub video: bool,
    /// Other sizes.
    pub resolution: bool,
    /// Other frame rates.
    pub framerate: bool,
    /// Other bit rates.
    pub bitrate: bool,
    /// Other distances of key frames.
    pub key_frame_interval: bool,
}

/// What a forward picture is taken for as long as nobody has said or measured it, as in OWT.
const ASSUMED_RESOLUTION: Resolution = Resolution { width: 640, height: 480 };
const ASSUMED_FRAMERATE: f64 = 30.0;

/// The highest frame rate that is made, whatever a publisher says of its own.
const MAX_FRAMERATE: f64 = 60.0;

/// Seconds between the key frames of a transcoded picture when nobody asks for others: whoever
/// needs one gets it anyway.
const KEY_FRAME_INTERVAL_SECS: u32 = 100;

/// How much motion is expected, by which bit rates are scaled. Of a forward picture nothing is
/// known.
const MOTION: f64 = 1.0;

impl Transcoding {
    /// Forward streams are had as they are.
    pub const NONE: Self = Self {
        audio: false,
        video: false,
        resolution: false,
        framerate: false,
        bitrate: false,
        key_frame_interval: false,
    };

    /// Everything may be asked.
    pub const ALL: Self = Self {
        audio: true,
        video: true,
        resolution: true,
        framerate: true,
        bitrate: true,
        key_frame_interval: true,
    };
}

impl Room {
    /// Brings the options of all forward streams up to date; everybody hears of those that changed.
    pub(super) fn offer_all(&mut self) {
        let mut changed = Vec::new();
        let sessions: Vec<SessionId> = self.publications.keys().cloned().collect();
        for session in &sessions {
            let publication = self.publications.get_mut(session);
            let Some(PublicationState::Live(info)) = publication.map(|it| &mut it.state) else {
                continue;
            };
            let mut stream = StreamInfo::clone(info);
            offer(&mut stream, &self.settings, self.mixer.as_ref());
            if stream != **info {
                *info = stream.into();
                changed.push(std::sync::Arc::clone(info));
            }
        }
        for info in changed {
            let stream = info.id.clone();
            let update = StreamUpdate::Whole(info);
            self.announce_stream(Notification::StreamUpdated { stream, update });
        }
    }

    /// Has what is transcoded of a stream follow its size, for those who wished for none.
    pub(super) fn follow_size(&mut self, stream: &StreamId) {
        let subscriptions = self.subscriptions.iter();
        let following: Vec<(SessionId, SubscribeVideo)> = subscriptions
            .filter(|(_, subscription)| subscription.video.as_ref() == Some(stream))
            .filter_map(|(id, subscription)| Some((id.clone(), subscription.wish.clone()?)))
            .filter(|(_, wish)| wish.parameters.resolution.is_none())
            .collect();
        for (session, wish) in following {
            // What a stream of another size does not offer any more is left as it is.
            let Ok(feed) = self.video_feed(&wish) else { continue };
            if feed.output.is_some() {
                let video = Some(feed);
                self.perform(super::Effect::SwitchSubscription { session, audio: None, video });
            }
        }
    }

    /// How a forward sound is encoded to meet a wish that it serves; `None` as it is.
    pub(super) fn transcoded_audio(
        &self,
        publication: &Publication,
        track: &AudioTrack,
        wish: &SubscribeAudio,
    ) -> Option<AudioOutput> {
        let suffices = wish.format.is_none_or(|wanted| audio_matches(track.format, wanted));
        if suffices && wish.format.is_some() {
            return None;
        }
        let fits = |format: &AudioFormat| wish.format.is_none_or(|it| audio_matches(*format, it));
        let formats: Vec<AudioFormat> = track.optional.iter().copied().filter(fits).collect();
        (!formats.is_empty()).then(|| AudioOutput {
            formats: formats.into(),
            without: None,
            original: Some(Original {
                track: InputTrack { format: track.format, status: track.status },
                user: self.account_of(publication),
                suffices,
            }),
        })
    }

    /// How a forward picture is encoded to meet a wish that it serves; `None` as it is.
    pub(super) fn transcoded_video(
        &self,
        publication: &Publication,
        track: &VideoTrack,
        wish: &SubscribeVideo,
    ) -> Result<Option<VideoOutput>, Unsatisfied> {
        let (Some(own), None) = (track.original.first(), &wish.simulcast_rid) else {
            return Ok(None);
        };
        let changes = Changes::of(&own.parameters, &track.optional, &wish.parameters);
        let matches = wish.format.is_none_or(|wanted| video_matches(own.format, wanted));
        if matches && changes.is_none() && wish.format.is_some() {
            return Ok(None);
        }
        let suffices = matches && changes.is_none();
        // What the mixer can make of the stream's own format, it need not make if that suffices.
        let encodes = |mixer: &MixerCapabilities| mixer.encodes_video(own.format);
        let own_format = Some(own.format)
            .filter(|_| !suffices && self.mixer.as_ref().is_some_and(encodes))
            .into_iter();
        let formats = own_format.chain(track.optional.formats.iter().copied());
        let fits = |format: &VideoFormat| wish.format.is_none_or(|it| video_matches(*format, it));
        let formats: Vec<VideoFormat> = formats.filter(fits).collect();
        if formats.is_empty() {
            return if suffices { Ok(None) } else { Err(Unsatisfied::Format) };
        }
        let resolution = changes.resolution.unwrap_or_else(|| assumed_resolution(own));
        let framerate = changes.framerate.unwrap_or_else(|| whole_framerate(own));
        let factor = bitrate_factor(&self.settings.media_out, changes.bitrate.as_ref());
        let kbps = |format| match own.parameters.bitrate {
            Some(Bitrate::Kbps(kbps)) => {
                let whole = (assumed_resolution(own), whole_framerate(own));
                kbps * share(whole.0, whole.1, resolution, framerate)
            }
            Some(Bitrate::Multiple(_)) | None => {
                default_kbps(format, resolution, framerate, MOTION)
            }
        };
        let rate = |&format| VideoRate { format, kbps: whole_kbps(kbps(format) * factor) };
        Ok(Some(VideoOutput {
            encodings: formats.iter().map(rate).collect(),
            resolution,
            framerate,
            key_frame_interval_secs: changes
                .key_frame_interval_secs
                .unwrap_or(KEY_FRAME_INTERVAL_SECS),
            original: Some(Original {
                track: InputTrack { format: own.format, status: track.status },
                user: self.account_of(publication),
                suffices,
            }),
        }))
    }

    /// Whose user account publishes something; empty when the publisher is gone.
    pub(super) fn account_of(&self, publication: &Publication) -> std::sync::Arc<str> {
        let owner = self.participants.get(&publication.owner);
        owner.map(|owner| owner.info.user.clone()).unwrap_or_default()
    }
}

/// What a wish has otherwise than a forward picture is.
#[derive(Debug, Clone, PartialEq)]
struct Changes {
    resolution: Option<Resolution>,
    framerate: Option<u32>,
    bitrate: Option<Bitrate>,
    key_frame_interval_secs: Option<u32>,
}

impl Changes {
    /// Only what is among the options: a wish for the size of a stream of unknown size is granted
    /// without any promise.
    fn of(own: &VideoParameters, options: &VideoOptions, wanted: &VideoParameters) -> Self {
        let number = |own: Option<f64>, options: &[u32], wanted: Option<f64>| {
            let wanted = wanted.filter(|wanted| Some(*wanted) != own)?;
            options.iter().copied().find(|it| f64::from(*it) == wanted)
        };
        let resolution = wanted.resolution.filter(|wanted| Some(*wanted) != own.resolution);
        let bitrate = match &wanted.bitrate {
            Some(Bitrate::Multiple(multiple)) if options.bitrates.contains(multiple) => {
                wanted.bitrate.clone()
            }
            Some(Bitrate::Multiple(_) | Bitrate::Kbps(_)) | None => None,
        };
        Self {
            resolution: resolution.filter(|wanted| options.resolutions.contains(wanted)),
            framerate: number(own.framerate, &options.framerates, wanted.framerate),
            bitrate,
            key_frame_interval_secs: number(
                own.key_frame_interval_secs,
                &options.key_frame_intervals_secs,
                wanted.key_frame_interval_secs,
            ),
        }
    }

    fn is_none(&self) -> bool {
        self.resolution.is_none()
            && self.framerate.is_none()
            && self.bitrate.is_none()
            && self.key_frame_interval_secs.is_none()
    }
}

/// The size of a forward picture.
pub(super) fn assumed_resolution(own: &VideoEncoding) -> Resolution {
    own.parameters.resolution.unwrap_or(ASSUMED_RESOLUTION)
}

/// The frame rate of a forward picture, 1 to 60.
pub(super) fn whole_framerate(own: &VideoEncoding) -> u32 {
    let framerate = own.parameters.framerate.unwrap_or(ASSUMED_FRAMERATE);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 60")]
    let whole = framerate.clamp(1.0, MAX_FRAMERATE).round() as u32;
    // Not a number is nothing.
    whole.max(1)
}

/// Writes down what may be asked of a forward stream beside what it is. Of simulcast layers nothing
/// else is made: they are the choice.
pub(super) fn offer(
    stream: &mut StreamInfo,
    settings: &Settings,
    mixer: Option<&MixerCapabilities>,
) {
    let (allowed, out) = (settings.transcoding, &settings.media_out);
    if let Some(audio) = &mut stream.audio {
        let mixer = mixer.filter(|it| allowed.audio && it.audio_in.contains(&audio.format.codec));
        let options = mixer.map(|mixer| out.audio_options(audio.format, Some(mixer)));
        audio.optional = options.unwrap_or_default();
    }
    if let Some(video) = &mut stream.video {
        video.optional =
            mixer.and_then(|mixer| picture_options(video, settings, mixer)).unwrap_or_default();
    }
}

fn picture_options(
    video: &VideoTrack,
    settings: &Settings,
    mixer: &MixerCapabilities,
) -> Option<VideoOptions> {
    let (allowed, out) = (settings.transcoding, &settings.media_out);
    let [own] = &*video.original else { return None };
    if own.simulcast_rid.is_some() || !mixer.video_in.contains(&own.format.codec) {
        return None;
    }
    let mut assumed = own.clone();
    assumed.parameters.resolution = Some(assumed_resolution(own));
    assumed.parameters.framerate.get_or_insert(ASSUMED_FRAMERATE);
    assumed.parameters.key_frame_interval_secs.get_or_insert(f64::INFINITY);
    let all = out.video_options(&assumed, Some(mixer));
    let formats = if allowed.video { all.formats } else { Vec::new() };
    if formats.is_empty() && !mixer.encodes_video(own.format) {
        return None;
    }
    let reduced = out.bitrates.iter().filter(|it| it.reduces()).map(|it| it.text().clone());
    Some(VideoOptions {
        formats,
        resolutions: if allowed.resolution { all.resolutions } else { Vec::new() },
        framerates: if allowed.framerate { all.framerates } else { Vec::new() },
        bitrates: reduced.filter(|_| allowed.bitrate).collect(),
        key_frame_intervals_secs: if allowed.key_frame_interval {
            all.key_frame_intervals_secs
        } else {
            Vec::new()
        },
    })
}
