//! Reading bit by bit, most significant first.

use std::borrow::Cow;

/// A cursor over bits. Every read gives `None` past the end.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    bytes: Cow<'a, [u8]>,
    at: usize,
}

/// The longest exp-Golomb prefix whose value fits in 32 bits.
const MAX_PREFIX: u32 = 31;

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), at: 0 }
    }

    /// Reads the raw bytes of a NAL unit: emulation prevention bytes are taken out
    /// (H.264 and H.265, 7.3.1).
    pub(super) fn of_nal_unit(bytes: &'a [u8]) -> Self {
        let mut out = Vec::with_capacity(bytes.len());
        let mut zeros = 0;
        for &byte in bytes {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            out.push(byte);
        }
        Self { bytes: Cow::Owned(out), at: 0 }
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Up to 32 bits.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// An unsigned exp-Golomb number, `ue(v)`.
    pub(super) fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > MAX_PREFIX {
                return None;
            }
        }
        let rest = self.take(zeros)?;
        Some((1_u32 << zeros) - 1 + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golomb_numbers_are_read() {
        // 1 | 010 | 011 | 00100 | 00111: 0, 1, 2, 3, 6.
        let bytes = [0b1010_0110, 0b0100_0011, 0b1000_0000];
        let mut bits = Bits::new(&bytes);
        let numbers: Vec<_> = (0..5).map(|_| bits.golomb()).collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(3), Some(6)]);
    }

    #[test]
    fn emulation_prevention_is_taken_out() {
        let mut bits = Bits::of_nal_unit(&[0, 0, 3, 1, 0, 0, 3]);
        assert_eq!(bits.take(24), Some(1));
        assert_eq!(bits.take(16), Some(0));
        assert_eq!(bits.bit(), None);
    }
}
