//! SDP: reads a client's offer, picks codecs and header extensions, writes the complete answer; or
//! offers tracks itself and reads the answer.
//!
//! Pure: text in, text and an [`Agreement`] out. The rest of the media plane knows no SDP.
//! In the order of the work: `offer` (read a description), `codec` (understand), `track` (agree),
//! `transport` (the far end), `answer` (write). The other way round: `make` (write an offer),
//! `accept` (read its answer). `write` has what both ways write alike.

mod accept;
mod answer;
mod codec;
mod make;
mod offer;
mod plan;
#[cfg(test)]
mod tests;
mod track;
mod transport;
mod write;

use std::sync::Arc;

pub(crate) use self::{accept::accept, plan::*};
use self::{
    answer::{Answer, Outcome},
    make::OfferedTrack,
    offer::{Offer, Section, unreadable},
    track::{Accepted, agree},
    transport::Remote,
};

/// Answers an offer, which must contain every want and nothing else that the client would send.
///
/// The answer keeps the offer's m-lines, their order and their mids; what is neither wanted nor
/// kept without media is rejected. M-lines whose mid is `retired` are kept without media whatever
/// the client would do with them. This end is ICE-lite and the DTLS server.
///
/// # Errors
/// See [`NegotiationError`]; nothing is agreed on then.
pub(crate) fn answer(
    offer: &str,
    local: &Local<'_>,
    wants: &[Want],
    retired: &[Arc<str>],
) -> Result<Agreement, NegotiationError> {
    let description = offer::read(offer)?;
    let offer = Offer::of(&description)?;
    let claims = claim(&offer.sections, wants, retired)?;
    let outcomes = decide(&offer, wants, &claims, retired)?;
    let accepted = (0..outcomes.len()).filter(|index| outcomes[*index].is_accepted());
    let remote = Remote::of_offer(&offer, &accepted.collect::<Vec<_>>())?;
    let sdp = Answer { offer: &offer, outcomes: &outcomes, local }.to_string();
    let tracks = claims
        .iter()
        .filter_map(|index| match &outcomes[*index] {
            Outcome::Track { accepted, .. } => Some(accepted.track.clone()),
            Outcome::Idle { .. } | Outcome::Rejected => None,
        })
        .collect();
    Ok(Agreement {
        sdp,
        remote_ufrag: remote.ufrag,
        remote_password: remote.password,
        remote_fingerprint: remote.fingerprint,
        tracks,
    })
}

/// Offers to send these wants, in one bundle, with everything in it that the client needs. This end
/// is ICE-lite and can only be the DTLS server. [`accept()`] reads the answer.
pub(crate) fn offer(local: &Local<'_>, wants: &[Want]) -> String {
    make::Offer { tracks: &OfferedTrack::all(wants), local }.to_string()
}

/// Finds the section of each want: by its name, or else by kind and direction among those that no
/// want names. What carried an ended track is taken last, since its client may have left it as it
/// was.
fn claim(
    sections: &[Section<'_>],
    wants: &[Want],
    retired: &[Arc<str>],
) -> Result<Vec<usize>, NegotiationError> {
    let mut claims = vec![None; wants.len()];
    let is_named = |section: &Section<'_>| {
        wants.iter().any(|want| want.mid.is_some() && want.mid.as_deref() == section.mid)
    };
    let is_retired = |section: &Section<'_>| {
        section.mid.is_some_and(|mid| retired.iter().any(|it| **it == *mid))
    };
    for by_name in [true, false] {
        for (number, want) in wants.iter().enumerate() {
            if want.mid.is_some() != by_name {
                continue;
            }
            let meant = |section: &Section<'_>| match &want.mid {
                Some(mid) => section.mid == Some(mid),
                None => !is_named(section),
            };
            let fitting = sections.iter().enumerate().filter(|(index, section)| {
                meant(section) && fits(section, want) && !claims.contains(&Some(*index))
            });
            let best = fitting.min_by_key(|(_, section)| is_retired(section));
            let missing = NegotiationError::Missing { kind: want.kind, want: number };
            claims[number] = Some(best.map(|(index, _)| index).ok_or(missing)?);
        }
    }
    Ok(claims.into_iter().flatten().collect())
}

fn fits(section: &Section<'_>, want: &Want) -> bool {
    section.kind == Some(want.kind)
        && match want.flow {
            Flow::Receive { .. } => section.client_sends(),
            Flow::Send { .. } => section.client_receives(),
        }
}

/// Says what becomes of each section.
fn decide<'a>(
    offer: &Offer<'a>,
    wants: &'a [Want],
    claims: &[usize],
    retired: &[Arc<str>],
) -> Result<Vec<Outcome<'a>>, NegotiationError> {
    let outcomes = offer
        .sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let want = claims.iter().position(|claim| *claim == index).map(|at| &wants[at]);
            match want {
                Some(want) => agree(section, want.kind, &want.flow)
                    .map(|accepted| Outcome::Track { accepted, flow: &want.flow }),
                None => unclaimed(offer, section, retired),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let tracks = || {
        outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Track { accepted, .. } => Some(accepted),
            Outcome::Idle { .. } | Outcome::Rejected => None,
        })
    };
    if tracks().any(|one| tracks().any(|other| conflict(one, other))) {
        return Err(unreadable("a payload type has two meanings"));
    }
    Ok(outcomes)
}

fn unclaimed<'a>(
    offer: &Offer<'a>,
    section: &Section<'a>,
    retired: &[Arc<str>],
) -> Result<Outcome<'a>, NegotiationError> {
    let Some(kind) = section.kind.filter(|_| section.offered) else {
        return Ok(Outcome::Rejected);
    };
    // What the client could also receive hurts nobody: some always offer to receive both kinds.
    let is_retired = section.mid.is_some_and(|mid| retired.iter().any(|it| **it == *mid));
    if section.client_sends() && !is_retired {
        return Err(NegotiationError::Unwanted(kind));
    }
    let known = section.payloads.iter().find(|payload| payload.codec(kind).is_some());
    Ok(known
        .filter(|_| offer.is_bundled(section))
        .map_or(Outcome::Rejected, |payload| Outcome::Idle { payload: *payload }))
}

/// Whether the packets of two tracks of one transport could not be told apart by payload type
/// although they differ (RFC 8843, 9.1).
fn conflict(one: &Accepted<'_>, other: &Accepted<'_>) -> bool {
    let (a, b) = (&one.track, &other.track);
    let same = one.payload.name.eq_ignore_ascii_case(other.payload.name)
        && one.payload.clock_rate == other.payload.clock_rate;
    (a.payload_type == b.payload_type && !same)
        || b.rtx_payload_type == Some(a.payload_type)
        || (a.rtx_payload_type.is_some()
            && a.rtx_payload_type == b.rtx_payload_type
            && a.payload_type != b.payload_type)
}
