//! A room as it is configured and kept: OWT's record, under OWT's names (its REST speaks JSON of
//! exactly this form).

mod check;
mod defaults;
mod media;
mod settings;
#[cfg(test)]
mod tests;
mod view;
mod views;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::{
    check::{BadRecord, MAX_ROOM_NAME_BYTES},
    media::{
        AudioFormatRecord, KeyFrameIntervals, MediaIn, MediaOut, Notifying, ResolutionRecord,
        Transcoding, TranscodingParameters, TranscodingVideo, VideoFormatRecord, VideoOut,
        VideoOutParameters,
    },
    view::{
        Area, BackgroundColor, CustomTemplate, FitPolicy, Layout, LayoutRegion, OrFalse,
        TemplateBase, Templates, ViewAudio, ViewParameters, ViewRecord, ViewVideo,
    },
};
use crate::ids::RoomId;

/// A room's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomRecord {
    /// Its id.
    #[serde(rename = "_id", with = "as_text")]
    pub id: RoomId,
    /// What people call it; several rooms may have one name.
    pub name: String,
    /// Forward streams at once; negative is unlimited, 0 is none.
    #[serde(default = "unlimited")]
    pub input_limit: i32,
    /// Participants at once; negative and 0 are unlimited.
    #[serde(default = "unlimited")]
    pub participant_limit: i32,
    /// Whether the loudest get streams of their own.
    #[serde(default)]
    pub select_active_audio: bool,
    /// Whether streams are adapted to a subscriber's bandwidth by the room.
    #[serde(default)]
    pub enable_bandwidth_adaptation: bool,
    /// What participants may do, by role.
    #[serde(default = "RoleRecord::owt")]
    pub roles: Vec<RoleRecord>,
    /// What is mixed.
    pub views: Vec<ViewRecord>,
    /// What may be published.
    pub media_in: MediaIn,
    /// What may be subscribed to.
    pub media_out: MediaOut,
    /// What may be transcoded.
    #[serde(default)]
    pub transcoding: Transcoding,
    /// What participants are told.
    #[serde(default)]
    pub notifying: Notifying,
    /// Telephony, of which Portico keeps the setting only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<serde_json::Value>,
}

fn unlimited() -> i32 {
    -1
}

/// What a role permits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRecord {
    /// Its name.
    pub role: String,
    /// What it may publish.
    #[serde(default)]
    pub publish: MediaPermissionRecord,
    /// What it may subscribe to.
    #[serde(default)]
    pub subscribe: MediaPermissionRecord,
}

/// Permission by kind of track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaPermissionRecord {
    /// Sound.
    pub audio: bool,
    /// Picture.
    pub video: bool,
}

mod as_text {
    use super::{Deserialize as _, Deserializer, Serializer, fmt};

    pub(super) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: fmt::Display,
        S: Serializer,
    {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: std::str::FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
