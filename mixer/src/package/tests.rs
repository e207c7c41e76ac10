use std::time::Duration;

use portico_mixer_protocol::Piece;

use super::packager::Cut;
use super::{Encoded, Packager, SoundSetup, VideoSetup};

const PART: Duration = Duration::from_millis(500);
const SEGMENT: Duration = Duration::from_secs(2);
const START: Duration = Duration::from_secs(1000);

fn video() -> VideoSetup {
    VideoSetup { width: 320, height: 180, avc_config: vec![1, 0x42, 0xc0, 0x1f, 0xff] }
}

fn sound() -> SoundSetup {
    SoundSetup { rate: 48_000, aac_config: vec![0x11, 0x90] }
}

fn encoded(time: Duration, key: bool) -> Encoded {
    Encoded { time, key, bytes: vec![7; 10] }
}

/// The time of a picture, of 25 in a second.
fn picture(number: u32) -> Duration {
    START + Duration::from_millis(40) * number
}

/// The time of a frame of sound.
fn frame(number: u32) -> Duration {
    START + Duration::from_secs(1) * number * 1024 / 48_000
}

fn drain(packager: &mut Packager) -> Vec<Cut> {
    std::iter::from_fn(|| packager.next()).collect()
}

/// Milliseconds, whether it stands alone, whether it begins a segment.
fn parts(cuts: &[Cut]) -> Vec<(u128, bool, bool)> {
    let parts = cuts.iter().filter_map(|cut| match cut.piece {
        Piece::Init => None,
        Piece::Part { duration, independent, starts_segment } => {
            Some((duration.as_millis(), independent, starts_segment))
        }
    });
    parts.collect()
}

#[test]
fn pictures_are_cut_into_parts_and_segments() {
    let mut packager = Packager::new(PART, SEGMENT, true, false);
    packager.set_video(video());
    // A key frame each 2 s, one that comes early, and deltas before the first.
    for number in 0..110 {
        packager.push_video(encoded(picture(number), number % 50 == 5 || number == 70));
    }
    let cuts = drain(&mut packager);
    assert_eq!(cuts[0].piece, Piece::Init);
    assert_eq!(packager.codecs().as_deref(), Some("avc1.42c01f"));
    let whole = [(480, true, true), (480, false, false), (480, false, false), (480, false, false)];
    let mut expected = whole.to_vec();
    expected.extend([(80, false, false), (480, true, true), (480, false, false)]);
    // The early key frame is within half a segment, so it begins none.
    expected.extend([(480, false, false), (480, false, false), (80, false, false)]);
    assert_eq!(parts(&cuts), expected);
}

#[test]
fn parts_wait_for_their_sound_but_not_for_ever() {
    let mut packager = Packager::new(PART, SEGMENT, true, true);
    packager.set_video(video());
    for number in 0..20 {
        packager.push_video(encoded(picture(number), number == 0));
    }
    assert!(packager.next().is_none(), "sound is not known yet");
    packager.set_sound(sound());
    for number in 0..10 {
        packager.push_sound(encoded(frame(number), true));
    }
    assert_eq!(packager.next().map(|cut| cut.piece), Some(Piece::Init));
    assert!(packager.next().is_none(), "sound is there for 213 ms of 480");
    for number in 10..24 {
        packager.push_sound(encoded(frame(number), true));
    }
    assert_eq!(parts(&drain(&mut packager)), [(480, true, true)]);
    for number in 20..60 {
        packager.push_video(encoded(picture(number), false));
    }
    assert_eq!(parts(&drain(&mut packager)).len(), 2, "no sound comes, so they do without");
}

#[test]
fn sound_alone_is_cut_alike() {
    let mut packager = Packager::new(PART, SEGMENT, false, true);
    packager.set_sound(sound());
    for number in 0..200 {
        packager.push_sound(encoded(frame(number), true));
    }
    let parts = parts(&drain(&mut packager));
    assert!(parts.iter().all(|(millis, independent, _)| *millis <= 500 && *independent));
    let starts: Vec<usize> =
        parts.iter().enumerate().filter(|(_, part)| part.2).map(|(index, _)| index).collect();
    assert_eq!(starts, [0, 5], "{parts:?}");
}

#[test]
fn fragments_say_when_they_are_and_where_their_data_is() {
    let mut packager = Packager::new(PART, SEGMENT, true, true);
    packager.set_video(video());
    packager.set_sound(sound());
    for number in 0..60 {
        packager.push_video(encoded(picture(number), number == 0));
    }
    for number in 0..120 {
        packager.push_sound(encoded(frame(number), true));
    }
    let cuts = drain(&mut packager);
    let second = &cuts[2].bytes;
    let moof = find(second, b"moof");
    let times: Vec<u64> = find_all(second, b"tfdt").map(|at| long(second, at + 12)).collect();
    assert_eq!(times, [480 * 90, 23 * 1024]);
    for at in find_all(second, b"trun") {
        let offset = int(second, at + 16) as usize;
        assert_eq!(&second[moof + offset..][..10], [7; 10]);
    }
    let runs: usize = find_all(second, b"trun").map(|at| int(second, at + 12) as usize).sum();
    let mdat = find(second, b"mdat");
    assert_eq!(int(second, mdat) as usize, 8 + runs * 10);
}

/// Where boxes begin.
fn find_all<'a>(bytes: &'a [u8], name: &'a [u8; 4]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(4).enumerate().filter(move |(_, four)| four == name).map(|(at, _)| at - 4)
}

fn find(bytes: &[u8], name: &[u8; 4]) -> usize {
    find_all(bytes, name).next().expect("the box is there")
}

fn int(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(*bytes[at..].first_chunk().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(*bytes[at..].first_chunk().expect("eight bytes"))
}
