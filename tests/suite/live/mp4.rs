//! Reads as much of fragmented MP4 (ISO/IEC 14496-12) as a packager needs to know of its own.

/// A box: its type and what is inside.
type Box<'d> = ([u8; 4], &'d [u8]);

/// What a fragment has of one track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment {
    /// In the track's timescale.
    pub(super) start: u64,
    /// In the track's timescale.
    pub(super) duration: u64,
    /// Whether it starts with a sample that needs no other.
    pub(super) independent: bool,
}

/// The boxes in some bytes, one after the other.
pub(super) fn boxes(mut data: &[u8]) -> impl Iterator<Item = Box<'_>> {
    std::iter::from_fn(move || {
        let size = u32::from_be_bytes(data.get(..4)?.try_into().ok()?) as usize;
        let kind = data.get(4..8)?.try_into().ok()?;
        let inside = data.get(8..size)?;
        data = &data[size..];
        Some((kind, inside))
    })
}

/// The first box at a path of types.
pub(super) fn find<'d>(data: &'d [u8], path: &[&[u8; 4]]) -> Option<&'d [u8]> {
    let (first, rest) = path.split_first()?;
    let (_, inside) = boxes(data).find(|(kind, _)| kind == *first)?;
    if rest.is_empty() { Some(inside) } else { find(inside, rest) }
}

/// The ticks per second of an initialization section's first track.
pub(super) fn timescale(init: &[u8]) -> Option<u32> {
    let header = find(init, &[b"moov", b"trak", b"mdia", b"mdhd"])?;
    // Version 1 has longer times before it.
    number(header, if header.first() == Some(&0) { 12 } else { 20 })
}

/// The codec of an H.264 track as in RFC 6381.
pub(super) fn h264_codec(init: &[u8]) -> Option<String> {
    let at = init.windows(4).position(|four| four == b"avcC")?;
    let [profile, compatibility, level] = init.get(at + 5..at + 8)?.try_into().ok()?;
    Some(format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"))
}

/// A fragment's first track.
pub(super) fn fragment(data: &[u8]) -> Option<Fragment> {
    let track = find(data, &[b"moof", b"traf"])?;
    let decode = find(track, &[b"tfdt"])?;
    let start = match decode.first()? {
        0 => u64::from(number(decode, 4)?),
        _ => u64::from(number(decode, 4)?) << 32 | u64::from(number(decode, 8)?),
    };
    let header = find(track, &[b"tfhd"])?;
    let mut defaults = Fields { data: header, at: 8, flags: number(header, 0)? };
    defaults.take(0x1);
    defaults.take(0x1);
    defaults.take(0x2);
    let default_duration = defaults.take(0x8);
    defaults.take(0x10);
    let default_flags = defaults.take(0x20);

    let run = find(track, &[b"trun"])?;
    let flags = number(run, 0)?;
    let mut fields = Fields { data: run, at: 8, flags };
    fields.take(0x1);
    let mut first_flags = fields.take(0x4);
    let mut duration = 0;
    for _ in 0..number(run, 4)? {
        duration += u64::from(fields.take(0x100).or(default_duration)?);
        fields.take(0x200);
        let sample_flags = fields.take(0x400).or(default_flags);
        first_flags = first_flags.or(sample_flags).or(Some(0));
        fields.take(0x800);
    }
    // The bit says that a sample is no sync sample.
    let independent = first_flags? & 0x1_0000 == 0;
    Some(Fragment { start, duration, independent })
}

/// Optional numbers in a row, each there if its flag is.
struct Fields<'d> {
    data: &'d [u8],
    at: usize,
    flags: u32,
}

impl Fields<'_> {
    fn take(&mut self, flag: u32) -> Option<u32> {
        if self.flags & flag == 0 {
            return None;
        }
        let value = number(self.data, self.at);
        self.at += 4;
        value
    }
}

fn number(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}
