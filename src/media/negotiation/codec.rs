//! Payload types, the codecs behind them, and which of two codecs can stand for the other.

use std::collections::HashMap;

use rtc_sdp::description::common::Attribute;

use super::{AgreedCodec, Codec};
use crate::formats::{AudioCodec, AudioFormat, H264Profile, TrackKind, VideoCodec, VideoFormat};

/// Payload types that RTP may use beside RTCP on one port: the range 64 to 95 would read as RTCP
/// (RFC 5761, 4).
fn is_usable(payload_type: u8) -> bool {
    payload_type < 64 || (96..128).contains(&payload_type)
}

/// A payload type of an m-line with its `a=rtpmap` and `a=fmtp`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    /// The payload type.
    pub(super) number: u8,
    /// The encoding name, as written.
    pub(super) name: &'a str,
    /// The RTP clock in Hz.
    pub(super) clock_rate: u32,
    /// The number of channels where the map says it.
    pub(super) channels: Option<u8>,
    /// The format parameters, empty when there are none.
    pub(super) fmtp: &'a str,
}

/// Maps that need not be written (RFC 3551, 6).
const STATIC: [(u8, &str); 3] = [(0, "PCMU/8000"), (8, "PCMA/8000"), (9, "G722/8000")];

impl<'a> Payload<'a> {
    /// All payload types of an m-line, in its order. The first of several definitions counts;
    /// numbers that are none, or that have no meaning, are left out.
    pub(super) fn all(formats: &[String], attributes: &'a [Attribute]) -> Vec<Self> {
        let mut maps = HashMap::new();
        let mut parameters = HashMap::new();
        for attribute in attributes {
            let table = match attribute.key.as_str() {
                "rtpmap" => &mut maps,
                "fmtp" => &mut parameters,
                _ => continue,
            };
            if let Some((number, rest)) = attribute.value.as_deref().and_then(numbered) {
                table.entry(number).or_insert(rest);
            }
        }
        for (number, map) in STATIC {
            maps.entry(number).or_insert(map);
        }
        formats
            .iter()
            .filter_map(|format| format.parse().ok())
            .filter(|number| is_usable(*number))
            .filter_map(|number| {
                // Taken out, so that a repeated number counts once.
                let mut map = maps.remove(&number)?.split('/');
                Some(Self {
                    number,
                    name: map.next()?,
                    clock_rate: map.next()?.parse().ok()?,
                    channels: map.next().and_then(|channels| channels.parse().ok()),
                    fmtp: parameters.get(&number).copied().unwrap_or_default(),
                })
            })
            .collect()
    }

    /// A codec under this payload type.
    pub(super) fn of(number: u8, codec: &'a AgreedCodec) -> Self {
        let (name, channels) = codec.codec.encoding();
        Self { number, name, clock_rate: codec.clock_rate, channels, fmtp: &codec.fmtp }
    }

    /// The codec, if Portico knows it.
    pub(super) fn codec(&self, kind: TrackKind) -> Option<Codec> {
        match kind {
            TrackKind::Audio => self.audio().map(Codec::Audio),
            TrackKind::Video => self.video().map(Codec::Video),
        }
    }

    fn audio(&self) -> Option<AudioFormat> {
        let format = match (self.name.to_ascii_lowercase().as_str(), self.clock_rate) {
            ("opus", 48_000) if self.channels == Some(2) => return Some(AudioFormat::OPUS),
            ("pcmu", 8000) => AudioFormat::PCMU,
            ("pcma", 8000) => AudioFormat::PCMA,
            ("g722", 8000) => AudioFormat::G722,
            _ => return None,
        };
        self.channels.is_none_or(|channels| channels == 1).then_some(format)
    }

    fn video(&self) -> Option<VideoFormat> {
        if self.clock_rate != 90_000 {
            return None;
        }
        match self.name.to_ascii_lowercase().as_str() {
            "vp8" => Some(VideoFormat::of(VideoCodec::Vp8)),
            "vp9" if matches!(profile(VideoCodec::Vp9, self.fmtp), "0" | "2") => {
                Some(VideoFormat::of(VideoCodec::Vp9))
            }
            "h264" => {
                let profile = Some(h264_profile(level_id(self.fmtp)?)?);
                Some(VideoFormat { codec: VideoCodec::H264, profile })
            }
            "h265" => Some(VideoFormat::of(VideoCodec::H265)),
            "av1" => Some(VideoFormat::of(VideoCodec::Av1)),
            _ => None,
        }
    }

    /// The payload type whose retransmissions this one carries (RFC 4588, 8.6).
    pub(super) fn retransmits(&self) -> Option<u8> {
        self.name
            .eq_ignore_ascii_case("rtx")
            .then(|| parameter(self.fmtp, "apt")?.parse().ok())
            .flatten()
    }

    /// How well a client that offers this payload type decodes a publisher's codec: absent is not
    /// at all, lower is better.
    pub(super) fn decodes(&self, kind: TrackKind, source: &AgreedCodec) -> Option<u8> {
        match (self.codec(kind)?, source.codec) {
            (Codec::Audio(own), Codec::Audio(other)) => (own.codec == other.codec).then_some(0),
            (Codec::Video(own), Codec::Video(other)) if own.codec == other.codec => {
                if own.codec == VideoCodec::H264 {
                    decodes_h264(self.fmtp, &source.fmtp)
                } else {
                    let same = profile(own.codec, self.fmtp) == profile(own.codec, &source.fmtp);
                    same.then_some(0)
                }
            }
            (Codec::Audio(_) | Codec::Video(_), Codec::Audio(_) | Codec::Video(_)) => None,
        }
    }
}

impl Codec {
    /// The payload type that stands for it everywhere (RFC 3551, 6), if one does.
    pub(super) fn static_payload_type(self) -> Option<u8> {
        let (name, _) = self.encoding();
        let own = STATIC.iter().find(|(_, map)| map.split('/').next() == Some(name));
        own.map(|(number, _)| *number)
    }

    /// Its encoding name in SDP, and the number of channels where that is said.
    fn encoding(self) -> (&'static str, Option<u8>) {
        match self {
            Self::Audio(format) => match format.codec {
                AudioCodec::Opus => ("opus", Some(2)),
                AudioCodec::Pcmu => ("PCMU", None),
                AudioCodec::Pcma => ("PCMA", None),
                AudioCodec::G722 => ("G722", None),
            },
            Self::Video(format) => match format.codec {
                VideoCodec::Vp8 => ("VP8", None),
                VideoCodec::Vp9 => ("VP9", None),
                VideoCodec::H264 => ("H264", None),
                VideoCodec::H265 => ("H265", None),
                VideoCodec::Av1 => ("AV1", None),
            },
        }
    }
}

/// Whether an offered codec is one of those a room names (OWT's rules: what is not said matches
/// anything; an H.264 profile satisfies a wish for itself or for a higher one).
pub(super) fn satisfies(offered: Codec, wanted: Codec) -> bool {
    fn agree<T: Copy + PartialEq>(offered: Option<T>, wanted: Option<T>) -> bool {
        offered.is_none() || wanted.is_none() || offered == wanted
    }
    match (offered, wanted) {
        (Codec::Audio(offered), Codec::Audio(wanted)) => {
            offered.codec == wanted.codec
                && agree(offered.sample_rate, wanted.sample_rate)
                && agree(offered.channels, wanted.channels)
        }
        (Codec::Video(offered), Codec::Video(wanted)) => {
            offered.codec == wanted.codec
                && wanted.profile.is_none_or(|most| offered.profile <= Some(most))
        }
        (Codec::Audio(_) | Codec::Video(_), Codec::Audio(_) | Codec::Video(_)) => false,
    }
}

/// The value of a format parameter; names are not case-sensitive.
pub(super) fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The H.264 packetization mode, 0 when nothing is said (RFC 6184, 8.1).
pub(super) fn packetization_mode(fmtp: &str) -> &str {
    parameter(fmtp, "packetization-mode").unwrap_or("0")
}

/// `96 rest` as its two halves.
pub(super) fn numbered(value: &str) -> Option<(u8, &str)> {
    let (number, rest) = value.split_once(' ')?;
    Some((number.parse().ok()?, rest.trim()))
}

/// The parameter that a decoder of this codec must share with the encoder, or its default:
/// RFC 9628 (VP9), RFC 7798 (H.265), the AV1 payload format. Levels are left to the codecs, as
/// browsers do.
fn profile(codec: VideoCodec, fmtp: &str) -> &str {
    let (name, default) = match codec {
        VideoCodec::Vp9 => ("profile-id", "0"),
        VideoCodec::Av1 => ("profile", "0"),
        VideoCodec::H265 => ("profile-id", "1"),
        VideoCodec::Vp8 | VideoCodec::H264 => return "",
    };
    parameter(fmtp, name).unwrap_or(default)
}

/// The three bytes of a `profile-level-id`; browsers take its absence for constrained baseline at
/// level 3.1.
fn level_id(fmtp: &str) -> Option<[u8; 3]> {
    let Some(text) = parameter(fmtp, "profile-level-id") else {
        return Some([0x42, 0xe0, 0x1f]);
    };
    if text.len() != 6 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let [_, profile, constraints, level] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
    Some([profile, constraints, level])
}

/// RFC 6184, table 5, without the profiles that OWT has no letter for. Constrained high counts as
/// high.
fn h264_profile([profile, constraints, _level]: [u8; 3]) -> Option<H264Profile> {
    let flag = |number: u8| constraints & (0x80 >> number) != 0;
    match profile {
        0x42 if flag(1) => Some(H264Profile::ConstrainedBaseline),
        0x42 => Some(H264Profile::Baseline),
        0x4d if flag(0) => Some(H264Profile::ConstrainedBaseline),
        0x4d => Some(H264Profile::Main),
        0x58 if flag(0) && flag(1) => Some(H264Profile::ConstrainedBaseline),
        0x58 if flag(0) => Some(H264Profile::Baseline),
        0x64 => Some(H264Profile::High),
        _ => None,
    }
}

/// The same profile and packetization mode is best; else a profile that contains the source's
/// (RFC 6184, 8.1), and a mode that does (mode 1 reads all that mode 0 writes). A level limits
/// only clients that do not let it differ by direction.
fn decodes_h264(own: &str, source: &str) -> Option<u8> {
    let (own_id, source_id) = (level_id(own)?, level_id(source)?);
    let (own_profile, source_profile) = (h264_profile(own_id)?, h264_profile(source_id)?);
    let contains = matches!(
        (own_profile, source_profile),
        (_, H264Profile::ConstrainedBaseline) | (H264Profile::High, H264Profile::Main)
    );
    let level = parameter(own, "level-asymmetry-allowed") == Some("1") || own_id[2] >= source_id[2];
    let mode = match (packetization_mode(own), packetization_mode(source)) {
        (own, source) if own == source => 0,
        ("1", "0") => 1,
        _ => return None,
    };
    if !level || (own_profile != source_profile && !contains) {
        return None;
    }
    Some(mode + 2 * u8::from(own_profile != source_profile))
}
