//! Writing parameter sets bit by bit.

/// Bits, most significant first.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Appends the low `count` bits of a value.
    pub(super) fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let byte = self.bytes.last_mut().expect("one was pushed");
            *byte |= u8::from(value >> bit & 1 == 1) << (7 - self.used);
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// Appends one bit.
    pub(super) fn flag(&mut self, value: bool) {
        self.put(u32::from(value), 1);
    }

    /// Appends an unsigned Exp-Golomb code (H.264, 9.1).
    pub(super) fn golomb(&mut self, value: u32) -> &mut Self {
        let length = 32 - (value + 1).leading_zeros();
        self.put(0, length - 1).put(value + 1, length)
    }

    /// Appends the bit that ends a unit.
    pub(super) fn stop(&mut self) {
        self.put(1, 1);
    }

    /// The bytes, the last one filled with zeros.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes with emulation prevention (H.264, 7.4.1).
    pub(super) fn finish_escaped(self) -> Vec<u8> {
        let mut escaped = Vec::new();
        for byte in self.bytes {
            if byte <= 3 && escaped.ends_with(&[0, 0]) {
                escaped.push(3);
            }
            escaped.push(byte);
        }
        escaped
    }
}
