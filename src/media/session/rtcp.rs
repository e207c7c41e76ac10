//! RTCP (RFC 3550, 4585, 5104): what peers say, and what they are told.

use std::time::Duration;

use bytes::Bytes;
use rtc_rtcp::{
    goodbye::Goodbye,
    packet::Packet,
    payload_feedbacks::{
        full_intra_request::{FirEntry, FullIntraRequest},
        picture_loss_indication::PictureLossIndication,
        receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
    },
    receiver_report::ReceiverReport,
    reception_report::ReceptionReport,
    sender_report::SenderReport,
    source_description::{
        SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
    },
    transport_feedbacks::transport_layer_nack::{
        TransportLayerNack, nack_pairs_from_sequence_numbers,
    },
};
use rtc_shared::marshal::Unmarshal;

use crate::media::forward::{
    clock::{Correspondence, Ntp, short_delay},
    incoming::Report,
};

/// Packets of one datagram that are read.
const MAX_PACKETS: usize = 32;

/// Sequence numbers of one datagram that are read.
const MAX_MISSING: usize = 512;

const SENDER_REPORT: u8 = 200;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const FORMAT_NACK: u8 = 1;
const FORMAT_PLI: u8 = 1;
const FORMAT_FIR: u8 = 4;

/// What a peer says that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A publisher tells how its clocks correspond.
    Clocks {
        /// Whose.
        ssrc: u32,
        /// NTP timestamp.
        ntp: u64,
        /// RTP timestamp of the same instant.
        rtp: u32,
    },
    /// A subscriber misses packets.
    Missing {
        /// Of which source.
        ssrc: u32,
        /// Which.
        sequences: Vec<u16>,
    },
    /// A subscriber cannot go on without a key frame.
    NeedsKeyFrame {
        /// Of which source.
        ssrc: u32,
    },
    /// A source ends.
    Goodbye {
        /// Which.
        ssrc: u32,
    },
}

/// Reads a decrypted compound packet. Parts that are broken or of no interest are passed over.
pub(crate) fn read(compound: &[u8], said: &mut Vec<Said>) {
    let mut rest = compound;
    let mut missing = 0;
    for _ in 0..MAX_PACKETS {
        let Some(header) = rest.first_chunk::<4>() else { return };
        let end = 4 + 4 * usize::from(u16::from_be_bytes([header[2], header[3]]));
        let Some(mut packet) = rest.get(..end) else { return };
        rest = &rest[end..];
        let format = header[0] & 0x1F;
        match (header[1], format) {
            (SENDER_REPORT, _) => {
                if let Ok(report) = SenderReport::unmarshal(&mut packet) {
                    let SenderReport { ssrc, ntp_time, rtp_time, .. } = report;
                    said.push(Said::Clocks { ssrc, ntp: ntp_time, rtp: rtp_time });
                }
            }
            (GOODBYE, _) => {
                let sources = Goodbye::unmarshal(&mut packet).map(|goodbye| goodbye.sources);
                let goodbye = |ssrc| Said::Goodbye { ssrc };
                said.extend(sources.into_iter().flatten().map(goodbye));
            }
            (TRANSPORT_FEEDBACK, FORMAT_NACK) => {
                if let Ok(nack) = TransportLayerNack::unmarshal(&mut packet) {
                    let sequences: Vec<u16> =
                        nack.nacks.into_iter().flatten().take(MAX_MISSING - missing).collect();
                    missing += sequences.len();
                    said.push(Said::Missing { ssrc: nack.media_ssrc, sequences });
                }
            }
            (PAYLOAD_FEEDBACK, FORMAT_PLI) => {
                if let Ok(loss) = PictureLossIndication::unmarshal(&mut packet) {
                    said.push(Said::NeedsKeyFrame { ssrc: loss.media_ssrc });
                }
            }
            (PAYLOAD_FEEDBACK, FORMAT_FIR) => {
                let entries = FullIntraRequest::unmarshal(&mut packet).map(|request| request.fir);
                let needs = |entry: FirEntry| Said::NeedsKeyFrame { ssrc: entry.ssrc };
                said.extend(entries.into_iter().flatten().map(needs));
            }
            _ => {}
        }
    }
}

/// A compound packet in the making. It begins with a report, as RFC 3550, 6.1 demands.
pub(crate) struct Compound {
    sender: u32,
    packets: Vec<Box<dyn Packet>>,
}

/// What a subscriber is told about a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) ssrc: u32,
    pub(crate) now: Ntp,
    pub(crate) rtp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

impl Compound {
    /// From `sender`, an SSRC of this end, with a receiver report about `reports`.
    pub(crate) fn receiver(sender: u32, reports: &[Report]) -> Self {
        let reports = reports.iter().map(reception).collect();
        let report = ReceiverReport { ssrc: sender, reports, ..ReceiverReport::default() };
        Self { sender, packets: vec![Box::new(report)] }
    }

    /// From the source `sent` itself, under the name `cname`.
    pub(crate) fn sender(sent: Sent, cname: &str) -> Self {
        let report = SenderReport {
            ssrc: sent.ssrc,
            ntp_time: sent.now.0,
            rtp_time: sent.rtp,
            packet_count: sent.packets,
            octet_count: sent.octets,
            ..SenderReport::default()
        };
        let item = SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: Bytes::copy_from_slice(cname.as_bytes()),
        };
        let chunk = SourceDescriptionChunk { source: sent.ssrc, items: vec![item] };
        let description = SourceDescription { chunks: vec![chunk] };
        Self { sender: sent.ssrc, packets: vec![Box::new(report), Box::new(description)] }
    }

    /// Asks for packets.
    pub(crate) fn missing(mut self, media: u32, sequences: &[u16]) -> Self {
        self.packets.push(Box::new(TransportLayerNack {
            sender_ssrc: self.sender,
            media_ssrc: media,
            nacks: nack_pairs_from_sequence_numbers(sequences),
        }));
        self
    }

    /// Asks for a key frame by picture loss indication.
    pub(crate) fn picture_loss(mut self, media: u32) -> Self {
        let loss = PictureLossIndication { sender_ssrc: self.sender, media_ssrc: media };
        self.packets.push(Box::new(loss));
        self
    }

    /// Asks for a key frame by full intra request, the `count`-th one.
    pub(crate) fn full_intra(mut self, media: u32, count: u8) -> Self {
        self.packets.push(Box::new(FullIntraRequest {
            sender_ssrc: self.sender,
            media_ssrc: 0,
            fir: vec![FirEntry { ssrc: media, sequence_number: count }],
        }));
        self
    }

    /// Tells how much may be sent, in bit/s over all of `ssrcs`.
    pub(crate) fn maximum_bitrate(mut self, bitrate: u32, ssrcs: Vec<u32>) -> Self {
        self.packets.push(Box::new(ReceiverEstimatedMaximumBitrate {
            sender_ssrc: self.sender,
            bitrate: bitrate as f32,
            ssrcs,
        }));
        self
    }

    /// Ends sources.
    pub(crate) fn goodbye(mut self, sources: Vec<u32>) -> Self {
        self.packets.push(Box::new(Goodbye { sources, reason: Bytes::new() }));
        self
    }

    /// Whether there is more in it than its report.
    pub(crate) fn asks(&self) -> bool {
        self.packets.len() > 1
    }

    /// Appends the bytes; nothing when something in it cannot be written.
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) -> bool {
        match rtc_rtcp::packet::marshal(&self.packets) {
            Ok(bytes) => {
                buffer.extend_from_slice(&bytes);
                true
            }
            Err(_) => false,
        }
    }
}

fn reception(report: &Report) -> ReceptionReport {
    let (last_sender_report, delay) = match report.sender_report {
        Some((Correspondence { ntp, .. }, ago)) => (ntp.middle(), short_delay(ago)),
        None => (0, 0),
    };
    ReceptionReport {
        ssrc: report.ssrc,
        fraction_lost: report.counts.fraction_lost,
        total_lost: report.counts.cumulative_lost,
        last_sequence_number: report.counts.highest,
        jitter: report.counts.jitter,
        last_sender_report,
        delay,
    }
}

/// How often reports are sent.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::forward::reception::Reported;

    fn heard(compound: &Compound) -> Vec<Said> {
        let mut buffer = Vec::new();
        assert!(compound.write(&mut buffer));
        let mut said = Vec::new();
        read(&buffer, &mut said);
        said
    }

    #[test]
    fn what_is_told_is_heard() {
        let compound = Compound::receiver(1, &[])
            .missing(7, &[1, 2, 5, 100])
            .picture_loss(8)
            .full_intra(9, 3)
            .maximum_bitrate(1_000_000, vec![7])
            .goodbye(vec![4, 5]);
        assert_eq!(
            heard(&compound),
            [
                Said::Missing { ssrc: 7, sequences: vec![1, 2, 5, 100] },
                Said::NeedsKeyFrame { ssrc: 8 },
                Said::NeedsKeyFrame { ssrc: 9 },
                Said::Goodbye { ssrc: 4 },
                Said::Goodbye { ssrc: 5 },
            ]
        );
    }

    #[test]
    fn a_sender_report_tells_the_clocks() {
        let sent = Sent { ssrc: 5, now: Ntp(99), rtp: 7, packets: 1, octets: 2 };
        let clocks = Said::Clocks { ssrc: 5, ntp: 99, rtp: 7 };
        assert_eq!(heard(&Compound::sender(sent, "name")), [clocks]);
    }

    #[test]
    fn a_reception_report_has_the_right_fields() {
        let counts = Reported { fraction_lost: 3, cumulative_lost: 4, highest: 5, jitter: 6 };
        let claim = Correspondence { ntp: Ntp(0x1234_5678_9ABC_DEF0), rtp: 0 };
        let ago = Duration::from_millis(500);
        let report = Report { ssrc: 2, counts, sender_report: Some((claim, ago)) };
        let mut buffer = Vec::new();
        assert!(Compound::receiver(1, &[report]).write(&mut buffer));
        let parsed = ReceiverReport::unmarshal(&mut &buffer[..]).expect("well formed");
        let block = &parsed.reports[0];
        assert_eq!((block.ssrc, block.fraction_lost, block.total_lost), (2, 3, 4));
        assert_eq!((block.last_sequence_number, block.jitter), (5, 6));
        assert_eq!((block.last_sender_report, block.delay), (0x5678_9ABC, 32_768));
    }

    #[test]
    fn broken_parts_are_passed_over_and_nothing_panics() {
        let mut buffer = Vec::new();
        Compound::receiver(1, &[]).missing(7, &[1]).picture_loss(8).write(&mut buffer);
        for len in 0..buffer.len() {
            read(&buffer[..len], &mut Vec::new());
        }
        // A sender report that is too short, before a good indication.
        let mut compound = vec![0x80, SENDER_REPORT, 0, 1, 0, 0, 0, 0];
        compound.extend(&buffer[buffer.len() - 12..]);
        let mut said = Vec::new();
        read(&compound, &mut said);
        assert_eq!(said, [Said::NeedsKeyFrame { ssrc: 8 }]);
        let mut state = 5_u32;
        for _ in 0..50_000 {
            let mut bytes = [0_u8; 44];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
            bytes[0] = 0x80 | bytes[0] & 0x3F;
            bytes[1] = 200 + bytes[1] % 7;
            bytes[2] = 0;
            bytes[3] %= 11;
            read(&bytes, &mut Vec::new());
        }
    }
}
