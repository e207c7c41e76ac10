//! The thread that mixes: every 20 ms a block from each input, to each output its mix.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use portico_mixer_protocol::FromAgent;

use super::{BLOCK, Block, Level, Playout, Selector, Sum};
use crate::clock;
use crate::link::Outbox;
use crate::pipeline::AudioOutput;
use crate::raster::Raster;

/// Blocks that are made up for after the thread was kept from running; more are left out.
const CATCH_UP: u64 = 10;

/// An audio input as the mix sees it.
#[derive(Debug)]
pub(crate) struct SoundInput {
    number: u32,
    active: AtomicBool,
    playout: Mutex<Playout>,
}

impl SoundInput {
    pub(crate) fn new(number: u32) -> Self {
        Self { number, active: AtomicBool::new(true), playout: Mutex::default() }
    }

    /// Takes decoded samples of a packet that came at `arrival`.
    pub(crate) fn push(&self, arrival: Duration, samples: impl IntoIterator<Item = i16>) {
        if self.active.load(Ordering::Relaxed) {
            self.playout().push(arrival, samples);
        }
    }

    /// Lets it be heard or not.
    pub(crate) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Relaxed);
        self.playout().clear();
    }

    /// Delays it for lip sync.
    pub(crate) fn set_hold(&self, hold: Duration) {
        self.playout().set_hold(hold);
    }

    /// How long after its arrival sound is mixed, on average, in microseconds.
    pub(crate) fn wait_us(&self) -> Option<i64> {
        self.playout().wait_us()
    }

    fn playout(&self) -> std::sync::MutexGuard<'_, Playout> {
        self.playout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one view's sound is made of and where it goes.
#[derive(Debug)]
pub(crate) struct SoundView {
    pub(crate) view: u32,
    pub(crate) inputs: Vec<Arc<SoundInput>>,
    /// So many are heard; 0 is everyone.
    pub(crate) loudest: usize,
    /// Each output with the inputs that its listener does not hear, each once.
    pub(crate) outputs: Vec<(Arc<[u32]>, Arc<AudioOutput>)>,
}

/// All views' sound.
#[derive(Debug, Default)]
pub(crate) struct SoundPlan {
    pub(crate) views: Vec<SoundView>,
}

impl SoundPlan {
    fn is_idle(&self) -> bool {
        self.views.iter().all(|view| view.inputs.is_empty() && view.outputs.is_empty())
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    plan: Arc<SoundPlan>,
    stopping: bool,
}

/// The thread and what it works on.
#[derive(Debug)]
pub(crate) struct SoundTicker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SoundTicker {
    /// Starts the thread, which sleeps until there is something to mix.
    ///
    /// # Errors
    /// When there are too many threads.
    pub(crate) fn start(outbox: Arc<Outbox>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let run = move || Mixing::new(outbox).run(&of_thread);
        let thread = std::thread::Builder::new().name("sound".into()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Replaces what is mixed.
    pub(crate) fn set_plan(&self, plan: SoundPlan) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).plan = Arc::new(plan);
        self.shared.changed.notify_one();
    }
}

impl Drop for SoundTicker {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.shared.changed.notify_one();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the sound thread panicked");
        }
    }
}

/// The thread's own.
struct Mixing {
    outbox: Arc<Outbox>,
    levels: HashMap<u32, Level>,
    selectors: HashMap<u32, Selector>,
    sum: Sum,
}

impl Mixing {
    fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox, levels: HashMap::new(), selectors: HashMap::new(), sum: Sum::default() }
    }

    fn run(mut self, shared: &Shared) {
        let per_second = u32::try_from(1000 / BLOCK.as_millis()).expect("50");
        let mut raster = Raster::new(clock::now(), per_second);
        loop {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            while state.plan.is_idle() && !state.stopping {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                raster = Raster::new(clock::now(), per_second);
            }
            if state.stopping {
                return;
            }
            let plan = Arc::clone(&state.plan);
            drop(state);
            let due = raster.due();
            std::thread::sleep(due.saturating_sub(clock::now()));
            self.tick(due, &plan);
            raster.advance(clock::now(), CATCH_UP);
        }
    }

    fn tick(&mut self, now: Duration, plan: &SoundPlan) {
        let mut blocks: HashMap<u32, Option<Block>> = HashMap::new();
        for input in plan.views.iter().flat_map(|view| &view.inputs) {
            blocks.entry(input.number).or_insert_with(|| input.playout().next_block(now));
        }
        self.levels.retain(|input, _| blocks.contains_key(input));
        for (input, block) in &blocks {
            self.levels.entry(*input).or_default().update(block.as_ref());
        }
        self.selectors.retain(|view, _| plan.views.iter().any(|v| v.view == *view));
        for view in &plan.views {
            self.mix(now, view, &blocks);
        }
    }

    fn mix(&mut self, now: Duration, view: &SoundView, blocks: &HashMap<u32, Option<Block>>) {
        let levels: Vec<(u32, Level)> =
            view.inputs.iter().map(|i| (i.number, self.levels[&i.number])).collect();
        let selector = self.selectors.entry(view.view).or_default();
        let heard = selector.select(now, &levels, view.loudest);
        if let Some(input) = selector.loudest(now, &levels) {
            self.outbox.tell(&FromAgent::Loudest { view: view.view, input });
        }
        if view.outputs.is_empty() {
            return;
        }
        let voice = |input: &u32| blocks.get(input).and_then(Option::as_ref);
        self.sum.clear();
        heard.iter().filter_map(voice).for_each(|block| self.sum.add(block));
        let common = self.sum.mix(&[]);
        for (without, output) in &view.outputs {
            let own = without.iter().filter(|own| heard.contains(own));
            let own: Vec<&Block> = own.filter_map(voice).collect();
            match &*own {
                [] => output.push(&common, now),
                own => output.push(&self.sum.mix(own), now),
            }
        }
    }
}
