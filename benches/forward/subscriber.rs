//! One who receives.

use std::time::{Duration, Instant};

use super::{
    peer::{Peer, sdp::Direction},
    rtp,
};
use crate::support::Result;

const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The SSRC of reports; a subscriber sends nothing else.
const SSRC: u32 = 0x00be_0003;

/// The subscriber.
pub(crate) struct Subscriber {
    pub(crate) peer: Peer,
    /// RTP packets that arrived, opened or not.
    pub(crate) received: u64,
    /// Missing in the numbers of those that were opened.
    pub(crate) lost: u64,
    source: Option<u32>,
    highest: u64,
    next_report: Instant,
}

impl Subscriber {
    /// A subscriber without a connection. Their reports are spread over the second by `number`.
    pub(crate) fn new(number: usize, now: Instant) -> Result<Self> {
        let offset = Duration::from_millis(number as u64 * 37 % 1000);
        Ok(Self {
            peer: Peer::new()?,
            received: 0,
            lost: 0,
            source: None,
            highest: 0,
            next_report: now + offset,
        })
    }

    /// Its offer.
    pub(crate) fn offer(&self) -> Result<String> {
        self.peer.offer(Direction::Subscribe)
    }

    /// Reports what is due to be reported.
    pub(crate) fn on_time(&mut self, now: Instant) -> Result<()> {
        self.peer.on_time(now)?;
        if now < self.next_report {
            return Ok(());
        }
        self.next_report = now + REPORT_INTERVAL;
        let (Some(source), Some(srtp)) = (self.source, &mut self.peer.srtp) else {
            return Ok(());
        };
        let report = rtp::receiver_report(SSRC, source, self.lost as u32, self.highest as u32);
        let sealed = srtp.outgoing.encrypt_rtcp(&report)?;
        self.peer.send(&sealed)
    }

    /// Opens a packet and looks at its number.
    pub(crate) fn open_rtp(&mut self, datagram: &[u8]) -> Result<()> {
        let Some(srtp) = &mut self.peer.srtp else { return Ok(()) };
        let packet = srtp.incoming.decrypt_rtp(datagram)?;
        if packet.len() < rtp::HEADER_BYTES {
            return Err("a forwarded packet is short".into());
        }
        let source = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        let number = u64::from(rtp::sequence(&packet));
        if self.source.replace(source) == Some(source) {
            let ahead = (number as u16).wrapping_sub(self.highest as u16);
            match ahead {
                0 => return Err("a packet came twice".into()),
                1..0x8000 => {
                    self.lost += u64::from(ahead) - 1;
                    self.highest += u64::from(ahead);
                }
                // It was counted as lost.
                _ => self.lost = self.lost.saturating_sub(1),
            }
        } else {
            self.highest = number;
        }
        Ok(())
    }

    /// Opens a report, so that the server's protection of it is checked.
    pub(crate) fn open_rtcp(&mut self, datagram: &[u8]) -> Result<()> {
        let Some(srtp) = &mut self.peer.srtp else { return Ok(()) };
        srtp.incoming.decrypt_rtcp(datagram)?;
        Ok(())
    }
}
