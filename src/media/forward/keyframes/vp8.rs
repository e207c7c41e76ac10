//! VP8 (RFC 7741, 4.2 and 4.3; RFC 6386, 9.1).

use super::Sight;
use crate::formats::Resolution;

pub(super) fn inspect(payload: &[u8]) -> Option<Sight> {
    let first = *payload.first()?;
    let starts_first_partition = first & 0x10 != 0 && first & 0x07 == 0;
    if !starts_first_partition {
        return None;
    }
    let frame = payload.get(descriptor_len(payload)?..)?;
    let is_key_frame = frame.first()? & 0x01 == 0;
    if !is_key_frame {
        return None;
    }
    let resolution = match frame.get(..10) {
        Some([_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1]) => Some(Resolution {
            width: u32::from(u16::from_le_bytes([*w0, *w1]) & 0x3FFF),
            height: u32::from(u16::from_le_bytes([*h0, *h1]) & 0x3FFF),
        }),
        _ => None,
    };
    Some(Sight::start(resolution))
}

fn descriptor_len(payload: &[u8]) -> Option<usize> {
    let mut len = 1;
    if payload.first()? & 0x80 == 0 {
        return Some(len);
    }
    let present = *payload.get(1)?;
    len += 1;
    if present & 0x80 != 0 {
        let long = payload.get(len)? & 0x80 != 0;
        len += if long { 2 } else { 1 };
    }
    len += usize::from(present & 0x40 != 0);
    len += usize::from(present & 0x30 != 0);
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_FRAME: [u8; 10] = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x00, 0x45, 0xD0, 0x02];
    const VGA_WIDE: Option<Resolution> = Some(Resolution { width: 1280, height: 720 });

    fn with(descriptor: &[u8], frame: &[u8]) -> Option<Sight> {
        inspect(&[descriptor, frame].concat())
    }

    #[test]
    fn a_key_frame_shows_its_size_behind_every_form_of_descriptor() {
        for descriptor in [
            &[0x10][..],
            &[0x90, 0x80, 0x11],
            &[0x90, 0x80, 0x91, 0x22],
            &[0x90, 0xF0, 0x91, 0x22, 0x33, 0x44],
            &[0x90, 0x20, 0x44],
        ] {
            assert_eq!(
                with(descriptor, &KEY_FRAME),
                Some(Sight::start(VGA_WIDE)),
                "{descriptor:?}"
            );
        }
    }

    #[test]
    fn delta_frames_and_later_packets_of_a_key_frame_are_no_start() {
        let mut delta = KEY_FRAME;
        delta[0] = 0x11;
        assert_eq!(with(&[0x10], &delta), None);
        assert_eq!(with(&[0x00], &KEY_FRAME), None);
        assert_eq!(with(&[0x11], &KEY_FRAME), None, "second partition");
        assert_eq!(with(&[0x90, 0x80], &[]), None);
    }
}
