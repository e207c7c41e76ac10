//! Writing the answer.

use std::fmt::{self, Display};

use super::{
    Flow, Local,
    codec::Payload,
    offer::{Offer, Section},
    track::Accepted,
    write::{self, MediaLine, Source, attribute, codec, line},
};

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
        let answered = || self.offer.sections.iter().zip(self.outcomes);
        let bundled = answered()
            .filter(|(section, outcome)| outcome.is_accepted() && self.offer.is_bundled(section))
            .filter_map(|(section, _)| section.mid);
        write::header(out, bundled)?;
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
                write::candidates(out, self.local.candidates)?;
            }
            match outcome {
                Outcome::Track { accepted, flow } => self.track(out, accepted, flow)?,
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
        let m_line = MediaLine {
            media: &name.media,
            protocol: &name.protos.join("/"),
            formats,
            mid: section.mid,
            setup: "passive",
            reduced_size: section.has("rtcp-rsize"),
        };
        m_line.write(out, self.local)
    }

    fn track(
        &self,
        out: &mut fmt::Formatter<'_>,
        accepted: &Accepted<'_>,
        flow: &Flow,
    ) -> fmt::Result {
        let track = &accepted.track;
        write::extensions(out, &track.extensions)?;
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
        write::feedback(out, accepted.payload.number, track.feedback)?;
        if let Some(rtx) = &accepted.rtx {
            codec(out, rtx, rtx.fmtp)?;
        }
        layers(out, accepted)?;
        match flow {
            Flow::Receive { .. } => Ok(()),
            Flow::Send { ssrc, rtx_ssrc, stream_label, .. } => {
                let source = Source {
                    kind: track.kind,
                    ssrc: *ssrc,
                    rtx_ssrc: accepted.rtx.map(|_| *rtx_ssrc),
                    stream_label,
                };
                source.write(out, self.local)
            }
        }
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
