//! An input's samples between its decoder and the mix.
//!
//! Samples come in bursts and go out in blocks. After a pause the queue fills up to a cushion, which
//! then absorbs late packets; a queue that stays fuller than its cushion, because the sender's clock
//! is the faster one or a burst came late, loses a block once a second. What lip sync demands is added to the
//! cushion.

use std::collections::VecDeque;
use std::time::Duration;

use super::{BLOCK, BLOCK_SAMPLES, Block, CHANNELS, RATE};
use crate::sync::Average;

/// Sound kept to absorb late packets.
const CUSHION: Duration = Duration::from_millis(30);

/// The most that lip sync delays sound.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// The most that is kept beyond cushion and hold; the oldest is dropped.
const MAX_EXCESS: Duration = Duration::from_millis(200);

/// Blocks over which the queue must stay too full before one is dropped: a second.
const WATCHED_BLOCKS: u32 = 50;

/// A queue of samples.
#[derive(Debug, Default)]
pub struct Playout {
    samples: VecDeque<i16>,
    hold: Duration,
    playing: bool,
    /// The least filling that a block left behind, and over how many blocks.
    least: usize,
    watched: u32,
    /// When the last block was taken.
    taken: Duration,
    /// How long after its arrival sound is taken.
    wait: Average,
}

fn samples(duration: Duration) -> usize {
    (duration.as_micros() as usize * RATE as usize / 1_000_000) * CHANNELS
}

impl Playout {
    /// Delays all sound by so much more than the cushion, for lip sync. Takes effect at once: with
    /// silence or by dropping samples.
    pub fn set_hold(&mut self, hold: Duration) {
        let hold = hold.min(MAX_HOLD);
        if self.playing {
            if hold > self.hold {
                for _ in 0..samples(hold - self.hold) {
                    self.samples.push_front(0);
                }
            } else {
                let dropped = samples(self.hold - hold).min(self.samples.len());
                self.samples.drain(..dropped);
            }
        }
        self.hold = hold;
        self.wait.clear();
        self.least = usize::MAX;
        self.watched = 0;
    }

    /// How much sound waits before the first of it is played.
    fn cushion(&self) -> usize {
        samples(CUSHION + self.hold)
    }

    /// How long after its arrival sound is taken, on average, in microseconds.
    pub fn wait_us(&self) -> Option<i64> {
        self.wait.get()
    }

    /// Takes decoded samples of a packet that came at `arrival`, both channels of each moment side by
    /// side.
    pub fn push(&mut self, arrival: Duration, new: impl IntoIterator<Item = i16>) {
        if self.playing {
            // The first of them follows all that is queued, and the next block starts a block after
            // the last one.
            let before = self.samples.len() / CHANNELS * 1_000_000 / RATE as usize;
            let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or_default();
            let played = micros(self.taken + BLOCK) + i64::try_from(before).unwrap_or_default();
            self.wait.add(played - micros(arrival));
        }
        self.samples.extend(new);
        let most = self.cushion() + samples(MAX_EXCESS);
        if self.samples.len() > most {
            let excess = (self.samples.len() - self.cushion()).next_multiple_of(CHANNELS);
            self.samples.drain(..excess.min(self.samples.len()));
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.samples.clear();
        self.playing = false;
    }

    /// The block that is mixed at `now`; `None` when there is nothing to be heard.
    pub fn next_block(&mut self, now: Duration) -> Option<Block> {
        self.taken = now;
        if !self.playing && self.samples.len() < self.cushion().max(BLOCK_SAMPLES) {
            return None;
        }
        if !self.playing {
            self.playing = true;
            self.least = usize::MAX;
            self.watched = 0;
        }
        if self.samples.is_empty() {
            self.playing = false;
            return None;
        }
        let mut block = [0; BLOCK_SAMPLES];
        let available = self.samples.len().min(BLOCK_SAMPLES);
        for (out, sample) in block.iter_mut().zip(self.samples.drain(..available)) {
            *out = sample;
        }
        self.trim();
        Some(block)
    }

    /// Drops a block when the queue was too full for a second.
    fn trim(&mut self) {
        self.least = self.least.min(self.samples.len());
        self.watched += 1;
        if self.watched < WATCHED_BLOCKS {
            return;
        }
        if self.least > self.cushion() {
            let dropped = BLOCK_SAMPLES.min(self.samples.len());
            self.samples.drain(..dropped);
            self.least -= dropped;
        }
        self.watched = 0;
        self.least = usize::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;

    fn blocks(playout: &mut Playout, count: usize) -> Vec<bool> {
        (0..count).map(|_| playout.next_block(ZERO).is_some()).collect()
    }

    #[test]
    fn nothing_is_played_before_the_cushion_is_full() {
        let mut playout = Playout::default();
        playout.push(ZERO, [5; BLOCK_SAMPLES]);
        assert_eq!(blocks(&mut playout, 2), [false, false]);
        playout.push(ZERO, [5; BLOCK_SAMPLES]);
        assert_eq!(blocks(&mut playout, 3), [true, true, false]);
        playout.push(ZERO, [5; BLOCK_SAMPLES]);
        assert_eq!(blocks(&mut playout, 1), [false], "after a pause it fills up again");
    }

    #[test]
    fn a_burst_is_played_in_order_and_too_much_of_it_dropped() {
        let mut playout = Playout::default();
        playout.push(ZERO, (0..BLOCK_SAMPLES as i16 * 2).collect::<Vec<_>>());
        assert_eq!(playout.next_block(ZERO).map(|b| (b[0], b[BLOCK_SAMPLES - 1])), Some((0, 1919)));
        assert_eq!(playout.next_block(ZERO).map(|b| b[0]), Some(1920));
        for _ in 0..100 {
            playout.push(ZERO, [1; BLOCK_SAMPLES]);
        }
        let kept = blocks(&mut playout, 100).iter().filter(|played| **played).count();
        assert!((1..=13).contains(&kept), "{kept} blocks");
    }

    #[test]
    fn a_fast_sender_does_not_add_delay() {
        let mut playout = Playout::default();
        // 1 % too fast, for 50 seconds.
        for tick in 0..2500 {
            let extra = if tick % 100 == 0 { 2 } else { 1 };
            for _ in 0..extra {
                playout.push(ZERO, [1; BLOCK_SAMPLES]);
            }
            playout.next_block(ZERO);
        }
        assert!(playout.samples.len() <= samples(CUSHION) + 3 * BLOCK_SAMPLES);
    }

    #[test]
    fn it_tells_how_long_sound_waits() {
        let mut playout = Playout::default();
        playout.push(ZERO, [1; 2 * BLOCK_SAMPLES]);
        for block in 0..150 {
            playout.next_block(BLOCK * block);
            playout.push(BLOCK * block + Duration::from_millis(5), [1; BLOCK_SAMPLES]);
        }
        // Packets come 15 ms before the next block, and one block is still there.
        assert_eq!(playout.wait_us(), Some(35_000));
    }

    #[test]
    fn hold_delays_and_its_end_catches_up() {
        let mut playout = Playout::default();
        playout.push(ZERO, [7; 2 * BLOCK_SAMPLES]);
        assert_eq!(playout.next_block(ZERO).map(|b| b[0]), Some(7));
        playout.set_hold(Duration::from_millis(100));
        for tick in 0..5 {
            playout.push(ZERO, [7; BLOCK_SAMPLES]);
            assert_eq!(playout.next_block(ZERO).map(|b| b[0]), Some(0), "block {tick}");
        }
        assert_eq!(playout.next_block(ZERO).map(|b| b[0]), Some(7));
        let before = playout.samples.len();
        playout.set_hold(Duration::from_millis(40));
        assert_eq!(before - playout.samples.len(), samples(Duration::from_millis(60)));
    }
}
