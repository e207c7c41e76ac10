//! What an offer or answer says of the client's transport: ICE credentials, DTLS role and certificate.

use std::sync::Arc;

use super::{DtlsRole, NegotiationError, offer::Offer};

/// Lengths of an `ice-ufrag` (RFC 8839, 5.4).
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=256;

/// Lengths of an `ice-pwd` (RFC 8839, 5.4).
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// The far end of a transport.
#[derive(Debug)]
pub(super) struct Remote {
    /// ICE user name fragment.
    pub(super) ufrag: Arc<str>,
    /// ICE password.
    pub(super) password: Arc<str>,
    /// SHA-256 of the certificate.
    pub(super) fingerprint: [u8; 32],
    /// Who it is in the DTLS handshake.
    pub(super) role: DtlsRole,
}

impl Remote {
    /// Reads what the accepted sections of an offer share. Without a role it means `active`
    /// (RFC 4145, 4); this end only accepts then.
    pub(super) fn of_offer(
        offer: &Offer<'_>,
        accepted: &[usize],
    ) -> Result<Self, NegotiationError> {
        Self::of(offer, accepted, |setup| match setup {
            None | Some("actpass" | "active") => Ok(DtlsRole::Client),
            Some(_) => Err(NegotiationError::WrongSetup),
        })
    }

    /// Reads what the accepted sections of an answer share. It chooses a role (RFC 8842, 5.3).
    pub(super) fn of_answer(
        answer: &Offer<'_>,
        accepted: &[usize],
    ) -> Result<Self, NegotiationError> {
        Self::of(answer, accepted, |setup| match setup {
            Some("active") => Ok(DtlsRole::Client),
            Some("passive") => Ok(DtlsRole::Server),
            None | Some(_) => Err(NegotiationError::NoRole),
        })
    }

    fn of(
        offer: &Offer<'_>,
        accepted: &[usize],
        role: impl Fn(Option<&str>) -> Result<DtlsRole, NegotiationError>,
    ) -> Result<Self, NegotiationError> {
        let first = |key| offer.transport_values(accepted, key).next();
        let credential = |key, lengths: &std::ops::RangeInclusive<usize>| {
            first(key)
                .filter(|text| lengths.contains(&text.len()) && text.bytes().all(is_ice_char))
                .ok_or(NegotiationError::NoIceCredentials)
        };
        let ufrag = credential("ice-ufrag", &UFRAG_CHARS)?;
        let password = credential("ice-pwd", &PASSWORD_CHARS)?;
        let fingerprint = offer
            .transport_values(accepted, "fingerprint")
            .find_map(sha256)
            .ok_or(NegotiationError::NoFingerprint)?;
        let role = role(first("setup"))?;
        if !offer.bundles(accepted) || !offer.multiplexes_rtcp(accepted) {
            return Err(NegotiationError::NotBundled);
        }
        Ok(Self { ufrag: ufrag.into(), password: password.into(), fingerprint, role })
    }
}

/// The characters of RFC 8839, and four that older libwebrtc versions put in their passwords.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=#".contains(&byte)
}

/// The digest of an `a=fingerprint` value, if it is a SHA-256.
fn sha256(value: &str) -> Option<[u8; 32]> {
    let (algorithm, digest) = value.split_once(' ')?;
    if !algorithm.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut bytes = [0; 32];
    let mut pairs = digest.trim().split(':');
    for byte in &mut bytes {
        let pair = pairs.next()?;
        if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(bytes)
}
