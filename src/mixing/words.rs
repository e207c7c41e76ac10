//! What rooms call things, in the words of the mixing protocol.

use portico_mixer_protocol as protocol;
use protocol::{AudioCodec, Capabilities, Codec, Encoding, Picture, RtpFormat, VideoCodec};

use crate::{
    config,
    formats::{self, AudioFormat, H264Profile, Resolution, VideoFormat},
    room::{Fit, Fraction, MixerCapabilities, Region, Shape, ViewVideo},
};

/// The payload types that inputs bear. They need not be distinct: each input has its own pipeline.
const PICTURE_PAYLOAD_TYPE: u8 = 96;
const OPUS_PAYLOAD_TYPE: u8 = 111;

/// A view's picture.
pub(super) fn picture(video: &ViewVideo, look: &config::Mixing) -> Picture {
    let Resolution { width, height } = video.resolution.even();
    Picture {
        width,
        height,
        framerate: video.framerate,
        background: video.background,
        fit: match video.fit {
            Fit::Letterbox => protocol::Fit::Letterbox,
            Fit::Crop => protocol::Fit::Crop,
        },
        labels: look.names,
        avatars: look.initials,
    }
}

/// The picture of a forward stream that is transcoded: nothing but it.
pub(super) fn plain_picture(size: Resolution, framerate: u32) -> Picture {
    let Resolution { width, height } = size.even();
    Picture {
        width,
        height,
        framerate,
        background: [0; 3],
        fit: protocol::Fit::Letterbox,
        labels: false,
        avatars: false,
    }
}

/// A region that is the whole picture.
pub(super) fn whole(input: u32) -> protocol::Region {
    let share = |numerator| protocol::Fraction { numerator, denominator: 1 };
    let (nothing, all) = (share(0), share(1));
    let shape = protocol::Shape::Rectangle { left: nothing, top: nothing, width: all, height: all };
    protocol::Region { shape, input: Some(input), highlighted: false }
}

/// A place in a picture.
pub(super) fn region(region: &Region, input: Option<u32>, highlighted: bool) -> protocol::Region {
    let share = |fraction: Fraction| protocol::Fraction {
        numerator: fraction.numerator(),
        denominator: fraction.denominator(),
    };
    let shape = match region.shape {
        Shape::Rectangle { left, top, width, height } => protocol::Shape::Rectangle {
            left: share(left),
            top: share(top),
            width: share(width),
            height: share(height),
        },
        Shape::Circle { center_w, center_h, radius } => protocol::Shape::Circle {
            center_w: share(center_w),
            center_h: share(center_h),
            radius: share(radius),
        },
    };
    protocol::Region { shape, input, highlighted }
}

fn audio_codec(codec: formats::AudioCodec) -> AudioCodec {
    match codec {
        formats::AudioCodec::Opus => AudioCodec::Opus,
        formats::AudioCodec::Pcmu => AudioCodec::Pcmu,
        formats::AudioCodec::Pcma => AudioCodec::Pcma,
        formats::AudioCodec::G722 => AudioCodec::G722,
    }
}

fn video_codec(format: VideoFormat) -> VideoCodec {
    match (format.codec, format.profile) {
        (formats::VideoCodec::Vp8, _) => VideoCodec::Vp8,
        (formats::VideoCodec::Vp9, _) => VideoCodec::Vp9,
        (formats::VideoCodec::H265, _) => VideoCodec::H265,
        (formats::VideoCodec::Av1, _) => VideoCodec::Av1,
        (formats::VideoCodec::H264, None | Some(H264Profile::ConstrainedBaseline)) => {
            VideoCodec::H264ConstrainedBaseline
        }
        (formats::VideoCodec::H264, Some(H264Profile::Baseline)) => VideoCodec::H264Baseline,
        (formats::VideoCodec::H264, Some(H264Profile::Main)) => VideoCodec::H264Main,
        (formats::VideoCodec::H264, Some(H264Profile::High)) => VideoCodec::H264High,
    }
}

/// What the packets of a published sound hold.
pub(super) fn audio_input(format: AudioFormat) -> RtpFormat {
    let (payload_type, clock_rate, channels) = match format.codec {
        formats::AudioCodec::Opus => (OPUS_PAYLOAD_TYPE, 48_000, 2),
        // RFC 3551, 6; the clock of G.722 is what it says although it samples twice as often.
        formats::AudioCodec::Pcmu => (0, 8000, 1),
        formats::AudioCodec::Pcma => (8, 8000, 1),
        formats::AudioCodec::G722 => (9, 8000, 1),
    };
    let codec = Codec::Audio(audio_codec(format.codec));
    RtpFormat { codec, payload_type, clock_rate, channels, fmtp: String::new() }
}

/// What the packets of a published picture hold.
pub(super) fn video_input(format: VideoFormat) -> RtpFormat {
    RtpFormat {
        codec: Codec::Video(video_codec(format)),
        payload_type: PICTURE_PAYLOAD_TYPE,
        clock_rate: 90_000,
        channels: 0,
        fmtp: String::new(),
    }
}

/// How a sound is to be encoded.
pub(super) fn audio_encoding(format: AudioFormat, without: Vec<u32>) -> Encoding {
    Encoding::Audio { codec: audio_codec(format.codec), without }
}

/// How a picture is to be encoded.
pub(super) fn video_encoding(
    format: VideoFormat,
    size: Resolution,
    (framerate, kbps, key_frame_interval_secs): (u32, u32, u32),
) -> Encoding {
    let Resolution { width, height } = size.even();
    Encoding::Video {
        codec: video_codec(format),
        width,
        height,
        framerate,
        kbps,
        key_frame_interval_secs,
    }
}

/// What an agent can do, as far as rooms have words for it.
pub(super) fn capabilities(capabilities: &Capabilities) -> MixerCapabilities {
    let mut known = MixerCapabilities::default();
    for encoder in &capabilities.encoders {
        match encoder {
            Codec::Audio(codec) => known.audio.extend(audio_format(*codec)),
            Codec::Video(codec) => known.video.push(video_format(*codec)),
        }
    }
    for decoder in &capabilities.decoders {
        match decoder {
            Codec::Audio(codec) => known.audio_in.extend(audio_format(*codec)),
            Codec::Video(codec) => {
                let codec = video_format(*codec).codec;
                if !known.video_in.contains(&codec) {
                    known.video_in.push(codec);
                }
            }
        }
    }
    known
}

fn audio_format(codec: AudioCodec) -> Option<formats::AudioCodec> {
    match codec {
        AudioCodec::Opus => Some(formats::AudioCodec::Opus),
        AudioCodec::Pcmu => Some(formats::AudioCodec::Pcmu),
        AudioCodec::Pcma => Some(formats::AudioCodec::Pcma),
        AudioCodec::G722 => Some(formats::AudioCodec::G722),
        AudioCodec::Aac => None,
    }
}

fn video_format(codec: VideoCodec) -> VideoFormat {
    let h264 = |profile| VideoFormat { codec: formats::VideoCodec::H264, profile: Some(profile) };
    match codec {
        VideoCodec::Vp8 => VideoFormat::of(formats::VideoCodec::Vp8),
        VideoCodec::Vp9 => VideoFormat::of(formats::VideoCodec::Vp9),
        VideoCodec::H265 => VideoFormat::of(formats::VideoCodec::H265),
        VideoCodec::Av1 => VideoFormat::of(formats::VideoCodec::Av1),
        VideoCodec::H264ConstrainedBaseline => h264(H264Profile::ConstrainedBaseline),
        VideoCodec::H264Baseline => h264(H264Profile::Baseline),
        VideoCodec::H264Main => h264(H264Profile::Main),
        VideoCodec::H264High => h264(H264Profile::High),
    }
}
