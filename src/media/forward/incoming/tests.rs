use super::*;
use crate::{
    formats::{AudioFormat, VideoCodec, VideoFormat},
    media::{
        forward::{clock::Ntp, rtp::tests::packet},
        negotiation::{AgreedCodec, ExtensionIds, Feedback},
    },
};

/// A track as negotiated with a publisher.
pub(crate) fn agreed(kind: TrackKind) -> AgreedTrack {
    let (codec, clock_rate) = match kind {
        TrackKind::Audio => (Codec::Audio(AudioFormat::OPUS), 48_000),
        TrackKind::Video => (Codec::Video(VideoFormat::of(VideoCodec::Vp8)), 90_000),
    };
    AgreedTrack {
        kind,
        mid: "0".into(),
        codec: AgreedCodec { codec, clock_rate, fmtp: "".into() },
        payload_type: 96,
        rtx_payload_type: Some(97),
        extensions: ExtensionIds::default(),
        feedback: Feedback { nack: true, pli: true, fir: false, remb: false },
        remote_ssrc: None,
        remote_rtx_ssrc: None,
        rids: Vec::new(),
    }
}

const DELTA: &[u8] = &[0x10, 0x01, 0, 0];
const KEY: &[u8] = &[0x10, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];

struct Bench {
    track: IncomingTrack,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self { track: IncomingTrack::new(agreed(TrackKind::Video), now), now }
    }

    fn send(&mut self, sequence: u16, payload: &[u8]) -> Option<Taken> {
        self.send_raw(&packet(sequence, u32::from(sequence) * 10, &[], payload))
    }

    fn send_raw(&mut self, bytes: &[u8]) -> Option<Taken> {
        let header = Header::parse(bytes).expect("well formed");
        self.track.take(&header, bytes, self.now)
    }

    fn repair(&mut self, original: u16, payload: &[u8]) -> Option<Taken> {
        let body = [&original.to_be_bytes()[..], payload].concat();
        let bytes = packet(7, 70, &[], &body);
        let header = Header::parse(&bytes).expect("well formed");
        self.track.repair(&header, &bytes)
    }

    fn missing(&mut self) -> Vec<u16> {
        let mut wanted = Vec::new();
        self.track.take_missing(self.now, &mut wanted);
        wanted
    }

    fn payloads(&mut self) -> Vec<Vec<u8>> {
        let pending = self.track.take_pending();
        let slot = |index: &u64| {
            let slot = self.track.ring().get(*index).expect("kept");
            slot.data[slot.header_len..].to_vec()
        };
        let payloads = pending.iter().map(slot).collect();
        self.track.forwarded(pending);
        payloads
    }
}

#[test]
fn duplicates_are_dropped_also_across_the_wrap() {
    let mut bench = Bench::new();
    for sequence in [65_534, 65_535, 0, 1] {
        assert!(bench.send(sequence, DELTA).is_some());
        assert!(bench.send(sequence, DELTA).is_none());
    }
    assert_eq!(bench.payloads().len(), 4);
}

#[test]
fn a_gap_is_asked_for_until_it_is_repaired() {
    let mut bench = Bench::new();
    bench.send(65_535, DELTA);
    bench.send(2, DELTA);
    bench.now += Duration::from_millis(10);
    assert_eq!(bench.missing(), [0, 1]);
    assert!(bench.repair(0, b"lost").is_some());
    assert!(bench.repair(0, b"lost").is_none(), "twice");
    bench.now += Duration::from_millis(40);
    assert_eq!(bench.missing(), [1]);
    assert_eq!(bench.payloads(), [DELTA, DELTA, b"lost"]);
}

#[test]
fn probes_are_no_packets() {
    let mut bench = Bench::new();
    bench.send(5, DELTA);
    assert!(bench.repair(4, b"").is_none());
    assert!(bench.repair(6, b"from the future").is_none());
    let mut padded = packet(6, 60, &[], &[0, 0, 3]);
    padded[0] |= 0x20;
    assert!(bench.send_raw(&padded).is_some());
    let pending = bench.track.take_pending();
    let filler = bench.track.ring().get(pending[1]).expect("kept");
    assert!(filler.is_filler);
}

#[test]
fn a_key_frame_is_seen_and_measured_once() {
    let mut bench = Bench::new();
    bench.track.key_frames.want();
    assert!(bench.track.key_frames.take_due(bench.now));
    let size = Resolution { width: 320, height: 240 };
    assert_eq!(bench.send(1, KEY).and_then(|taken| taken.measured), Some(size));
    assert_eq!(bench.send(2, KEY).and_then(|taken| taken.measured), None);
    bench.now += Duration::from_secs(1);
    assert!(!bench.track.key_frames.take_due(bench.now));
}

#[test]
fn sizes_that_change_all_the_time_are_told_once_a_second() {
    let mut bench = Bench::new();
    let mut other = KEY.to_vec();
    other[7] ^= 1;
    let mut told = 0;
    for sequence in 0..250 {
        let payload = if sequence % 2 == 0 { KEY } else { &other };
        let taken = bench.send(sequence, payload).expect("taken");
        told += u32::from(taken.measured.is_some());
        bench.now += Duration::from_millis(10);
    }
    assert!((2..=3).contains(&told), "{told}");
}

#[test]
fn a_new_source_takes_over_when_the_old_one_is_silent_and_time_goes_on() {
    let mut bench = Bench::new();
    bench.send(100, DELTA);
    let mut other = packet(9, 1_000_000, &[], DELTA);
    other[11] ^= 1;
    let ssrc = Header::parse(&other).expect("well formed").ssrc;
    assert!(!bench.track.admits(ssrc, bench.now));
    bench.now += Duration::from_secs(2);
    assert!(bench.track.admits(ssrc, bench.now));
    assert_eq!(bench.send_raw(&other), Some(Taken { measured: None, broken: true }));
    let pending = bench.track.take_pending();
    let times: Vec<u32> = pending
        .iter()
        .map(|index| bench.track.ring().get(*index).expect("kept").timestamp)
        .collect();
    assert_eq!(times, [1000, 1000 + 180_000]);
}

#[test]
fn a_goodbye_opens_the_track_at_once() {
    let mut bench = Bench::new();
    bench.send(100, DELTA);
    let ssrc = bench.track.ssrc().expect("bound");
    assert!(!bench.track.admits(ssrc + 1, bench.now));
    bench.track.goodbye(ssrc);
    assert!(bench.track.admits(ssrc + 1, bench.now));
}

#[test]
fn a_wide_jump_breaks_the_sequence_and_asks_for_nothing() {
    let mut bench = Bench::new();
    bench.send(1, DELTA);
    assert_eq!(bench.send(9000, DELTA), Some(Taken { measured: None, broken: true }));
    bench.now += Duration::from_secs(1);
    assert!(bench.missing().is_empty());
}

#[test]
fn receiver_reports_tell_the_loss_and_the_delay_since_the_sender_report() {
    let mut bench = Bench::new();
    for sequence in (1..=100).filter(|sequence| sequence % 4 != 0) {
        bench.send(sequence, DELTA);
    }
    let ssrc = bench.track.ssrc().expect("bound");
    let claim = Correspondence { ntp: Ntp(7 << 32), rtp: 5 };
    bench.track.sender_report(ssrc, claim, bench.now);
    let report = bench.track.report(bench.now + Duration::from_millis(250)).expect("a source");
    // 100 itself is not known to be lost: nothing came after it.
    assert_eq!(report.counts.cumulative_lost, 24);
    assert_eq!(report.counts.highest, 99);
    let (_, delay) = report.sender_report.expect("one came");
    assert_eq!(delay, Duration::from_millis(250));
}

#[test]
fn an_extension_that_cannot_be_forwarded_is_left_behind() {
    let mut bench = Bench::new();
    let mut bytes = packet(1, 10, &[(1, b"0")], DELTA);
    bytes[12..14].copy_from_slice(&[0x10, 0]);
    bench.send_raw(&bytes);
    let slot_len = bench.track.ring().get(1).map(|slot| (slot.data[0], slot.header_len));
    assert_eq!(slot_len, Some((0x80, 12)));
    assert_eq!(bench.payloads(), [DELTA]);
}
