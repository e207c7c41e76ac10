//! A subscriber's track: a source's packets under the subscriber's own numbers.

use std::time::Instant;

use super::{
    budget::{Budget, Repeats},
    clock::{Correspondence, Ntp, PublisherClock},
    pictures::PictureNumbers,
    rewrite::{ElementMap, SequenceMap},
    ring::Slot,
    sequence::extend,
};
use crate::media::negotiation::{AgreedTrack, ExtensionIds};

/// The first RTP timestamp that a subscriber sees.
const FIRST_TIMESTAMP: u32 = 1;

/// The first packet index on a retransmission SSRC.
const FIRST_RTX: u64 = 1;

/// Bytes that a retransmission puts before the payload: the original sequence number.
const ORIGINAL_SEQUENCE: usize = 2;

/// Whether packets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Until the next one that a decoder can start with.
    AwaitsKeyFrame,
    /// Until the next one.
    AwaitsPacket,
    Open,
}

/// Retransmissions on an SSRC of their own.
#[derive(Debug)]
struct Rtx {
    ssrc: u32,
    payload_type: u8,
    next: u64,
}

/// A packet that was written and waits to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) header_len: usize,
    pub(crate) ssrc: u32,
    /// The SRTP packet index: rollover counter and sequence number.
    pub(crate) index: u64,
}

/// The track.
#[derive(Debug)]
pub(crate) struct OutgoingTrack {
    pub(crate) ssrc: u32,
    payload_type: u8,
    rtx: Option<Rtx>,
    elements: ElementMap,
    /// The subscriber's numbers of extensions.
    target: ExtensionIds,
    /// The subscriber's number of `abs-send-time`.
    stamped: Option<u8>,
    is_video: bool,
    gate: Gate,
    numbers: SequenceMap,
    pictures: PictureNumbers,
    /// The source's time minus the subscriber's.
    time_offset: Option<u32>,
    /// What it is to be by what the publisher says of its clocks, once the source has a packet.
    planned_offset: Option<u32>,
    clock_rate: u32,
    /// The subscriber's time of the latest packet, and when it was sent.
    latest: Option<(u32, [u8; 3])>,
    packets: u32,
    octets: u32,
    budget: Budget,
    repeats: Repeats,
}

impl OutgoingTrack {
    /// A track of `agreed` (with the subscriber), fed by one whose extensions are `source`.
    pub(crate) fn new(
        agreed: &AgreedTrack,
        source: &ExtensionIds,
        ssrc: u32,
        rtx_ssrc: u32,
        is_video: bool,
    ) -> Self {
        let rtx = agreed.rtx_payload_type.map(|payload_type| Rtx {
            ssrc: rtx_ssrc,
            payload_type,
            next: FIRST_RTX,
        });
        // Without RTX a packet is repeated under its own number, and the cipher demands that it
        // has the same bytes then; so it cannot carry the time of its sending.
        let stamped = agreed.extensions.abs_send_time.filter(|_| rtx.is_some());
        let target = ExtensionIds { abs_send_time: stamped, ..agreed.extensions };
        let gate = if is_video { Gate::AwaitsKeyFrame } else { Gate::AwaitsPacket };
        Self {
            ssrc,
            payload_type: agreed.payload_type,
            rtx,
            elements: element_map(source, &target),
            target,
            stamped,
            is_video,
            gate,
            numbers: SequenceMap::new(),
            pictures: PictureNumbers::default(),
            time_offset: None,
            planned_offset: None,
            clock_rate: agreed.codec.clock_rate,
            latest: None,
            packets: 0,
            octets: 0,
            budget: Budget::new(),
            repeats: Repeats::default(),
        }
    }

    /// Begins anew with the next packet that a decoder can start with, without a gap.
    pub(crate) fn restart(&mut self) {
        self.gate = if self.is_video { Gate::AwaitsKeyFrame } else { Gate::AwaitsPacket };
    }

    /// Begins anew with another source, whose extensions are `source`: the numbers go on without a
    /// gap. So does the time, by what the new source's clock is ahead of the old one's if that is
    /// known, else by what has passed meanwhile.
    pub(crate) fn switch(&mut self, source: &ExtensionIds, ahead: Option<u32>) {
        self.restart();
        self.numbers.forget_source();
        self.pictures.switch();
        self.elements = element_map(source, &self.target);
        let before = self.time_offset.take().or(self.planned_offset);
        self.planned_offset = before.zip(ahead).map(|(before, ahead)| before.wrapping_add(ahead));
    }

    /// The subscriber's time for a time of the source, once it has had a packet.
    pub(crate) fn time_of(&self, source: u32) -> Option<u32> {
        Some(source.wrapping_sub(self.time_offset?))
    }

    /// The source's time minus the subscriber's, from the source's first packet on, which is sent
    /// at `stamp`. The publisher's word counts unless it contradicts the time that has passed, and
    /// time never stands still.
    fn first_offset(&mut self, timestamp: u32, stamp: [u8; 3]) -> u32 {
        let passed = self.first_time(stamp);
        let planned = self.planned_offset.take().map(|offset| timestamp.wrapping_sub(offset));
        let is_credible =
            |time: &u32| time.wrapping_sub(passed).cast_signed().unsigned_abs() <= self.clock_rate;
        let time = match planned.filter(is_credible).zip(self.latest) {
            Some((time, (latest, _))) if time.wrapping_sub(latest).cast_signed() <= 0 => {
                latest.wrapping_add(1)
            }
            Some((time, _)) => time,
            None => passed,
        };
        timestamp.wrapping_sub(time)
    }

    /// The subscriber's time of a packet that is sent at `stamp`, by what has passed since the
    /// latest one.
    fn first_time(&self, stamp: [u8; 3]) -> u32 {
        let Some((time, sent)) = self.latest else { return FIRST_TIMESTAMP };
        let [from, to] = [sent, stamp].map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]));
        // In 2^-18 s, and modulo 64 s: longer pauses are shortened.
        let passed = u64::from(to.wrapping_sub(from) & 0x00FF_FFFF);
        let units = (passed * u64::from(self.clock_rate)) >> 18;
        time.wrapping_add((units as u32).max(1))
    }

    /// Appends the packet to `buffer` as the subscriber is to see it, if it is to see it.
    pub(crate) fn forward(
        &mut self,
        slot: &Slot,
        stamp: [u8; 3],
        buffer: &mut Vec<u8>,
    ) -> Option<Written> {
        if slot.is_filler {
            if self.gate == Gate::Open {
                self.numbers.skip(slot.index);
            }
            return None;
        }
        match self.gate {
            Gate::AwaitsKeyFrame if !slot.starts_key_frame => return None,
            Gate::AwaitsKeyFrame | Gate::AwaitsPacket => {
                self.numbers.resume_at(slot.index);
                self.gate = Gate::Open;
            }
            Gate::Open => {}
        }
        let number = self.numbers.forward(slot.index)?;
        let time_offset = match self.time_offset {
            Some(time_offset) => time_offset,
            None => self.first_offset(slot.timestamp, stamp),
        };
        self.time_offset = Some(time_offset);
        self.latest = Some((slot.timestamp.wrapping_sub(time_offset), stamp));
        if let Some(marks) = &slot.pictures {
            self.pictures.pass(marks);
        }
        self.packets = self.packets.wrapping_add(1);
        let payload_len = slot.data.len() - slot.header_len;
        self.octets = self.octets.wrapping_add(payload_len as u32);
        self.budget.earn(slot.data.len());
        Some(self.write(slot, number, stamp, buffer))
    }

    /// The index of the source's packet that the subscriber names in a NACK, if it was sent and
    /// may be sent again now.
    pub(crate) fn repeatable(&mut self, sequence: u16, now: Instant) -> Option<u64> {
        let number = extend(self.numbers.highest()?, sequence);
        let source = self.numbers.backward(number)?;
        self.repeats.admit(number, now).then_some(source)
    }

    /// Appends the packet again: as a retransmission where these were negotiated, else exactly
    /// as before. `None` when it has been sent often enough.
    pub(crate) fn repeat(
        &mut self,
        slot: &Slot,
        stamp: [u8; 3],
        buffer: &mut Vec<u8>,
    ) -> Option<Written> {
        let number = self.numbers.forward(slot.index).filter(|_| !slot.is_filler)?;
        if !self.budget.spend(slot.data.len()) {
            return None;
        }
        let start = buffer.len();
        let mut written = self.write(slot, number, stamp, buffer);
        if let Some(rtx) = &mut self.rtx {
            let (index, payload_at) = (rtx.next, start + written.header_len);
            rtx.next += 1;
            buffer.truncate(start + slot.data.len());
            let payload_end = buffer.len();
            buffer.extend_from_slice(&[0; ORIGINAL_SEQUENCE]);
            buffer.copy_within(payload_at..payload_end, payload_at + ORIGINAL_SEQUENCE);
            buffer[payload_at..payload_at + ORIGINAL_SEQUENCE]
                .copy_from_slice(&(number as u16).to_be_bytes());
            let header = &mut buffer[start..];
            header[0] &= !0x20;
            header[1] = header[1] & 0x80 | rtx.payload_type;
            header[2..4].copy_from_slice(&(index as u16).to_be_bytes());
            header[8..12].copy_from_slice(&rtx.ssrc.to_be_bytes());
            written = Written { ssrc: rtx.ssrc, index, ..written };
        }
        Some(written)
    }

    /// What a sender report says at `now`: RTP time, packets and octets. `None` before the first
    /// packet, or while the publisher's clock is unknown.
    pub(crate) fn sender_report(
        &self,
        now: Ntp,
        claim: Correspondence,
        clock: &PublisherClock,
        rate: u32,
    ) -> Option<(u32, u32, u32)> {
        let time = claim.rtp_at(now, clock, rate)?.wrapping_sub(self.time_offset?);
        Some((time, self.packets, self.octets))
    }

    fn write(&self, slot: &Slot, number: u64, stamp: [u8; 3], buffer: &mut Vec<u8>) -> Written {
        let start = buffer.len();
        buffer.extend_from_slice(&slot.data);
        let packet = &mut buffer[start..];
        packet[1] = packet[1] & 0x80 | self.payload_type;
        packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
        let time = slot.timestamp.wrapping_sub(self.time_offset.unwrap_or(0));
        packet[4..8].copy_from_slice(&time.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        if let Some(marks) = &slot.pictures {
            self.pictures.write(marks, &mut packet[slot.header_len..]);
        }
        for element in slot.elements.iter() {
            let at = usize::from(element.at);
            let bytes = &mut packet[at..=at + usize::from(element.len)];
            match self.elements[usize::from(element.id)] {
                0 => bytes.fill(0),
                id => {
                    bytes[0] = id << 4 | (element.len - 1);
                    if Some(id) == self.stamped && bytes.len() == 4 {
                        bytes[1..].copy_from_slice(&stamp);
                    }
                }
            }
        }
        if slot.padding > 0 {
            packet[0] |= 0x20;
            buffer.resize(buffer.len() + usize::from(slot.padding) - 1, 0);
            buffer.push(slot.padding);
        }
        Written { header_len: slot.header_len, ssrc: self.ssrc, index: number }
    }
}

/// The extensions that a forwarded packet may carry, by their numbers on either side.
fn element_map(source: &ExtensionIds, target: &ExtensionIds) -> ElementMap {
    let mut map = [0; 16];
    let pairs = [
        (source.audio_level, target.audio_level),
        (source.video_orientation, target.video_orientation),
        (source.abs_send_time, target.abs_send_time),
    ];
    for (from, to) in pairs {
        if let (Some(from @ 1..=14), Some(to @ 1..=14)) = (from, to) {
            map[usize::from(from)] = to;
        }
    }
    map
}

#[cfg(test)]
mod tests;
