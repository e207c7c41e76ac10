//! Writing the answer.

use std::{
    fmt::{self, Display},
    net::SocketAddr,
};

use super::{
    Flow, Local,
    codec::Payload,
    offer::{Offer, Section},
    track::Accepted,
};
use crate::formats::TrackKind;

/// What becomes of an m-line of the offer.
#[derive(Debug)]
pub(super) enum Outcome<'a> {
    /// It carries a track.
    Track {
        /// The agreement.
        accepted: Accepted<'a>,
        /// Which way the media goes.
        flow: &'a Flow,
    },
    /// The client keeps it without media. It is not rejected: rejecting the first m-line of a
    /// bundle would make Chromium drop the whole transport.
    Idle {
        /// The payload type it keeps.
        payload: Payload<'a>,
    },
    /// It is refused.
    Rejected,
}

impl Outcome<'_> {
    /// Whether the m-line stays in the bundle.
    pub(super) fn is_accepted(&self) -> bool {
        match self {
            Self::Track { .. } | Self::Idle { .. } => true,
            Self::Rejected => false,
        }
    }
}

/// An answer to be displayed: one outcome per section of the offer.
pub(super) struct Answer<'a> {
    /// What is answered.
    pub(super) offer: &'a Offer<'a>,
    /// One per section.
    pub(super) outcomes: &'a [Outcome<'a>],
    /// This end.
    pub(super) local: &'a Local<'a>,
}

impl Display for Answer<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(out, "v=0")?;
        line(out, "o=- 0 0 IN IP4 127.0.0.1")?;
        line(out, "s=-")?;
        line(out, "t=0 0")?;
        let answered = || self.offer.sections.iter().zip(self.outcomes);
        let mut bundled = answered()
            .filter(|(section, outcome)| outcome.is_accepted() && self.offer.is_bundled(section))
            .filter_map(|(section, _)| section.mid)
            .peekable();
        if bundled.peek().is_some() {
            out.write_str("a=group:BUNDLE")?;
            bundled.try_for_each(|mid| write!(out, " {mid}"))?;
            line(out, "")?;
        }
        line(out, "a=ice-lite")?;
        line(out, "a=msid-semantic:WMS *")?;
        let mut first = true;
        for (section, outcome) in answered() {
            if !outcome.is_accepted() {
                rejected(out, section)?;
                continue;
            }
            let formats = match outcome {
                Outcome::Track { accepted, .. } => Formats(accepted.payload, accepted.rtx),
                Outcome::Idle { payload } => Formats(*payload, None),
                Outcome::Rejected => continue,
            };
            self.transport(out, section, formats)?;
            if std::mem::take(&mut first) {
                candidates(out, self.local.candidates)?;
            }
            match outcome {
                Outcome::Track { accepted, flow } => self.track(out, section, accepted, flow)?,
                Outcome::Idle { payload } => {
                    line(out, "a=inactive")?;
                    codec(out, payload, payload.fmtp)?;
                }
                Outcome::Rejected => {}
            }
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// The m-line and all that concerns the transport beneath it.
    fn transport(
        &self,
        out: &mut fmt::Formatter<'_>,
        section: &Section<'_>,
        formats: Formats<'_>,
    ) -> fmt::Result {
        let name = &section.media.media_name;
        // The default destination; port 9 and no address stand for none (RFC 8839, 4.3.1).
        let (port, family, address) = self.local.candidates.first().map_or_else(
            || (9, "IP4", "0.0.0.0".to_owned()),
            |first| (first.port(), family(*first), first.ip().to_string()),
        );
        let protos = name.protos.join("/");
        write!(out, "m={} {port} {protos} {formats}\r\n", name.media)?;
        write!(out, "c=IN {family} {address}\r\n")?;
        if let Some(mid) = section.mid {
            attribute(out, "mid", mid)?;
        }
        attribute(out, "ice-ufrag", self.local.ufrag)?;
        attribute(out, "ice-pwd", self.local.password)?;
        attribute(out, "fingerprint", format_args!("sha-256 {}", self.local.fingerprint))?;
        attribute(out, "setup", "passive")?;
        line(out, "a=rtcp-mux")?;
        if section.has("rtcp-rsize") {
            line(out, "a=rtcp-rsize")?;
        }
        Ok(())
    }

    fn track(
        &self,
        out: &mut fmt::Formatter<'_>,
        section: &Section<'_>,
        accepted: &Accepted<'_>,
        flow: &Flow,
    ) -> fmt::Result {
        let track = &accepted.track;
        for (number, uri) in track.extensions.in_use() {
            attribute(out, "extmap", format_args!("{number} {uri}"))?;
        }
        match flow {
            Flow::Receive { .. } => line(out, "a=recvonly")?,
            Flow::Send { .. } => line(out, "a=sendonly")?,
        }
        let fmtp = if accepted.payload.name.eq_ignore_ascii_case("opus") {
            opus_parameters(accepted.payload.fmtp)
        } else {
            accepted.payload.fmtp.to_owned()
        };
        codec(out, &accepted.payload, &fmtp)?;
        feedback(out, accepted)?;
        if let Some(rtx) = &accepted.rtx {
            codec(out, rtx, rtx.fmtp)?;
        }
        layers(out, accepted)?;
        match flow {
            Flow::Receive { .. } => Ok(()),
            Flow::Send { ssrc, rtx_ssrc, stream_label, .. } => {
                let rtx_ssrc = accepted.rtx.map(|_| *rtx_ssrc);
                self.source(out, section, *ssrc, rtx_ssrc, stream_label)
            }
        }
    }

    /// Under which SSRCs and in which `MediaStream` an outgoing track arrives.
    fn source(
        &self,
        out: &mut fmt::Formatter<'_>,
        section: &Section<'_>,
        ssrc: u32,
        rtx_ssrc: Option<u32>,
        stream_label: &str,
    ) -> fmt::Result {
        let track_label = match section.kind {
            Some(TrackKind::Video) => "v0",
            Some(TrackKind::Audio) | None => "a0",
        };
        let msid = format_args!("{stream_label} {track_label}");
        attribute(out, "msid", msid)?;
        if let Some(rtx_ssrc) = rtx_ssrc {
            attribute(out, "ssrc-group", format_args!("FID {ssrc} {rtx_ssrc}"))?;
        }
        for ssrc in [Some(ssrc), rtx_ssrc].into_iter().flatten() {
            attribute(out, "ssrc", format_args!("{ssrc} cname:{}", self.local.cname))?;
            attribute(out, "ssrc", format_args!("{ssrc} msid:{msid}"))?;
        }
        Ok(())
    }
}

fn rejected(out: &mut fmt::Formatter<'_>, section: &Section<'_>) -> fmt::Result {
    let name = &section.media.media_name;
    write!(out, "m={} 0 {}", name.media, name.protos.join("/"))?;
    name.formats.iter().try_for_each(|format| write!(out, " {format}"))?;
    line(out, "")?;
    line(out, "c=IN IP4 0.0.0.0")?;
    if let Some(mid) = section.mid {
        attribute(out, "mid", mid)?;
    }
    line(out, "a=inactive")
}

fn feedback(out: &mut fmt::Formatter<'_>, accepted: &Accepted<'_>) -> fmt::Result {
    let feedback = accepted.track.feedback;
    let kinds = [
        (feedback.remb, "goog-remb"),
        (feedback.fir, "ccm fir"),
        (feedback.nack, "nack"),
        (feedback.pli, "nack pli"),
    ];
    for (_, kind) in kinds.iter().filter(|(agreed, _)| *agreed) {
        attribute(out, "rtcp-fb", format_args!("{} {kind}", accepted.payload.number))?;
    }
    Ok(())
}

fn layers(out: &mut fmt::Formatter<'_>, accepted: &Accepted<'_>) -> fmt::Result {
    if accepted.layers.is_empty() {
        return Ok(());
    }
    for layer in &accepted.layers {
        let space = if layer.restrictions.is_empty() { "" } else { " " };
        let value = format_args!("{} recv{space}{}", layer.id, layer.restrictions);
        attribute(out, "rid", value)?;
    }
    let list = accepted.layers.iter().map(|layer| layer.id).collect::<Vec<_>>().join(";");
    attribute(out, "simulcast", format_args!("recv {list}"))
}

/// The format list of an m-line.
#[derive(Clone, Copy)]
struct Formats<'a>(Payload<'a>, Option<Payload<'a>>);

impl Display for Formats<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.number)?;
        self.1.map_or(Ok(()), |rtx| write!(out, " {}", rtx.number))
    }
}

fn line(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(out, "{text}\r\n")
}

fn attribute(out: &mut fmt::Formatter<'_>, key: &str, value: impl Display) -> fmt::Result {
    write!(out, "a={key}:{value}\r\n")
}

fn codec(out: &mut fmt::Formatter<'_>, payload: &Payload<'_>, fmtp: &str) -> fmt::Result {
    write!(out, "a=rtpmap:{} {}/{}", payload.number, payload.name, payload.clock_rate)?;
    if let Some(channels) = payload.channels.filter(|channels| *channels > 1) {
        write!(out, "/{channels}")?;
    }
    line(out, "")?;
    if fmtp.is_empty() {
        return Ok(());
    }
    attribute(out, "fmtp", format_args!("{} {fmtp}", payload.number))
}

/// Host candidates, best first, and the mark that no more will come (RFC 8839, 5.1; RFC 8838, 8.2).
fn candidates(out: &mut fmt::Formatter<'_>, addresses: &[SocketAddr]) -> fmt::Result {
    for (address, index) in addresses.iter().zip(0_u16..) {
        let priority = host_priority(index);
        let (ip, port) = (address.ip(), address.port());
        let foundation = u32::from(index) + 1;
        let value = format_args!("{foundation} 1 udp {priority} {ip} {port} typ host");
        attribute(out, "candidate", value)?;
    }
    line(out, "a=end-of-candidates")
}

/// RFC 8445, 5.1.2.1, for component 1 of a host candidate.
fn host_priority(index: u16) -> u32 {
    const HOST: u32 = 126;
    (HOST << 24) | (u32::from(u16::MAX - index) << 8) | 255
}

fn family(address: SocketAddr) -> &'static str {
    if address.is_ipv4() { "IP4" } else { "IP6" }
}

/// What the client said, with error correction asked for: it lets a subscriber conceal a lost
/// packet without a retransmission. A publisher's `sprop-stereo` announces sound that Chromium
/// sends in stereo only to who asks for that (RFC 7587, 7).
fn opus_parameters(offered: &str) -> String {
    let mut keys = Vec::new();
    let mut parameters = String::new();
    for pair in offered.split(';').map(str::trim) {
        let pair = if pair == "sprop-stereo=1" { "stereo=1" } else { pair };
        let key = pair.split('=').next().unwrap_or_default();
        let own = key.is_empty() || key == "useinbandfec" || key.starts_with("sprop-");
        if !own && !keys.contains(&key) {
            keys.push(key);
            parameters.push_str(pair);
            parameters.push(';');
        }
    }
    parameters + "useinbandfec=1"
}
