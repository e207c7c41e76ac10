//! What a room gives out beside what its streams are: the options of its mixed streams, and what
//! may be made of forward ones.

use std::sync::Arc;

use super::{AudioTrack, Fraction, VideoEncoding, VideoOptions, VideoTrack, wish::video_matches};
use crate::formats::{AudioCodec, AudioFormat, Resolution, VideoCodec, VideoFormat};

/// What may be asked of a stream, best first. What of it a stream really offers depends on the
/// stream and on what the mixer can encode.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaOut {
    /// Audio formats.
    pub audio: Vec<AudioFormat>,
    /// Video formats.
    pub video: Vec<VideoFormat>,
    /// Sizes.
    pub resolutions: Vec<ResolutionOption>,
    /// Frame rates, in frames per second.
    pub framerates: Vec<u32>,
    /// Multiples of a stream's bit rate.
    pub bitrates: Vec<Multiple>,
    /// Key frame intervals, in seconds.
    pub key_frame_intervals_secs: Vec<u32>,
}

/// A size that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolutionOption {
    /// A size by itself.
    Fixed(Resolution),
    /// A share of the stream's own width and height.
    Share(Fraction),
}

/// A multiple of a bit rate with its name on the wire, such as `x0.6`.
#[derive(Debug, Clone, PartialEq)]
pub struct Multiple {
    text: Arc<str>,
    factor: f64,
}

impl Multiple {
    /// The largest multiple; OWT offers none above 2.
    const MAX: f64 = 10.0;

    /// Its name.
    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it is less than the whole.
    pub(super) fn reduces(&self) -> bool {
        self.factor < 1.0
    }

    /// Reads `x` and a positive number up to 10.
    pub fn new(text: &str) -> Option<Self> {
        let factor: f64 = text.strip_prefix('x')?.parse().ok()?;
        let fits = factor > 0.0 && factor <= Self::MAX;
        fits.then(|| Self { text: text.into(), factor })
    }
}

/// What a mixer can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MixerCapabilities {
    /// Audio codecs that it encodes.
    pub audio: Vec<AudioCodec>,
    /// Video formats that it encodes; one without a profile stands for every profile.
    pub video: Vec<VideoFormat>,
    /// Audio codecs that it decodes.
    pub audio_in: Vec<AudioCodec>,
    /// Video codecs that it decodes, in every profile.
    pub video_in: Vec<VideoCodec>,
}

impl MixerCapabilities {
    pub(super) fn encodes_audio(&self, format: AudioFormat) -> bool {
        self.audio.contains(&format.codec)
    }

    /// An encoder of a lower profile serves those who want a higher one.
    pub(super) fn encodes_video(&self, format: VideoFormat) -> bool {
        self.video.iter().any(|encoder| video_matches(*encoder, format))
    }
}

impl MediaOut {
    /// The options of a mixed sound. A mixer that has not said what it can do is trusted.
    pub(super) fn audio_options(
        &self,
        own: AudioFormat,
        mixer: Option<&MixerCapabilities>,
    ) -> Vec<AudioFormat> {
        let encodable = |format: AudioFormat| mixer.is_none_or(|it| it.encodes_audio(format));
        let formats = self.audio.iter().copied();
        formats.filter(|format| *format != own && encodable(*format)).collect()
    }

    /// The options of a mixed picture, by OWT's rules: sizes smaller in both directions, fewer
    /// frames, shorter key frame intervals.
    pub(super) fn video_options(
        &self,
        own: &VideoEncoding,
        mixer: Option<&MixerCapabilities>,
    ) -> VideoOptions {
        let encodable = |format: VideoFormat| mixer.is_none_or(|it| it.encodes_video(format));
        let formats = self.video.iter().copied();
        let below = |own: Option<f64>, listed: &[u32]| -> Vec<u32> {
            let listed = listed.iter().copied();
            listed.filter(|it| own.is_some_and(|own| f64::from(*it) < own)).collect()
        };
        let look = &own.parameters;
        VideoOptions {
            formats: formats.filter(|it| *it != own.format && encodable(*it)).collect(),
            resolutions: look.resolution.map(|own| self.smaller(own)).unwrap_or_default(),
            framerates: below(look.framerate, &self.framerates),
            bitrates: self.bitrates.iter().map(|it| Arc::clone(&it.text)).collect(),
            key_frame_intervals_secs: below(
                look.key_frame_interval_secs,
                &self.key_frame_intervals_secs,
            ),
        }
    }

    /// The listed sizes below one, each once. Shares are rounded down to even numbers.
    fn smaller(&self, own: Resolution) -> Vec<Resolution> {
        let mut sizes = Vec::new();
        for option in &self.resolutions {
            let size = match option {
                ResolutionOption::Fixed(size) => *size,
                ResolutionOption::Share(share) => {
                    let (width, height) = (share.of(own.width), share.of(own.height));
                    Resolution { width, height }.even()
                }
            };
            let fits =
                (1..own.width).contains(&size.width) && (1..own.height).contains(&size.height);
            if fits && !sizes.contains(&size) {
                sizes.push(size);
            }
        }
        sizes
    }

    /// The factor behind a multiple's name; 1 for those that wish for nothing.
    pub(super) fn factor(&self, multiple: &str) -> f64 {
        let listed = self.bitrates.iter().find(|it| *it.text == *multiple);
        listed.map_or(1.0, |listed| listed.factor)
    }
}

impl AudioTrack {
    /// What it can be had as, its own format first.
    pub(super) fn offered(&self) -> impl Iterator<Item = AudioFormat> {
        std::iter::once(self.format).chain(self.optional.iter().copied())
    }
}

impl VideoTrack {
    /// What it can be had as, its own format first.
    pub(super) fn offered(&self) -> impl Iterator<Item = VideoFormat> {
        let own = self.original.first().map(|encoding| encoding.format);
        own.into_iter().chain(self.optional.formats.iter().copied())
    }
}

#[cfg(test)]
#[path = "tests/media_out.rs"]
mod tests;
