//! A publisher's track: its packets in order, what is missing, and who gets them.

use std::time::{Duration, Instant};

use super::{
    clock::{Correspondence, clock_units},
    gaps::Gaps,
    keyframes::{self, KeyFrameRequests},
    padding, pictures,
    reception::Reception,
    ring::Ring,
    rtp::Header,
    sequence::extend,
};
use crate::{
    formats::{Resolution, TrackKind, VideoFormat},
    media::negotiation::{AgreedTrack, Codec},
};

/// Packets of a picture that are kept: about two seconds of a 2 Mbit/s stream.
const VIDEO_PACKETS: usize = 512;

/// Packets of sound that are kept: 2.5 seconds of usual ones.
const AUDIO_PACKETS: usize = 128;

/// Packets that wait for their forwarding at most; then they are forwarded.
const MAX_PENDING: usize = 64;

/// A jump of the sequence numbers beyond this is a new beginning, not a loss.
const MAX_JUMP: u64 = 3000;

/// Place between the indexes of one source and of the next one on the same track.
const SOURCE_DISTANCE: u64 = 1 << 17;

/// A source that is silent for as long may be replaced by another one.
const REPLACEABLE_AFTER: Duration = Duration::from_secs(1);

/// A picture's size is told no more often, since everybody in the room hears of it.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);

/// The header bits that forwarding decides anew: padding and extension.
const FLAG_PADDING: u8 = 0x20;
const FLAG_EXTENSION: u8 = 0x10;

/// Who sends the track at present.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    /// The highest sequence number, with its cycles.
    highest: u64,
    /// Index of a packet minus its sequence number with cycles.
    base: u64,
    /// The track's time minus the source's.
    time_shift: u32,
    reception: Reception,
    report: Option<(Correspondence, Instant)>,
    last_arrival: Instant,
    last_timestamp: u32,
    said_goodbye: bool,
    /// Whatever comes next is of another source, even if it bears the same SSRC.
    ended: bool,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The picture's size, when it is another one than before.
    pub(crate) measured: Option<Resolution>,
    /// The sequence is broken: subscribers must begin anew.
    pub(crate) broken: bool,
}

/// What the publisher is told every second about its track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) ssrc: u32,
    pub(crate) counts: super::reception::Reported,
    /// The last sender report, and how long it is ago.
    pub(crate) sender_report: Option<(Correspondence, Duration)>,
}

/// The track.
#[derive(Debug)]
pub(crate) struct IncomingTrack {
    /// What was negotiated.
    pub(crate) agreed: AgreedTrack,
    /// The SSRC of retransmissions, once known.
    pub(crate) rtx_ssrc: Option<u32>,
    /// Whether it is forwarded at present.
    pub(crate) active: bool,
    /// Keys of the outgoing tracks that get it.
    pub(crate) subscribers: Vec<usize>,
    /// Wishes for key frames.
    pub(crate) key_frames: KeyFrameRequests,
    ring: Ring,
    pending: Vec<u64>,
    gaps: Gaps,
    source: Option<Source>,
    /// The last size that was told, and when.
    resolution: Option<(Resolution, Instant)>,
    born: Instant,
    sizes: Vec<usize>,
    paddings: Vec<u8>,
}

impl IncomingTrack {
    pub(crate) fn new(agreed: AgreedTrack, now: Instant) -> Self {
        let packets = match agreed.kind {
            TrackKind::Audio => AUDIO_PACKETS,
            TrackKind::Video => VIDEO_PACKETS,
        };
        Self {
            rtx_ssrc: agreed.remote_rtx_ssrc,
            agreed,
            active: true,
            subscribers: Vec::new(),
            key_frames: KeyFrameRequests::default(),
            ring: Ring::new(packets),
            pending: Vec::with_capacity(MAX_PENDING),
            gaps: Gaps::default(),
            source: None,
            resolution: None,
            born: now,
            sizes: Vec::new(),
            paddings: Vec::new(),
        }
    }

    pub(crate) fn is_video(&self) -> bool {
        self.agreed.kind == TrackKind::Video
    }

    /// The SSRC at present.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// Whether packets of `ssrc` may become this track's: it has no source, or the one it has
    /// fell silent or said goodbye.
    pub(crate) fn admits(&self, ssrc: u32, now: Instant) -> bool {
        match &self.source {
            None => self.agreed.remote_ssrc.is_none_or(|announced| announced == ssrc),
            Some(source) => {
                let silent = now.saturating_duration_since(source.last_arrival);
                source.ssrc == ssrc || source.said_goodbye || silent > REPLACEABLE_AFTER
            }
        }
    }

    /// Notes an RTCP BYE of the source.
    pub(crate) fn goodbye(&mut self, ssrc: u32) {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) {
            source.said_goodbye = true;
        }
    }

    /// Notes that the source is gone for good, whatever it sent last.
    pub(crate) fn end_source(&mut self) {
        if let Some(source) = &mut self.source {
            source.ended = true;
        }
    }

    /// Takes a decrypted packet of the track itself; `None` if it is a duplicate, too old or not
    /// well formed.
    pub(crate) fn take(&mut self, header: &Header, packet: &[u8], now: Instant) -> Option<Taken> {
        let payload = packet.get(header.len..header.payload_end(packet)?)?;
        let is_other = |source: &Source| source.ended || source.ssrc != header.ssrc;
        let changed = self.source.as_ref().is_some_and(is_other);
        let began = self.source.is_none();
        if began || changed {
            self.begin_source(header, now);
        }
        let source = self.source.as_mut()?;
        let extended = extend(source.highest, header.sequence);
        let rate = self.agreed.codec.clock_rate;
        let arrival = clock_units(now.saturating_duration_since(self.born), rate);
        let index = source.base + extended;
        let is_known = self.ring.get(index).is_some();
        if is_known || index + self.ring.capacity() <= source.base + source.highest {
            return None;
        }
        source.reception.count(extended, header.timestamp, arrival);
        source.last_arrival = now;
        let mut taken = Taken { measured: None, broken: changed };
        if extended > source.highest {
            let (highest, base) = (source.highest, source.base);
            source.highest = extended;
            source.last_timestamp = header.timestamp.wrapping_add(source.time_shift);
            taken.broken |= self.advance(highest, extended, base, now);
        }
        self.store(header, packet, payload, index, &mut taken);
        Some(taken)
    }

    /// Takes a decrypted retransmission (RFC 4588, 4): the original sequence number stands before
    /// the payload. Shorter ones only probe the bandwidth.
    pub(crate) fn repair(&mut self, header: &Header, packet: &[u8]) -> Option<Taken> {
        let payload = packet.get(header.len..header.payload_end(packet)?)?;
        let (original, payload) = payload.split_first_chunk::<2>()?;
        let source = self.source.as_ref()?;
        if payload.is_empty() {
            return None;
        }
        let extended = extend(source.highest, u16::from_be_bytes(*original));
        let index = source.base + extended;
        let is_late = index + self.ring.capacity() <= source.base + source.highest;
        if extended > source.highest || is_late || self.ring.get(index).is_some() {
            return None;
        }
        let mut taken = Taken::default();
        self.store(header, packet, payload, index, &mut taken);
        Some(taken)
    }

    /// Learns from the publisher's sender report.
    pub(crate) fn sender_report(&mut self, ssrc: u32, claim: Correspondence, now: Instant) {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == ssrc) {
            source.report = Some((claim, now));
        }
    }

    /// Time of this track minus that of another one of the same publisher, at the same moment, as far
    /// as the publisher told.
    pub(crate) fn ahead_of(&self, other: &Self) -> Option<u32> {
        let (own, other) = (self.correspondence()?, other.correspondence()?);
        Some(own.ahead_of(other, self.agreed.codec.clock_rate))
    }

    /// The publisher's last claim about its clocks, in the track's continuous time.
    pub(crate) fn correspondence(&self) -> Option<Correspondence> {
        let source = self.source.as_ref().filter(|source| !source.ended)?;
        let (claim, _) = source.report?;
        Some(Correspondence { rtp: claim.rtp.wrapping_add(source.time_shift), ..claim })
    }

    /// What the next receiver report says.
    pub(crate) fn report(&mut self, now: Instant) -> Option<Report> {
        let source = self.source.as_mut()?;
        let sender_report =
            source.report.map(|(claim, at)| (claim, now.saturating_duration_since(at)));
        Some(Report { ssrc: source.ssrc, counts: source.reception.report(), sender_report })
    }

    /// Sequence numbers to ask for now, into `wanted`.
    pub(crate) fn take_missing(&mut self, now: Instant, wanted: &mut Vec<u16>) {
        let Some(source) = self.source.as_ref() else { return };
        let oldest = (source.base + source.highest + 1).saturating_sub(self.ring.capacity());
        let mut indexes = Vec::new();
        self.gaps.take_due(now, oldest, &mut indexes);
        wanted.extend(indexes.into_iter().map(|index| (index - source.base) as u16));
    }

    /// When to look at [`Self::take_missing`] or the key frame requests again.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        let request = self.ssrc().and_then(|_| self.key_frames.next_due(now));
        [self.gaps.next_due(), request].into_iter().flatten().min()
    }

    /// Whether a subscriber could begin with what waits for its forwarding.
    pub(crate) fn can_be_joined(&self) -> bool {
        let mut waiting = self.pending.iter().filter_map(|index| self.ring.get(*index));
        self.active && waiting.any(|slot| slot.starts_key_frame || !self.is_video())
    }

    /// Whether what waits should be forwarded now.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= MAX_PENDING
    }

    /// The packets that wait for their forwarding, with sizes made equal where that is cheap.
    /// Give the list back with [`Self::forwarded`].
    pub(crate) fn take_pending(&mut self) -> Vec<u64> {
        let pending = std::mem::take(&mut self.pending);
        if pending.len() > 1 && self.is_video() {
            self.sizes.clear();
            let size = |index: &u64| self.ring.get(*index).map_or(0, |slot| slot.data.len());
            self.sizes.extend(pending.iter().map(size));
            padding::equalize(&self.sizes, &mut self.paddings);
            for (index, padding) in pending.iter().zip(&self.paddings) {
                if let Some(slot) = self.ring.get_mut(*index).filter(|slot| !slot.is_filler) {
                    slot.padding = *padding;
                }
            }
        }
        pending
    }

    /// Takes the emptied list back, so that it need not be made again.
    pub(crate) fn forwarded(&mut self, mut list: Vec<u64>) {
        list.clear();
        self.pending = list;
    }

    /// The packets that are kept.
    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    fn begin_source(&mut self, header: &Header, now: Instant) {
        let first = u64::from(header.sequence);
        let (base, time_shift) = match &self.source {
            None => (0, 0),
            Some(before) => {
                let silent = now.saturating_duration_since(before.last_arrival);
                let rate = self.agreed.codec.clock_rate;
                let time = before.last_timestamp.wrapping_add(clock_units(silent, rate).max(1));
                let base = before.base + before.highest + SOURCE_DISTANCE;
                (base, time.wrapping_sub(header.timestamp))
            }
        };
        self.gaps.clear();
        self.source = Some(Source {
            ssrc: header.ssrc,
            highest: first,
            base,
            time_shift,
            reception: Reception::new(first),
            report: None,
            last_arrival: now,
            last_timestamp: header.timestamp.wrapping_add(time_shift),
            said_goodbye: false,
            ended: false,
        });
    }

    /// Notes what is missing between `highest` and `extended`. Whether the sequence is broken.
    fn advance(&mut self, highest: u64, extended: u64, base: u64, now: Instant) -> bool {
        let is_jump = extended - highest > MAX_JUMP;
        if is_jump {
            self.gaps.clear();
        } else if self.agreed.feedback.nack
            && self.gaps.open(base + highest + 1, base + extended, now).is_err()
            && self.is_video()
        {
            self.key_frames.want();
        }
        is_jump
    }

    fn store(
        &mut self,
        header: &Header,
        packet: &[u8],
        payload: &[u8],
        index: u64,
        taken: &mut Taken,
    ) {
        self.gaps.close(index);
        let (sight, pictures) = match self.agreed.codec.codec {
            Codec::Video(VideoFormat { codec, .. }) => {
                (keyframes::inspect(codec, payload), pictures::find(codec, payload))
            }
            Codec::Audio(_) => (keyframes::Sight::default(), None),
        };
        let time_shift = self.source.as_ref().map_or(0, |source| source.time_shift);
        let slot = self.ring.claim(index);
        slot.timestamp = header.timestamp.wrapping_add(time_shift);
        slot.is_filler = payload.is_empty();
        slot.pictures = pictures;
        slot.starts_key_frame = sight.starts_key_frame;
        if header.plain_extension {
            slot.elements = header.elements;
            slot.header_len = header.len;
        } else {
            slot.header_len = header.base_len;
        }
        slot.data.extend_from_slice(&packet[..slot.header_len]);
        slot.data.extend_from_slice(payload);
        slot.data[0] &= !FLAG_PADDING;
        if !header.plain_extension {
            slot.data[0] &= !FLAG_EXTENSION;
        }
        self.pending.push(index);
        if sight.starts_key_frame {
            self.key_frames.satisfied();
        }
        taken.measured = sight.resolution.filter(|size| self.is_news(*size));
    }

    /// Whether a size is another one than before, and the last change was long enough ago.
    fn is_news(&mut self, size: Resolution) -> bool {
        let Some(now) = self.source.as_ref().map(|source| source.last_arrival) else {
            return false;
        };
        let is_news = self.resolution.is_none_or(|(before, at)| {
            before != size && now.saturating_duration_since(at) >= MEASURE_INTERVAL
        });
        if is_news {
            self.resolution = Some((size, now));
        }
        is_news
    }
}

#[cfg(test)]
pub(crate) mod tests;
