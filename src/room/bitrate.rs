//! What bit rate a mixed picture gets when nobody said otherwise: OWT's table.

use crate::formats::{Resolution, VideoCodec, VideoFormat};

/// Pixels of a picture, at 30 pictures a second, and the kbit/s that H.264 needs for them.
const NEEDED: [(f64, f64); 8] = [
    (0.0, 0.0),
    (76_800.0, 400.0),
    (307_200.0, 800.0),
    (921_600.0, 2_000.0),
    (2_073_600.0, 4_000.0),
    (8_294_400.0, 16_000.0),
    (33_177_600.0, 64_000.0),
    (f64::INFINITY, 64_000.0),
];

/// The rate of [`NEEDED`]'s first.
const REFERENCE_FRAMERATE: f64 = 30.0;

/// kbit/s for a picture of this size and rate. `motion` scales it: less for faces, more for sports.
pub(super) fn default_kbps(
    format: VideoFormat,
    size: Resolution,
    framerate: u32,
    motion: f64,
) -> f64 {
    let pixels = pixels(size) * f64::from(framerate) / REFERENCE_FRAMERATE;
    interpolated(pixels) * codec_factor(format.codec) * motion
}

/// Pixels of a picture.
pub(super) fn pixels(size: Resolution) -> f64 {
    f64::from(size.width) * f64::from(size.height)
}

fn interpolated(pixels: f64) -> f64 {
    let mut below = NEEDED[0];
    for above in NEEDED {
        if pixels <= above.0 {
            let span = above.0 - below.0;
            let share =
                if span > 0.0 && span.is_finite() { (pixels - below.0) / span } else { 0.0 };
            return below.1 + share * (above.1 - below.1);
        }
        below = above;
    }
    below.1
}

/// What a codec needs beside H.264. OWT has no number for AV1, which needs less than VP9.
fn codec_factor(codec: VideoCodec) -> f64 {
    match codec {
        VideoCodec::H264 => 1.0,
        VideoCodec::Vp8 => 1.2,
        VideoCodec::Vp9 => 0.8,
        VideoCodec::H265 => 0.9,
        VideoCodec::Av1 => 0.7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kbps(codec: VideoCodec, width: u32, height: u32, framerate: u32) -> f64 {
        let size = Resolution { width, height };
        let kbps = default_kbps(VideoFormat::of(codec), size, framerate, 0.8);
        (kbps * 10.0).round() / 10.0
    }

    #[test]
    fn the_rates_are_owts() {
        assert_eq!(kbps(VideoCodec::Vp8, 640, 480, 24), 665.6);
        assert_eq!(kbps(VideoCodec::Vp8, 640, 480, 30), 768.0);
        assert_eq!(kbps(VideoCodec::Vp8, 1280, 720, 30), 1920.0);
        assert_eq!(kbps(VideoCodec::H264, 1280, 720, 30), 1600.0);
    }

    #[test]
    fn the_table_has_ends() {
        assert_eq!(kbps(VideoCodec::H264, 0, 0, 30), 0.0);
        assert_eq!(kbps(VideoCodec::H264, 65_535, 65_535, 60), 51_200.0);
    }
}
