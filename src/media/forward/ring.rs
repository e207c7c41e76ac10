//! The latest packets of an incoming track, kept for forwarding and retransmission.

use super::{pictures::PictureMarks, rtp::Elements};

/// A kept packet. Its buffer is reused when the ring comes round.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Its place in the track.
    pub(crate) index: u64,
    /// The track's continuous time, in units of the codec's clock.
    pub(crate) timestamp: u32,
    /// Header, with an extension only if it can be forwarded, and payload without padding.
    pub(crate) data: Vec<u8>,
    /// Bytes of the header.
    pub(crate) header_len: usize,
    /// Elements of the header extension.
    pub(crate) elements: Elements,
    /// Padding bytes that every copy gets, so that packets sent together have equal sizes.
    pub(crate) padding: u8,
    /// By what numbers the payload counts pictures, if it does.
    pub(crate) pictures: Option<PictureMarks>,
    /// Whether a decoder can start here.
    pub(crate) starts_key_frame: bool,
    /// Whether it has no payload and only takes a place in the sequence.
    pub(crate) is_filler: bool,
    used: bool,
}

/// A fixed number of slots, addressed by packet index.
#[derive(Debug)]
pub(crate) struct Ring {
    slots: Vec<Slot>,
}

impl Ring {
    /// A ring of `capacity` slots, a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_power_of_two(), "{capacity} slots cannot be masked");
        Self { slots: std::iter::repeat_with(Slot::default).take(capacity).collect() }
    }

    /// How many packets it keeps.
    pub(crate) fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The packet with this index, if it is still there.
    pub(crate) fn get(&self, index: u64) -> Option<&Slot> {
        let slot = &self.slots[self.position(index)];
        (slot.used && slot.index == index).then_some(slot)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, index: u64) -> Option<&mut Slot> {
        let position = self.position(index);
        let slot = &mut self.slots[position];
        (slot.used && slot.index == index).then_some(slot)
    }

    /// The slot for a new packet, emptied; whatever was in it is gone.
    pub(crate) fn claim(&mut self, index: u64) -> &mut Slot {
        let position = self.position(index);
        let slot = &mut self.slots[position];
        let mut data = std::mem::take(&mut slot.data);
        data.clear();
        *slot = Slot { index, data, used: true, ..Slot::default() };
        slot
    }

    fn position(&self, index: u64) -> usize {
        index as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_packets_make_room_for_new_ones() {
        let mut ring = Ring::new(4);
        for index in 0..6 {
            ring.claim(index).data.push(index as u8);
        }
        assert!(ring.get(1).is_none());
        assert_eq!(ring.get(2).map(|slot| slot.data.as_slice()), Some(&[2][..]));
        assert_eq!(ring.get(5).map(|slot| slot.data.as_slice()), Some(&[5][..]));
        assert!(ring.get(6).is_none());
    }
}
