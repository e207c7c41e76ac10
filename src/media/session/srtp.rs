//! SRTP (RFC 3711) with the keys of a DTLS handshake (RFC 5764).
//!
//! AES-GCM (RFC 7714), which nearly every client takes, is done here: in place, straight into the
//! buffer that is sent, and with states made only for sources that proved authentic.
//! AES-CM with HMAC-SHA1 is left to `rtc-srtp`.

mod gcm;
mod legacy;

use rtc_crypto::RTCCrypto;
use rtc_srtp::{
    config::{Config, SessionKeys},
    protection_profile::ProtectionProfile,
};

use self::{
    gcm::{GcmOpener, GcmSealer},
    legacy::{LegacyOpener, LegacySealer},
};
use super::dtls::Role;
use crate::media::forward::{outgoing::Written, rtp::Header};

/// Sources (SSRCs) of one peer that are kept apart, over the life of its connection. A dozen
/// m-lines, each with retransmissions, use two dozen at once.
const MAX_SOURCES: usize = 256;

/// Protects what is sent to one peer.
pub(crate) enum Sealer {
    /// AES-GCM.
    Gcm(GcmSealer),
    /// AES-CM with HMAC-SHA1.
    Legacy(LegacySealer),
}

/// Opens what comes from one peer.
pub(crate) enum Opener {
    /// AES-GCM.
    Gcm(GcmOpener),
    /// AES-CM with HMAC-SHA1.
    Legacy(LegacyOpener),
}

/// The keys were refused by the cipher, or a packet could not be protected.
#[derive(Debug, thiserror::Error)]
#[error("SRTP: {0}")]
pub(crate) struct SrtpError(String);

impl SrtpError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Splits the exporter's output by the part that this end had in the handshake, and makes both
/// ways.
pub(crate) fn both_ways(
    role: Role,
    profile: ProtectionProfile,
    material: &[u8],
    crypto: &dyn RTCCrypto,
) -> Result<(Sealer, Opener), SrtpError> {
    let mut config = Config { profile, ..Config::default() };
    let is_client = role == Role::Client;
    config.set_session_keys_from_keying_material(material, is_client).map_err(SrtpError::of)?;
    let SessionKeys { local_master_key, local_master_salt, remote_master_key, remote_master_salt } =
        &config.keys;
    let is_gcm = profile.aead_auth_tag_len() > 0;
    if is_gcm {
        let sealer = GcmSealer::new(local_master_key, local_master_salt, crypto)?;
        let opener = GcmOpener::new(remote_master_key, remote_master_salt, crypto)?;
        return Ok((Sealer::Gcm(sealer), Opener::Gcm(opener)));
    }
    let sealer = LegacySealer::new(profile, local_master_key, local_master_salt, crypto)?;
    let opener = LegacyOpener::new(profile, remote_master_key, remote_master_salt, crypto)?;
    Ok((Sealer::Legacy(sealer), Opener::Legacy(opener)))
}

/// Bytes of keying material that a profile needs.
pub(crate) fn keying_material_len(profile: ProtectionProfile) -> usize {
    Config { profile, ..Config::default() }.keying_material_len()
}

impl Sealer {
    /// Protects the RTP packet that `buffer` ends with, from `start` on.
    pub(crate) fn seal_rtp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        written: &Written,
    ) -> Result<(), SrtpError> {
        match self {
            Self::Gcm(sealer) => sealer.seal_rtp(buffer, start, written),
            Self::Legacy(sealer) => sealer.seal_rtp(buffer, start),
        }
    }

    /// Protects the compound RTCP packet that `buffer` ends with, from `start` on.
    pub(crate) fn seal_rtcp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), SrtpError> {
        match self {
            Self::Gcm(sealer) => sealer.seal_rtcp(buffer, start),
            Self::Legacy(sealer) => sealer.seal_rtcp(buffer, start),
        }
    }
}

impl Opener {
    /// Opens an RTP packet, in place as far as the cipher allows; the result is the plain packet.
    /// `None` when it is forged, replayed or of one source too many.
    pub(crate) fn open_rtp<'p>(
        &'p mut self,
        packet: &'p mut [u8],
        header: &Header,
    ) -> Option<&'p [u8]> {
        match self {
            Self::Gcm(opener) => opener.open_rtp(packet, header),
            Self::Legacy(opener) => opener.open_rtp(packet, header),
        }
    }

    /// Opens a compound RTCP packet.
    pub(crate) fn open_rtcp<'p>(&'p mut self, packet: &'p mut [u8]) -> Option<&'p [u8]> {
        match self {
            Self::Gcm(opener) => opener.open_rtcp(packet),
            Self::Legacy(opener) => opener.open_rtcp(packet),
        }
    }
}

#[cfg(test)]
mod tests;
