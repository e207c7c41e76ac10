//! AV1 (RTP payload format for AV1, 4.4; AV1 bitstream specification, 5.5).
//!
//! The aggregation header says when a new coded video sequence begins; its first element that is
//! a sequence header tells the largest size.

use super::{Sight, bits::Bits};
use crate::formats::Resolution;

const SEQUENCE_HEADER: u8 = 1;

pub(super) fn inspect(payload: &[u8]) -> Option<Sight> {
    let (&aggregation, rest) = payload.split_first()?;
    let continues = aggregation & 0x80 != 0;
    let begins_sequence = aggregation & 0x08 != 0;
    if continues || !begins_sequence {
        return None;
    }
    let count = usize::from(aggregation >> 4 & 0x03);
    Some(Sight::start(sequence_size(rest, count)))
}

fn sequence_size(mut rest: &[u8], count: usize) -> Option<Resolution> {
    let mut position = 1;
    while !rest.is_empty() {
        let unit = if position == count {
            std::mem::take(&mut rest)
        } else {
            let (length, behind) = leb128(rest)?;
            let unit = behind.get(..length)?;
            rest = &behind[length..];
            unit
        };
        if unit.first()? >> 3 & 0x0F == SEQUENCE_HEADER {
            return size_of(unit);
        }
        position += 1;
    }
    None
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// `max_frame_width_minus_1` and its sibling in a sequence header.
fn size_of(unit: &[u8]) -> Option<Resolution> {
    let header = *unit.first()?;
    let mut body = &unit[1..];
    if header & 0x04 != 0 {
        body = body.get(1..)?;
    }
    if header & 0x02 != 0 {
        body = leb128(body)?.1;
    }
    let mut bits = Bits::new(body);
    bits.skip(4)?;
    let reduced = bits.bit()?;
    if reduced {
        bits.skip(5)?;
    } else {
        skip_operating_points(&mut bits)?;
    }
    let width_bits = bits.take(4)? + 1;
    let height_bits = bits.take(4)? + 1;
    let (width, height) = (bits.take(width_bits)? + 1, bits.take(height_bits)? + 1);
    Some(Resolution { width, height })
}

fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = 0;
    let mut has_model = false;
    if bits.bit()? {
        bits.skip(64)?;
        if bits.bit()? {
            bits.golomb()?;
        }
        has_model = bits.bit()?;
        if has_model {
            delay_bits = bits.take(5)? as usize + 1;
            bits.skip(32 + 5 + 5)?;
        }
    }
    let has_initial_delay = bits.bit()?;
    for _ in 0..bits.take(5)? + 1 {
        bits.skip(12)?;
        if bits.take(5)? > 7 {
            bits.skip(1)?;
        }
        if has_model && bits.bit()? {
            bits.skip(2 * delay_bits + 1)?;
        }
        if has_initial_delay && bits.bit()? {
            bits.skip(4)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence header of one operating point, level 3.1, 1280x720.
    fn sequence_header() -> Vec<u8> {
        let bits = [
            "000",
            "0",
            "0",
            "0",
            "0",
            "00000",
            "000000000000",
            "00101",
            "1010",
            "1001",
            "10011111111",
            "1011001111",
            "0000",
        ]
        .concat();
        let mut unit = vec![SEQUENCE_HEADER << 3];
        for eight in bits.as_bytes().chunks(8) {
            let byte = eight.iter().fold(0_u8, |byte, bit| byte << 1 | (bit - b'0'));
            unit.push(byte << (8 - eight.len()));
        }
        unit
    }

    #[test]
    fn a_new_sequence_starts_and_shows_the_size() {
        let size = Some(Resolution { width: 1280, height: 720 });
        let unit = sequence_header();
        let alone = [&[0x18][..], &unit].concat();
        assert_eq!(inspect(&alone), Some(Sight::start(size)));
        let delimited = [&[0x08, 2, 0x10, 0, unit.len() as u8][..], &unit, &[1, 0x30]].concat();
        assert_eq!(inspect(&delimited), Some(Sight::start(size)));
    }

    #[test]
    fn other_packets_are_no_start() {
        let unit = sequence_header();
        assert_eq!(inspect(&[&[0x10][..], &unit].concat()), None);
        assert_eq!(inspect(&[&[0x98][..], &unit].concat()), None);
    }
}
