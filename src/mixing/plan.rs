//! What is to be said to a mixing agent: the difference between what it does and what it should.
//!
//! Pure. An agent that is new does nothing, so that everything is said to it.

use std::collections::{BTreeMap, BTreeSet};

use portico_mixer_protocol::{MAX_REGIONS, Picture, Region, ToAgent};

mod packages;
mod program;

pub(super) use self::program::Program;
use self::program::Wanted;
use super::{
    outputs::{Key, Outputs, Views},
    shown::shown,
    words,
};
use crate::{
    config,
    formats::{LayerChoice, TrackKind},
    ids::StreamId,
    media::OutputId,
    room::DesiredView,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Say this to the agent.
    Tell(ToAgent),
    /// Have the media plane copy a track for the agent.
    Tap {
        /// The number of the copy.
        input: u32,
        /// The stream.
        stream: StreamId,
        /// Which track.
        kind: TrackKind,
        /// The payload type of the copy.
        payload_type: u8,
        /// Which layer, if there are some.
        layer: LayerChoice,
    },
    /// Have it copy another layer.
    SetTapLayer {
        /// The number of the copy.
        input: u32,
        /// Which layer.
        layer: LayerChoice,
    },
    /// Have it stop.
    Untap {
        /// The number of the copy.
        input: u32,
    },
}

/// A view that the agent makes.
#[derive(Debug)]
struct PresentView {
    number: u32,
    regions: Option<Vec<Region>>,
    sound: Option<Vec<u32>>,
    layouts: u64,
}

/// An input that the agent has.
#[derive(Debug)]
struct PresentInput {
    number: u32,
    active: bool,
    layer: LayerChoice,
}

/// An encoding that the agent makes.
#[derive(Debug)]
struct PresentOutput {
    /// Of which of its views.
    view: u32,
    /// The inputs that are left out of its sound.
    without: Vec<u32>,
}

/// What the agent does at present.
#[derive(Debug, Default)]
pub(super) struct Plan {
    last: u32,
    views: BTreeMap<Program, PresentView>,
    inputs: BTreeMap<(StreamId, TrackKind), PresentInput>,
    sources: BTreeMap<StreamId, u32>,
    outputs: BTreeMap<OutputId, PresentOutput>,
    packages: BTreeSet<u32>,
}

impl Plan {
    /// The agent is new.
    pub(super) fn reset(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// The stream and track of an input.
    pub(super) fn input(&self, number: u32) -> Option<&(StreamId, TrackKind)> {
        let mut inputs = self.inputs.iter();
        inputs.find(|(_, input)| input.number == number).map(|(key, _)| key)
    }

    /// The number of a view.
    pub(super) fn view_number(&self, view: &StreamId) -> Option<u32> {
        self.views.get(&Program::View(view.clone())).map(|view| view.number)
    }

    /// What the view with a number shows or plays.
    pub(super) fn program(&self, number: u32) -> Option<&Program> {
        self.views.iter().find(|(_, view)| view.number == number).map(|(program, _)| program)
    }

    /// The encodings of the view with a number.
    pub(super) fn outputs_of(&self, number: u32) -> impl Iterator<Item = OutputId> {
        let of_view = self.outputs.iter().filter(move |(_, output)| output.view == number);
        of_view.map(|(id, _)| *id)
    }

    /// What leads from what there is to what should be, which it is from then on. What goes on is
    /// changed before what is no longer used ends, so that nothing flickers.
    pub(super) fn reconcile(
        &mut self,
        views: &Views,
        outputs: &Outputs,
        look: &config::Mixing,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for (stream, desired) in views {
            let picture = desired.settings.video.as_ref().map(|video| words::picture(video, look));
            self.create_view(Program::View(stream.clone()), picture, &mut steps);
        }
        let transcoded = program::transcoded(views, outputs);
        for program in transcoded.keys() {
            self.create_view(program.clone(), program.picture(), &mut steps);
        }
        let inputs = program::inputs(views, &transcoded);
        let shown = shown(views);
        for ((stream, kind), wanted) in &inputs {
            let layer = match kind {
                TrackKind::Audio => LayerChoice::default(),
                TrackKind::Video => shown.layer(stream),
            };
            self.add_input((stream, *kind), wanted, layer, &mut steps);
        }
        for (stream, desired) in views {
            self.arrange(stream, desired, look, &mut steps);
        }
        for program in transcoded.keys() {
            self.arrange_transcoded(program, &mut steps);
        }
        for (output, key) in outputs.open() {
            self.open_output(output, key, views, &mut steps);
        }
        self.close_outputs(outputs, &mut steps);
        self.inputs.retain(|key, input| {
            let stays = inputs.contains_key(key);
            if !stays {
                steps.push(Step::Untap { input: input.number });
                steps.push(Step::Tell(ToAgent::RemoveInput { input: input.number }));
            }
            stays
        });
        self.leave_out(outputs, &mut steps);
        self.sources.retain(|stream, _| inputs.keys().any(|(other, _)| other == stream));
        self.views.retain(|program, view| {
            let stays = match program {
                Program::View(stream) => views.contains_key(stream),
                Program::Sound(_) | Program::Picture(..) => transcoded.contains_key(program),
            };
            if !stays {
                steps.push(Step::Tell(ToAgent::RemoveView { view: view.number }));
            }
            stays
        });
        steps
    }

    fn number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn create_view(&mut self, program: Program, picture: Option<Picture>, steps: &mut Vec<Step>) {
        if self.views.contains_key(&program) {
            return;
        }
        let number = self.number();
        let view = PresentView { number, regions: None, sound: None, layouts: 0 };
        self.views.insert(program, view);
        steps.push(Step::Tell(ToAgent::CreateView { view: number, picture }));
    }

    fn add_input(
        &mut self,
        (stream, kind): (&StreamId, TrackKind),
        wanted: &Wanted<'_>,
        layer: LayerChoice,
        steps: &mut Vec<Step>,
    ) {
        let (key, active) = ((stream.clone(), kind), wanted.active);
        if let Some(present) = self.inputs.get_mut(&key) {
            if present.layer != layer {
                present.layer = layer.clone();
                steps.push(Step::SetTapLayer { input: present.number, layer });
            }
            if present.active != active {
                present.active = active;
                let input = present.number;
                steps.push(Step::Tell(ToAgent::SetInputActive { input, active }));
            }
            return;
        }
        let number = self.number();
        let source = match self.sources.get(stream) {
            Some(source) => *source,
            None => self.number(),
        };
        self.sources.insert(stream.clone(), source);
        let format = wanted.format.clone();
        let payload_type = format.payload_type;
        steps.push(Step::Tell(ToAgent::AddInput {
            input: number,
            source: Some(source),
            format,
            label: (kind == TrackKind::Video).then(|| wanted.user.to_owned()),
        }));
        if !active {
            steps.push(Step::Tell(ToAgent::SetInputActive { input: number, active }));
        }
        let stream = stream.clone();
        let tapped = layer.clone();
        steps.push(Step::Tap { input: number, stream, kind, payload_type, layer: tapped });
        self.inputs.insert(key, PresentInput { number, active, layer });
    }

    fn input_number(&self, stream: &StreamId, kind: TrackKind) -> Option<u32> {
        self.inputs.get(&(stream.clone(), kind)).map(|input| input.number)
    }

    fn arrange(
        &mut self,
        stream: &StreamId,
        desired: &DesiredView,
        look: &config::Mixing,
        steps: &mut Vec<Step>,
    ) {
        let placed = desired.layout.iter().take(MAX_REGIONS);
        let regions = placed.map(|placed| {
            let shown = placed.stream.as_ref();
            let input = shown.and_then(|stream| self.input_number(stream, TrackKind::Video));
            let speaks = shown.is_some() && shown == desired.speaker.as_ref();
            words::region(&placed.region, input, look.mark_speaker && speaks)
        });
        let regions: Vec<Region> = regions.collect();
        let heard = desired.inputs.iter().filter(|input| input.audio.is_some());
        let sound = heard.filter_map(|input| self.input_number(&input.stream, TrackKind::Audio));
        let sound: Vec<u32> = sound.collect();
        let Some(view) = self.views.get_mut(&Program::View(stream.clone())) else { return };
        if desired.settings.video.is_some() {
            view.show(regions, steps);
        }
        if desired.settings.audio.is_some() {
            view.play(sound, look.loudest, steps);
        }
    }

    /// Shows or plays the one input.
    fn arrange_transcoded(&mut self, program: &Program, steps: &mut Vec<Step>) {
        let input = program.track().and_then(|(stream, kind)| self.input_number(stream, kind));
        let Some((view, input)) = self.views.get_mut(program).zip(input) else { return };
        match program {
            Program::View(_) => {}
            Program::Sound(_) => view.play(vec![input], 0, steps),
            Program::Picture(..) => view.show(vec![words::whole(input)], steps),
        }
    }

    fn open_output(&mut self, output: OutputId, key: &Key, views: &Views, steps: &mut Vec<Step>) {
        let program = Program::of(key, views);
        let Some(view) = self.views.get(&program).map(|view| view.number) else { return };
        if self.outputs.contains_key(&output) {
            return;
        }
        let without = self.without(key);
        let encoding = match key {
            Key::Audio { format, .. } => words::audio_encoding(*format, without.clone()),
            Key::Video { format, resolution, framerate, kbps, key_frame_interval_secs, .. } => {
                let rates = (*framerate, *kbps, *key_frame_interval_secs);
                words::video_encoding(*format, *resolution, rates)
            }
        };
        self.outputs.insert(output, PresentOutput { view, without });
        steps.push(Step::Tell(ToAgent::OpenOutput { output: output.0, view, encoding }));
    }

    /// The inputs that are left out of an encoding's sound.
    fn without(&self, key: &Key) -> Vec<u32> {
        match key {
            Key::Audio { without, .. } => {
                let own = without.iter();
                own.filter_map(|own| self.input_number(own, TrackKind::Audio)).collect()
            }
            Key::Video { .. } => Vec::new(),
        }
    }

    /// Says again what is left out where that changed: a sound that was away comes back under
    /// another number.
    fn leave_out(&mut self, outputs: &Outputs, steps: &mut Vec<Step>) {
        for (output, key) in outputs.open() {
            let without = self.without(key);
            let present = self.outputs.get_mut(&output);
            if let Some(present) = present.filter(|present| present.without != without) {
                present.without.clone_from(&without);
                steps.push(Step::Tell(ToAgent::SetWithout { output: output.0, without }));
            }
        }
    }

    fn close_outputs(&mut self, outputs: &Outputs, steps: &mut Vec<Step>) {
        self.outputs.retain(|output, _| {
            let stays = outputs.open().any(|(open, _)| open == *output);
            if !stays {
                steps.push(Step::Tell(ToAgent::CloseOutput { output: output.0 }));
            }
            stays
        });
    }
}

impl PresentView {
    fn show(&mut self, regions: Vec<Region>, steps: &mut Vec<Step>) {
        if self.regions.as_ref() != Some(&regions) {
            self.layouts += 1;
            self.regions = Some(regions.clone());
            let (view, sequence) = (self.number, self.layouts);
            steps.push(Step::Tell(ToAgent::SetLayout { view, sequence, regions }));
        }
    }

    fn play(&mut self, inputs: Vec<u32>, loudest: u32, steps: &mut Vec<Step>) {
        if self.sound.as_ref() != Some(&inputs) {
            self.sound = Some(inputs.clone());
            let view = self.number;
            steps.push(Step::Tell(ToAgent::SetSound { view, inputs, loudest }));
        }
    }
}

#[cfg(test)]
mod tests;
