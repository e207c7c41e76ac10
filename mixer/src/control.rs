//! The agent: what the server asked for, and the making of it.

mod housekeeping;
mod outputs;
mod views;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ab_glyph::FontArc;
use portico_mixer_protocol as protocol;
use portico_mixer_protocol::{Capabilities, FromAgent, Region, Scope, ToAgent};

use crate::audio::SoundTicker;
use crate::canvas::{LayoutError, Size};
use crate::clock::{self, ServerClock};
use crate::input::{Input, Surroundings};
use crate::link::{Event, LinkError, Reader};
use crate::pipeline::{AudioOutput, PackagedOutput, PipelineError, VideoOutput};
use crate::sync::Holds;
use crate::view::Drawing;

/// Views of one agent: a room's own, and one for each picture or sound that is transcoded.
const MAX_VIEWS: usize = 320;
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
pub(crate) const HOUSEKEEPING: Duration = Duration::from_millis(100);

/// The least time from one look at the socket to the next. Packets of many inputs come one by one,
/// and waking up for each costs more than passing them on; nobody sees so small a delay.
const GATHERING: Duration = Duration::from_millis(3);

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
    #[error("output {0} has no sound")]
    NoSound(u32),
    #[error("a picture of {0}x{1} at {2} per second")]
    Picture(u32, u32, u32),
    #[error("parts of {0} ms in segments of {1} s")]
    Packaging(u32, u32),
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
    Audio { view: u32, without: Arc<[u32]>, encoder: Arc<AudioOutput> },
    Package { view: u32, encoders: PackagedOutput },
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

    /// Works until the server says so or the connection ends. It reads the socket itself: another
    /// thread would have to wake this one for every packet.
    pub(crate) fn run(mut self, mut reader: Reader<impl Read>) -> Result<(), End> {
        let mut next = clock::now() + HOUSEKEEPING;
        loop {
            let events = reader.events();
            let came = clock::now();
            for event in events {
                if matches!(event, Event::Message(ToAgent::Shutdown)) {
                    return Ok(());
                }
                if let Event::Closed(end) = event {
                    return Ok(end?);
                }
                self.event(event)?;
            }
            let now = clock::now();
            if now >= next {
                self.keep_house(now);
                next = now + HOUSEKEEPING;
            }
            std::thread::sleep((came + GATHERING).saturating_sub(clock::now()));
        }
    }

    fn event(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Packet { input, stamp, came, bytes } => {
                let arrival = self.clock.map(stamp, came);
                // Packets of an input that was just removed are still on their way.
                if let Some(input) = self.inputs.get_mut(&input) {
                    input.push(arrival, bytes, &self.around);
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
                self.add_input(input, Input::new(input, source, format, label))
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
            ToAgent::SetWithout { output, without } => self.set_without(output, without),
            ToAgent::CloseOutput { output } => self.close_output(output),
            ToAgent::RequestKeyFrame { output } => match self.outputs.get(&output) {
                Some(Output::Video { encoder, .. }) => {
                    encoder.request_key_frame();
                    Ok(())
                }
                Some(Output::Audio { .. } | Output::Package { .. }) => Ok(()),
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

    fn add_input(&mut self, number: u32, input: Input) -> Result<(), Refusal> {
        if self.inputs.contains_key(&number) {
            return Err(Refusal::Exists("input", number));
        }
        if self.inputs.len() >= MAX_INPUTS {
            return Err(Refusal::TooMany("inputs"));
        }
        self.inputs.insert(number, input);
        self.replan_all()
    }

    fn input(&mut self, number: u32) -> Result<InputAt<'_>, Refusal> {
        let input = self.inputs.get_mut(&number).ok_or(Refusal::Unknown("input", number))?;
        Ok(InputAt { input, around: &self.around })
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
            Self::Video { view, .. } | Self::Audio { view, .. } | Self::Package { view, .. } => {
                *view
            }
        }
    }

    /// What encodes pictures.
    fn picture(&self) -> Option<&Arc<VideoOutput>> {
        match self {
            Self::Video { encoder, .. } => Some(encoder),
            Self::Audio { .. } => None,
            Self::Package { encoders, .. } => encoders.picture.as_ref(),
        }
    }

    /// What encodes sound, and what is left out of it.
    fn sound(&self) -> Option<(Arc<[u32]>, &Arc<AudioOutput>)> {
        match self {
            Self::Video { .. } => None,
            Self::Audio { without, encoder, .. } => Some((Arc::clone(without), encoder)),
            Self::Package { encoders, .. } => Some((Arc::default(), encoders.sound.as_ref()?)),
        }
    }
}

fn check_picture(width: u32, height: u32, framerate: u32) -> Result<(), Refusal> {
    let side = |side: u32| (16..=MAX_SIDE).contains(&side) && side.is_multiple_of(2);
    if side(width) && side(height) && (1..=MAX_FRAMERATE).contains(&framerate) {
        Ok(())
    } else {
        Err(Refusal::Picture(width, height, framerate))
    }
}
