//! The thread that draws a view: a picture at each moment of its raster, whatever inputs do.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use portico_mixer_protocol::FromAgent;

use crate::canvas::{Canvas, Picture, Plan, Showing, Slot};
use crate::clock;
use crate::link::Outbox;
use crate::pipeline::{Face, VideoOutput, jpeg};
use crate::raster::Raster;

/// Snapshots that wait for a view at the same time. More are answered with nothing.
const MAX_SNAPSHOTS: usize = 16;

/// How long a snapshot waits until all inputs have a picture.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(1);

/// A layout of inputs.
pub(crate) type FacePlan = Plan<Arc<Face>>;

#[derive(Debug)]
struct State {
    plan: Arc<FacePlan>,
    outputs: Arc<[Arc<VideoOutput>]>,
    /// Requests, and until when they wait for inputs.
    snapshots: Vec<(u32, Duration)>,
    /// Pictures composed so far.
    pictures: u64,
    stopping: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A view's drawing thread. It sleeps while nobody watches.
#[derive(Debug)]
pub(crate) struct Drawing {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drawing {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there are too many threads.
    pub(crate) fn start(
        view: u32,
        canvas: Canvas,
        framerate: u32,
        outbox: Arc<Outbox>,
    ) -> std::io::Result<Self> {
        let state = State {
            plan: Arc::new(Plan { sequence: 0, slots: Vec::new() }),
            outputs: Arc::default(),
            snapshots: Vec::new(),
            pictures: 0,
            stopping: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let thread =
            Ticking { view, canvas, framerate, outbox, shared: Arc::clone(&shared), told: 0 };
        let name = format!("view {view}");
        let thread = std::thread::Builder::new().name(name).spawn(move || thread.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Draws by another layout from the next picture on.
    pub(crate) fn set_plan(&self, plan: FacePlan) {
        self.shared.state().plan = Arc::new(plan);
        self.shared.changed.notify_one();
    }

    /// Replaces where pictures go.
    pub(crate) fn set_outputs(&self, outputs: Vec<Arc<VideoOutput>>) {
        self.shared.state().outputs = outputs.into();
        self.shared.changed.notify_one();
    }

    /// Answers a request with a picture soon; `false` when too many wait already.
    pub(crate) fn take_snapshot(&self, request: u32) -> bool {
        let mut state = self.shared.state();
        if state.snapshots.len() >= MAX_SNAPSHOTS {
            return false;
        }
        state.snapshots.push((request, clock::now() + SNAPSHOT_PATIENCE));
        self.shared.changed.notify_one();
        true
    }

    /// Pictures composed so far.
    pub(crate) fn pictures(&self) -> u64 {
        self.shared.state().pictures
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.shared.state().stopping = true;
        self.shared.changed.notify_one();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("a drawing thread panicked");
        }
    }
}

/// The thread's own.
struct Ticking {
    view: u32,
    canvas: Canvas,
    framerate: u32,
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
    /// The last layout that the server was told of.
    told: u64,
}

impl Ticking {
    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut raster = Raster::new(clock::now(), self.framerate);
        loop {
            let mut state = shared.state();
            while state.outputs.is_empty() && state.snapshots.is_empty() && !state.stopping {
                // Nobody sees the difference.
                self.tell_layout(state.plan.sequence);
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                raster = Raster::new(clock::now(), self.framerate);
            }
            if state.stopping {
                self.refuse(&mut state.snapshots);
                return;
            }
            drop(state);
            let due = raster.due();
            std::thread::sleep(due.saturating_sub(clock::now()));
            self.tick(due);
            raster.advance(clock::now(), 0);
        }
    }

    fn tick(&mut self, now: Duration) {
        let mut state = self.shared.state();
        state.pictures += 1;
        let plan = Arc::clone(&state.plan);
        let outputs = Arc::clone(&state.outputs);
        let ripe: Vec<u32> = {
            let complete = plan.slots.iter().all(is_ready);
            let snapshots = &mut state.snapshots;
            snapshots
                .extract_if(.., |(_, until)| complete || *until <= now)
                .map(|(request, _)| request)
                .collect()
        };
        let shown = !outputs.is_empty() || !ripe.is_empty();
        drop(state);
        if !shown {
            return;
        }
        let picture = Arc::new(self.canvas.compose(&plan, |face, want| {
            let label = face.label();
            if !face.is_active() {
                return Showing::Avatar { label };
            }
            match face.draw(want, now) {
                Some(picture) => Showing::Picture { picture, label },
                None => Showing::Nothing,
            }
        }));
        for output in outputs.iter() {
            output.push(&picture, now);
        }
        self.tell_layout(plan.sequence);
        if !ripe.is_empty() {
            self.answer(ripe, picture);
        }
    }

    fn tell_layout(&mut self, sequence: u64) {
        if sequence != self.told {
            self.told = sequence;
            self.outbox.tell(&FromAgent::LayoutShown { view: self.view, sequence });
        }
    }

    /// Encodes a snapshot beside the thread, which has no time for it.
    fn answer(&self, requests: Vec<u32>, picture: Arc<Picture>) {
        let outbox = Arc::clone(&self.outbox);
        let encode = move || {
            let bytes = jpeg(&picture).unwrap_or_else(|error| {
                tracing::warn!(%error, "no snapshot");
                Vec::new()
            });
            for request in requests {
                outbox.snapshot(request, bytes.clone());
            }
        };
        let thread = std::thread::Builder::new().name("snapshot".into());
        if let Err(error) = thread.spawn(encode) {
            tracing::warn!(%error, "no thread for a snapshot");
        }
    }

    fn refuse(&self, snapshots: &mut Vec<(u32, Duration)>) {
        for (request, _) in snapshots.drain(..) {
            self.outbox.snapshot(request, Vec::new());
        }
    }
}

/// Whether a region shows all it ever will.
fn is_ready(slot: &Slot<Arc<Face>>) -> bool {
    let Some(face) = &slot.input else { return true };
    !face.is_active() || face.has(slot.want)
}
