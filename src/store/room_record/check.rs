//! Whether a record makes sense, before it is kept.

use std::collections::BTreeSet;

use super::{AudioFormatRecord, OrFalse, RoomRecord, ViewRecord, ViewVideo};
use crate::{ids::StreamId, room::MAX_REGIONS};

/// The longest name of a room or a role, in bytes.
pub const MAX_ROOM_NAME_BYTES: usize = 512;

/// Roles of one room.
const MAX_ROLES: usize = 64;

/// Views of one room. Each costs an encoder, so a machine can serve far fewer.
const MAX_VIEWS: usize = 64;

/// Custom layouts of one view.
pub(super) const MAX_TEMPLATES: usize = 64;

/// Pixels on one side of a view.
const SIDES: std::ops::RangeInclusive<u32> = 16..=8192;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// A view is encoded as something that the room does not give out; in OWT's words.
    #[error("MediaOut conflicts with View Setting")]
    MediaOutConflict,
    /// Something else; says what.
    #[error("Invalid room option: {0}")]
    Option(String),
}

impl RoomRecord {
    /// Checks what types do not say: names, limits, numbers within their ranges.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), BadRecord> {
        require(is_name(&self.name), || {
            format!("name must have 1 to {MAX_ROOM_NAME_BYTES} bytes")
        })?;
        self.check_roles()?;
        require(self.views.len() <= MAX_VIEWS, || format!("more than {MAX_VIEWS} views"))?;
        let mut labels = BTreeSet::new();
        for view in &self.views {
            let label = &view.label;
            require(labels.insert(label), || format!("two views are labelled {label:?}"))?;
            require(StreamId::of_view(&self.id, label).is_ok() && !label.is_empty(), || {
                format!("view label {label:?} must have letters, digits, '-' and '_' only")
            })?;
            self.check_view(view)?;
        }
        Ok(())
    }

    fn check_roles(&self) -> Result<(), BadRecord> {
        require(self.roles.len() <= MAX_ROLES, || format!("more than {MAX_ROLES} roles"))?;
        let mut names = BTreeSet::new();
        for role in &self.roles {
            let name = &role.role;
            require(is_name(name), || {
                format!("a role's name must have 1 to {MAX_ROOM_NAME_BYTES} bytes")
            })?;
            require(names.insert(name), || format!("two roles are called {name:?}"))?;
        }
        Ok(())
    }

    fn check_view(&self, view: &ViewRecord) -> Result<(), BadRecord> {
        if let OrFalse::Some(audio) = &view.audio {
            let mut offered = self.media_out.audio.iter();
            if !offered.any(|offered| serves(offered, &audio.format)) {
                return Err(BadRecord::MediaOutConflict);
            }
        }
        if let OrFalse::Some(video) = &view.video {
            if !self.media_out.video.format.contains(&video.format) {
                return Err(BadRecord::MediaOutConflict);
            }
            check_video(&view.label, video)?;
        }
        Ok(())
    }
}

fn check_video(label: &str, video: &ViewVideo) -> Result<(), BadRecord> {
    let parameters = &video.parameters;
    let size = parameters.resolution;
    let fits = |side: u32| SIDES.contains(&side) && side.is_multiple_of(2);
    require(fits(size.width) && fits(size.height), || {
        format!("view {label:?}: resolution must be even numbers from 16 to 8192")
    })?;
    require((1..=60).contains(&parameters.framerate), || {
        format!("view {label:?}: framerate must be 1 to 60")
    })?;
    require((1..=100).contains(&parameters.key_frame_interval), || {
        format!("view {label:?}: keyFrameInterval must be 1 to 100")
    })?;
    let bitrate = parameters.bitrate.as_ref().and_then(serde_json::Number::as_f64);
    require(bitrate.is_none_or(|kbps| (1.0..=1e6).contains(&kbps)), || {
        format!("view {label:?}: bitrate must be 1 to 1000000 kbit/s")
    })?;
    require((1..=MAX_REGIONS).contains(&(video.max_input as usize)), || {
        format!("view {label:?}: maxInput must be 1 to {MAX_REGIONS}")
    })?;
    require((0.1..=2.0).contains(&video.motion_factor), || {
        format!("view {label:?}: motionFactor must be 0.1 to 2")
    })?;
    let custom = &video.layout.templates.custom;
    require(custom.len() <= MAX_TEMPLATES, || {
        format!("view {label:?}: more than {MAX_TEMPLATES} custom layouts")
    })?;
    custom.iter().try_for_each(|template| {
        template.to_template().map(drop).map_err(|fault| {
            BadRecord::Option(format!("view {label:?}: a custom layout has an {fault}"))
        })
    })
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_ROOM_NAME_BYTES
}

/// Whether a format that is given out is the wanted one; what the wish leaves open may be anything.
fn serves(offered: &AudioFormatRecord, wanted: &AudioFormatRecord) -> bool {
    offered.codec == wanted.codec
        && (wanted.sample_rate.is_none() || wanted.sample_rate == offered.sample_rate)
        && (wanted.channel_num.is_none() || wanted.channel_num == offered.channel_num)
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), BadRecord> {
    if holds { Ok(()) } else { Err(BadRecord::Option(what())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        let record = RoomRecord::new("r".parse().expect("valid"), "a room");
        assert_eq!(record.check(), Ok(()));
    }
}
