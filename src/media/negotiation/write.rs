//! What offers and answers of this end have in common: lines and the blocks that they form.

use std::{
    fmt::{self, Display},
    net::SocketAddr,
};

use super::{ExtensionIds, Feedback, Local, codec::Payload};
use crate::formats::TrackKind;

/// Everything before the first m-line. The m-lines of these names share one transport.
pub(super) fn header<'a>(
    out: &mut fmt::Formatter<'_>,
    bundled: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    line(out, "v=0")?;
    line(out, "o=- 0 0 IN IP4 127.0.0.1")?;
    line(out, "s=-")?;
    line(out, "t=0 0")?;
    let mut bundled = bundled.peekable();
    if bundled.peek().is_some() {
        out.write_str("a=group:BUNDLE")?;
        bundled.try_for_each(|mid| write!(out, " {mid}"))?;
        line(out, "")?;
    }
    line(out, "a=ice-lite")?;
    line(out, "a=msid-semantic:WMS *")
}

/// An m-line to be written.
pub(super) struct MediaLine<'a, F> {
    /// `audio` or `video`.
    pub(super) media: &'a str,
    /// The transport protocol, as in `UDP/TLS/RTP/SAVPF`.
    pub(super) protocol: &'a str,
    /// The format list.
    pub(super) formats: F,
    /// Its name, if it has one.
    pub(super) mid: Option<&'a str>,
    /// The DTLS role of this end.
    pub(super) setup: &'a str,
    /// Whether reduced-size RTCP may be sent (RFC 5506).
    pub(super) reduced_size: bool,
}

impl<F: Display> MediaLine<'_, F> {
    /// The m-line and all that concerns the transport beneath it.
    pub(super) fn write(&self, out: &mut fmt::Formatter<'_>, local: &Local<'_>) -> fmt::Result {
        // The default destination; port 9 and no address stand for none (RFC 8839, 4.3.1).
        let (port, family, address) = local.candidates.first().map_or_else(
            || (9, "IP4", "0.0.0.0".to_owned()),
            |first| (first.port(), family(*first), first.ip().to_string()),
        );
        write!(out, "m={} {port} {} {}\r\n", self.media, self.protocol, self.formats)?;
        write!(out, "c=IN {family} {address}\r\n")?;
        if let Some(mid) = self.mid {
            attribute(out, "mid", mid)?;
        }
        attribute(out, "ice-ufrag", local.ufrag)?;
        attribute(out, "ice-pwd", local.password)?;
        attribute(out, "fingerprint", format_args!("sha-256 {}", local.fingerprint))?;
        attribute(out, "setup", self.setup)?;
        line(out, "a=rtcp-mux")?;
        if self.reduced_size {
            line(out, "a=rtcp-rsize")?;
        }
        Ok(())
    }
}

/// Host candidates, best first, and the mark that no more will come (RFC 8839, 5.1; RFC 8838, 8.2).
pub(super) fn candidates(out: &mut fmt::Formatter<'_>, addresses: &[SocketAddr]) -> fmt::Result {
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

/// The numbers of header extensions.
pub(super) fn extensions(out: &mut fmt::Formatter<'_>, extensions: &ExtensionIds) -> fmt::Result {
    extensions
        .in_use()
        .try_for_each(|(number, uri)| attribute(out, "extmap", format_args!("{number} {uri}")))
}

/// What a payload type stands for, with these format parameters.
pub(super) fn codec(
    out: &mut fmt::Formatter<'_>,
    payload: &Payload<'_>,
    fmtp: &str,
) -> fmt::Result {
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

/// The feedback that goes with a payload type.
pub(super) fn feedback(
    out: &mut fmt::Formatter<'_>,
    payload_type: u8,
    feedback: Feedback,
) -> fmt::Result {
    let kinds = [
        (feedback.remb, "goog-remb"),
        (feedback.fir, "ccm fir"),
        (feedback.nack, "nack"),
        (feedback.pli, "nack pli"),
    ];
    for (_, kind) in kinds.iter().filter(|(agreed, _)| *agreed) {
        attribute(out, "rtcp-fb", format_args!("{payload_type} {kind}"))?;
    }
    Ok(())
}

/// An outgoing track as its packets name it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Audio or video.
    pub(super) kind: TrackKind,
    /// The SSRC that it is sent under.
    pub(super) ssrc: u32,
    /// The SSRC of its retransmissions, if there are any.
    pub(super) rtx_ssrc: Option<u32>,
    /// The `MediaStream` that it arrives in.
    pub(super) stream_label: &'a str,
}

impl Source<'_> {
    /// Under which SSRCs and in which `MediaStream` the track arrives.
    pub(super) fn write(&self, out: &mut fmt::Formatter<'_>, local: &Local<'_>) -> fmt::Result {
        let Self { kind, ssrc, rtx_ssrc, stream_label } = self;
        let track_label = match kind {
            TrackKind::Video => "v0",
            TrackKind::Audio => "a0",
        };
        let msid = format_args!("{stream_label} {track_label}");
        attribute(out, "msid", msid)?;
        if let Some(rtx_ssrc) = rtx_ssrc {
            attribute(out, "ssrc-group", format_args!("FID {ssrc} {rtx_ssrc}"))?;
        }
        for ssrc in [Some(*ssrc), *rtx_ssrc].into_iter().flatten() {
            attribute(out, "ssrc", format_args!("{ssrc} cname:{}", local.cname))?;
            attribute(out, "ssrc", format_args!("{ssrc} msid:{msid}"))?;
        }
        Ok(())
    }
}

pub(super) fn line(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(out, "{text}\r\n")
}

pub(super) fn attribute(
    out: &mut fmt::Formatter<'_>,
    key: &str,
    value: impl Display,
) -> fmt::Result {
    write!(out, "a={key}:{value}\r\n")
}
