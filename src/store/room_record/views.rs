//! What a running room mixes and gives out, taken from its record.

use super::{
    Area, CustomTemplate, FitPolicy, LayoutRegion, MediaOut, TemplateBase, Templates, ViewRecord,
    check::MAX_TEMPLATES,
    settings::{audio_format, known, video_format},
    view,
};
use crate::{
    formats::{AudioFormat, Resolution, VideoCodec, VideoFormat},
    room::{
        self, Fit, Fraction, LayoutFault, LayoutSettings, Multiple, Region, ResolutionOption,
        Shape, Template, ViewAudio, ViewSettings, ViewVideo, check_regions,
    },
};

/// Pictures that a view may show at once, whatever its record says.
const MAX_INPUTS: u32 = 256;

impl ViewRecord {
    /// The view of a running room. A format that Portico does not have becomes opus or VP8, and
    /// a custom layout that is none is left out.
    pub(super) fn to_settings(&self) -> ViewSettings {
        ViewSettings {
            label: self.label.as_str().into(),
            audio: self.audio.as_option().map(|audio| ViewAudio {
                format: audio_format(&audio.format).unwrap_or(AudioFormat::OPUS),
                voice_activity: audio.vad,
            }),
            video: self.video.as_option().map(picture),
        }
    }
}

fn picture(video: &view::ViewVideo) -> ViewVideo {
    let look = &video.parameters;
    let colour = video.bg_color;
    let kbps = look.bitrate.as_ref().and_then(serde_json::Number::as_f64);
    let custom = video.layout.templates.custom.iter();
    ViewVideo {
        format: video_format(&video.format).unwrap_or(VideoFormat::of(VideoCodec::Vp8)),
        resolution: Resolution { width: look.resolution.width, height: look.resolution.height },
        framerate: look.framerate,
        kbps: kbps.filter(|kbps| *kbps > 0.0),
        key_frame_interval_secs: look.key_frame_interval,
        max_input: video.max_input.clamp(1, MAX_INPUTS),
        motion_factor: video.motion_factor,
        background: [colour.r, colour.g, colour.b],
        fit: match video.layout.fit_policy {
            FitPolicy::Letterbox => Fit::Letterbox,
            FitPolicy::Crop => Fit::Crop,
        },
        keep_active_input_primary: video.keep_active_input_primary,
        layout: LayoutSettings {
            base: video.layout.templates.base.into(),
            custom: custom.filter_map(|custom| custom.to_template().ok()).collect(),
        },
    }
}

impl From<TemplateBase> for room::TemplateBase {
    fn from(base: TemplateBase) -> Self {
        match base {
            TemplateBase::Fluid => Self::Fluid,
            TemplateBase::Lecture => Self::Lecture,
            TemplateBase::Void => Self::Void,
        }
    }
}

impl Templates {
    /// The layouts of a running room.
    ///
    /// # Errors
    /// When one of the custom layouts is none, or there are too many.
    pub fn to_layouts(&self) -> Result<LayoutSettings, LayoutFault> {
        if self.custom.len() > MAX_TEMPLATES {
            return Err(LayoutFault::Region);
        }
        let custom = self.custom.iter().map(CustomTemplate::to_template);
        let custom = custom.collect::<Result<_, _>>()?;
        Ok(LayoutSettings { base: self.base.into(), custom })
    }
}

impl CustomTemplate {
    /// The template of a running room.
    ///
    /// # Errors
    /// When its regions are no layout: none, too many, or one that [`LayoutRegion::to_region`]
    /// refuses or whose id is not its own.
    pub fn to_template(&self) -> Result<Template, LayoutFault> {
        let regions: Template =
            self.region.iter().map(LayoutRegion::to_region).collect::<Result<_, _>>()?;
        check_regions(regions.iter())?;
        Ok(regions)
    }
}

impl LayoutRegion {
    /// The region of a running room.
    ///
    /// # Errors
    /// When the shape is unknown, or its area lacks a share, has one too many, or one that is not
    /// from 0 to 1.
    pub fn to_region(&self) -> Result<Region, LayoutFault> {
        let shape = match self.shape.as_str() {
            "rectangle" => {
                let [left, top, width, height] =
                    shares(&self.area, ["left", "top", "width", "height"])?;
                Shape::Rectangle { left, top, width, height }
            }
            "circle" => {
                let [center_w, center_h, radius] =
                    shares(&self.area, ["centerW", "centerH", "radius"])?;
                Shape::Circle { center_w, center_h, radius }
            }
            _ => return Err(LayoutFault::Region),
        };
        Ok(Region { id: self.id.as_str().into(), shape })
    }
}

fn shares<const N: usize>(area: &Area, names: [&str; N]) -> Result<[Fraction; N], LayoutFault> {
    let read = |name| area.get(name).and_then(|text| text.parse::<Fraction>().ok());
    let shares: Vec<Fraction> = names.into_iter().filter_map(read).collect();
    if area.len() != N {
        return Err(LayoutFault::Region);
    }
    shares.try_into().map_err(|_| LayoutFault::Region)
}

impl MediaOut {
    /// What may be asked of a running room's mixed streams. What Portico does not have or does not
    /// understand is left out, and so are bit rates in kbit/s: OWT's SDKs take only multiples.
    pub(super) fn to_settings(&self) -> room::MediaOut {
        let parameters = &self.video.parameters;
        let bitrates = parameters.bitrate.iter().filter_map(serde_json::Value::as_str);
        room::MediaOut {
            audio: known(&self.audio, audio_format),
            video: known(&self.video.format, video_format),
            resolutions: parameters.resolution.iter().filter_map(|it| resolution(it)).collect(),
            framerates: parameters.framerate.clone(),
            bitrates: bitrates.filter_map(Multiple::new).collect(),
            key_frame_intervals_secs: parameters.key_frame_interval.clone(),
        }
    }
}

/// Sizes that OWT has names for.
const NAMED: [(&str, u32, u32); 9] = [
    ("cif", 352, 288),
    ("vga", 640, 480),
    ("svga", 800, 600),
    ("xga", 1024, 768),
    ("hd720p", 1280, 720),
    ("hd1080p", 1920, 1080),
    ("hvga", 480, 320),
    ("qvga", 320, 240),
    ("qcif", 176, 144),
];

/// A name, `r<width>x<height>`, or a share of the view's own size as `x<n>/<d>`.
fn resolution(text: &str) -> Option<ResolutionOption> {
    if let Some((_, width, height)) = NAMED.into_iter().find(|(name, ..)| *name == text) {
        return Some(ResolutionOption::Fixed(Resolution { width, height }));
    }
    if let Some(share) = text.strip_prefix('x') {
        return share.parse().ok().map(ResolutionOption::Share);
    }
    let (width, height) = text.strip_prefix('r')?.split_once('x')?;
    let size = Resolution { width: width.parse().ok()?, height: height.parse().ok()? };
    Some(ResolutionOption::Fixed(size))
}
