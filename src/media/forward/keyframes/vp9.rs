//! VP9 (RFC 9628, 4.2; VP9 bitstream specification, 6.2).

use super::{Sight, bits::Bits};
use crate::formats::Resolution;

pub(super) fn inspect(payload: &[u8]) -> Option<Sight> {
    let mut bits = Bits::new(payload);
    let has_picture_id = bits.bit()?;
    let is_inter_picture = bits.bit()?;
    let has_layers = bits.bit()?;
    let is_flexible = bits.bit()?;
    let starts_frame = bits.bit()?;
    let _ends_frame = bits.bit()?;
    let has_structure = bits.bit()?;
    let _not_reference = bits.bit()?;
    if is_inter_picture || !starts_frame {
        return None;
    }
    if has_picture_id {
        let long = bits.bit()?;
        bits.skip(if long { 15 } else { 7 })?;
    }
    if has_layers {
        let _temporal = bits.take(3)?;
        let _switch = bits.bit()?;
        let spatial = bits.take(3)?;
        let depends_on_lower = bits.bit()?;
        if spatial > 0 || depends_on_lower {
            return None;
        }
        if !is_flexible {
            bits.skip(8)?;
        }
    }
    // Reference indices (flexible mode) only follow in inter pictures.
    let structure = if has_structure { scalability_structure(&mut bits)? } else { None };
    let resolution = structure.or_else(|| uncompressed_header(&mut bits));
    Some(Sight::start(resolution))
}

/// The largest spatial layer's size, if the structure tells sizes.
fn scalability_structure(bits: &mut Bits<'_>) -> Option<Option<Resolution>> {
    let layers = bits.take(3)? + 1;
    let has_sizes = bits.bit()?;
    let has_groups = bits.bit()?;
    bits.skip(3)?;
    let mut largest = None;
    if has_sizes {
        for _ in 0..layers {
            let (width, height) = (bits.take(16)?, bits.take(16)?);
            largest = Some(Resolution { width, height });
        }
    }
    if has_groups {
        for _ in 0..bits.take(8)? {
            bits.skip(4)?;
            let references = bits.take(2)?;
            bits.skip(2 + 8 * references as usize)?;
        }
    }
    Some(largest)
}

/// The size in a key frame's uncompressed header.
fn uncompressed_header(bits: &mut Bits<'_>) -> Option<Resolution> {
    const FRAME_MARKER: u32 = 2;
    const SYNC_CODE: u32 = 0x49_8342;
    const SRGB: u32 = 7;
    if bits.take(2)? != FRAME_MARKER {
        return None;
    }
    let profile = u32::from(bits.bit()?) | u32::from(bits.bit()?) << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let shows_existing = bits.bit()?;
    let is_not_key = bits.bit()?;
    let _shown = bits.bit()?;
    let _error_resilient = bits.bit()?;
    if shows_existing || is_not_key || bits.take(24)? != SYNC_CODE {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?;
    }
    let color_space = bits.take(3)?;
    if color_space == SRGB {
        bits.skip(usize::from(profile & 1 == 1))?;
    } else {
        bits.skip(if profile & 1 == 1 { 4 } else { 1 })?;
    }
    let (width, height) = (bits.take(16)? + 1, bits.take(16)? + 1);
    Some(Resolution { width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Profile 0, key frame, shown, BT.601, 1280x720.
    const FRAME: [u8; 9] = [0x82, 0x49, 0x83, 0x42, 0x20, 0x4F, 0xF0, 0x2C, 0xF0];
    const SIZE: Option<Resolution> = Some(Resolution { width: 1280, height: 720 });

    #[test]
    fn the_size_comes_from_the_frame_header() {
        let payload = [&[0x88, 0x05][..], &FRAME].concat();
        assert_eq!(inspect(&payload), Some(Sight::start(SIZE)));
    }

    #[test]
    fn the_size_comes_from_the_scalability_structure() {
        let payload = [0x8A, 0x05, 0x18, 0x05, 0x00, 0x02, 0xD0, 0x01, 0x54, 0x01, 0x00];
        assert_eq!(inspect(&payload), Some(Sight::start(SIZE)));
    }

    #[test]
    fn inter_pictures_later_packets_and_upper_layers_are_no_start() {
        assert_eq!(inspect(&[&[0xC8, 0x05][..], &FRAME].concat()), None);
        assert_eq!(inspect(&[&[0x80, 0x05][..], &FRAME].concat()), None);
        assert_eq!(inspect(&[&[0xA8, 0x05, 0x02, 0x00][..], &FRAME].concat()), None);
    }
}
