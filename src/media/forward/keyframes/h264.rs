//! H.264 (RFC 6184, 5.6 to 5.8; ITU-T H.264, 7.3.2.1.1).
//!
//! A decoder starts with a sequence parameter set: encoders put one before every IDR picture that
//! answers a request. The first slice of an IDR picture also counts, for those that send the sets
//! in the SDP.

use super::{Sight, bits::Bits};
use crate::formats::Resolution;

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

pub(super) fn inspect(payload: &[u8]) -> Option<Sight> {
    match payload.first()? & 0x1F {
        SPS => Some(Sight::start(size_of(payload))),
        IDR => first_slice(payload.get(1..)?),
        STAP_A => aggregate(payload.get(1..)?),
        FU_A => {
            let header = *payload.get(1)?;
            let starts = header & 0x80 != 0;
            match header & 0x1F {
                SPS if starts => Some(Sight::start(None)),
                IDR if starts => first_slice(payload.get(2..)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `first_mb_in_slice` is 0, which is a single bit.
fn first_slice(slice: &[u8]) -> Option<Sight> {
    (slice.first()? & 0x80 != 0).then(|| Sight::start(None))
}

fn aggregate(mut rest: &[u8]) -> Option<Sight> {
    let mut found = None;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let unit = behind.get(..usize::from(u16::from_be_bytes(*length)))?;
        rest = &behind[unit.len()..];
        match unit.first().map(|byte| byte & 0x1F) {
            Some(SPS) => return Some(Sight::start(size_of(unit))),
            Some(IDR) => found = found.or(first_slice(&unit[1..])),
            _ => {}
        }
    }
    found
}

/// The cropped size that a sequence parameter set declares.
fn size_of(unit: &[u8]) -> Option<Resolution> {
    let mut bits = Bits::of_nal_unit(unit.get(1..)?);
    let profile = bits.take(8)?;
    bits.skip(16)?;
    bits.golomb()?;
    let mut chroma_format = 1;
    let mut separate_planes = false;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        chroma_format = bits.golomb()?;
        if chroma_format == 3 {
            separate_planes = bits.bit()?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1)?;
        if bits.bit()? {
            skip_scaling_lists(&mut bits, if chroma_format == 3 { 12 } else { 8 })?;
        }
    }
    skip_order_counts(&mut bits)?;
    bits.golomb()?;
    bits.skip(1)?;
    let width_units = bits.golomb()?.checked_add(1)?;
    let height_units = bits.golomb()?.checked_add(1)?;
    let frames_only = bits.bit()?;
    if !frames_only {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let field_factor = if frames_only { 1 } else { 2 };
    let (mut width, mut height) =
        (width_units.checked_mul(16)?, height_units.checked_mul(16 * field_factor)?);
    if bits.bit()? {
        let chroma = if separate_planes { 0 } else { chroma_format };
        let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma == 1 { 2 } else { 1 } * field_factor;
        let crops = [bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?];
        width = width.checked_sub(crops[0].checked_add(crops[1])?.checked_mul(unit_x)?)?;
        height = height.checked_sub(crops[2].checked_add(crops[3])?.checked_mul(unit_y)?)?;
    }
    Some(Resolution { width, height })
}

fn skip_order_counts(bits: &mut Bits<'_>) -> Option<()> {
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.golomb()?;
            bits.golomb()?;
            for _ in 0..bits.golomb()?.min(255) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    Some(())
}

fn skip_scaling_lists(bits: &mut Bits<'_>, lists: usize) -> Option<()> {
    for list in 0..lists {
        if !bits.bit()? {
            continue;
        }
        let (mut last, mut next) = (8_i32, 8_i32);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                let coded = bits.golomb()?;
                let magnitude = coded.div_ceil(2) as i32;
                let delta = if coded % 2 == 1 { magnitude } else { -magnitude };
                next = last.wrapping_add(delta).rem_euclid(256);
            }
            if next != 0 {
                last = next;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Baseline 3.1, 1280x720, as x264 writes it.
    const SPS_720: [u8; 10] = [0x67, 0x42, 0xC0, 0x1F, 0xDA, 0x01, 0x40, 0x16, 0xE8, 0x40];
    const SIZE: Option<Resolution> = Some(Resolution { width: 1280, height: 720 });
    const IDR_SLICE: [u8; 3] = [0x65, 0x88, 0x80];

    #[test]
    fn a_parameter_set_starts_and_shows_the_size() {
        assert_eq!(inspect(&SPS_720), Some(Sight::start(SIZE)));
    }

    #[test]
    fn cropping_is_taken_off() {
        // High 4.0, 1920x1088 cropped to 1080.
        let sps = [
            0x67, 0x64, 0x00, 0x28, 0xAC, 0xD9, 0x40, 0x78, 0x02, 0x27, 0xE5, 0xC0, 0x44, 0x00,
            0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xF0, 0x3C, 0x60, 0xC6, 0x58,
        ];
        assert_eq!(size_of(&sps), Some(Resolution { width: 1920, height: 1080 }));
    }

    #[test]
    fn an_aggregate_is_searched() {
        let unit = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
        let packet = [&[0x78][..], &unit(&SPS_720), &unit(&[0x68, 0xCE]), &unit(&IDR_SLICE)];
        assert_eq!(inspect(&packet.concat()), Some(Sight::start(SIZE)));
        let idr_only = [&[0x78][..], &unit(&[0x68, 0xCE]), &unit(&IDR_SLICE)].concat();
        assert_eq!(inspect(&idr_only), Some(Sight::start(None)));
        let delta = [&[0x78][..], &unit(&[0x41, 0x9A])].concat();
        assert_eq!(inspect(&delta), None);
    }

    #[test]
    fn only_the_first_fragment_of_an_idr_picture_starts() {
        assert_eq!(inspect(&[0x7C, 0x85, 0x88]), Some(Sight::start(None)));
        assert_eq!(inspect(&[0x7C, 0x05, 0x88]), None);
        assert_eq!(inspect(&[0x7C, 0x81, 0x9A]), None);
        assert_eq!(inspect(&[0x7C, 0x85, 0x08]), None, "a later slice");
        assert_eq!(inspect(&[0x65, 0x08]), None, "a later slice");
        assert_eq!(inspect(&[0x41, 0x9A]), None);
    }
}
