//! AES-GCM for SRTP and SRTCP (RFC 7714).

use std::collections::HashMap;

use rtc_crypto::{AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, RTCCrypto};

use super::{MAX_SOURCES, SrtpError};
use crate::media::forward::{
    outgoing::Written,
    rtp::Header,
    sequence::{ReplayWindow, extend},
};

const TAG: usize = 16;
const NONCE: usize = 12;
const BLOCK: usize = 16;

/// The part of an RTCP packet that stays readable: the first header and its SSRC.
const RTCP_CLEAR: usize = 8;

/// The encryption flag and the index behind an SRTCP packet.
const RTCP_TRAILER: usize = 4;
const RTCP_ENCRYPTED: u32 = 1 << 31;

/// Key derivation labels (RFC 3711, 4.3.2).
const RTP_KEY: u8 = 0;
const RTP_SALT: u8 = 2;
const RTCP_KEY: u8 = 3;
const RTCP_SALT: u8 = 5;

/// A session key and salt.
struct Key {
    cipher: Box<dyn AeadCipher>,
    salt: [u8; NONCE],
}

impl Key {
    fn derive(
        master: &[u8],
        salt: &[u8],
        labels: (u8, u8),
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        let mut key = [0; 2 * BLOCK];
        let key = &mut key[..master.len()];
        derive(master, salt, labels.0, key, crypto)?;
        let algorithm = match key.len() {
            BLOCK => AeadAlgorithm::Aes128Gcm,
            _ => AeadAlgorithm::Aes256Gcm,
        };
        let mut session_salt = [0; NONCE];
        derive(master, salt, labels.1, &mut session_salt, crypto)?;
        let cipher = crypto.new_aead(algorithm, key).map_err(SrtpError::of)?;
        Ok(Self { cipher, salt: session_salt })
    }

    /// RFC 7714, 8.1: SSRC, rollover counter and sequence number.
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> [u8; NONCE] {
        let mut nonce = self.salt;
        let [_, _, count @ ..] = index.to_be_bytes();
        mix(&mut nonce[2..6], &ssrc.to_be_bytes());
        mix(&mut nonce[6..], &count);
        nonce
    }

    /// RFC 7714, 9.1: SSRC and SRTCP index.
    fn rtcp_nonce(&self, ssrc: u32, index: u32) -> [u8; NONCE] {
        let mut nonce = self.salt;
        mix(&mut nonce[2..6], &ssrc.to_be_bytes());
        mix(&mut nonce[8..], &index.to_be_bytes());
        nonce
    }
}

/// AES in counter mode as pseudo-random function (RFC 3711, 4.3.3; RFC 6188 for 256 bits).
fn derive(
    master: &[u8],
    salt: &[u8],
    label: u8,
    out: &mut [u8],
    crypto: &dyn RTCCrypto,
) -> Result<(), SrtpError> {
    let algorithm = match master.len() {
        BLOCK => BlockCipherAlgorithm::Aes128,
        _ => BlockCipherAlgorithm::Aes256,
    };
    for (count, piece) in out.chunks_mut(BLOCK).enumerate() {
        let mut block = [0; BLOCK];
        block[..salt.len()].copy_from_slice(salt);
        block[7] ^= label;
        block[BLOCK - 1] = count as u8;
        crypto.block_encrypt(algorithm, master, &mut block).map_err(SrtpError::of)?;
        piece.copy_from_slice(&block[..piece.len()]);
    }
    Ok(())
}

fn mix(target: &mut [u8], value: &[u8]) {
    for (target, value) in target.iter_mut().zip(value) {
        *target ^= value;
    }
}

/// Protects what is sent.
pub(crate) struct GcmSealer {
    rtp: Key,
    rtcp: Key,
    rtcp_index: u32,
}

impl GcmSealer {
    pub(super) fn new(
        master: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        Ok(Self {
            rtp: Key::derive(master, salt, (RTP_KEY, RTP_SALT), crypto)?,
            rtcp: Key::derive(master, salt, (RTCP_KEY, RTCP_SALT), crypto)?,
            rtcp_index: 0,
        })
    }

    pub(super) fn seal_rtp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
        written: &Written,
    ) -> Result<(), SrtpError> {
        let nonce = self.rtp.rtp_nonce(written.ssrc, written.index);
        let mut tag = [0; TAG];
        let (header, payload) = buffer[start..].split_at_mut(written.header_len);
        self.rtp.cipher.seal_in_place(&nonce, header, payload, &mut tag).map_err(SrtpError::of)?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    pub(super) fn seal_rtcp(
        &mut self,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), SrtpError> {
        let ssrc = rtcp_ssrc(&buffer[start..]).ok_or_else(|| SrtpError::of("short RTCP"))?;
        // One count for all senders of the session keeps every nonce unique. It cannot run out:
        // at a thousand reports a second it lasts 24 days, and a session sends a few.
        self.rtcp_index = (self.rtcp_index + 1) & !RTCP_ENCRYPTED;
        let trailer = (self.rtcp_index | RTCP_ENCRYPTED).to_be_bytes();
        let nonce = self.rtcp.rtcp_nonce(ssrc, self.rtcp_index);
        let mut tag = [0; TAG];
        let (clear, body) = buffer[start..].split_at_mut(RTCP_CLEAR);
        let aad = rtcp_aad(clear, trailer);
        self.rtcp.cipher.seal_in_place(&nonce, &aad, body, &mut tag).map_err(SrtpError::of)?;
        buffer.extend_from_slice(&tag);
        buffer.extend_from_slice(&trailer);
        Ok(())
    }
}

/// Opens what comes.
pub(crate) struct GcmOpener {
    rtp: Key,
    rtcp: Key,
    rtp_sources: HashMap<u32, ReplayWindow>,
    rtcp_sources: HashMap<u32, ReplayWindow>,
}

impl GcmOpener {
    pub(super) fn new(
        master: &[u8],
        salt: &[u8],
        crypto: &dyn RTCCrypto,
    ) -> Result<Self, SrtpError> {
        Ok(Self {
            rtp: Key::derive(master, salt, (RTP_KEY, RTP_SALT), crypto)?,
            rtcp: Key::derive(master, salt, (RTCP_KEY, RTCP_SALT), crypto)?,
            rtp_sources: HashMap::new(),
            rtcp_sources: HashMap::new(),
        })
    }

    pub(super) fn open_rtp<'p>(
        &mut self,
        packet: &'p mut [u8],
        header: &Header,
    ) -> Option<&'p [u8]> {
        let known = self.rtp_sources.get(&header.ssrc);
        let index = match known.and_then(ReplayWindow::highest) {
            Some(highest) => extend(highest, header.sequence),
            None => u64::from(header.sequence),
        };
        if known.is_some_and(|window| !window.is_fresh(index)) {
            return None;
        }
        let end = packet.len().checked_sub(TAG).filter(|end| *end >= header.len)?;
        let (plain, tag) = packet.split_at_mut(end);
        let (clear, body) = plain.split_at_mut(header.len);
        let nonce = self.rtp.rtp_nonce(header.ssrc, index);
        self.rtp.cipher.open_in_place(&nonce, clear, body, tag).ok()?;
        mark(&mut self.rtp_sources, header.ssrc, index)?;
        Some(plain)
    }

    pub(super) fn open_rtcp<'p>(&mut self, packet: &'p mut [u8]) -> Option<&'p [u8]> {
        let ssrc = rtcp_ssrc(packet)?;
        let end = packet.len().checked_sub(RTCP_TRAILER + TAG).filter(|end| *end >= RTCP_CLEAR)?;
        let (plain, behind) = packet.split_at_mut(end);
        let (tag, trailer) = behind.split_first_chunk::<TAG>()?;
        let trailer: [u8; RTCP_TRAILER] = trailer.try_into().ok()?;
        let word = u32::from_be_bytes(trailer);
        let index = word & !RTCP_ENCRYPTED;
        let seen = self.rtcp_sources.get(&ssrc);
        let is_stale = seen.is_some_and(|window| !window.is_fresh(index.into()));
        if word & RTCP_ENCRYPTED == 0 || is_stale {
            return None;
        }
        let (clear, body) = plain.split_at_mut(RTCP_CLEAR);
        let (nonce, aad) = (self.rtcp.rtcp_nonce(ssrc, index), rtcp_aad(clear, trailer));
        self.rtcp.cipher.open_in_place(&nonce, &aad, body, tag).ok()?;
        mark(&mut self.rtcp_sources, ssrc, index.into())?;
        Some(plain)
    }
}

/// Notes an authentic packet; `None` when its source is one too many.
fn mark(sources: &mut HashMap<u32, ReplayWindow>, ssrc: u32, index: u64) -> Option<()> {
    if sources.len() >= MAX_SOURCES && !sources.contains_key(&ssrc) {
        return None;
    }
    sources.entry(ssrc).or_insert_with(ReplayWindow::new).mark(index);
    Some(())
}

fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let clear: &[u8; RTCP_CLEAR] = packet.first_chunk()?;
    Some(u32::from_be_bytes([clear[4], clear[5], clear[6], clear[7]]))
}

fn rtcp_aad(clear: &[u8], trailer: [u8; RTCP_TRAILER]) -> [u8; RTCP_CLEAR + RTCP_TRAILER] {
    let mut aad = [0; RTCP_CLEAR + RTCP_TRAILER];
    aad[..RTCP_CLEAR].copy_from_slice(&clear[..RTCP_CLEAR]);
    aad[RTCP_CLEAR..].copy_from_slice(&trailer);
    aad
}
