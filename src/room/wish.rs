//! Whether a stream, as it is, can serve what a subscriber wishes: each wish must equal what the
//! stream has or be among its options.

use super::{AudioTrack, SubscribeAudio, SubscribeVideo, Unsatisfied, VideoEncoding, VideoTrack};
use crate::formats::{AudioFormat, Bitrate, Resolution, VideoFormat, VideoParameters};

/// Multiples of a stream's bit rate that wish for nothing: OWT's SDKs send them as the default.
const UNCHANGED: [&str; 2] = ["x1.0", "x1"];

impl AudioTrack {
    /// Refuses a wish that the track does not meet.
    pub(super) fn serves(&self, wish: &SubscribeAudio) -> Result<(), Unsatisfied> {
        let Some(wanted) = wish.format else { return Ok(()) };
        let met = self.offered().any(|offered| audio_matches(offered, wanted));
        if met { Ok(()) } else { Err(Unsatisfied::Format) }
    }
}

impl VideoTrack {
    /// Refuses a wish that the track does not meet. A simulcast layer is taken as it is, so other
    /// parameters are ignored then.
    pub(super) fn serves(&self, wish: &SubscribeVideo) -> Result<(), Unsatisfied> {
        let encoding = self.encoding(wish)?;
        if let Some(wanted) = wish.format {
            let mut offered = std::iter::once(&encoding.format).chain(&self.optional.formats);
            if !offered.any(|offered| video_matches(*offered, wanted)) {
                return Err(Unsatisfied::Format);
            }
        }
        if wish.simulcast_rid.is_some() {
            return Ok(());
        }
        self.check_parameters(&encoding.parameters, &wish.parameters)
    }

    /// The encoding that a wish is about: the named simulcast layer, otherwise the first.
    fn encoding(&self, wish: &SubscribeVideo) -> Result<&VideoEncoding, Unsatisfied> {
        if wish.simulcast_rid.is_none() {
            return self.original.first().ok_or(Unsatisfied::Stream);
        }
        let mut layers = self.original.iter();
        let layer = layers.find(|layer| layer.simulcast_rid == wish.simulcast_rid);
        layer.ok_or(Unsatisfied::SimulcastRid)
    }

    fn check_parameters(
        &self,
        own: &VideoParameters,
        wanted: &VideoParameters,
    ) -> Result<(), Unsatisfied> {
        let options = &self.optional;
        // A layer stands in for every size that it is not smaller than.
        let layer_covers = |wanted: Resolution| {
            let covers =
                |size: Resolution| size.width >= wanted.width && size.height >= wanted.height;
            let mut sizes = self.original.iter().map(|layer| layer.parameters.resolution);
            self.is_simulcast() && sizes.any(|size| size.is_some_and(covers))
        };
        // A stream of unknown size takes any wish for one: the size is often not known before
        // the first picture, and refusing would make subscribing depend on that moment.
        let resolution = wanted.resolution.is_none_or(|wanted| {
            let is_own = own.resolution.is_none_or(|own| own == wanted);
            is_own || options.resolutions.contains(&wanted) || layer_covers(wanted)
        });
        let framerate = number_met(wanted.framerate, own.framerate, &options.framerates);
        let bitrate = match &wanted.bitrate {
            None => true,
            Some(Bitrate::Multiple(wanted)) => {
                UNCHANGED.contains(&&**wanted) || options.bitrates.contains(wanted)
            }
            Some(Bitrate::Kbps(_)) => wanted.bitrate == own.bitrate,
        };
        let key_frame_interval = number_met(
            wanted.key_frame_interval_secs,
            own.key_frame_interval_secs,
            &options.key_frame_intervals_secs,
        );
        for (met, unsatisfied) in [
            (resolution, Unsatisfied::Resolution),
            (framerate, Unsatisfied::Framerate),
            (bitrate, Unsatisfied::Bitrate),
            (key_frame_interval, Unsatisfied::KeyFrameInterval),
        ] {
            if !met {
                return Err(unsatisfied);
            }
        }
        Ok(())
    }
}

fn number_met(wanted: Option<f64>, own: Option<f64>, options: &[u32]) -> bool {
    wanted.is_none() || wanted == own || options.iter().any(|it| Some(f64::from(*it)) == wanted)
}

/// A sampling that either side leaves out does not matter.
pub(super) fn audio_matches(offered: AudioFormat, wanted: AudioFormat) -> bool {
    fn fits<T: PartialEq + Copy>(offered: Option<T>, wanted: Option<T>) -> bool {
        offered.is_none() || wanted.is_none() || offered == wanted
    }
    offered.codec == wanted.codec
        && fits(offered.sample_rate, wanted.sample_rate)
        && fits(offered.channels, wanted.channels)
}

/// Whoever wants a profile can also decode the lower ones; one that either side leaves out does
/// not matter.
pub(super) fn video_matches(offered: VideoFormat, wanted: VideoFormat) -> bool {
    let profile = match (offered.profile, wanted.profile) {
        (Some(offered), Some(wanted)) => offered <= wanted,
        (None, _) | (_, None) => true,
    };
    offered.codec == wanted.codec && profile
}

#[cfg(test)]
#[path = "tests/wish.rs"]
mod tests;
