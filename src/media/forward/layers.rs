//! The layers of a simulcast: which flow, how large they are, and which of them somebody gets.

use std::time::{Duration, Instant};

use crate::formats::Resolution;

/// A layer that is silent for as long while another one flows has stopped: browsers end layers
/// when the uplink or the processor is too weak. Longer than the pauses between pictures that a
/// camera in the dark makes.
const STALL: Duration = Duration::from_millis(700);

/// The same for a layer that was seen to make longer pauses, as a shared screen may, and goes on
/// after them.
const LONGEST_STALL: Duration = Duration::from_secs(3);

/// Which layer is wanted, by its number where it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The largest.
    Largest,
    /// This one.
    Named(usize),
    /// The smallest that has no side below this size's.
    Covering(Resolution),
    /// The smallest that reaches this size in one direction at least, so that a frame of the size
    /// shows it whole without enlarging it.
    Filling(Resolution),
}

/// A time in which packets came without long pauses.
#[derive(Debug, Clone, Copy)]
struct Run {
    since: Instant,
    last: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Layer {
    /// As far as known.
    size: Option<Resolution>,
    /// The latest run.
    run: Option<Run>,
    /// How long it is silent before it is held for stopped.
    stall: Duration,
}

impl Layer {
    const NEW: Self = Self { size: None, run: None, stall: STALL };

    /// Notes that a packet came. Whether a run begins with it.
    fn arrived(&mut self, now: Instant) -> bool {
        if let Some(run) = &mut self.run {
            let silence = now.saturating_duration_since(run.last);
            if silence <= self.stall {
                run.last = now;
                return false;
            }
            if silence <= LONGEST_STALL {
                self.stall = (silence * 2).min(LONGEST_STALL);
            }
        }
        self.run = Some(Run { since: now, last: now });
        true
    }

    /// What layers are ordered by. One whose size is not known comes first.
    fn pixels(&self) -> u64 {
        self.size.map_or(0, |size| u64::from(size.width) * u64::from(size.height))
    }
}

/// The layers of a simulcast, by number in the publisher's order.
#[derive(Debug)]
pub(crate) struct Layers {
    list: Vec<Layer>,
}

impl Layers {
    pub(crate) fn new(count: usize) -> Self {
        Self { list: vec![Layer::NEW; count] }
    }

    /// Notes that a packet of a layer came. Whether it is the first one, or the first after a
    /// long pause.
    pub(crate) fn arrived(&mut self, layer: usize, now: Instant) -> bool {
        self.list.get_mut(layer).is_some_and(|layer| layer.arrived(now))
    }

    /// Notes how large a layer is.
    pub(crate) fn measured(&mut self, layer: usize, size: Resolution) {
        if let Some(layer) = self.list.get_mut(layer) {
            layer.size = Some(size);
        }
    }

    /// Whether packets of a layer come, or at least are not missed: when no layer has any, the
    /// publisher pauses, and which ones go on is not known.
    pub(crate) fn flows(&self, layer: usize, now: Instant) -> bool {
        let Some(Layer { run: Some(run), stall, .. }) = self.list.get(layer) else { return false };
        let outlasts = |other: &Layer| {
            let Some(other_run) = other.run else { return false };
            let is_present = now.saturating_duration_since(other_run.last) <= other.stall;
            let silence = now.saturating_duration_since(run.last.max(other_run.since));
            is_present && silence > *stall
        };
        !self.list.iter().any(outlasts)
    }

    /// The layer that meets a wish best among those that flow, or among all while none does.
    pub(crate) fn choose(&self, wish: Wish, now: Instant) -> usize {
        let any_flows = (0..self.list.len()).any(|layer| self.flows(layer, now));
        if let (false, Wish::Named(named)) = (any_flows, wish) {
            return named;
        }
        let candidates = || {
            let usable = |layer: &usize| !any_flows || self.flows(*layer, now);
            (0..self.list.len()).filter(usable).map(|layer| (self.list[layer], layer))
        };
        let order = |(layer, number): &(Layer, usize)| (layer.pixels(), *number);
        let smallest = |fits: &dyn Fn(&Layer) -> bool| {
            candidates().filter(|(layer, _)| fits(layer)).min_by_key(order)
        };
        let found = match wish {
            Wish::Largest => None,
            Wish::Named(named) if self.flows(named, now) => return named,
            // What is next below it, so that nobody gets more than was asked for; else above.
            Wish::Named(named) => {
                let limit = self.list.get(named).map_or(0, Layer::pixels);
                let below = candidates().filter(|(layer, _)| layer.pixels() <= limit);
                let below = below.max_by_key(order);
                below.or_else(|| if limit == 0 { None } else { smallest(&|_| true) })
            }
            Wish::Covering(wanted) => smallest(&|layer| {
                let reaches =
                    |size: Resolution| size.width >= wanted.width && size.height >= wanted.height;
                layer.size.is_some_and(reaches)
            }),
            Wish::Filling(wanted) => smallest(&|layer| {
                let reaches =
                    |size: Resolution| size.width >= wanted.width || size.height >= wanted.height;
                layer.size.is_some_and(reaches)
            }),
        };
        let found = found.or_else(|| candidates().max_by_key(order));
        found.map_or(0, |(_, number)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Resolution = Resolution { width: 320, height: 180 };
    const HALF: Resolution = Resolution { width: 640, height: 360 };
    const FULL: Resolution = Resolution { width: 1280, height: 720 };

    struct Bench {
        layers: Layers,
        now: Instant,
    }

    impl Bench {
        /// Three measured layers that flow, the second one the largest.
        fn new() -> Self {
            let mut bench = Self { layers: Layers::new(3), now: Instant::now() };
            for (layer, size) in [QUARTER, FULL, HALF].into_iter().enumerate() {
                bench.layers.arrived(layer, bench.now);
                bench.layers.measured(layer, size);
            }
            bench
        }

        /// Lets some layers flow for a while; how often one began.
        fn run(&mut self, layers: &[usize], millis: u64) -> usize {
            let mut began = 0;
            for _ in 0..millis / 100 {
                self.now += Duration::from_millis(100);
                let arrived = |layer: &&usize| self.layers.arrived(**layer, self.now);
                began += layers.iter().filter(arrived).count();
            }
            began
        }

        fn choose(&self, wish: Wish) -> usize {
            self.layers.choose(wish, self.now)
        }
    }

    fn size(width: u32, height: u32) -> Resolution {
        Resolution { width, height }
    }

    #[test]
    fn a_size_takes_the_smallest_layer_that_is_not_smaller() {
        let bench = Bench::new();
        assert_eq!(bench.choose(Wish::Largest), 1);
        let covering = |width, height| bench.choose(Wish::Covering(size(width, height)));
        assert_eq!(covering(0, 0), 0);
        assert_eq!(covering(320, 180), 0);
        assert_eq!(covering(320, 181), 2);
        assert_eq!(covering(641, 100), 1);
        assert_eq!(covering(4000, 4000), 1, "there is nothing larger");
    }

    #[test]
    fn a_frame_that_shows_all_is_filled_by_one_side() {
        let bench = Bench::new();
        let filling = |width, height| bench.choose(Wish::Filling(size(width, height)));
        assert_eq!(filling(320, 320), 0);
        assert_eq!(filling(640, 480), 2);
        assert_eq!(filling(4000, 720), 1);
    }

    #[test]
    fn what_stalls_is_replaced_by_the_next_below_it_and_returns() {
        let mut bench = Bench::new();
        bench.run(&[0, 1, 2], 500);
        assert_eq!(bench.run(&[0, 2], 700), 0);
        assert_eq!(bench.choose(Wish::Largest), 1, "a short pause is none");
        bench.run(&[0, 2], 200);
        assert_eq!(bench.choose(Wish::Largest), 2);
        assert_eq!(bench.choose(Wish::Named(1)), 2);
        bench.run(&[0], 1000);
        assert_eq!(bench.choose(Wish::Named(1)), 0);
        assert_eq!(bench.run(&[0, 1], 100), 1, "it begins again");
        assert_eq!((bench.choose(Wish::Named(1)), bench.choose(Wish::Largest)), (1, 1));
    }

    #[test]
    fn a_layer_with_few_pictures_is_not_taken_for_one_that_stops() {
        let mut bench = Bench::new();
        let mut began = 0;
        for _ in 0..20 {
            bench.run(&[0, 2], 900);
            began += bench.run(&[0, 1, 2], 100);
        }
        assert_eq!(began, 1, "it was missed once");
        assert_eq!(bench.choose(Wish::Largest), 1);
        bench.run(&[0, 2], 1900);
        assert_eq!(bench.choose(Wish::Largest), 1);
        bench.run(&[0, 2], 200);
        assert_eq!(bench.choose(Wish::Largest), 2, "in the end it has stopped");
    }

    #[test]
    fn without_a_smaller_one_the_next_above_stands_in() {
        let mut bench = Bench::new();
        bench.run(&[1, 2], 1000);
        assert_eq!(bench.choose(Wish::Named(0)), 2);
        assert_eq!(bench.choose(Wish::Covering(QUARTER)), 2);
    }

    #[test]
    fn a_publisher_that_pauses_changes_nothing() {
        let mut bench = Bench::new();
        bench.now += Duration::from_secs(60);
        assert_eq!(bench.choose(Wish::Largest), 1);
        // The small layer comes first again; the others get as long as a stall to follow.
        assert_eq!(bench.run(&[0], 100), 1);
        assert_eq!(bench.choose(Wish::Largest), 1);
        bench.run(&[0], 800);
        assert_eq!(bench.choose(Wish::Largest), 0);
    }

    #[test]
    fn before_anything_flows_a_named_layer_is_itself() {
        let mut bench = Bench { layers: Layers::new(3), now: Instant::now() };
        assert_eq!(bench.choose(Wish::Named(1)), 1);
        bench.run(&[0], 100);
        assert_eq!(bench.choose(Wish::Named(1)), 0, "something is better than nothing");
        bench.run(&[0, 2], 100);
        assert_eq!(bench.choose(Wish::Largest), 2, "the later one, while no size is known");
        bench.run(&[0, 1, 2], 100);
        assert_eq!(bench.choose(Wish::Named(1)), 1);
        assert!(!bench.layers.arrived(7, bench.now), "there is no such layer");
    }
}
