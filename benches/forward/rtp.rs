//! The bytes of RTP and RTCP that the load writes and reads.

use std::time::{SystemTime, UNIX_EPOCH};

use super::peer::sdp::ABS_SEND_TIME;

/// Payload bytes of a video packet, as in a browser's stream of 2.5 Mbit/s.
pub(crate) const PAYLOAD_BYTES: usize = 1180;

/// Fixed header and one word of header extension with its preface.
pub(crate) const HEADER_BYTES: usize = 20;

/// From the NTP epoch to the Unix one, in seconds.
const NTP_OFFSET: u64 = 2_208_988_800;

/// Transport-layer feedback and payload-specific feedback (RFC 4585).
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// What stands in front of a payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl Header {
    /// Appends it, with the time of sending as a header extension.
    pub(crate) fn write(&self, packet: &mut Vec<u8>) {
        let send_time = (ntp_now() >> 14) as u32;
        packet.extend([0x90, u8::from(self.marker) << 7 | self.payload_type]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend([0xbe, 0xde, 0, 1, ABS_SEND_TIME << 4 | 2]);
        packet.extend(&send_time.to_be_bytes()[1..]);
    }
}

/// The sequence number of a packet with its header.
pub(crate) fn sequence(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

/// Where a VP8 packet stands in its picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vp8 {
    pub(crate) picture: u16,
    pub(crate) first: bool,
    pub(crate) key_frame: bool,
}

impl Vp8 {
    /// Appends a payload: descriptor with picture id (RFC 7741, 4.2), the header of a 1280x720
    /// picture where one starts (4.3), and filler.
    pub(crate) fn write(&self, packet: &mut Vec<u8>) {
        let end = packet.len() + PAYLOAD_BYTES;
        packet.extend([0x80 | u8::from(self.first) << 4, 0x80]);
        packet.extend((self.picture | 0x8000).to_be_bytes());
        if self.first {
            // Shown, version 0, first partition of 1000 bytes.
            let tag = 1000_u32 << 5 | 1 << 4 | u32::from(!self.key_frame);
            packet.extend(&tag.to_le_bytes()[..3]);
            if self.key_frame {
                packet.extend([0x9d, 0x01, 0x2a]);
                packet.extend(1280_u16.to_le_bytes());
                packet.extend(720_u16.to_le_bytes());
            }
        }
        packet.resize(end, 0x5a);
    }
}

/// A sender report without report blocks.
pub(crate) fn sender_report(ssrc: u32, timestamp: u32, packets: u32, octets: u32) -> Vec<u8> {
    let mut report = vec![0x80, 200, 0, 6];
    report.extend(ssrc.to_be_bytes());
    report.extend(ntp_now().to_be_bytes());
    for word in [timestamp, packets, octets] {
        report.extend(word.to_be_bytes());
    }
    report
}

/// A receiver report about one source.
pub(crate) fn receiver_report(ssrc: u32, about: u32, lost: u32, highest: u32) -> Vec<u8> {
    let mut report = vec![0x81, 201, 0, 7];
    for word in [ssrc, about, lost.min(0x7f_ffff), highest, 0, 0, 0] {
        report.extend(word.to_be_bytes());
    }
    report
}

/// What a receiver asks a sender for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// A picture that decodes by itself (PLI or FIR).
    KeyFrame,
    /// A packet again.
    Packet(u16),
}

/// Finds the requests in a compound RTCP packet.
pub(crate) fn feedback(mut compound: &[u8]) -> Vec<Feedback> {
    let mut found = Vec::new();
    while let [first, kind, high, low, ..] = *compound {
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some((packet, rest)) = compound.split_at_checked(length) else { break };
        match (kind, first & 0x1f) {
            (PAYLOAD_FEEDBACK, 1 | 4) => found.push(Feedback::KeyFrame),
            (TRANSPORT_FEEDBACK, 1) => {
                for pair in packet.get(12..).unwrap_or_default().chunks_exact(4) {
                    let start = u16::from_be_bytes([pair[0], pair[1]]);
                    let others = u16::from_be_bytes([pair[2], pair[3]]);
                    let behind = (0..16).filter(|bit| others >> bit & 1 == 1);
                    let wanted = behind.map(|bit| start.wrapping_add(bit + 1));
                    found.extend([start].into_iter().chain(wanted).map(Feedback::Packet));
                }
            }
            _ => {}
        }
        compound = rest;
    }
    found
}

/// Now, as NTP writes it: seconds and their fraction in 32 bits each.
fn ntp_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    (now.as_secs() + NTP_OFFSET) << 32 | fraction
}
