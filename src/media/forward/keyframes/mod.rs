//! Key frames: spotting them in payloads, and asking publishers for them.

mod av1;
mod bits;
mod h264;
mod h265;
mod request;
mod vp8;
mod vp9;

pub(crate) use self::request::KeyFrameRequests;
use crate::formats::{Resolution, VideoCodec};

/// What a payload shows about a key frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// A decoder that knows nothing can start with this packet.
    pub(crate) starts_key_frame: bool,
    /// The picture's size, if this packet tells it.
    pub(crate) resolution: Option<Resolution>,
}

impl Sight {
    const NOTHING: Self = Self { starts_key_frame: false, resolution: None };

    fn start(resolution: Option<Resolution>) -> Self {
        let resolution = resolution.filter(|size| size.width > 0 && size.height > 0);
        Self { starts_key_frame: true, resolution }
    }
}

/// Inspects an RTP payload.
pub(crate) fn inspect(codec: VideoCodec, payload: &[u8]) -> Sight {
    let sight = match codec {
        VideoCodec::Vp8 => vp8::inspect(payload),
        VideoCodec::Vp9 => vp9::inspect(payload),
        VideoCodec::H264 => h264::inspect(payload),
        VideoCodec::H265 => h265::inspect(payload),
        VideoCodec::Av1 => av1::inspect(payload),
    };
    sight.unwrap_or(Sight::NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_payloads_never_panic() {
        let mut state = 7_u32;
        let mut payload = [0_u8; 48];
        for round in 0..60_000 {
            for byte in &mut payload {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
            // First bytes that lead deep into the parsers.
            payload[0] = [0x10, 0x67, 0x78, 0x42, 0x08, 0x60, payload[0]][round % 7];
            let cut = &payload[..round % (payload.len() + 1)];
            for codec in [
                VideoCodec::Vp8,
                VideoCodec::Vp9,
                VideoCodec::H264,
                VideoCodec::H265,
                VideoCodec::Av1,
            ] {
                inspect(codec, cut);
            }
        }
    }
}
