//! The one who sends: a picture every so many packets, key frames and packets again on demand.

use std::time::{Duration, Instant};

use super::{
    peer::{
        Peer,
        sdp::{Direction, RTX, VP8},
    },
    rtp::{self, Feedback, HEADER_BYTES, Header, PAYLOAD_BYTES, Vp8},
};
use crate::support::Result;

/// Packets of a picture; at 260 packets/s these are 29 pictures a second.
pub(crate) const PICTURE_PACKETS: u64 = 9;

/// Packets that can be sent again.
const KEPT_PACKETS: usize = 1024;

/// Sending that is later than this is not caught up with, so a load that is too slow says so
/// instead of sending one huge burst.
const MAX_LATENESS: Duration = Duration::from_millis(50);

const REPORT_INTERVAL: Duration = Duration::from_secs(1);

const SSRC: u32 = 0x00be_0001;
const RTX_SSRC: u32 = 0x00be_0002;

/// How packets follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Packets a second.
    pub(crate) rate: f64,
    /// Whether those of one picture leave at once, as an encoder hands them over, or evenly, as a
    /// pacer spreads them.
    pub(crate) at_once: bool,
}

/// The publisher.
pub(crate) struct Publisher {
    pub(crate) peer: Peer,
    pace: Option<Pace>,
    next: Instant,
    start: Instant,
    next_report: Instant,
    /// Packets sent; the first has sequence number 1.
    pub(crate) sent: u64,
    rtx_sent: u64,
    picture_time: u32,
    key_frame: bool,
    kept: Vec<Vec<u8>>,
}

impl Publisher {
    /// A publisher that sends nothing yet.
    pub(crate) fn new(now: Instant) -> Result<Self> {
        Ok(Self {
            peer: Peer::new()?,
            pace: None,
            next: now,
            start: now,
            next_report: now,
            sent: 0,
            rtx_sent: 0,
            picture_time: 0,
            key_frame: true,
            kept: vec![Vec::new(); KEPT_PACKETS],
        })
    }

    /// Its offer.
    pub(crate) fn offer(&self) -> Result<String> {
        self.peer.offer(Direction::Publish { ssrc: SSRC, rtx_ssrc: RTX_SSRC })
    }

    /// Sends from now on like this, or stops.
    pub(crate) fn set_pace(&mut self, pace: Option<Pace>, now: Instant) {
        self.pace = pace;
        self.next = now;
    }

    /// When it has something to send next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.pace.map(|_| self.next)
    }

    /// Sends what is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Result<()> {
        let Some(pace) = self.pace else { return Ok(()) };
        if self.next + MAX_LATENESS < now {
            self.next = now;
        }
        let burst = if pace.at_once { PICTURE_PACKETS } else { 1 };
        while self.next <= now {
            for _ in 0..burst {
                self.send_packet(now)?;
            }
            self.next += Duration::from_secs_f64(burst as f64 / pace.rate);
        }
        if now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            let octets = (self.sent * PAYLOAD_BYTES as u64) as u32;
            let report = rtp::sender_report(SSRC, self.clock(now), self.sent as u32, octets);
            self.send_rtcp(&report)?;
        }
        Ok(())
    }

    /// Takes protected RTCP.
    pub(crate) fn feedback(&mut self, datagram: &[u8]) -> Result<()> {
        let Some(srtp) = &mut self.peer.srtp else { return Ok(()) };
        let compound = srtp.incoming.decrypt_rtcp(datagram)?;
        for wish in rtp::feedback(&compound) {
            match wish {
                Feedback::KeyFrame => self.key_frame = true,
                Feedback::Packet(sequence) => self.send_again(sequence)?,
            }
        }
        Ok(())
    }

    fn send_packet(&mut self, now: Instant) -> Result<()> {
        let place = self.sent % PICTURE_PACKETS;
        if place == 0 {
            self.picture_time = self.clock(now);
        }
        let header = Header {
            payload_type: VP8,
            marker: place == PICTURE_PACKETS - 1,
            sequence: (self.sent + 1) as u16,
            timestamp: self.picture_time,
            ssrc: SSRC,
        };
        let vp8 = Vp8 {
            picture: (self.sent / PICTURE_PACKETS) as u16 & 0x7fff,
            first: place == 0,
            key_frame: place == 0 && std::mem::take(&mut self.key_frame),
        };
        self.sent += 1;
        let mut packet = std::mem::take(&mut self.kept[self.sent as usize % KEPT_PACKETS]);
        packet.clear();
        header.write(&mut packet);
        vp8.write(&mut packet);
        self.send_rtp(&packet)?;
        self.kept[self.sent as usize % KEPT_PACKETS] = packet;
        Ok(())
    }

    /// RFC 4588: the same payload behind its first sequence number.
    fn send_again(&mut self, sequence: u16) -> Result<()> {
        // 2^16 is a multiple of the number kept, so a sequence number names one place.
        let kept = &self.kept[usize::from(sequence) % KEPT_PACKETS];
        if kept.len() < HEADER_BYTES || rtp::sequence(kept) != sequence {
            return Ok(());
        }
        self.rtx_sent += 1;
        let mut packet = Vec::with_capacity(kept.len() + 2);
        packet.extend(&kept[..HEADER_BYTES]);
        packet.extend(sequence.to_be_bytes());
        packet.extend(&kept[HEADER_BYTES..]);
        packet[1] = packet[1] & 0x80 | RTX;
        packet[2..4].copy_from_slice(&(self.rtx_sent as u16).to_be_bytes());
        packet[8..12].copy_from_slice(&RTX_SSRC.to_be_bytes());
        self.send_rtp(&packet)
    }

    fn send_rtp(&mut self, packet: &[u8]) -> Result<()> {
        let Some(srtp) = &mut self.peer.srtp else { return Ok(()) };
        let sealed = srtp.outgoing.encrypt_rtp(packet)?;
        self.peer.send(&sealed)
    }

    fn send_rtcp(&mut self, report: &[u8]) -> Result<()> {
        let Some(srtp) = &mut self.peer.srtp else { return Ok(()) };
        let sealed = srtp.outgoing.encrypt_rtcp(report)?;
        self.peer.send(&sealed)
    }

    fn clock(&self, now: Instant) -> u32 {
        ((now - self.start).as_secs_f64() * 90_000.0) as u32
    }
}
