//! Agreeing on one track: codec, retransmission, feedback, header extensions, layers.

use std::sync::Arc;

use super::{
    AgreedCodec, AgreedTrack, Codec, ExtensionIds, Feedback, Flow, NegotiationError,
    codec::{Payload, numbered, packetization_mode, satisfies},
    offer::Section,
};
use crate::formats::{TrackKind, VideoCodec};

/// The most simulcast layers of a track; further ones are left out of the answer, so the client
/// does not send them.
const MAX_LAYERS: usize = 4;

/// The longest `rid`: what a one-byte header extension holds (RFC 8285, 4.2).
const MAX_RID_BYTES: usize = 16;

/// A simulcast layer as offered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    /// Its `rid`.
    pub(super) id: &'a str,
    /// Its restrictions (RFC 8851), empty when there are none.
    pub(super) restrictions: &'a str,
}

/// A track with what the answer echoes of the offer.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
    /// For the session.
    pub(super) track: AgreedTrack,
    /// The payload type that was chosen.
    pub(super) payload: Payload<'a>,
    /// Its retransmissions.
    pub(super) rtx: Option<Payload<'a>>,
    /// The layers that were agreed on, in the client's order.
    pub(super) layers: Vec<Layer<'a>>,
}

/// Agrees on a track of a section that was found to have the right kind and direction.
pub(super) fn agree<'a>(
    section: &Section<'a>,
    kind: TrackKind,
    flow: &Flow,
) -> Result<Accepted<'a>, NegotiationError> {
    let (payload, codec) = match flow {
        Flow::Receive { formats } => choose_received(section, kind, formats),
        Flow::Send { sources, .. } => choose_sent(section, kind, sources),
    }
    .ok_or(NegotiationError::NoCodec(kind))?;
    let receiving = matches!(flow, Flow::Receive { .. });
    let feedback = feedback(section, kind, payload.number);
    let rtx = section
        .payloads
        .iter()
        .find(|rtx| {
            rtx.retransmits() == Some(payload.number) && rtx.clock_rate == payload.clock_rate
        })
        .filter(|_| feedback.nack)
        .copied();
    let layers = if receiving { layers(section, payload.number) } else { Vec::new() };
    // Layers are told apart by their names; which SSRC is whose is not in the SDP.
    let (remote_ssrc, remote_rtx_ssrc) =
        if receiving && layers.is_empty() { ssrcs(section) } else { (None, None) };
    let track = AgreedTrack {
        kind,
        mid: section.mid.unwrap_or_default().into(),
        codec,
        payload_type: payload.number,
        rtx_payload_type: rtx.map(|rtx| rtx.number),
        extensions: extensions(section, kind, receiving),
        feedback,
        remote_ssrc,
        remote_rtx_ssrc,
        rids: layers.iter().map(|layer| Arc::from(layer.id)).collect(),
    };
    Ok(Accepted { track, payload, rtx, layers })
}

/// The client's first choice among what the room takes.
fn choose_received<'a>(
    section: &Section<'a>,
    kind: TrackKind,
    formats: &[Codec],
) -> Option<(Payload<'a>, AgreedCodec)> {
    let offered = |payload: &Payload<'a>| payload.codec(kind).map(|codec| (*payload, codec));
    let (mut payload, codec) = section
        .payloads
        .iter()
        .filter_map(offered)
        .find(|(_, codec)| formats.iter().any(|wanted| satisfies(*codec, *wanted)))?;
    // Mode 1 splits frames at will, and every decoder of WebRTC reads it.
    if is_h264(codec) && packetization_mode(payload.fmtp) != "1" {
        payload = section
            .payloads
            .iter()
            .filter_map(offered)
            .find(|(other, same)| *same == codec && packetization_mode(other.fmtp) == "1")
            .map_or(payload, |(other, _)| other);
    }
    let fmtp = payload.fmtp.into();
    Some((payload, AgreedCodec { codec, clock_rate: payload.clock_rate, fmtp }))
}

/// The first codec if the client decodes it, so that many clients share one encoder; else the one
/// that the client prefers. With it, the client's payload type that decodes it best.
fn choose_sent<'a>(
    section: &Section<'a>,
    kind: TrackKind,
    sources: &[AgreedCodec],
) -> Option<(Payload<'a>, AgreedCodec)> {
    let decoded = |source: &&AgreedCodec| {
        section.payloads.iter().any(|payload| payload.decodes(kind, source).is_some())
    };
    let preferred = |payload: &Payload<'a>| {
        sources.iter().find(|source| payload.decodes(kind, source).is_some())
    };
    let source =
        sources.first().filter(decoded).or_else(|| section.payloads.iter().find_map(preferred))?;
    section
        .payloads
        .iter()
        .filter_map(|payload| Some((payload.decodes(kind, source)?, *payload)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, payload)| (payload, source.clone()))
}

fn is_h264(codec: Codec) -> bool {
    matches!(codec, Codec::Video(format) if format.codec == VideoCodec::H264)
}

/// The RTCP feedback that was offered for a payload type, or for all (`*`).
pub(super) fn feedback(section: &Section<'_>, kind: TrackKind, payload_type: u8) -> Feedback {
    let mut feedback = Feedback::default();
    let video = kind == TrackKind::Video;
    for value in section.values("rtcp-fb") {
        let Some(kind) = value
            .strip_prefix("* ")
            .or_else(|| Some(numbered(value).filter(|(number, _)| *number == payload_type)?.1))
        else {
            continue;
        };
        match kind.trim() {
            "nack" => feedback.nack = true,
            "nack pli" => feedback.pli = video,
            "ccm fir" => feedback.fir = video,
            "goog-remb" => feedback.remb = true,
            _ => {}
        }
    }
    feedback
}

/// The numbers of the header extensions that the flow has a use for.
pub(super) fn extensions(section: &Section<'_>, kind: TrackKind, receiving: bool) -> ExtensionIds {
    let mut ids = ExtensionIds::default();
    let mut taken = [false; 15];
    for value in section.values("extmap") {
        let mut words = value.split_ascii_whitespace();
        let (Some(number), Some(uri)) = (words.next(), words.next()) else { continue };
        let number = number.split('/').next().and_then(|number| number.parse::<u8>().ok());
        let Some(number @ 1..=14) = number else { continue };
        // A number that is given twice has the meaning it was given first.
        if std::mem::replace(&mut taken[usize::from(number)], true) {
            continue;
        }
        if let Some(slot) = ids.slot(uri, kind, receiving) {
            slot.get_or_insert(number);
        }
    }
    ids
}

impl ExtensionIds {
    /// Where the number of an extension goes, if it is of use to a track of this kind and flow.
    fn slot(&mut self, uri: &str, kind: TrackKind, receiving: bool) -> Option<&mut Option<u8>> {
        let video = kind == TrackKind::Video;
        match uri {
            uri::AUDIO_LEVEL if !video => Some(&mut self.audio_level),
            uri::ABS_SEND_TIME => Some(&mut self.abs_send_time),
            uri::VIDEO_ORIENTATION if video => Some(&mut self.video_orientation),
            uri::MID if receiving => Some(&mut self.mid),
            uri::RID if receiving => Some(&mut self.rid),
            uri::REPAIRED_RID if receiving => Some(&mut self.repaired_rid),
            _ => None,
        }
    }

    /// Every extension in use, with its URI.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (u8, &'static str)> {
        [
            (self.audio_level, uri::AUDIO_LEVEL),
            (self.abs_send_time, uri::ABS_SEND_TIME),
            (self.video_orientation, uri::VIDEO_ORIENTATION),
            (self.mid, uri::MID),
            (self.rid, uri::RID),
            (self.repaired_rid, uri::REPAIRED_RID),
        ]
        .into_iter()
        .filter_map(|(number, uri)| Some((number?, uri)))
    }
}

/// URIs of header extensions.
mod uri {
    pub(super) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    pub(super) const ABS_SEND_TIME: &str =
        "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
    pub(super) const VIDEO_ORIENTATION: &str = "urn:3gpp:video-orientation";
    pub(super) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    pub(super) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    pub(super) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
}

/// The layers that a publisher offers to send in this payload type (RFC 8853, 5.1). Of
/// alternatives the first counts; a layer that starts paused (`~`) is one like any other. Drafts of
/// the RFC put `rid=` before the list.
fn layers<'a>(section: &Section<'a>, payload_type: u8) -> Vec<Layer<'a>> {
    let mut layers = Vec::<Layer<'a>>::new();
    let Some(list) = section.values("simulcast").find_map(sent_layers) else {
        return layers;
    };
    for stream in list.trim_start_matches("rid=").split(';') {
        let id = stream.split(',').next().unwrap_or_default().trim_start_matches('~');
        let Some(layer) = section.values("rid").find_map(|rid| sent_layer(rid, id)) else {
            continue;
        };
        let repeated = layers.iter().any(|other| other.id == id);
        if !repeated && is_rid(id) && layer.allows(payload_type) && layers.len() < MAX_LAYERS {
            layers.push(layer);
        }
    }
    layers
}

/// The list after `send` of an `a=simulcast` value, which may have a `recv` half, too.
fn sent_layers(value: &str) -> Option<&str> {
    let mut words = value.split_ascii_whitespace();
    words.by_ref().find(|word| *word == "send")?;
    words.next()
}

/// An `a=rid` value (`<id> send [restrictions]`), if it is of this layer.
fn sent_layer<'a>(value: &'a str, id: &str) -> Option<Layer<'a>> {
    let (own, rest) = value.split_once(' ')?;
    let (direction, restrictions) = rest.split_once(' ').unwrap_or((rest, ""));
    (own == id && direction == "send").then(|| Layer { id: own, restrictions: restrictions.trim() })
}

fn is_rid(id: &str) -> bool {
    (1..=MAX_RID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Layer<'_> {
    fn allows(&self, payload_type: u8) -> bool {
        self.restrictions
            .split(';')
            .find_map(|restriction| restriction.trim().strip_prefix("pt="))
            .is_none_or(|list| list.split(',').any(|number| number.parse() == Ok(payload_type)))
    }
}

/// The SSRCs of a track and of its retransmissions, as far as the publisher announces them.
fn ssrcs(section: &Section<'_>) -> (Option<u32>, Option<u32>) {
    let primary = section
        .values("ssrc")
        .find_map(|value| value.split_ascii_whitespace().next()?.parse::<u32>().ok());
    let repair = section.values("ssrc-group").find_map(|group| {
        let mut words = group.strip_prefix("FID ")?.split_ascii_whitespace();
        let first = words.next()?.parse::<u32>().ok()?;
        if Some(first) == primary { words.next()?.parse::<u32>().ok() } else { None }
    });
    (primary, repair)
}
