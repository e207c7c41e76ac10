//! Reading an offer, or an answer: text into sections that the rest can ask questions.

use std::{collections::HashSet, io::Cursor};

use rtc_sdp::description::{common::Attribute, media::MediaDescription, session};

use super::{MAX_M_LINES, MAX_SDP_BYTES, NegotiationError, codec::Payload};
use crate::formats::TrackKind;

/// The longest `mid` that is read, in bytes. It must fit a one-byte header extension, which holds
/// 16; more is tolerated for m-lines whose packets do not carry it.
const MAX_MID_BYTES: usize = 64;

/// How much of a bad line an error quotes, in characters.
const MAX_QUOTE_CHARS: usize = 80;

/// Parses a description after checking its size, which bounds everything that follows.
pub(super) fn read(text: &str) -> Result<session::SessionDescription, NegotiationError> {
    if text.len() > MAX_SDP_BYTES {
        return Err(NegotiationError::TooLong);
    }
    if text.lines().filter(|line| line.starts_with("m=")).count() > MAX_M_LINES {
        return Err(NegotiationError::TooManyMediaSections);
    }
    // Values are echoed in the answer, so nothing in them may look like a line end to anyone.
    if text.lines().any(|line| line.contains(char::is_control)) {
        return Err(unreadable("control character"));
    }
    session::SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
        .map_err(|error| unreadable(&error.to_string()))
}

pub(super) fn unreadable(reason: &str) -> NegotiationError {
    NegotiationError::Unreadable(reason.chars().take(MAX_QUOTE_CHARS).collect())
}

/// A client's offer, or its answer, by m-line.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    session: &'a [Attribute],
    /// In the order of the offer.
    pub(super) sections: Vec<Section<'a>>,
    bundles: Vec<Vec<&'a str>>,
}

impl<'a> Offer<'a> {
    /// Looks into every section; refuses what would make the answer ambiguous.
    pub(super) fn of(
        description: &'a session::SessionDescription,
    ) -> Result<Self, NegotiationError> {
        let session = description.attributes.as_slice();
        let sections = description
            .media_descriptions
            .iter()
            .map(|media| Section::of(media, session))
            .collect::<Result<Vec<_>, _>>()?;
        let mut mids = HashSet::new();
        if sections.iter().filter_map(|section| section.mid).any(|mid| !mids.insert(mid)) {
            return Err(unreadable("two media sections have the same mid"));
        }
        let bundles = values(session, "group")
            .filter_map(|group| group.strip_prefix("BUNDLE"))
            .map(|group| group.split_ascii_whitespace().collect())
            .collect();
        Ok(Self { session, sections, bundles })
    }

    /// Whether these sections can share one transport: there is only one, or a `BUNDLE` has all.
    pub(super) fn bundles(&self, sections: &[usize]) -> bool {
        sections.len() < 2
            || self.bundles.iter().any(|bundle| {
                sections
                    .iter()
                    .all(|index| self.sections[*index].mid.is_some_and(|mid| bundle.contains(&mid)))
            })
    }

    /// Whether any `BUNDLE` names this section, so that the answer's must, too.
    pub(super) fn is_bundled(&self, section: &Section<'_>) -> bool {
        section.mid.is_some_and(|mid| self.bundles.iter().any(|bundle| bundle.contains(&mid)))
    }

    /// All values of an attribute that describes the transport of the given sections, the most
    /// binding first: theirs, the session's, then everybody's, since only one section of a bundle
    /// needs to carry it (RFC 8843, 7.1.3).
    pub(super) fn transport_values<'b>(
        &'b self,
        accepted: &'b [usize],
        key: &'b str,
    ) -> impl Iterator<Item = &'a str> + 'b {
        let section = move |section: &'b Section<'a>| values(&section.media.attributes, key);
        accepted
            .iter()
            .flat_map(move |index| section(&self.sections[*index]))
            .chain(values(self.session, key))
            .chain(self.sections.iter().flat_map(section))
    }

    /// Whether RTCP shares the port of the RTP.
    pub(super) fn multiplexes_rtcp(&self, accepted: &[usize]) -> bool {
        accepted.is_empty()
            || has(self.session, "rtcp-mux")
            || accepted.iter().any(|index| self.sections[*index].has("rtcp-mux"))
    }
}

/// Where media may flow, seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// `sendrecv`, also when nothing is said.
    Both,
    /// `sendonly`.
    Send,
    /// `recvonly`.
    Receive,
    /// `inactive`.
    Neither,
}

impl Direction {
    fn of(attributes: &[Attribute]) -> Option<Self> {
        attributes.iter().find_map(|attribute| match attribute.key.as_str() {
            "sendrecv" => Some(Self::Both),
            "sendonly" => Some(Self::Send),
            "recvonly" => Some(Self::Receive),
            "inactive" => Some(Self::Neither),
            _ => None,
        })
    }
}

/// An m-line with its attributes.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// As parsed.
    pub(super) media: &'a MediaDescription,
    /// Audio or video; absent for all that is not RTP of these.
    pub(super) kind: Option<TrackKind>,
    /// Its name, if it has one.
    pub(super) mid: Option<&'a str>,
    /// Where the client wants media to flow.
    pub(super) direction: Direction,
    /// Whether the client wants it at all; port 0 means no, except in a bundle-only section
    /// (RFC 8843, 6).
    pub(super) offered: bool,
    /// What the client can do, in its order of preference.
    pub(super) payloads: Vec<Payload<'a>>,
}

impl<'a> Section<'a> {
    fn of(media: &'a MediaDescription, session: &[Attribute]) -> Result<Self, NegotiationError> {
        let attributes = media.attributes.as_slice();
        let mid = values(attributes, "mid").next();
        if mid.is_some_and(|mid| mid.len() > MAX_MID_BYTES || !is_token(mid)) {
            return Err(unreadable("bad mid"));
        }
        Ok(Self {
            media,
            kind: kind(media),
            mid,
            direction: Direction::of(attributes)
                .or_else(|| Direction::of(session))
                .unwrap_or(Direction::Both),
            offered: media.media_name.port.value != 0 || has(attributes, "bundle-only"),
            payloads: Payload::all(&media.media_name.formats, attributes),
        })
    }

    /// Whether it bears an attribute.
    pub(super) fn has(&self, key: &str) -> bool {
        has(&self.media.attributes, key)
    }

    /// The values of its attributes of one name.
    pub(super) fn values<'b>(&'b self, key: &'b str) -> impl Iterator<Item = &'a str> + 'b {
        values(&self.media.attributes, key)
    }

    /// Whether the client could send a track here.
    pub(super) fn client_sends(&self) -> bool {
        self.offered && matches!(self.direction, Direction::Both | Direction::Send)
    }

    /// Whether the client could receive a track here.
    pub(super) fn client_receives(&self) -> bool {
        self.offered && matches!(self.direction, Direction::Both | Direction::Receive)
    }
}

/// RTP of sound or picture. JSEP asks to take every spelling of RTP (RFC 8829, 5.1.2) and to echo
/// it; that it runs over DTLS follows from the fingerprint.
fn kind(media: &MediaDescription) -> Option<TrackKind> {
    let protos = media.media_name.protos.iter().map(String::as_str).collect::<Vec<_>>();
    let [.., "RTP", "SAVPF" | "SAVP" | "AVPF" | "AVP"] = protos.as_slice() else {
        return None;
    };
    match media.media_name.media.as_str() {
        "audio" => Some(TrackKind::Audio),
        "video" => Some(TrackKind::Video),
        _ => None,
    }
}

fn values<'a: 'b, 'b>(
    attributes: &'a [Attribute],
    key: &'b str,
) -> impl Iterator<Item = &'a str> + 'b {
    attributes
        .iter()
        .filter(move |attribute| attribute.key == key)
        .filter_map(|attribute| attribute.value.as_deref())
        .map(str::trim)
}

fn has(attributes: &[Attribute], key: &str) -> bool {
    attributes.iter().any(|attribute| attribute.key == key)
}

/// The characters of a `token` (RFC 8866, 9).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte))
}
