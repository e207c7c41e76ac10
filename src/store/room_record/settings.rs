//! What a running room lives by, taken from its record.

use std::sync::Arc;

use super::{AudioFormatRecord, MediaPermissionRecord, RoomRecord, VideoFormatRecord, ViewRecord};
use crate::{
    config,
    formats::{AudioCodec, AudioFormat, H264Profile, VideoCodec, VideoFormat},
    room::{Bounds, FloorSettings, MediaPermission, Permission, RoomKind, Settings},
};

impl RoomRecord {
    /// The settings of a room of this record. Formats that Portico does not have are left out; a
    /// view that asks for one gets opus or VP8. Nothing is mixed of itself: that is the server's
    /// setting, not the room's.
    pub fn to_settings(&self, bounds: Bounds) -> Settings {
        let roles = self.roles.iter().map(|role| {
            let permission = Permission {
                publish: permission(role.publish),
                subscribe: permission(role.subscribe),
            };
            (Arc::from(role.role.as_str()), permission)
        });
        let video_in = known(&self.media_in.video, video_format);
        let kind = if video_in.is_empty() { RoomKind::AudioMeeting } else { RoomKind::Meeting };
        let positive = u32::try_from(self.participant_limit).ok().filter(|limit| *limit > 0);
        Settings {
            participant_limit: positive,
            kind,
            floor: FloorSettings::default(),
            input_limit: u32::try_from(self.input_limit).ok(),
            roles: roles.collect(),
            audio_in: known(&self.media_in.audio, audio_format).into(),
            video_in: video_in.into(),
            views: self.views.iter().map(ViewRecord::to_settings).collect(),
            auto_mix: false,
            media_out: self.media_out.to_settings(),
            transcoding: self.transcoding.to_settings(),
            notify_participants: self.notifying.participant_activities,
            notify_streams: self.notifying.stream_change,
            bounds,
        }
    }

    /// Whether the room has a role of this name.
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.role == name)
    }
}

impl config::Rooms {
    /// The bounds of every room.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            participants: self.max_participants,
            publications_per_participant: self.max_publications,
            subscriptions_per_participant: self.max_subscriptions,
            text_chars: self.max_text_chars,
            idle: self.idle,
        }
    }
}

fn permission(record: MediaPermissionRecord) -> MediaPermission {
    MediaPermission { audio: record.audio, video: record.video }
}

/// Those that Portico has, each once.
pub(super) fn known<R, F: PartialEq>(records: &[R], format: impl Fn(&R) -> Option<F>) -> Vec<F> {
    let mut formats = Vec::new();
    for format in records.iter().filter_map(format) {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    formats
}

/// A format that Portico has.
pub(super) fn audio_format(record: &AudioFormatRecord) -> Option<AudioFormat> {
    let formats = [AudioFormat::OPUS, AudioFormat::PCMU, AudioFormat::PCMA, AudioFormat::G722];
    formats.into_iter().find(|format| audio_name(format.codec) == record.codec)
}

/// A format that Portico has.
pub(super) fn video_format(record: &VideoFormatRecord) -> Option<VideoFormat> {
    use VideoCodec::{Av1, H264, H265, Vp8, Vp9};
    let codec =
        [Vp8, Vp9, H264, H265, Av1].into_iter().find(|codec| video_name(*codec) == record.codec)?;
    let profile = record.profile.as_deref().filter(|_| codec == H264);
    Some(VideoFormat { codec, profile: profile.and_then(h264_profile) })
}

fn h264_profile(name: &str) -> Option<H264Profile> {
    use H264Profile::{Baseline, ConstrainedBaseline, High, Main};
    let profiles = [ConstrainedBaseline, Baseline, Main, High];
    profiles.into_iter().find(|profile| profile_name(*profile) == name)
}

/// OWT's name of a codec.
pub(super) fn audio_name(codec: AudioCodec) -> &'static str {
    match codec {
        AudioCodec::Opus => "opus",
        AudioCodec::Pcmu => "pcmu",
        AudioCodec::Pcma => "pcma",
        AudioCodec::G722 => "g722",
    }
}

/// OWT's name of a codec.
pub(super) fn video_name(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => "vp8",
        VideoCodec::Vp9 => "vp9",
        VideoCodec::H264 => "h264",
        VideoCodec::H265 => "h265",
        VideoCodec::Av1 => "av1",
    }
}

/// OWT's letters for a profile.
pub(super) fn profile_name(profile: H264Profile) -> &'static str {
    match profile {
        H264Profile::ConstrainedBaseline => "CB",
        H264Profile::Baseline => "B",
        H264Profile::Main => "M",
        H264Profile::High => "H",
    }
}
