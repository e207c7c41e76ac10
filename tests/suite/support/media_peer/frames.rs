//! Synthetic frames: real payload headers and parameter sets, so that a forwarder finds key frames
//! and sizes, and no picture inside. Each packet ends in a [`Mark`] that tells which it is.

use bytes::Bytes;

use super::{bits::Bits, codec::Codec};

/// Bytes of a full packet's payload.
const PAYLOAD_BYTES: usize = 1000;

/// What marks begin with.
const MAGIC: &[u8; 8] = b"portico!";

/// Bytes of a mark.
const MARK_BYTES: usize = MAGIC.len() + 9;

/// A frame's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Pixels per line, a multiple of 16.
    pub(crate) width: u16,
    /// Lines, a multiple of 16.
    pub(crate) height: u16,
}

impl Default for Picture {
    fn default() -> Self {
        Self { width: 640, height: 480 }
    }
}

/// What a synthetic packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the frame.
    pub(crate) frame: u32,
    /// The number of the packet in the frame.
    pub(crate) index: u16,
    /// The number of packets of the frame.
    pub(crate) count: u16,
    /// Whether it is a key frame.
    pub(crate) key: bool,
}

impl Mark {
    /// Reads the mark of a payload, if it is a synthetic one.
    pub(crate) fn of(payload: &[u8]) -> Option<Self> {
        let mark = payload.last_chunk::<MARK_BYTES>()?;
        let [frame @ .., index1, index0, count1, count0, key] = mark.strip_prefix(MAGIC)? else {
            return None;
        };
        Some(Self {
            frame: u32::from_be_bytes(frame.try_into().ok()?),
            index: u16::from_be_bytes([*index1, *index0]),
            count: u16::from_be_bytes([*count1, *count0]),
            key: *key == 1,
        })
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.frame.to_be_bytes());
        bytes.extend(self.index.to_be_bytes());
        bytes.extend(self.count.to_be_bytes());
        bytes.push(u8::from(self.key));
        bytes
    }
}

/// The payloads of one frame. A key frame of H.264 or H.265 has one packet more, which carries its
/// parameter sets. Frames of sound are all alike.
pub(super) fn frame(
    codec: &Codec,
    picture: Picture,
    number: u32,
    key: bool,
    packets: u16,
) -> Vec<Bytes> {
    let sets = match codec.mime_type {
        "video/H264" if key => Some(h264_parameter_sets(codec, picture)),
        "video/H265" if key => Some(h265_parameter_sets(picture)),
        _ => None,
    };
    let count = packets + u16::from(sets.is_some());
    let mark = |index| Mark { frame: number, index, count, key };
    let mut payloads = Vec::new();
    if let Some((mut sets, sei)) = sets {
        let sei = [sei.to_vec(), mark(0).to_bytes()].concat();
        sets.extend(u16::try_from(sei.len()).expect("a short unit").to_be_bytes());
        sets.extend(sei);
        payloads.push(sets.into());
    }
    for slice in 0..packets {
        let (first, last) = (slice == 0, slice + 1 == packets);
        let mut payload = match codec.mime_type {
            "video/VP8" => vp8(picture, key, first, number),
            "video/VP9" => vp9(picture, key, first, last, number),
            "video/H264" => h264(key, first, last),
            "video/H265" => h265(key, first, last),
            "video/AV1" => av1(picture, key, first, last),
            "audio/opus" => vec![0xfc],
            _ => Vec::new(),
        };
        if codec.mime_type.starts_with("video/") {
            payload.resize(PAYLOAD_BYTES - MARK_BYTES, 0x55);
        } else {
            payload.resize(160 - MARK_BYTES, 0x55);
        }
        payload.extend(mark(count - packets + slice).to_bytes());
        payloads.push(payload.into());
    }
    payloads
}

/// RFC 7741, 4.2, with a 15-bit picture id and a `TL0PICIDX`, and the frame header of RFC 6386, 9.1.
fn vp8(picture: Picture, key: bool, first: bool, number: u32) -> Vec<u8> {
    let [.., high, low] = number.to_be_bytes();
    let mut payload = vec![0x80 | u8::from(first) << 4, 0xC0, 0x80 | high, low, low];
    if !first {
        return payload;
    }
    payload.extend([0x10 | u8::from(!key), 0, 0]);
    if key {
        payload.extend([0x9d, 0x01, 0x2a]);
        payload.extend(picture.width.to_le_bytes());
        payload.extend(picture.height.to_le_bytes());
    }
    payload
}

/// RFC 9628, 4.2, with a 15-bit picture id, and the start of the uncompressed header.
fn vp9(picture: Picture, key: bool, first: bool, last: bool, number: u32) -> Vec<u8> {
    let (width, height) = (u32::from(picture.width), u32::from(picture.height));
    let structure = key && first;
    let mut bits = Bits::default();
    // I, P, L, F, B, E, V, Z
    for flag in [true, !key, false, false, first, last, structure, false] {
        bits.flag(flag);
    }
    bits.put(1, 1).put(number & 0x7fff, 15);
    if structure {
        // One spatial layer, with its size, and no picture group.
        bits.put(0, 3).put(1, 1).put(0, 4).put(width, 16).put(height, 16);
    }
    if first {
        // Marker, profile 0, no repeat, frame type, shown, not error resilient.
        bits.put(0b10, 2).put(0, 2).put(0, 1).put(u32::from(!key), 1).put(0b10, 2);
    }
    if structure {
        // Sync code, BT.709, studio range, size.
        bits.put(0x0049_8342, 24).put(2, 3).put(0, 1).put(width - 1, 16).put(height - 1, 16);
    }
    bits.finish()
}

/// A fragment of a slice (RFC 6184, 5.8): of an IDR picture or of another.
fn h264(key: bool, first: bool, last: bool) -> Vec<u8> {
    let unit = if key { 5 } else { 1 };
    if first && last {
        return vec![0x60 | unit, 0x88];
    }
    vec![0x7c, u8::from(first) << 7 | u8::from(last) << 6 | unit, 0x88]
}

/// Aggregated parameter sets (RFC 6184, 5.7.1), and the header of the unit that takes the mark.
fn h264_parameter_sets(codec: &Codec, picture: Picture) -> (Vec<u8>, &'static [u8]) {
    let high = codec.fmtp.contains("profile-level-id=64");
    let mut sps = Bits::default();
    sps.put(if high { 0x0064_001f } else { 0x0042_e01f }, 24).golomb(0);
    if high {
        // 4:2:0, 8 bits of luma and chroma, no bypass, no scaling lists.
        sps.golomb(1).golomb(0).golomb(0).put(0, 2);
    }
    // Frame number of 4 bits, order of output as decoded, one reference frame, no gaps.
    sps.golomb(0).golomb(2).golomb(1).put(0, 1);
    sps.golomb(u32::from(picture.width) / 16 - 1).golomb(u32::from(picture.height) / 16 - 1);
    // Frames only, direct inference, no cropping, no VUI.
    sps.put(0b1100, 4).stop();
    let mut pps = Bits::default();
    // Ids, CAVLC, one slice group, default references, no weighting, QP, no further tools.
    pps.golomb(0).golomb(0).put(0, 2).golomb(0).golomb(0).golomb(0).put(0, 3);
    pps.golomb(0).golomb(0).golomb(0).put(0, 3).stop();
    let sets = aggregate(&[0x78], &[(&[0x67], sps), (&[0x68], pps)]);
    (sets, &[0x06])
}

/// A fragment of a slice (RFC 7798, 4.4.3): of an IDR picture or of a trailing one.
fn h265(key: bool, first: bool, last: bool) -> Vec<u8> {
    let unit = if key { 19 } else { 1 };
    if first && last {
        return vec![unit << 1, 1, 0x88];
    }
    vec![49 << 1, 1, u8::from(first) << 7 | u8::from(last) << 6 | unit, 0x88]
}

/// Aggregated parameter sets (RFC 7798, 4.4.2), and the header of the unit that takes the mark.
fn h265_parameter_sets(picture: Picture) -> (Vec<u8>, &'static [u8]) {
    let profile = |bits: &mut Bits| {
        // Main profile, its compatibility, progressive, level 3.1.
        bits.put(0x01, 8).put(0x6000_0000, 32).put(0x9000, 16).put(0, 32).put(93, 8);
    };
    let mut vps = Bits::default();
    vps.put(0, 4).put(3, 2).put(0, 6).put(0, 3).put(1, 1).put(0xffff, 16);
    profile(&mut vps);
    // One layer, sizes of its buffer, no timing.
    vps.put(1, 1).golomb(0).golomb(0).golomb(0).put(0, 6).golomb(0).put(0, 2).stop();
    let mut sps = Bits::default();
    sps.put(0, 4).put(0, 3).put(1, 1);
    profile(&mut sps);
    // Id, 4:2:0, size, no window, 8 bits of luma and chroma.
    sps.golomb(0).golomb(1).golomb(u32::from(picture.width)).golomb(u32::from(picture.height));
    sps.put(0, 1).golomb(0).golomb(0);
    // Picture order of 8 bits, buffer sizes, block sizes, depths of the transform tree.
    sps.golomb(4).put(1, 1).golomb(0).golomb(0).golomb(0);
    sps.golomb(0).golomb(1).golomb(0).golomb(2).golomb(0).golomb(0);
    // No further tools, no reference sets, no long-term references, no VUI.
    sps.put(0, 4).golomb(0).put(0, 5).stop();
    let mut pps = Bits::default();
    pps.golomb(0).golomb(0).put(0, 7).golomb(0).golomb(0).golomb(0).put(0, 3);
    pps.golomb(0).golomb(0).put(0, 10).golomb(0).put(0, 2).stop();
    let units = [(&[0x40, 1][..], vps), (&[0x42, 1], sps), (&[0x44, 1], pps)];
    (aggregate(&[48 << 1, 1], &units), &[0x4e, 1])
}

/// Units with their lengths, behind the header of an aggregation packet.
fn aggregate(header: &[u8], units: &[(&[u8], Bits)]) -> Vec<u8> {
    let mut packet = header.to_vec();
    for (header, bits) in units {
        let unit = [header.to_vec(), bits.clone().finish_escaped()].concat();
        packet.extend(u16::try_from(unit.len()).expect("a short unit").to_be_bytes());
        packet.extend(unit);
    }
    packet
}

/// The aggregation header of AV1's payload format (4.4), and a sequence header in front of the
/// first packet of a key frame.
fn av1(picture: Picture, key: bool, first: bool, last: bool) -> Vec<u8> {
    let start = key && first;
    let units = if start { 2 } else { 1 };
    let mut payload =
        vec![u8::from(!first) << 7 | u8::from(!last) << 6 | units << 4 | u8::from(start) << 3];
    if start {
        let (width, height) = (u32::from(picture.width), u32::from(picture.height));
        let mut bits = Bits::default();
        // Main profile, not still, not reduced, no timing, no delay, one operating point, level.
        bits.put(0, 3).put(0, 2).put(0, 2).put(0, 5).put(0, 12).put(5, 5);
        bits.put(15, 4).put(15, 4).put(width - 1, 16).put(height - 1, 16);
        // No frame ids, no tools up to order hints, screen content and integer vectors by choice.
        bits.put(0, 3).put(0, 6).put(0b11, 2);
        // No super-resolution, no filters, 8 bits, colour, default description, no film grain.
        bits.put(0, 3).put(0, 4).put(0, 2).put(0, 1).put(0, 1).stop();
        let sequence = bits.finish();
        payload.push(u8::try_from(sequence.len() + 1).expect("below 128, so one byte of LEB128"));
        payload.push(0x08);
        payload.extend(sequence);
    }
    if first {
        // A frame unit; shown, and a key frame or not.
        payload.extend([0x30, if key { 0x10 } else { 0x30 }]);
    }
    payload
}
