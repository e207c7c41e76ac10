//! The mix: everybody once, then each listener's own voice taken out.

use super::BLOCK_SAMPLES;

/// 20 ms of stereo sound.
pub type Block = [i16; BLOCK_SAMPLES];

/// The sum of blocks, wide enough for 65 000 of them.
#[derive(Debug, Clone)]
pub struct Sum {
    samples: Box<[i32; BLOCK_SAMPLES]>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { samples: Box::new([0; BLOCK_SAMPLES]) }
    }
}

impl Sum {
    /// Starts anew.
    pub fn clear(&mut self) {
        self.samples.fill(0);
    }

    /// Adds a voice.
    pub fn add(&mut self, block: &Block) {
        for (sum, sample) in self.samples.iter_mut().zip(block) {
            *sum += i32::from(*sample);
        }
    }

    /// The mix without some of the voices that were added. What is too loud is clipped.
    pub fn mix(&self, without: &[&Block]) -> Block {
        let mut mix = [0; BLOCK_SAMPLES];
        for (place, (out, sum)) in mix.iter_mut().zip(self.samples.iter()).enumerate() {
            let own: i32 = without.iter().map(|own| i32::from(own[place])).sum();
            *out = saturated(*sum - own);
        }
        mix
    }
}

fn saturated(sample: i32) -> i16 {
    sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_hears_everyone_else() {
        let voices: Vec<Block> = [100, 2000, -30_000].map(|v| [v; BLOCK_SAMPLES]).to_vec();
        let mut sum = Sum::default();
        voices.iter().for_each(|voice| sum.add(voice));
        assert_eq!(sum.mix(&[])[7], -27_900);
        assert_eq!(sum.mix(&[&voices[0]])[7], -28_000);
        assert_eq!(sum.mix(&[&voices[2]])[7], 2100);
        assert_eq!(sum.mix(&[&voices[0], &voices[2]])[7], 2000, "of one who has two voices");
        sum.clear();
        assert_eq!(sum.mix(&[]), [0; BLOCK_SAMPLES]);
    }

    #[test]
    fn the_sum_is_exact_and_only_the_mix_is_clipped() {
        let loud = [i16::MAX; BLOCK_SAMPLES];
        let low = [i16::MIN; BLOCK_SAMPLES];
        let mut sum = Sum::default();
        for _ in 0..50 {
            sum.add(&loud);
        }
        assert_eq!(sum.mix(&[])[0], i16::MAX);
        for _ in 0..49 {
            sum.add(&low);
        }
        assert_eq!(sum.mix(&[])[0], (50 * 32_767 - 49 * 32_768_i32) as i16);
        assert_eq!(sum.mix(&[&loud])[0], (49 * 32_767 - 49 * 32_768_i32) as i16);
        for _ in 0..50 {
            sum.add(&low);
        }
        assert_eq!(sum.mix(&[])[0], i16::MIN);
    }
}
