//! The agent: what the server asked for, and the making of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ab_glyph::FontArc;
use portico_mixer_protocol as protocol;
use portico_mixer_protocol::{Capabilities, Encoding, FromAgent, Region, Scope, ToAgent};

use crate::audio::{SoundPlan, SoundTicker, SoundView};
use crate::canvas::{Canvas, Colour, LayoutError, Plan, Size, Style, Texts, Want};
use crate::clock::{self, ServerClock};
use crate::input::{Input, Surroundings};
use crate::link::{Event, LinkError};
use crate::pipeline::{AudioOutput, PipelineError, VideoOutput, VideoSettings};
use crate::sync::Holds;
use crate::view::{Drawing, FacePlan};

/// Views of one agent.
const MAX_VIEWS: usize = 64;
/// Inputs of one agent.
const MAX_INPUTS: usize = 1024;
/// Outputs of one agent.
const MAX_OUTPUTS: usize = 256;
/// The largest side of a picture in pixels.
const MAX_SIDE: u32 = 4096;
/// The most pictures per second.
const MAX_FRAMERATE: u32 = 120;
/// The highest bit rate in kbit/s.
const MAX_KBPS: u32 = 100_000;

/// How often the agent looks after things that no event announces.
const HOUSEKEEPING: Duration = Duration::from_millis(100);
/// How often lip sync is adjusted.
const SYNC_INTERVAL: Duration = Duration::from_millis(500);
/// How often the server is told the statistics.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(1);

/// How long a view that nobody watches stays awake after a snapshot: a page that shows one every
/// few seconds does not start all decoders each time.
const SNAPSHOT_AWAKE: Duration = Duration::from_secs(5);

/// A message that cannot be obeyed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no {0} {1}")]
    Unknown(&'static str, u32),
    #[error("{0} {1} exists already")]
    Exists(&'static str, u32),
    #[error("too many: {0}")]
    TooMany(&'static str),
    #[error("view {0} has no picture")]
    NoPicture(u32),
    #[error("a picture of {0}x{1} at {2} per second")]
    Picture(u32, u32, u32),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("{0}")]
    Thread(#[from] std::io::Error),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Version(#[from] protocol::VersionMismatch),
}

#[derive(Debug)]
struct View {
    picture: Option<(protocol::Picture, Drawing)>,
    sequence: u64,
    regions: Vec<Region>,
    sound_inputs: Vec<u32>,
    loudest: usize,
    awake_until: Duration,
}

#[derive(Debug)]
enum Output {
    Video { view: u32, encoder: Arc<VideoOutput> },
    Audio { view: u32, without: Option<u32>, encoder: Arc<AudioOutput> },
}

/// Why the agent ends.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The connection failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The server is of another version.
    #[error(transparent)]
    Version(#[from] protocol::VersionMismatch),
}

/// The agent.
#[derive(Debug)]
pub(crate) struct Agent {
    around: Surroundings,
    capabilities: Capabilities,
    font: FontArc,
    clock: ServerClock,
    views: BTreeMap<u32, View>,
    inputs: BTreeMap<u32, Input>,
    outputs: BTreeMap<u32, Output>,
    /// The sizes last told with `Shown`.
    shown: HashMap<u32, Size>,
    holds: HashMap<u32, Holds>,
    sound: SoundTicker,
    /// Pictures of views that are gone.
    past_pictures: u64,
    synced: Duration,
    reported: Duration,
}

impl Agent {
    pub(crate) fn new(
        around: Surroundings,
        capabilities: Capabilities,
        font: FontArc,
    ) -> std::io::Result<Self> {
        let sound = SoundTicker::start(Arc::clone(&around.outbox))?;
        Ok(Self {
            around,
            capabilities,
            font,
            clock: ServerClock::default(),
            views: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            shown: HashMap::new(),
            holds: HashMap::new(),
            sound,
            past_pictures: 0,
            synced: clock::now(),
            reported: clock::now(),
        })
    }

    /// Works until the server says so or the connection ends.
    pub(crate) fn run(mut self, events: &Receiver<Vec<Event>>) -> Result<(), End> {
        let mut next = clock::now() + HOUSEKEEPING;
        loop {
            match events.recv_timeout(next.saturating_sub(clock::now())) {
                Ok(batch) => {
                    for event in batch {
                        match event {
                            Event::Message(ToAgent::Shutdown) => return Ok(()),
                            Event::Closed(end) => return Ok(end?),
                            other => self.event(other)?,
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let now = clock::now();
            if now >= next {
                self.keep_house(now);
                next = now + HOUSEKEEPING;
            }
        }
    }

    fn event(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Packet { input, stamp, came, bytes } => {
                let arrival = self.clock.map(stamp, came);
                // Packets of an input that was just removed are still on their way.
                if let Some(input) = self.inputs.get_mut(&input) {
                    input.push(arrival, bytes, &self.around.outbox);
                }
            }
            Event::Message(message) => {
                if let Err(refusal) = self.obey(message) {
                    if let Refusal::Version(mismatch) = refusal {
                        return Err(mismatch.into());
                    }
                    self.refuse(refusal.to_string());
                }
            }
            Event::Unreadable(error) => self.refuse(format!("an unreadable message: {error}")),
            Event::InputBroken { input, generation, reason } => {
                if let Some(input) = self.inputs.get_mut(&input) {
                    input.broken(generation, reason, &self.around);
                }
            }
            Event::OutputBroken { output, reason } => {
                if self.close_output(output).is_ok() {
                    self.fail(Scope::Output(output), reason);
                }
            }
            Event::Closed(_) => {}
        }
        Ok(())
    }

    fn refuse(&self, reason: String) {
        self.fail(Scope::Message, reason);
    }

    fn fail(&self, scope: Scope, reason: String) {
        tracing::warn!(?scope, reason, "failed");
        self.around.outbox.tell(&FromAgent::Failed { scope, reason });
    }

    fn obey(&mut self, message: ToAgent) -> Result<(), Refusal> {
        match message {
            ToAgent::Hello { version } => {
                let capabilities = self.capabilities.clone();
                let ready = FromAgent::Ready { version: protocol::VERSION, capabilities };
                self.around.outbox.tell(&ready);
                protocol::check_version(version)?;
                Ok(())
            }
            ToAgent::CreateView { view, picture } => self.create_view(view, picture),
            ToAgent::RemoveView { view } => self.remove_view(view),
            ToAgent::AddInput { input, source, format, label } => {
                if self.inputs.contains_key(&input) {
                    return Err(Refusal::Exists("input", input));
                }
                if self.inputs.len() >= MAX_INPUTS {
                    return Err(Refusal::TooMany("inputs"));
                }
                self.inputs.insert(input, Input::new(input, source, format, label));
                self.replan_all()
            }
            ToAgent::RemoveInput { input } => {
                let removed = self.inputs.remove(&input);
                self.shown.remove(&input);
                removed.ok_or(Refusal::Unknown("input", input))?;
                self.replan_all()
            }
            ToAgent::SetInputActive { input, active } => {
                self.input(input)?.set_active(active);
                Ok(())
            }
            ToAgent::MapClock { input, rtp, source_us } => {
                self.input(input)?.input.delay.map(rtp, source_us);
                Ok(())
            }
            ToAgent::SetLayout { view, sequence, regions } => {
                self.set_layout(view, sequence, regions)
            }
            ToAgent::SetSound { view, inputs, loudest } => {
                let of = self.views.get_mut(&view).ok_or(Refusal::Unknown("view", view))?;
                of.sound_inputs = inputs;
                of.sound_inputs.truncate(MAX_INPUTS);
                of.loudest = usize::try_from(loudest).unwrap_or(usize::MAX);
                self.replan_sound();
                Ok(())
            }
            ToAgent::OpenOutput { output, view, encoding } => {
                if let Err(refusal) = self.open_output(output, view, encoding) {
                    self.fail(Scope::Output(output), refusal.to_string());
                }
                Ok(())
            }
            ToAgent::CloseOutput { output } => self.close_output(output),
            ToAgent::RequestKeyFrame { output } => match self.outputs.get(&output) {
                Some(Output::Video { encoder, .. }) => {
                    encoder.request_key_frame();
                    Ok(())
                }
                Some(Output::Audio { .. }) => Ok(()),
                None => Err(Refusal::Unknown("output", output)),
            },
            ToAgent::TakeSnapshot { request, view } => {
                self.take_snapshot(request, view);
                Ok(())
            }
            ToAgent::Ping { number } => {
                self.around.outbox.tell(&FromAgent::Pong { number });
                Ok(())
            }
            ToAgent::Shutdown => Ok(()),
        }
    }

    fn input(&mut self, number: u32) -> Result<InputAt<'_>, Refusal> {
        let input = self.inputs.get_mut(&number).ok_or(Refusal::Unknown("input", number))?;
        Ok(InputAt { input, around: &self.around })
    }

    fn create_view(
        &mut self,
        view: u32,
        picture: Option<protocol::Picture>,
    ) -> Result<(), Refusal> {
        if self.views.contains_key(&view) {
            return Err(Refusal::Exists("view", view));
        }
        if self.views.len() >= MAX_VIEWS {
            return Err(Refusal::TooMany("views"));
        }
        let picture = picture.map(|picture| {
            let protocol::Picture { width, height, framerate, background, .. } = picture;
            check_picture(width, height, framerate)?;
            let style = Style {
                size: Size::new(width, height),
                background: Colour::from_rgb(background),
                labels: picture.labels,
                initials: picture.avatars,
            };
            let canvas = Canvas::new(style, Texts::new(self.font.clone()));
            let outbox = Arc::clone(&self.around.outbox);
            Ok::<_, Refusal>((picture, Drawing::start(view, canvas, framerate, outbox)?))
        });
        let made = View {
            picture: picture.transpose()?,
            sequence: 0,
            regions: Vec::new(),
            sound_inputs: Vec::new(),
            loudest: 0,
            awake_until: Duration::ZERO,
        };
        self.views.insert(view, made);
        Ok(())
    }

    fn remove_view(&mut self, view: u32) -> Result<(), Refusal> {
        let removed = self.views.remove(&view).ok_or(Refusal::Unknown("view", view))?;
        self.outputs.retain(|_, output| output.view() != view);
        if let Some((_, drawing)) = &removed.picture {
            self.past_pictures += drawing.pictures();
        }
        drop(removed);
        self.replan_sound();
        self.follow_wants();
        Ok(())
    }

    fn set_layout(
        &mut self,
        view: u32,
        sequence: u64,
        regions: Vec<Region>,
    ) -> Result<(), Refusal> {
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        let (picture, _) = of.picture.as_ref().ok_or(Refusal::NoPicture(view))?;
        // Refused before anything of the present layout is touched.
        plan(&self.inputs, picture, sequence, &regions)?;
        let of = self.views.get_mut(&view).expect("found above");
        of.sequence = sequence;
        of.regions = regions;
        self.replan(view)
    }

    /// Brings layouts in line with the inputs that there are.
    fn replan_all(&mut self) -> Result<(), Refusal> {
        let views: Vec<u32> = self.views.keys().copied().collect();
        for view in views {
            self.replan(view)?;
        }
        self.replan_sound();
        Ok(())
    }

    /// Brings a view's layout into the picture. Inputs are scaled to their regions first, so that
    /// the first picture of the layout is whole.
    fn replan(&mut self, view: u32) -> Result<(), Refusal> {
        self.follow_wants();
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        if let Some((picture, drawing)) = &of.picture {
            drawing.set_plan(plan(&self.inputs, picture, of.sequence, &of.regions)?);
        }
        Ok(())
    }

    /// Whether a view's picture is seen by anybody.
    fn is_awake(&self, view: u32, of: &View) -> bool {
        let watches = |output: &Output| match output {
            Output::Video { view: of, .. } => *of == view,
            Output::Audio { .. } => false,
        };
        of.awake_until > clock::now() || self.outputs.values().any(watches)
    }

    /// Decodes what is seen, in the sizes in which it is seen, and tells the server the largest.
    fn follow_wants(&mut self) {
        let mut wants: BTreeMap<u32, Vec<Want>> = BTreeMap::new();
        let mut largest: HashMap<u32, Size> = HashMap::new();
        for (view, of) in &self.views {
            let Some((picture, _)) = &of.picture else { continue };
            let size = Size::new(picture.width, picture.height);
            let Ok(plan) = Plan::new(0, &of.regions, size, picture.fit, Some) else { continue };
            let awake = self.is_awake(*view, of);
            for slot in plan.slots {
                let Some(input) = slot.input else { continue };
                let seen = slot.want.size;
                let most = largest.entry(input).or_insert(seen);
                if u64::from(seen.width) * u64::from(seen.height)
                    > u64::from(most.width) * u64::from(most.height)
                {
                    *most = seen;
                }
                let wants = wants.entry(input).or_default();
                if awake && !wants.contains(&slot.want) {
                    wants.push(slot.want);
                }
            }
        }
        for (number, input) in &mut self.inputs {
            let Some(face) = input.face().cloned() else { continue };
            let wants = wants.remove(number).unwrap_or_default();
            let wanted = !wants.is_empty();
            face.set_wants(wants);
            input.set_wanted(wanted, &self.around);
            let seen = largest.get(number).copied().unwrap_or(Size::new(0, 0));
            let told = self.shown.insert(*number, seen);
            if told.unwrap_or(Size::new(0, 0)) != seen {
                let Size { width, height } = seen;
                self.around.outbox.tell(&FromAgent::Shown { input: *number, width, height });
            }
        }
    }

    /// Mixes what is heard.
    fn replan_sound(&mut self) {
        let mut heard: Vec<u32> = Vec::new();
        let views = self.views.iter().map(|(view, of)| {
            heard.extend(&of.sound_inputs);
            let sound = |number: &u32| self.inputs.get(number)?.sound().cloned();
            let outputs = self.outputs.values().filter_map(|output| match output {
                Output::Audio { view: of, without, encoder } if of == view => {
                    Some((*without, Arc::clone(encoder)))
                }
                Output::Audio { .. } | Output::Video { .. } => None,
            });
            SoundView {
                view: *view,
                inputs: of.sound_inputs.iter().filter_map(sound).collect(),
                loudest: of.loudest,
                outputs: outputs.collect(),
            }
        });
        self.sound.set_plan(SoundPlan { views: views.collect() });
        for (number, input) in &mut self.inputs {
            if input.sound().is_some() {
                input.set_wanted(heard.contains(number), &self.around);
            }
        }
    }

    fn open_output(&mut self, output: u32, view: u32, encoding: Encoding) -> Result<(), Refusal> {
        if self.outputs.contains_key(&output) {
            return Err(Refusal::Exists("output", output));
        }
        if self.outputs.len() >= MAX_OUTPUTS {
            return Err(Refusal::TooMany("outputs"));
        }
        let of = self.views.get(&view).ok_or(Refusal::Unknown("view", view))?;
        let events = self.around.events.clone();
        let failed = move |reason| {
            // A full queue or an ended agent: nobody misses the output then.
            let _ = events.try_send(vec![Event::OutputBroken { output, reason }]);
        };
        let outbox = Arc::clone(&self.around.outbox);
        let opened = match encoding {
            Encoding::Video { codec, width, height, framerate, kbps, key_frame_interval_secs } => {
                let (picture, _) = of.picture.as_ref().ok_or(Refusal::NoPicture(view))?;
                check_picture(width, height, framerate)?;
                let settings = VideoSettings {
                    codec,
                    size: Size::new(width, height),
                    framerate: framerate.min(picture.framerate),
                    kbps: kbps.clamp(1, MAX_KBPS),
                    key_frame_interval_secs,
                };
                let from = Size::new(picture.width, picture.height);
                let encoder = VideoOutput::start(output, from, settings, outbox, failed)?;
                Output::Video { view, encoder: Arc::new(encoder) }
            }
            Encoding::Audio { codec, without } => {
                let encoder = AudioOutput::start(output, codec, outbox, failed)?;
                Output::Audio { view, without, encoder: Arc::new(encoder) }
            }
        };
        self.outputs.insert(output, opened);
        self.follow_outputs(view);
        Ok(())
    }

    fn close_output(&mut self, output: u32) -> Result<(), Refusal> {
        let closed = self.outputs.remove(&output).ok_or(Refusal::Unknown("output", output))?;
        self.follow_outputs(closed.view());
        Ok(())
    }

    fn follow_outputs(&mut self, view: u32) {
        if let Some((_, drawing)) = self.views.get(&view).and_then(|of| of.picture.as_ref()) {
            let of_view = self.outputs.values().filter_map(|output| match output {
                Output::Video { view: of, encoder } if *of == view => Some(Arc::clone(encoder)),
                Output::Video { .. } | Output::Audio { .. } => None,
            });
            drawing.set_outputs(of_view.collect());
        }
        self.replan_sound();
        self.follow_wants();
    }

    fn take_snapshot(&mut self, request: u32, view: u32) {
        let drawing = self.views.get_mut(&view).and_then(|of| {
            of.awake_until = clock::now() + SNAPSHOT_AWAKE;
            of.picture.as_ref()
        });
        let taken = drawing.is_some_and(|(_, drawing)| drawing.take_snapshot(request));
        if taken {
            self.follow_wants();
        } else {
            self.around.outbox.snapshot(request, Vec::new());
        }
    }

    fn keep_house(&mut self, now: Duration) {
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

/// An input and what it needs around it.
struct InputAt<'a> {
    input: &'a mut Input,
    around: &'a Surroundings,
}

impl InputAt<'_> {
    fn set_active(self, active: bool) {
        self.input.set_active(active, self.around);
    }
}

impl Output {
    fn view(&self) -> u32 {
        match self {
            Self::Video { view, .. } | Self::Audio { view, .. } => *view,
        }
    }
}

fn plan(
    inputs: &BTreeMap<u32, Input>,
    picture: &protocol::Picture,
    sequence: u64,
    regions: &[Region],
) -> Result<FacePlan, LayoutError> {
    let size = Size::new(picture.width, picture.height);
    let face = |number| inputs.get(&number).and_then(Input::face).cloned();
    Plan::new(sequence, regions, size, picture.fit, face)
}

fn check_picture(width: u32, height: u32, framerate: u32) -> Result<(), Refusal> {
    let side = |side: u32| (16..=MAX_SIDE).contains(&side) && side.is_multiple_of(2);
    if side(width) && side(height) && (1..=MAX_FRAMERATE).contains(&framerate) {
        Ok(())
    } else {
        Err(Refusal::Picture(width, height, framerate))
    }
}
