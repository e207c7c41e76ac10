//! What no event announces: retries, sleep, lip sync, statistics.

use std::collections::HashMap;
use std::time::Duration;

use portico_mixer_protocol::{FromAgent, Scope};

use super::{Agent, View};
use crate::clock;
use crate::input::Failure;

/// How often lip sync is adjusted.
const SYNC_INTERVAL: Duration = Duration::from_millis(500);
/// How often the server is told the statistics.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

impl Agent {
    pub(super) fn keep_house(&mut self, now: Duration) {
        for failure in self.around.failures.take() {
            self.failed(failure);
        }
        for input in self.inputs.values_mut() {
            input.retry(&self.around);
        }
        let fell_asleep = |of: &View| of.awake_until != Duration::ZERO && of.awake_until <= now;
        if self.views.values().any(fell_asleep) {
            for of in self.views.values_mut() {
                if fell_asleep(of) {
                    of.awake_until = Duration::ZERO;
                }
            }
            self.follow_wants();
        }
        if now.saturating_sub(self.synced) >= SYNC_INTERVAL {
            self.synced = now;
            self.adjust_lip_sync();
        }
        if now.saturating_sub(self.reported) >= STATISTICS_INTERVAL {
            self.reported = now;
            self.report();
        }
    }

    fn failed(&mut self, failure: Failure) {
        match failure {
            Failure::Input { input, generation, reason } => {
                if let Some(input) = self.inputs.get_mut(&input) {
                    input.broken(generation, reason, &self.around);
                }
            }
            Failure::Output { output, reason } => {
                if self.close_output(output).is_ok() {
                    self.fail(Scope::Output(output), reason);
                }
            }
        }
    }

    fn adjust_lip_sync(&mut self) {
        let mut sources: HashMap<u32, (Option<i64>, Option<i64>)> = HashMap::new();
        for input in self.inputs.values() {
            let (Some(source), Some(delay)) = (input.source, input.delay_us()) else {
                continue;
            };
            let of = sources.entry(source).or_default();
            // Of several inputs of one kind the latest counts.
            let of = if input.sound().is_some() { &mut of.0 } else { &mut of.1 };
            *of = (*of).max(Some(delay));
        }
        self.holds.retain(|source, _| sources.contains_key(source));
        for (source, delays) in sources {
            let (Some(sound), Some(picture)) = delays else { continue };
            tracing::debug!(source, sound, picture, "delays without holds, in microseconds");
            let present = self.holds.entry(source).or_default();
            let Some(holds) = present.adjusted(sound, picture) else { continue };
            tracing::debug!(source, ?holds, "lip sync");
            *present = holds;
            for input in self.inputs.values_mut().filter(|input| input.source == Some(source)) {
                let hold = if input.sound().is_some() { holds.sound } else { holds.picture };
                input.set_hold(hold);
            }
        }
    }

    fn report(&self) {
        let drawings = self.views.values().filter_map(|of| of.picture.as_ref());
        let pictures: u64 = drawings.map(|(_, drawing)| drawing.pictures()).sum();
        let cpu_ms = u64::try_from(clock::processor_time().as_millis()).unwrap_or(u64::MAX);
        self.around.outbox.tell(&FromAgent::Statistics {
            cpu_ms,
            pictures: self.past_pictures + pictures,
            dropped: self.around.outbox.dropped(),
        });
    }
}
