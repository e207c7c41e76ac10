//! How loud inputs are, and which of them are heard.

use std::collections::HashMap;
use std::time::Duration;

use super::{BLOCK, Block};

/// Below it, in decibels of full scale, an input counts as silent.
const SILENCE: f32 = -50.0;

/// The level of nothing at all.
const NOTHING: f32 = -96.0;

/// The time over which a level is smoothed.
const SMOOTHING: Duration = Duration::from_millis(300);

/// How much louder another has to be than one who is heard, or is the loudest, in decibels.
const ADVANTAGE: f32 = 6.0;

/// How long a heard one stays heard at least.
const HOLD: Duration = Duration::from_secs(1);

/// A smoothed level.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    decibels: f32,
}

impl Default for Level {
    fn default() -> Self {
        Self { decibels: NOTHING }
    }
}

impl Level {
    /// Takes another block in; `None` is a block in which nothing came.
    pub fn update(&mut self, block: Option<&Block>) {
        let power = block.map_or(0.0, |block| {
            let sum: f32 = block.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
            sum / block.len() as f32 / (32_768.0 * 32_768.0)
        });
        let now = if power > 0.0 { (10.0 * power.log10()).max(NOTHING) } else { NOTHING };
        let share = BLOCK.as_secs_f32() / SMOOTHING.as_secs_f32();
        // A voice is noticed at once and forgotten slowly.
        let share = if now > self.decibels { share * 3.0 } else { share };
        self.decibels += (now - self.decibels) * share;
    }

    /// Decibels of full scale; 0 is the loudest.
    pub fn decibels(self) -> f32 {
        self.decibels
    }

    /// Whether nothing is heard.
    pub fn is_silent(self) -> bool {
        self.decibels < SILENCE
    }
}

/// Chooses who is heard, with some inertia: a cough takes nobody's place.
#[derive(Debug, Default)]
pub struct Selector {
    heard: HashMap<u32, Duration>,
    loudest: Option<u32>,
    told: Option<Duration>,
}

impl Selector {
    /// The inputs that are heard among `levels`; all when `count` is 0.
    pub fn select(&mut self, now: Duration, levels: &[(u32, Level)], count: usize) -> Vec<u32> {
        if count == 0 || levels.len() <= count {
            self.heard.clear();
            return levels.iter().map(|(input, _)| *input).collect();
        }
        let mut ranked: Vec<_> = levels
            .iter()
            .map(|(input, level)| {
                let since = self.heard.get(input);
                let held = since.is_some_and(|since| now.saturating_sub(*since) < HOLD);
                let bonus = if since.is_some() { ADVANTAGE } else { 0.0 };
                (held && !level.is_silent(), level.decibels() + bonus, *input)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let mut chosen: Vec<u32> = ranked.iter().take(count).map(|(_, _, input)| *input).collect();
        chosen.sort_unstable();
        self.heard.retain(|input, _| chosen.contains(input));
        for input in &chosen {
            self.heard.entry(*input).or_insert(now);
        }
        chosen
    }

    /// The loudest input when it is another than was last told, at most once a second and never in
    /// silence.
    pub fn loudest(&mut self, now: Duration, levels: &[(u32, Level)]) -> Option<u32> {
        if self.told.is_some_and(|told| now.saturating_sub(told) < HOLD) {
            return None;
        }
        let current = self.loudest.and_then(|l| levels.iter().find(|(input, _)| *input == l));
        let bar = current.map_or(SILENCE, |(_, level)| (level.decibels() + ADVANTAGE).max(SILENCE));
        let (input, _) = levels
            .iter()
            .filter(|(input, level)| Some(*input) != self.loudest && level.decibels() > bar)
            .max_by(|a, b| a.1.decibels().total_cmp(&b.1.decibels()))?;
        self.loudest = Some(*input);
        self.told = Some(now);
        Some(*input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::BLOCK_SAMPLES;
    use super::*;

    fn level(decibels: f32) -> Level {
        Level { decibels }
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_level_follows_the_sound() {
        let mut measured = Level::default();
        assert!(measured.is_silent());
        for _ in 0..50 {
            measured.update(Some(&[3277; BLOCK_SAMPLES]));
        }
        assert!((measured.decibels() + 20.0).abs() < 0.5, "{measured:?}");
        for _ in 0..5 {
            measured.update(None);
        }
        assert!(!measured.is_silent(), "a pause between words is no silence");
        for _ in 0..100 {
            measured.update(None);
        }
        assert!(measured.is_silent());
    }

    #[test]
    fn the_loudest_are_heard_and_a_little_louder_is_not_enough() {
        let mut selector = Selector::default();
        let levels = [(1, level(-30.0)), (2, level(-20.0)), (3, level(-40.0))];
        assert_eq!(selector.select(ms(0), &levels, 2), [1, 2]);
        let closer = [(1, level(-30.0)), (2, level(-20.0)), (3, level(-26.0))];
        assert_eq!(selector.select(ms(5000), &closer, 2), [1, 2]);
        let louder = [(1, level(-30.0)), (2, level(-20.0)), (3, level(-15.0))];
        assert_eq!(selector.select(ms(5020), &louder, 2), [2, 3]);
        assert_eq!(selector.select(ms(5040), &louder, 0), [1, 2, 3]);
    }

    #[test]
    fn who_is_heard_stays_for_a_second() {
        let mut selector = Selector::default();
        assert_eq!(selector.select(ms(0), &[(1, level(-30.0)), (2, level(-40.0))], 1), [1]);
        let other = [(1, level(-40.0)), (2, level(-10.0))];
        assert_eq!(selector.select(ms(500), &other, 1), [1]);
        assert_eq!(selector.select(ms(1000), &other, 1), [2]);
        let fallen_silent = [(1, level(-20.0)), (2, level(-80.0))];
        assert_eq!(selector.select(ms(1100), &fallen_silent, 1), [1]);
    }

    #[test]
    fn the_loudest_is_told_on_change_only() {
        let mut selector = Selector::default();
        let silence = [(1, level(-70.0)), (2, level(-60.0))];
        assert_eq!(selector.loudest(ms(0), &silence), None);
        let first = [(1, level(-20.0)), (2, level(-30.0))];
        assert_eq!(selector.loudest(ms(20), &first), Some(1));
        let second = [(1, level(-30.0)), (2, level(-20.0))];
        assert_eq!(selector.loudest(ms(500), &second), None, "too soon");
        assert_eq!(selector.loudest(ms(1020), &second), Some(2));
        assert_eq!(selector.loudest(ms(3000), &silence), None);
        assert_eq!(selector.loudest(ms(4000), &second), None, "the same one");
        assert_eq!(selector.loudest(ms(5000), &[(1, level(-25.0))]), Some(1), "the other left");
    }
}
