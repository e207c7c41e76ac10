//! RTP headers (RFC 3550, 5.1) and their extensions (RFC 8285), read in place.

/// The fixed part of a header, in bytes.
pub(crate) const FIXED_HEADER: usize = 12;

/// Header extension elements that are remembered per packet; more are dropped.
pub(crate) const MAX_ELEMENTS: usize = 8;

const ONE_BYTE_PROFILE: [u8; 2] = [0xBE, 0xDE];

/// The two-byte form's; the low four bits are the application's (RFC 8285, 4.3).
const TWO_BYTE_PROFILE: u16 = 0x1000;
const TWO_BYTE_MASK: u16 = 0xFFF0;

/// The id that ends the elements of a one-byte extension (RFC 8285, 4.2).
const STOP: u8 = 15;

/// One header extension element of the one-byte form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its number, 1 to 14.
    pub(crate) id: u8,
    /// Where its id byte is, counted from the packet's first byte.
    pub(crate) at: u16,
    /// Bytes of its value, 1 to 16.
    pub(crate) len: u8,
}

/// The elements of a packet, in its order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Elements {
    items: [Element; MAX_ELEMENTS],
    count: usize,
}

impl Elements {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Element> {
        self.items[..self.count].iter()
    }

    /// The value of the element numbered `id`.
    pub(crate) fn value<'p>(&self, packet: &'p [u8], id: u8) -> Option<&'p [u8]> {
        let element = self.iter().find(|element| element.id == id)?;
        let start = usize::from(element.at) + 1;
        packet.get(start..start + usize::from(element.len))
    }

    fn push(&mut self, element: Element) -> bool {
        let Some(slot) = self.items.get_mut(self.count) else { return false };
        *slot = element;
        self.count += 1;
        true
    }
}

/// A header that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Bytes before the extension: the fixed part and the contributing sources.
    pub(crate) base_len: usize,
    /// All bytes of the header.
    pub(crate) len: usize,
    /// Elements of a one-byte extension.
    pub(crate) elements: Elements,
    /// Whether the extension can be kept when the packet is forwarded: it has the one-byte form
    /// and every element of it is in `elements`.
    pub(crate) plain_extension: bool,
    has_padding: bool,
}

impl Header {
    /// Reads the header of a packet; `None` when it is no RTP or is cut short.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED_HEADER] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let base_len = FIXED_HEADER + 4 * usize::from(fixed[0] & 0x0F);
        let mut header = Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            base_len,
            len: base_len,
            elements: Elements::default(),
            plain_extension: false,
            has_padding: fixed[0] & 0x20 != 0,
        };
        if fixed[0] & 0x10 != 0 {
            header.read_extension(packet)?;
        }
        (header.len <= packet.len()).then_some(header)
    }

    /// Where the payload of a decrypted packet ends: before its padding. `None` when the padding
    /// is impossible.
    pub(crate) fn payload_end(&self, packet: &[u8]) -> Option<usize> {
        if !self.has_padding {
            return Some(packet.len());
        }
        let padding = usize::from(*packet.last()?);
        let end = packet.len().checked_sub(padding)?;
        (padding > 0 && end >= self.len).then_some(end)
    }

    /// The value of the extension element numbered `id`, in either form.
    pub(crate) fn element<'p>(&self, packet: &'p [u8], id: u8) -> Option<&'p [u8]> {
        let two_byte = || two_byte_element(packet.get(self.base_len..self.len)?, id);
        self.elements.value(packet, id).or_else(two_byte)
    }

    fn read_extension(&mut self, packet: &[u8]) -> Option<()> {
        let preamble: &[u8; 4] = packet.get(self.base_len..)?.first_chunk()?;
        let words = usize::from(u16::from_be_bytes([preamble[2], preamble[3]]));
        let mut at = self.base_len + 4;
        let end = at + 4 * words;
        self.len = end;
        let body = packet.get(..end)?;
        if preamble[..2] != ONE_BYTE_PROFILE {
            return Some(());
        }
        self.plain_extension = true;
        while let Some(&byte) = body.get(at) {
            let (id, len) = (byte >> 4, (byte & 0x0F) + 1);
            if byte == 0 {
                at += 1;
                continue;
            }
            let fits = at + 1 + usize::from(len) <= end;
            if id == STOP || id == 0 || !fits {
                // What follows cannot be told apart, so the whole extension is left behind.
                self.plain_extension = false;
                break;
            }
            if !self.elements.push(Element { id, at: at as u16, len }) {
                self.plain_extension = false;
                break;
            }
            at += 1 + usize::from(len);
        }
        Some(())
    }
}

/// The value of an element in an extension of the two-byte form, preamble included.
fn two_byte_element(extension: &[u8], id: u8) -> Option<&[u8]> {
    let (preamble, mut rest) = extension.split_first_chunk::<4>()?;
    let profile = u16::from_be_bytes([preamble[0], preamble[1]]);
    if profile & TWO_BYTE_MASK != TWO_BYTE_PROFILE {
        return None;
    }
    loop {
        match rest {
            [0, padded @ ..] => rest = padded,
            [found, len, values @ ..] => {
                let (value, others) = values.split_at_checked(usize::from(*len))?;
                if *found == id {
                    return Some(value);
                }
                rest = others;
            }
            _ => return None,
        }
    }
}

/// Whether a datagram that starts like RTP is RTCP instead (RFC 5761, 4).
pub(crate) fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Builds a packet: `elements` as one-byte extension when there are any.
    pub(crate) fn packet(
        sequence: u16,
        timestamp: u32,
        elements: &[(u8, &[u8])],
        payload: &[u8],
    ) -> Vec<u8> {
        let mut out = vec![0x80, 96];
        out.extend(sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(0x1234_5678_u32.to_be_bytes());
        if !elements.is_empty() {
            out[0] |= 0x10;
            let mut body = Vec::new();
            for (id, value) in elements {
                body.push(id << 4 | (value.len() as u8 - 1));
                body.extend_from_slice(value);
            }
            body.resize(body.len().next_multiple_of(4), 0);
            out.extend(ONE_BYTE_PROFILE);
            out.extend(((body.len() / 4) as u16).to_be_bytes());
            out.extend(body);
        }
        out.extend_from_slice(payload);
        out
    }

    /// Builds a packet with an extension of the two-byte form.
    pub(crate) fn two_byte_packet(elements: &[(u8, &[u8])], payload: &[u8]) -> Vec<u8> {
        let mut out = packet(1, 1, &[], &[]);
        out[0] |= 0x10;
        let mut body = vec![0];
        for (id, value) in elements {
            body.extend([*id, value.len() as u8]);
            body.extend_from_slice(value);
        }
        body.resize(body.len().next_multiple_of(4), 0);
        out.extend(TWO_BYTE_PROFILE.to_be_bytes());
        out.extend(((body.len() / 4) as u16).to_be_bytes());
        out.extend(body);
        out.extend_from_slice(payload);
        out
    }

    #[test]
    fn a_header_is_read_with_its_elements() {
        let bytes = packet(7, 9, &[(3, &[1, 2, 3]), (1, b"0")], b"payload");
        let header = Header::parse(&bytes).expect("valid");
        assert_eq!((header.sequence, header.timestamp, header.ssrc), (7, 9, 0x1234_5678));
        assert_eq!(header.elements.value(&bytes, 3), Some(&[1, 2, 3][..]));
        assert_eq!(header.elements.value(&bytes, 1), Some(&b"0"[..]));
        assert_eq!(header.elements.value(&bytes, 2), None);
        assert_eq!(&bytes[header.len..], b"payload");
        assert!(header.plain_extension);
    }

    #[test]
    fn every_truncation_is_refused_or_shorter() {
        let bytes = packet(7, 9, &[(3, &[1, 2, 3]), (1, b"0")], b"");
        for len in 0..bytes.len() {
            assert_eq!(Header::parse(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn padding_is_taken_off_and_impossible_padding_refused() {
        let mut bytes = packet(1, 1, &[], &[5, 5, 0, 0, 3]);
        bytes[0] |= 0x20;
        let header = Header::parse(&bytes).expect("valid");
        assert_eq!(header.payload_end(&bytes), Some(14));
        for bad in [0, 6, 255] {
            *bytes.last_mut().expect("not empty") = bad;
            assert_eq!(header.payload_end(&bytes), None, "{bad}");
        }
    }

    #[test]
    fn an_extension_that_cannot_be_kept_is_marked() {
        let mut two_byte = packet(1, 1, &[(1, b"0")], b"");
        two_byte[12..14].copy_from_slice(&[0x10, 0x00]);
        assert!(!Header::parse(&two_byte).expect("valid").plain_extension);
        let mut overlong = packet(1, 1, &[(1, b"0")], b"");
        overlong[16] = 0x1F;
        assert!(!Header::parse(&overlong).expect("valid").plain_extension);
        let many: Vec<(u8, &[u8])> = (1..=9).map(|id| (id, &b"x"[..])).collect();
        let header = packet(1, 1, &many, b"");
        assert!(!Header::parse(&header).expect("valid").plain_extension);
    }

    #[test]
    fn elements_of_the_two_byte_form_are_found_in_what_is_there() {
        let bytes = two_byte_packet(&[(1, b"0"), (200, &[7; 20]), (3, b"")], b"payload");
        let header = Header::parse(&bytes).expect("valid");
        assert_eq!(header.element(&bytes, 1), Some(&b"0"[..]));
        assert_eq!(header.element(&bytes, 200), Some(&[7; 20][..]));
        assert_eq!(header.element(&bytes, 3), Some(&b""[..]));
        assert_eq!(header.element(&bytes, 0), None);
        let mut overlong = two_byte_packet(&[(1, b"0")], b"payload");
        overlong[18] = 200;
        let header = Header::parse(&overlong).expect("valid");
        assert_eq!(header.element(&overlong, 1), None, "it would reach into the payload");
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut bytes = [0_u8; 40];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
            bytes[0] = 0x80 | bytes[0] & 0x3F;
            if bytes[1] & 1 == 0 {
                bytes[12..15].copy_from_slice(&[0x10, 0x00, 0x00]);
            }
            if let Some(header) = Header::parse(&bytes) {
                header.payload_end(&bytes);
                header.element(&bytes, bytes[16]);
                for element in header.elements.iter() {
                    assert!(header.elements.value(&bytes, element.id).is_some());
                }
            }
        }
    }
}
