//! 16-bit sequence numbers made whole, and windows of what was already seen.

/// The 64-bit index that ends in `low` and is nearest to `reference` (RFC 3711, 3.3.1); never
/// below zero.
pub(crate) fn extend(reference: u64, low: u16) -> u64 {
    // The cast keeps the 16 low bits: that is the point.
    let ahead = low.wrapping_sub(reference as u16) as i16;
    match reference.checked_add_signed(i64::from(ahead)) {
        Some(index) => index,
        None => u64::from(low),
    }
}

/// How far behind the highest index a packet may arrive. Retransmissions without RTX come this
/// late, so it is larger than what reordering alone needs.
const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;

/// Indexes seen lately, to drop replayed packets (RFC 3711, 3.3.2).
#[derive(Debug, Clone)]
pub(crate) struct ReplayWindow {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl ReplayWindow {
    pub(crate) fn new() -> Self {
        Self { highest: None, seen: [0; WORDS] }
    }

    /// The highest index marked so far.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` was not seen and is recent enough to tell.
    pub(crate) fn is_fresh(&self, index: u64) -> bool {
        let Some(highest) = self.highest else { return true };
        if index > highest {
            return true;
        }
        highest - index < WINDOW && self.seen[word(index)] & bit(index) == 0
    }

    /// Notes that `index` was seen. Call it only after the packet proved authentic.
    pub(crate) fn mark(&mut self, index: u64) {
        match self.highest {
            None => self.highest = Some(index),
            Some(highest) if index > highest => {
                if index - highest >= WINDOW {
                    self.seen = [0; WORDS];
                } else {
                    for skipped in highest + 1..index {
                        self.seen[word(skipped)] &= !bit(skipped);
                    }
                }
                self.highest = Some(index);
            }
            Some(_) => {}
        }
        self.seen[word(index)] |= bit(index);
    }
}

fn word(index: u64) -> usize {
    ((index % WINDOW) / 64) as usize
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_extend_over_the_wrap_both_ways() {
        assert_eq!(extend(65_530, 3), 65_539);
        assert_eq!(extend(65_539, 65_530), 65_530);
        assert_eq!(extend(100, 90), 90);
        assert_eq!(extend(3 * 65_536 + 10, 65_535), 3 * 65_536 - 1);
    }

    #[test]
    fn nothing_is_before_the_first_cycle() {
        assert_eq!(extend(5, 65_000), 65_000);
    }

    #[test]
    fn a_window_refuses_what_it_saw_and_what_is_too_old() {
        let mut window = ReplayWindow::new();
        for index in [10, 12, 11, 2000] {
            assert!(window.is_fresh(index), "{index}");
            window.mark(index);
            assert!(!window.is_fresh(index), "{index} again");
        }
        assert!(!window.is_fresh(12), "too old to tell");
        assert!(window.is_fresh(1999));
        assert!(window.is_fresh(2000 - WINDOW + 1));
        assert!(!window.is_fresh(2000 - WINDOW));
    }

    #[test]
    fn moving_on_forgets_the_slots_it_reuses() {
        let mut window = ReplayWindow::new();
        window.mark(1);
        window.mark(2 + WINDOW);
        assert!(window.is_fresh(1 + WINDOW), "shares a slot with 1, which left the window");
    }
}
