//! What a subscription gets, or may get.

use crate::{
    formats::AudioFormat,
    ids::{ParticipantId, StreamId},
    media::OutputId,
};

/// What a subscription gets.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    pub(super) audio: Option<Listening>,
    pub(super) video: Option<Candidates>,
}

/// What a subscription gets of a sound.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) view: StreamId,
    /// Whose own sounds are left out, if anybody's.
    pub(super) listener: Option<ParticipantId>,
    pub(super) candidates: Candidates,
    pub(super) chosen: Option<AudioFormat>,
}

/// What may be chosen, or what was.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) outputs: Vec<OutputId>,
    /// Perhaps none of them is needed: the stream may do as it is published.
    pub(super) spare: bool,
}

impl Candidates {
    /// The one that was chosen.
    pub(super) fn chosen(output: OutputId) -> Self {
        Self { outputs: vec![output], spare: false }
    }
}

impl Subscriber {
    fn candidates(&self) -> impl Iterator<Item = &Candidates> {
        self.audio.iter().map(|listening| &listening.candidates).chain(&self.video)
    }

    /// All that it may get.
    pub(super) fn possible(&self) -> impl Iterator<Item = OutputId> {
        self.candidates().flat_map(|candidates| candidates.outputs.iter().copied())
    }

    /// What it gets, or may get and cannot do without.
    pub(super) fn certain(&self) -> impl Iterator<Item = OutputId> {
        let needed = self.candidates().filter(|candidates| !candidates.spare);
        needed.flat_map(|candidates| candidates.outputs.iter().copied())
    }
}
