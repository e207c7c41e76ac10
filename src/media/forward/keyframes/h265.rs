//! H.265 (RFC 7798, 4.4; ITU-T H.265, 7.3.2.2).

use super::{Sight, bits::Bits};
use crate::formats::Resolution;

const FIRST_IRAP: u8 = 16;
const LAST_IRAP: u8 = 21;
const VPS: u8 = 32;
const SPS: u8 = 33;
const AGGREGATE: u8 = 48;
const FRAGMENT: u8 = 49;
const NAL_HEADER: usize = 2;

pub(super) fn inspect(payload: &[u8]) -> Option<Sight> {
    match kind(payload)? {
        SPS => Some(Sight::start(size_of(payload))),
        VPS | FIRST_IRAP..=LAST_IRAP => Some(Sight::start(None)),
        AGGREGATE => aggregate(payload.get(NAL_HEADER..)?),
        FRAGMENT => {
            let header = *payload.get(NAL_HEADER)?;
            let starts = header & 0x80 != 0;
            let begins = starts && matches!(header & 0x3F, VPS | SPS | FIRST_IRAP..=LAST_IRAP);
            begins.then(|| Sight::start(None))
        }
        _ => None,
    }
}

fn kind(unit: &[u8]) -> Option<u8> {
    Some(unit.first()? >> 1 & 0x3F)
}

fn aggregate(mut rest: &[u8]) -> Option<Sight> {
    let mut found = None;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let unit = behind.get(..usize::from(u16::from_be_bytes(*length)))?;
        rest = &behind[unit.len()..];
        match kind(unit) {
            Some(SPS) => return Some(Sight::start(size_of(unit))),
            Some(VPS | FIRST_IRAP..=LAST_IRAP) => found = Some(Sight::start(None)),
            _ => {}
        }
    }
    found
}

/// The size inside the conformance window.
fn size_of(unit: &[u8]) -> Option<Resolution> {
    let mut bits = Bits::of_nal_unit(unit.get(NAL_HEADER..)?);
    bits.skip(4)?;
    let sub_layers = bits.take(3)? as usize;
    bits.skip(1)?;
    skip_profile(&mut bits, sub_layers)?;
    bits.golomb()?;
    let chroma_format = bits.golomb()?;
    if chroma_format == 3 {
        bits.skip(1)?;
    }
    let (mut width, mut height) = (bits.golomb()?, bits.golomb()?);
    if bits.bit()? {
        let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma_format == 1 { 2 } else { 1 };
        let crops = [bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?];
        width = width.checked_sub(crops[0].checked_add(crops[1])?.checked_mul(unit_x)?)?;
        height = height.checked_sub(crops[2].checked_add(crops[3])?.checked_mul(unit_y)?)?;
    }
    Some(Resolution { width, height })
}

fn skip_profile(bits: &mut Bits<'_>, sub_layers: usize) -> Option<()> {
    bits.skip(88 + 8)?;
    let mut present = Vec::with_capacity(sub_layers);
    for _ in 0..sub_layers {
        present.push((bits.bit()?, bits.bit()?));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers))?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Main profile, 1920x1088 with a window of 1080 lines.
    fn sps() -> Vec<u8> {
        let mut bits = String::from("0000" /* vps */);
        bits += "000" /* one layer */;
        bits += "1";
        bits += "01100000" /* profile */;
        bits += &"0".repeat(80 + 8);
        bits += "1" /* id 0 */;
        bits += "010" /* 4:2:0 */;
        for size in [1920_u32, 1088] {
            let coded = format!("{:b}", size + 1);
            bits += &"0".repeat(coded.len() - 1);
            bits += &coded;
        }
        bits += "1" /* window */;
        bits += "1" /* left 0 */;
        bits += "1" /* right 0 */;
        bits += "1" /* top 0 */;
        bits += "00101" /* bottom 4 */;
        bits += &"0".repeat(bits.len().next_multiple_of(8) - bits.len());
        let body = bits
            .as_bytes()
            .chunks(8)
            .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0')));
        let mut unit = vec![SPS << 1, 1];
        let mut zeros = 0;
        for byte in body {
            if zeros == 2 && byte <= 3 {
                unit.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            unit.push(byte);
        }
        unit
    }

    #[test]
    fn a_parameter_set_starts_and_shows_the_size() {
        let size = Some(Resolution { width: 1920, height: 1080 });
        assert_eq!(inspect(&sps()), Some(Sight::start(size)));
        let vps = [VPS << 1, 1, 0xC];
        let mut packet = vec![AGGREGATE << 1, 1];
        for unit in [&vps[..], &sps()] {
            packet.extend((unit.len() as u16).to_be_bytes());
            packet.extend(unit);
        }
        assert_eq!(inspect(&packet), Some(Sight::start(size)));
    }

    #[test]
    fn random_access_pictures_start_and_others_do_not() {
        assert_eq!(inspect(&[19 << 1, 1, 0]), Some(Sight::start(None)));
        assert_eq!(inspect(&[1 << 1, 1, 0]), None);
        assert_eq!(inspect(&[FRAGMENT << 1, 1, 0x80 | 19]), Some(Sight::start(None)));
        assert_eq!(inspect(&[FRAGMENT << 1, 1, 19]), None);
        assert_eq!(inspect(&[FRAGMENT << 1, 1, 0x80 | 1]), None);
    }
}
