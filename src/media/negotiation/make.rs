//! Writing the offer of tracks that this end sends.

use std::fmt::{self, Display};

use super::{
    AgreedCodec, ExtensionIds, Feedback, Flow, Local, Want,
    codec::Payload,
    write::{self, MediaLine, Source, line},
};
use crate::formats::TrackKind;

/// Payload types that are given out in order: the dynamic ones (RFC 3551, 6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// The longest format parameters that are passed on from a publisher, in bytes; those of browsers
/// stay below 200.
const MAX_FMTP_BYTES: usize = 1024;

/// What a track is offered to be sent as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant<'a> {
    /// Its payload type.
    pub(super) payload_type: u8,
    /// The payload type of its retransmissions, if it has any.
    pub(super) rtx: Option<u8>,
    /// The codec.
    pub(super) source: &'a AgreedCodec,
}

/// An m-line of an offer.
#[derive(Debug)]
pub(super) struct OfferedTrack<'a> {
    /// Audio or video.
    pub(super) kind: TrackKind,
    /// Its name.
    pub(super) mid: String,
    /// What it may be sent as, best first.
    pub(super) variants: Vec<Variant<'a>>,
    source: Source<'a>,
}

impl<'a> OfferedTrack<'a> {
    /// All m-lines of the offer of these wants, which are to be sent. Equal wants have equal
    /// m-lines, so that an answer can be measured by them.
    pub(super) fn all(wants: &'a [Want]) -> Vec<Self> {
        let mut dynamic = DYNAMIC;
        let mut tracks = Vec::with_capacity(wants.len());
        for want in wants {
            let Flow::Send { sources, ssrc, rtx_ssrc, stream_label } = &want.flow else { continue };
            let is_video = want.kind == TrackKind::Video;
            let variants = sources.iter().map_while(|source| {
                let own = source.codec.static_payload_type();
                let payload_type = own.or_else(|| dynamic.next())?;
                let rtx = if is_video { Some(dynamic.next()?) } else { None };
                Some(Variant { payload_type, rtx, source })
            });
            tracks.push(Self {
                kind: want.kind,
                mid: tracks.len().to_string(),
                variants: variants.collect(),
                source: Source {
                    kind: want.kind,
                    ssrc: *ssrc,
                    rtx_ssrc: is_video.then_some(*rtx_ssrc),
                    stream_label,
                },
            });
        }
        tracks
    }

    /// The header extensions that forwarding can fill in for a subscriber. A number means the same
    /// in all m-lines of a bundle.
    pub(super) fn extensions(&self) -> ExtensionIds {
        let is_video = self.kind == TrackKind::Video;
        ExtensionIds {
            audio_level: (!is_video).then_some(1),
            abs_send_time: Some(2),
            video_orientation: is_video.then_some(3),
            ..ExtensionIds::default()
        }
    }

    /// The feedback that is heeded. Lost sound is concealed, not sent again.
    pub(super) fn feedback(&self) -> Feedback {
        let is_video = self.kind == TrackKind::Video;
        Feedback { nack: is_video, pli: is_video, fir: is_video, remb: false }
    }
}

/// An offer to be displayed.
pub(super) struct Offer<'a> {
    /// Its m-lines.
    pub(super) tracks: &'a [OfferedTrack<'a>],
    /// This end.
    pub(super) local: &'a Local<'a>,
}

impl Display for Offer<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::header(out, self.tracks.iter().map(|track| track.mid.as_str()))?;
        self.tracks.iter().try_for_each(|track| self.track(out, track))
    }
}

impl Offer<'_> {
    fn track(&self, out: &mut fmt::Formatter<'_>, track: &OfferedTrack<'_>) -> fmt::Result {
        let media = match track.kind {
            TrackKind::Audio => "audio",
            TrackKind::Video => "video",
        };
        let m_line = MediaLine {
            media,
            protocol: "UDP/TLS/RTP/SAVPF",
            formats: Formats(&track.variants),
            mid: Some(&track.mid),
            // The client chooses (RFC 8842, 5.2).
            setup: "actpass",
            reduced_size: true,
        };
        m_line.write(out, self.local)?;
        // In every m-line, since the answer may reject any.
        write::candidates(out, self.local.candidates)?;
        write::extensions(out, &track.extensions())?;
        line(out, "a=sendonly")?;
        for variant in &track.variants {
            let payload = Payload::of(variant.payload_type, variant.source);
            write::codec(out, &payload, bounded(&variant.source.fmtp))?;
            write::feedback(out, variant.payload_type, track.feedback())?;
            if let Some(rtx) = variant.rtx {
                let payload = Payload { number: rtx, name: "rtx", channels: None, ..payload };
                write::codec(out, &payload, &format!("apt={}", variant.payload_type))?;
            }
        }
        track.source.write(out, self.local)
    }
}

/// The format list of an m-line.
struct Formats<'a>(&'a [Variant<'a>]);

impl Display for Formats<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.0.iter().flat_map(|it| [Some(it.payload_type), it.rtx]);
        for (index, number) in numbers.flatten().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(out, "{space}{number}")?;
        }
        Ok(())
    }
}

/// As many whole format parameters as are passed on.
fn bounded(fmtp: &str) -> &str {
    if fmtp.len() <= MAX_FMTP_BYTES {
        return fmtp;
    }
    let ends = fmtp.match_indices(';').map(|(at, _)| at);
    fmtp.get(..ends.take_while(|at| *at <= MAX_FMTP_BYTES).last().unwrap_or(0)).unwrap_or_default()
}
