//! The numbers by which VP8 and VP9 payloads count pictures. Each source counts from a beginning of
//! its own; a subscriber whose source changes must see one count, since decoders take a picture
//! with a lower number for an old one.

use crate::formats::VideoCodec;

/// A picture number in a payload's descriptor, of 15 bits or 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    /// Where it is in the payload.
    at: u8,
    is_long: bool,
    value: u16,
}

impl Number {
    fn mask(self) -> u16 {
        if self.is_long { 0x7FFF } else { 0x7F }
    }
}

/// What a payload's descriptor says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureMarks {
    picture: Option<Number>,
    /// `TL0PICIDX`: where it is and the value.
    base: Option<(u8, u8)>,
}

/// Finds the numbers of a payload, if it has some.
pub(crate) fn find(codec: VideoCodec, payload: &[u8]) -> Option<PictureMarks> {
    let marks = match codec {
        VideoCodec::Vp8 => vp8(payload)?,
        VideoCodec::Vp9 => vp9(payload)?,
        VideoCodec::H264 | VideoCodec::H265 | VideoCodec::Av1 => return None,
    };
    (marks.picture.is_some() || marks.base.is_some()).then_some(marks)
}

/// RFC 7741, 4.2.
fn vp8(payload: &[u8]) -> Option<PictureMarks> {
    let present = if payload.first()? & 0x80 == 0 { 0 } else { *payload.get(1)? };
    let mut at = 2;
    let picture = if present & 0x80 == 0 { None } else { Some(number(payload, &mut at)?) };
    let base = if present & 0x40 == 0 { None } else { Some((at, *payload.get(usize::from(at))?)) };
    Some(PictureMarks { picture, base })
}

/// RFC 9628, 4.2.
fn vp9(payload: &[u8]) -> Option<PictureMarks> {
    let first = *payload.first()?;
    let mut at = 1;
    let picture = if first & 0x80 == 0 { None } else { Some(number(payload, &mut at)?) };
    let (has_layers, is_flexible) = (first & 0x20 != 0, first & 0x10 != 0);
    let base_at = at + 1;
    let base = if has_layers && !is_flexible {
        Some((base_at, *payload.get(usize::from(base_at))?))
    } else {
        None
    };
    Some(PictureMarks { picture, base })
}

/// Reads a picture number and steps over it.
fn number(payload: &[u8], at: &mut u8) -> Option<Number> {
    let start = *at;
    let first = *payload.get(usize::from(start))?;
    let is_long = first & 0x80 != 0;
    let mut value = u16::from(first & 0x7F);
    *at += 1;
    if is_long {
        value = value << 8 | u16::from(*payload.get(usize::from(*at))?);
        *at += 1;
    }
    Some(Number { at: start, is_long, value })
}

/// A subscriber's count of pictures.
#[derive(Debug, Clone, Default)]
pub(crate) struct PictureNumbers {
    /// The subscriber's numbers minus the source's, once the source has had a packet.
    shift: Option<(u16, u8)>,
    /// The latest numbers that the subscriber saw.
    picture: Option<u16>,
    base: Option<u8>,
}

impl PictureNumbers {
    /// Another source counts from now on.
    pub(crate) fn switch(&mut self) {
        self.shift = None;
    }

    /// Notes that a packet with these numbers passes.
    pub(crate) fn pass(&mut self, marks: &PictureMarks) {
        let (picture_shift, base_shift) = *self.shift.get_or_insert_with(|| {
            let picture = marks.picture.zip(self.picture);
            let picture = picture
                .map_or(0, |(number, latest)| latest.wrapping_add(1).wrapping_sub(number.value));
            let base = marks.base.zip(self.base);
            let base =
                base.map_or(0, |((_, value), latest)| latest.wrapping_add(1).wrapping_sub(value));
            (picture, base)
        });
        if let Some(number) = marks.picture {
            let mask = number.mask();
            let shown = number.value.wrapping_add(picture_shift) & mask;
            let is_newer = |latest: u16| shown.wrapping_sub(latest) & mask <= mask / 2;
            if self.picture.is_none_or(is_newer) {
                self.picture = Some(shown);
            }
        }
        if let Some((_, value)) = marks.base {
            let shown = value.wrapping_add(base_shift);
            if self.base.is_none_or(|latest| shown.wrapping_sub(latest) < 0x80) {
                self.base = Some(shown);
            }
        }
    }

    /// Puts the subscriber's numbers into a payload of the source.
    pub(crate) fn write(&self, marks: &PictureMarks, payload: &mut [u8]) {
        let Some((picture_shift, base_shift)) = self.shift else { return };
        if let Some(number) = marks.picture {
            let shown = number.value.wrapping_add(picture_shift) & number.mask();
            let at = usize::from(number.at);
            if number.is_long {
                payload[at..at + 2].copy_from_slice(&(shown | 0x8000).to_be_bytes());
            } else {
                payload[at] = shown.to_be_bytes()[1];
            }
        }
        if let Some((at, value)) = marks.base {
            payload[usize::from(at)] = value.wrapping_add(base_shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A VP8 descriptor with a long picture number, and what follows it.
    fn vp8_payload(picture: u16, base: u8) -> Vec<u8> {
        let [high, low] = (picture | 0x8000).to_be_bytes();
        vec![0x90, 0xC0, high, low, base, 0x55]
    }

    /// What a subscriber sees of a payload.
    fn shown(numbers: &mut PictureNumbers, codec: VideoCodec, payload: &[u8]) -> Vec<u8> {
        let mut payload = payload.to_vec();
        if let Some(marks) = find(codec, &payload) {
            numbers.pass(&marks);
            numbers.write(&marks, &mut payload);
        }
        payload
    }

    fn shown_vp8(numbers: &mut PictureNumbers, picture: u16, base: u8) -> Vec<u8> {
        shown(numbers, VideoCodec::Vp8, &vp8_payload(picture, base))
    }

    #[test]
    fn the_first_source_counts_as_it_does() {
        let mut numbers = PictureNumbers::default();
        assert_eq!(shown_vp8(&mut numbers, 0x7FFF, 255), vp8_payload(0x7FFF, 255));
        assert_eq!(shown_vp8(&mut numbers, 0, 0), vp8_payload(0, 0));
    }

    #[test]
    fn another_source_goes_on_with_the_count() {
        let mut numbers = PictureNumbers::default();
        shown_vp8(&mut numbers, 100, 250);
        shown_vp8(&mut numbers, 102, 251);
        shown_vp8(&mut numbers, 101, 250);
        numbers.switch();
        assert_eq!(shown_vp8(&mut numbers, 30_000, 9), vp8_payload(103, 252));
        assert_eq!(shown_vp8(&mut numbers, 30_002, 13), vp8_payload(105, 0));
        numbers.switch();
        assert_eq!(shown_vp8(&mut numbers, 7, 0), vp8_payload(106, 1));
        // A late packet of the same source keeps its distance.
        assert_eq!(shown_vp8(&mut numbers, 6, 255), vp8_payload(105, 0));
    }

    #[test]
    fn the_count_wraps_as_wide_as_it_is_written() {
        let mut numbers = PictureNumbers::default();
        shown_vp8(&mut numbers, 0x7FFF, 0);
        numbers.switch();
        assert_eq!(shown_vp8(&mut numbers, 5, 0), vp8_payload(0, 1));
        let short = |picture: u8| vec![0x90, 0x80, picture, 0x55];
        let mut numbers = PictureNumbers::default();
        assert_eq!(shown(&mut numbers, VideoCodec::Vp8, &short(127)), short(127));
        numbers.switch();
        assert_eq!(shown(&mut numbers, VideoCodec::Vp8, &short(50)), short(0));
    }

    #[test]
    fn vp9_has_its_numbers_elsewhere() {
        let payload = |picture: u8, base: u8| vec![0xA0, 0x80, picture, 0x00, base, 0x55];
        let mut numbers = PictureNumbers::default();
        shown(&mut numbers, VideoCodec::Vp9, &payload(9, 3));
        numbers.switch();
        assert_eq!(shown(&mut numbers, VideoCodec::Vp9, &payload(77, 200)), payload(10, 4));
        let flexible = [0xB0, 0x05, 0x00, 0x55];
        let marks = find(VideoCodec::Vp9, &flexible).expect("a picture number");
        assert_eq!(marks.base, None);
        assert_eq!(find(VideoCodec::Vp9, &[0x08, 0x55]), None);
    }

    #[test]
    fn other_payloads_are_left_alone() {
        for codec in [VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1] {
            assert_eq!(find(codec, &vp8_payload(1, 1)), None);
        }
        assert_eq!(find(VideoCodec::Vp8, &[0x10, 0x00]), None);
        for cut in 0..5 {
            assert_eq!(find(VideoCodec::Vp8, &vp8_payload(1, 1)[..cut]), None, "{cut}");
        }
    }
}
