//! What a room mixes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AudioFormatRecord, ResolutionRecord, VideoFormatRecord};

/// A view: one mixed stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    /// Its label; the stream is `<room>-<label>`.
    pub label: String,
    /// Its sound.
    pub audio: OrFalse<ViewAudio>,
    /// Its picture.
    pub video: OrFalse<ViewVideo>,
}

/// Something, or `false` where there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum OrFalse<T> {
    /// There is something.
    Some(T),
    /// There is nothing.
    False,
}

impl<T> OrFalse<T> {
    /// What there is.
    pub fn as_option(&self) -> Option<&T> {
        match self {
            Self::Some(value) => Some(value),
            Self::False => None,
        }
    }
}

impl<T: Serialize> Serialize for OrFalse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Some(value) => value.serialize(serializer),
            Self::False => serializer.serialize_bool(false),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrFalse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Flag(bool),
            Value(T),
        }
        match Either::deserialize(deserializer)? {
            Either::Flag(false) => Ok(Self::False),
            Either::Flag(true) => Err(serde::de::Error::custom("expected an object or false")),
            Either::Value(value) => Ok(Self::Some(value)),
        }
    }
}

/// A view's sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewAudio {
    /// What it is encoded as by default.
    pub format: AudioFormatRecord,
    /// Whether to find out who speaks.
    #[serde(default = "yes")]
    pub vad: bool,
}

/// A view's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewVideo {
    /// What it is encoded as by default.
    pub format: VideoFormatRecord,
    /// What it looks like.
    pub parameters: ViewParameters,
    /// Pictures that it shows at once.
    pub max_input: u32,
    /// Scales the default bit rate.
    pub motion_factor: f64,
    /// Where no picture is.
    pub bg_color: BackgroundColor,
    /// Whether whoever speaks takes the first region.
    #[serde(default)]
    pub keep_active_input_primary: bool,
    /// Where pictures are put.
    pub layout: Layout,
}

/// What a view looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewParameters {
    /// Its size.
    pub resolution: ResolutionRecord,
    /// Frames per second.
    pub framerate: u32,
    /// In kbit/s; absent is computed from the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<serde_json::Number>,
    /// Seconds between key frames.
    pub key_frame_interval: u32,
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundColor {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

/// Where pictures are put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// How a picture is fitted into its region.
    pub fit_policy: FitPolicy,
    /// Which layouts there are.
    pub templates: Templates,
}

/// How a picture is fitted into its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FitPolicy {
    /// Whole, with bars.
    Letterbox,
    /// Filling, with edges cut off.
    Crop,
}

/// Which layouts there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Templates {
    /// A family of layouts by number of pictures.
    pub base: TemplateBase,
    /// Layouts that replace or complete the family.
    #[serde(default)]
    pub custom: Vec<CustomTemplate>,
}

/// A family of layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateBase {
    /// Equal regions in a grid.
    Fluid,
    /// One large region and small ones around it.
    Lecture,
    /// None.
    Void,
}

/// A layout for as many pictures as it has regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomTemplate {
    /// A label without effect, as in OWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// The regions, drawn in this order.
    pub region: Vec<LayoutRegion>,
}

/// A place for a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutRegion {
    /// Its id.
    pub id: String,
    /// `rectangle` or `circle`.
    pub shape: String,
    /// Where it is.
    pub area: Area,
}

/// Where a region is, as fractions of the whole (`"1/3"`), by key: `left`, `top`, `width` and
/// `height` for a rectangle.
pub type Area = std::collections::BTreeMap<String, String>;

fn yes() -> bool {
    true
}
