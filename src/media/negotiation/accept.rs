//! Reading the answer to an offer of this end.

use std::sync::Arc;

use super::{
    AgreedTrack, DtlsRole, ExtensionIds, Feedback, NegotiationError, Want,
    make::{OfferedTrack, Variant},
    offer::{Direction, Offer, Section, read},
    track,
    transport::Remote,
};

/// What came of an offer of this end.
#[derive(Debug, Clone)]
pub(crate) struct Acceptance {
    /// The client's ICE user name fragment.
    pub(crate) remote_ufrag: Arc<str>,
    /// The client's ICE password.
    pub(crate) remote_password: Arc<str>,
    /// SHA-256 of the client's DTLS certificate.
    pub(crate) remote_fingerprint: [u8; 32],
    /// Who the client is in the DTLS handshake.
    pub(crate) peer_role: DtlsRole,
    /// One per offered track, in their order; none for those that the client does not want.
    pub(crate) tracks: Vec<Option<AgreedTrack>>,
}

/// Reads the answer to the offer of these wants.
///
/// The client may reject tracks and leave them inactive, but not all of them. It names its choice
/// of what was offered, under the offered payload types and extension numbers, and takes one
/// of the DTLS roles. Browsers begin; the `webrtc` crate and its relatives in Go wait for an end that
/// is ICE-lite.
///
/// # Errors
/// See [`NegotiationError`]; nothing is agreed on then.
pub(crate) fn accept(answer: &str, wants: &[Want]) -> Result<Acceptance, NegotiationError> {
    let description = read(answer)?;
    let answer = Offer::of(&description)?;
    let offered = OfferedTrack::all(wants);
    if answer.sections.len() != offered.len() {
        return Err(NegotiationError::Mismatch);
    }
    let pairs = answer.sections.iter().zip(&offered);
    let tracks = pairs.map(|(section, track)| accept_track(section, track));
    let tracks = tracks.collect::<Result<Vec<_>, _>>()?;
    if tracks.iter().all(Option::is_none) {
        return Err(NegotiationError::NothingAccepted);
    }
    let kept = answer.sections.iter().enumerate().filter(|(_, section)| !is_rejected(section));
    let kept: Vec<usize> = kept.map(|(index, _)| index).collect();
    let remote = Remote::of_answer(&answer, &kept)?;
    Ok(Acceptance {
        peer_role: remote.role,
        remote_ufrag: remote.ufrag,
        remote_password: remote.password,
        remote_fingerprint: remote.fingerprint,
        tracks,
    })
}

/// Port 0 means nothing else in an answer (RFC 8843, 7.3.3).
fn is_rejected(section: &Section<'_>) -> bool {
    section.media.media_name.port.value == 0
}

fn accept_track(
    section: &Section<'_>,
    offered: &OfferedTrack<'_>,
) -> Result<Option<AgreedTrack>, NegotiationError> {
    let same_name = section.mid.is_none_or(|mid| mid == offered.mid);
    if section.kind != Some(offered.kind) || !same_name {
        return Err(NegotiationError::Mismatch);
    }
    if is_rejected(section) {
        return Ok(None);
    }
    match section.direction {
        Direction::Receive => {}
        Direction::Neither => return Ok(None),
        Direction::Both | Direction::Send => return Err(NegotiationError::Sends(offered.kind)),
    }
    let is_offered = |number: &String| {
        let number = number.parse::<u8>().ok();
        let mut known = offered.variants.iter().flat_map(|it| [Some(it.payload_type), it.rtx]);
        number.is_some() && known.any(|known| known == number)
    };
    if !section.media.media_name.formats.iter().all(is_offered) {
        return Err(NegotiationError::UnknownPayloadType(offered.kind));
    }
    let chosen = offered.variants.iter().find(|variant| is_chosen(section, offered, variant));
    let chosen = chosen.ok_or(NegotiationError::NoCodec(offered.kind))?;
    Ok(Some(agreed(section, offered, *chosen)))
}

/// Whether the client decodes a variant under the number that it was offered with.
fn is_chosen(section: &Section<'_>, offered: &OfferedTrack<'_>, variant: &Variant<'_>) -> bool {
    section.payloads.iter().any(|payload| {
        payload.number == variant.payload_type
            && payload.decodes(offered.kind, variant.source).is_some()
    })
}

fn agreed(section: &Section<'_>, offered: &OfferedTrack<'_>, variant: Variant<'_>) -> AgreedTrack {
    let Variant { payload_type, rtx, source } = variant;
    let feedback = common(track::feedback(section, offered.kind, payload_type), offered.feedback());
    let repeats = section
        .payloads
        .iter()
        .any(|payload| Some(payload.number) == rtx && payload.retransmits() == Some(payload_type));
    AgreedTrack {
        kind: offered.kind,
        mid: offered.mid.as_str().into(),
        codec: source.clone(),
        payload_type,
        rtx_payload_type: rtx.filter(|_| repeats && feedback.nack),
        extensions: same_numbers(
            track::extensions(section, offered.kind, false),
            offered.extensions(),
        ),
        feedback,
        remote_ssrc: None,
        remote_rtx_ssrc: None,
        rids: Vec::new(),
    }
}

/// The feedback that both ends named.
fn common(answered: Feedback, offered: Feedback) -> Feedback {
    Feedback {
        nack: answered.nack && offered.nack,
        pli: answered.pli && offered.pli,
        fir: answered.fir && offered.fir,
        remb: answered.remb && offered.remb,
    }
}

/// The extensions that the answer keeps; it may not give them other numbers (RFC 8285, 6).
fn same_numbers(answered: ExtensionIds, offered: ExtensionIds) -> ExtensionIds {
    let same = |answered: Option<u8>, offered: Option<u8>| offered.filter(|_| answered == offered);
    ExtensionIds {
        audio_level: same(answered.audio_level, offered.audio_level),
        abs_send_time: same(answered.abs_send_time, offered.abs_send_time),
        video_orientation: same(answered.video_orientation, offered.video_orientation),
        ..ExtensionIds::default()
    }
}
