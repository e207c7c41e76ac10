use super::*;
use crate::{
    formats::TrackKind,
    media::forward::{
        incoming::{IncomingTrack, tests::agreed},
        rtp::{Header, tests::packet},
    },
};

const STAMP: [u8; 3] = [9, 8, 7];
const DELTA: &[u8] = &[0x10, 0x01, 0, 0];
const KEY: &[u8] = &[0x10, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];

const SOURCE: ExtensionIds = ExtensionIds {
    audio_level: Some(1),
    mid: Some(4),
    rid: None,
    repaired_rid: None,
    abs_send_time: Some(2),
    video_orientation: None,
};

struct Bench {
    incoming: IncomingTrack,
    outgoing: OutgoingTrack,
    now: Instant,
}

impl Bench {
    fn new(kind: TrackKind, rtx: bool) -> Self {
        let mut subscriber = agreed(kind);
        subscriber.payload_type = 111;
        subscriber.rtx_payload_type = rtx.then_some(112);
        subscriber.extensions =
            ExtensionIds { audio_level: Some(7), abs_send_time: Some(3), ..SOURCE };
        let now = Instant::now();
        Self {
            incoming: IncomingTrack::new(agreed(kind), now),
            outgoing: OutgoingTrack::new(&subscriber, &SOURCE, 500, 501, kind == TrackKind::Video),
            now,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Vec<(Written, Vec<u8>)> {
        let header = Header::parse(bytes).expect("well formed");
        self.incoming.take(&header, bytes, self.now);
        let pending = self.incoming.take_pending();
        let mut sent = Vec::new();
        for index in &pending {
            let slot = self.incoming.ring().get(*index).expect("kept");
            let mut buffer = Vec::new();
            if let Some(written) = self.outgoing.forward(slot, STAMP, &mut buffer) {
                sent.push((written, buffer));
            }
        }
        self.incoming.forwarded(pending);
        sent
    }

    fn repeat(&mut self, sequence: u16) -> Option<(Written, Vec<u8>)> {
        let source = self.outgoing.repeatable(sequence, self.now)?;
        let slot = self.incoming.ring().get(source)?;
        let mut buffer = Vec::new();
        let written = self.outgoing.repeat(slot, STAMP, &mut buffer)?;
        Some((written, buffer))
    }
}

fn video(sequence: u16, payload: &[u8]) -> Vec<u8> {
    packet(sequence, 3000 * u32::from(sequence), &[], payload)
}

#[test]
fn a_picture_begins_with_a_key_frame() {
    let mut bench = Bench::new(TrackKind::Video, true);
    assert!(bench.push(&video(65_534, DELTA)).is_empty());
    assert_eq!(bench.outgoing.gate, Gate::AwaitsKeyFrame);
    let sent = bench.push(&video(65_535, KEY));
    assert_eq!(sent[0].0, Written { header_len: 12, ssrc: 500, index: 1 });
    let header = Header::parse(&sent[0].1).expect("well formed");
    assert_eq!((header.sequence, header.timestamp, header.payload_type), (1, 1, 111));
    let next = bench.push(&video(0, DELTA));
    assert_eq!(next[0].0.index, 2);
    assert_eq!(&next[0].1[12..], DELTA);
}

/// A packet of a layer, with a VP8 picture number.
fn layer_packet(sequence: u16, timestamp: u32, picture: u8, frame: &[u8]) -> Vec<u8> {
    packet(sequence, timestamp, &[], &[&[0x90, 0x80, picture], frame].concat())
}

const FRAME: &[u8] = &[0x01, 0, 0];
const KEY_FRAME: &[u8] = &[0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xF0, 0x00];

/// Sequence number, time and picture number of a packet that was sent.
fn seen(sent: &[(Written, Vec<u8>)]) -> (u16, u32, u8) {
    let header = Header::parse(&sent[0].1).expect("well formed");
    (header.sequence, header.timestamp, sent[0].1[header.len + 2])
}

/// Lets a subscriber have a frame of one layer, then changes to another layer whose clock is
/// `ahead` and whose key frame has `time` on it.
fn change_layers(ahead: Option<u32>, time: u32) -> ((u16, u32, u8), (u16, u32, u8)) {
    let mut bench = Bench::new(TrackKind::Video, true);
    bench.push(&layer_packet(500, 90_000, 7, KEY_FRAME));
    let before = seen(&bench.push(&layer_packet(501, 93_000, 8, FRAME)));
    assert_eq!(before, (2, 3001, 8));
    bench.outgoing.switch(&SOURCE, ahead);
    bench.incoming = IncomingTrack::new(agreed(TrackKind::Video), bench.now);
    assert!(bench.push(&layer_packet(9, time.wrapping_sub(3000), 99, FRAME)).is_empty());
    let first = seen(&bench.push(&layer_packet(10, time, 100, KEY_FRAME)));
    let second = seen(&bench.push(&layer_packet(11, time.wrapping_add(3000), 101, FRAME)));
    (first, second)
}

#[test]
fn another_layer_goes_on_with_numbers_pictures_and_the_time_of_the_publisher() {
    let ahead = 4_000_000_000_u32;
    let time = ahead.wrapping_add(93_000 + 6000);
    assert_eq!(change_layers(Some(ahead), time), ((3, 9001, 9), (4, 12_001, 10)));
}

#[test]
fn time_never_stands_still_between_layers() {
    // The new layer's key frame shows the same moment as the last frame of the old one, or an
    // earlier one.
    for earlier in [0, 3000] {
        let time = 70_000_u32 + 93_000 - earlier;
        assert_eq!(change_layers(Some(70_000), time), ((3, 3002, 9), (4, 6002, 10)), "{earlier}");
    }
}

#[test]
fn a_publisher_whose_clocks_contradict_the_time_that_passed_is_not_believed() {
    for ahead in [None, Some(5)] {
        // All is sent at one time here, so none has passed.
        assert_eq!(change_layers(ahead, 50_000_000), ((3, 3002, 9), (4, 6002, 10)), "{ahead:?}");
    }
}

#[test]
fn sound_begins_at_once_and_goes_on_after_a_pause_without_a_gap() {
    let mut bench = Bench::new(TrackKind::Audio, false);
    assert_eq!(bench.push(&packet(10, 960, &[], b"a"))[0].0.index, 1);
    assert_eq!(bench.push(&packet(11, 1920, &[], b"b"))[0].0.index, 2);
    bench.outgoing.restart();
    let sent = bench.push(&packet(500, 960 * 500, &[], b"c"));
    assert_eq!(sent[0].0.index, 3);
    let header = Header::parse(&sent[0].1).expect("well formed");
    assert_eq!(header.timestamp, 960 * 499 + 1, "time goes on during the pause");
}

#[test]
fn extensions_are_renumbered_restamped_or_blanked() {
    let mut bench = Bench::new(TrackKind::Audio, true);
    let elements: &[(u8, &[u8])] = &[(4, b"mid"), (1, &[0x85]), (2, &[1, 1, 1])];
    let sent = bench.push(&packet(1, 1, elements, b"sound"));
    let header = Header::parse(&sent[0].1).expect("well formed");
    assert_eq!(header.elements.value(&sent[0].1, 7), Some(&[0x85][..]));
    assert_eq!(header.elements.value(&sent[0].1, 3), Some(&STAMP[..]));
    assert_eq!(header.elements.iter().count(), 2);
    assert_eq!(&sent[0].1[header.len..], b"sound");
}

#[test]
fn a_retransmission_has_its_own_numbers_and_the_original_payload() {
    let mut bench = Bench::new(TrackKind::Video, true);
    let first = bench.push(&video(1, KEY));
    let (written, bytes) = bench.repeat(1).expect("kept");
    assert_eq!((written.ssrc, written.index), (501, FIRST_RTX));
    let header = Header::parse(&bytes).expect("well formed");
    assert_eq!((header.payload_type, header.ssrc, header.sequence), (112, 501, 1));
    assert_eq!(bytes[12..14], 1_u16.to_be_bytes());
    assert_eq!(&bytes[14..], KEY);
    assert_eq!(first[0].1.len() + 2, bytes.len());
    assert!(bench.repeat(1).is_none(), "asked again at once");
    assert!(bench.repeat(2).is_none(), "never sent");
}

#[test]
fn without_rtx_the_very_same_bytes_are_sent_again() {
    let mut bench = Bench::new(TrackKind::Video, false);
    let elements: &[(u8, &[u8])] = &[(2, &[1, 1, 1])];
    let first = bench.push(&packet(1, 1, elements, KEY));
    let slot = bench.incoming.ring().get(1).expect("kept");
    let mut buffer = Vec::new();
    let written = bench.outgoing.repeat(slot, [1, 2, 3], &mut buffer);
    assert_eq!(written, Some(first[0].0));
    assert_eq!(buffer, first[0].1, "another time of sending must not change them");
}

#[test]
fn padding_is_well_formed_and_left_out_of_retransmissions() {
    let mut bench = Bench::new(TrackKind::Video, true);
    let now = bench.now;
    for (sequence, payload) in [(1, [KEY, b"xy"].concat()), (2, [DELTA, b"longer one"].concat())] {
        let bytes = video(sequence, &payload);
        let header = Header::parse(&bytes).expect("well formed");
        bench.incoming.take(&header, &bytes, now);
    }
    let pending = bench.incoming.take_pending();
    let mut sent = Vec::new();
    for index in &pending {
        let mut buffer = Vec::new();
        let slot = bench.incoming.ring().get(*index).expect("kept");
        bench.outgoing.forward(slot, STAMP, &mut buffer).expect("open");
        sent.push(buffer);
    }
    assert_eq!(sent[0].len(), sent[1].len());
    let header = Header::parse(&sent[0]).expect("well formed");
    let end = header.payload_end(&sent[0]).expect("well formed padding");
    assert_eq!(&sent[0][12..end], [KEY, b"xy"].concat());
    let (_, repeated) = bench.repeat(1).expect("kept");
    assert_eq!(&repeated[14..], [KEY, b"xy"].concat());
    let header = Header::parse(&repeated).expect("well formed");
    assert_eq!(header.payload_end(&repeated), Some(repeated.len()));
}

#[test]
fn the_budget_ends_repetition() {
    let mut bench = Bench::new(TrackKind::Video, true);
    bench.push(&video(1, &[KEY, &[0; 1100]].concat()));
    let mut repeated = 0_usize;
    while bench.repeat(1).is_some() {
        bench.now += std::time::Duration::from_millis(20);
        repeated += 1;
        assert!(repeated < 1000, "never ends");
    }
    assert!(repeated > 50);
}

#[test]
fn fillers_leave_no_hole() {
    let mut bench = Bench::new(TrackKind::Video, true);
    bench.push(&video(1, KEY));
    let mut filler = video(2, &[0, 0, 3]);
    filler[0] |= 0x20;
    assert!(bench.push(&filler).is_empty());
    assert_eq!(bench.push(&video(3, DELTA))[0].0.index, 2);
}
