//! AES-CM with HMAC-SHA1, by `rtc-srtp`, for clients without AES-GCM.
//!
//! Its context makes a state for every SSRC that it is shown, before it knows whether the packet
//! is authentic; so only a bounded number of SSRCs is shown to it.

use std::collections::HashSet;

use bytes::BytesMut;
use rtc_crypto::RTCCrypto;
use rtc_srtp::{
    context::Context,
    option::{srtcp_replay_protection, srtp_replay_protection},
    protection_profile::ProtectionProfile,
};

use super::{MAX_SOURCES, SrtpError};
use crate::media::forward::rtp::Header;

/// Packets back that a late one may be.
const WINDOW: usize = 1024;

/// Protects what is sent.
pub(crate) struct LegacySealer {
    context: Context,
}

impl LegacySealer {
    pub(super) fn new(
        profile: ProtectionProfile,
        master: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        let context = Context::new(master, salt, profile, None, None, crypto);
        Ok(Self { context: context.map_err(SrtpError::of)? })
    }

    pub(super) fn seal_rtp(&mut self, buffer: &mut Vec<u8>, start: usize) -> Result<(), SrtpError> {
        let sealed = self.context.encrypt_rtp(&buffer[start..]).map_err(SrtpError::of)?;
        replace(buffer, start, &sealed);
        Ok(())
    }

    pub(super) fn seal_rtcp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), SrtpError> {
        let sealed = self.context.encrypt_rtcp(&buffer[start..]).map_err(SrtpError::of)?;
        replace(buffer, start, &sealed);
        Ok(())
    }
}

fn replace(buffer: &mut Vec<u8>, start: usize, sealed: &[u8]) {
    buffer.truncate(start);
    buffer.extend_from_slice(sealed);
}

/// Opens what comes.
pub(crate) struct LegacyOpener {
    context: Context,
    sources: HashSet<u32>,
    /// Keeps the last opened packet, which the context gives away.
    opened: BytesMut,
}

impl LegacyOpener {
    pub(super) fn new(
        profile: ProtectionProfile,
        master: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        let (rtp, rtcp) = (srtp_replay_protection(WINDOW), srtcp_replay_protection(WINDOW));
        let context = Context::new(master, salt, profile, Some(rtp), Some(rtcp), crypto);
        Ok(Self {
            context: context.map_err(SrtpError::of)?,
            sources: HashSet::new(),
            opened: BytesMut::new(),
        })
    }

    pub(super) fn open_rtp(&mut self, packet: &[u8], header: &Header) -> Option<&[u8]> {
        self.admit(header.ssrc)?;
        self.opened = self.context.decrypt_rtp(packet).ok()?;
        Some(&self.opened)
    }

    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let ssrc = packet.get(4..8)?.try_into().map(u32::from_be_bytes).ok()?;
        self.admit(ssrc)?;
        self.opened = self.context.decrypt_rtcp(packet).ok()?;
        Some(&self.opened)
    }

    fn admit(&mut self, ssrc: u32) -> Option<()> {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains(&ssrc) {
            return None;
        }
        self.sources.insert(ssrc);
        Some(())
    }
}
