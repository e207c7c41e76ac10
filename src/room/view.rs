//! A view as its room keeps it: what it mixes and how it stands.

use std::{sync::Arc, time::Instant};

use super::{
    DesiredView, MediaOut, MixerCapabilities, Publication, StreamInfo, StreamOrigin, TrackStatus,
    ViewInput, ViewSettings, layout::Arrangement,
};
use crate::{
    formats::TrackKind,
    ids::{InvalidId, RoomId, StreamId},
};

/// How a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewStatus {
    /// Nobody mixes here.
    Unavailable,
    /// The mixer does not run at present, but will: whoever subscribes waits for it.
    Starting,
    /// It is mixed.
    Up,
    /// It cannot be mixed, and why.
    Failed(Arc<str>),
}

/// A view.
#[derive(Debug)]
pub(super) struct View {
    /// The mixed stream as everybody was told of it.
    pub(super) stream: Arc<StreamInfo>,
    /// What the mixing side was told last.
    pub(super) desired: Arc<DesiredView>,
    pub(super) status: ViewStatus,
    settings: Arc<ViewSettings>,
    inputs: Vec<ViewInput>,
    pub(super) arrangement: Arrangement,
    /// The input that spoke last.
    speaker: Option<StreamId>,
    /// When it was last said to speak.
    spoke_at: Option<Instant>,
}

impl View {
    /// A view that mixes nothing.
    pub(super) fn new(
        room: &RoomId,
        settings: &ViewSettings,
        out: &MediaOut,
    ) -> Result<Self, InvalidId> {
        let stream = StreamInfo::of_view(room, settings, out)?;
        let arrangement = settings.video.as_ref().map_or_else(Arrangement::none, |video| {
            Arrangement::new(&video.layout, video.max_input)
        });
        let settings = Arc::new(settings.clone());
        let desired = DesiredView {
            settings: Arc::clone(&settings),
            inputs: Vec::new(),
            layout: Arc::clone(arrangement.layout()),
            speaker: None,
        };
        Ok(Self {
            stream: Arc::new(stream),
            desired: Arc::new(desired),
            status: ViewStatus::Unavailable,
            settings,
            inputs: Vec::new(),
            arrangement,
            speaker: None,
            spoke_at: None,
        })
    }

    /// Its label.
    pub(super) fn label(&self) -> &Arc<str> {
        &self.settings.label
    }

    /// Its settings.
    pub(super) fn settings(&self) -> &ViewSettings {
        &self.settings
    }

    /// The streams that it mixes, in the order in which they came in.
    pub(super) fn inputs(&self) -> &[ViewInput] {
        &self.inputs
    }

    /// Whether it mixes a stream.
    pub(super) fn mixes(&self, stream: &StreamId) -> bool {
        self.inputs.iter().any(|input| input.stream == *stream)
    }

    /// Whether it can be subscribed to.
    pub(super) fn is_available(&self) -> bool {
        matches!(self.status, ViewStatus::Starting | ViewStatus::Up)
    }

    /// The input that a publication would be here; `None` if it is no stream yet or has nothing
    /// that is mixed here.
    pub(super) fn input_of(&self, publication: &Publication, user: &Arc<str>) -> Option<ViewInput> {
        publication.input(user, self.settings.audio.is_some(), self.settings.video.is_some())
    }

    /// Mixes one stream more, which must not be mixed here yet.
    pub(super) fn add(&mut self, input: ViewInput) {
        if input.video.is_some() {
            self.arrangement.add(input.stream.clone());
        }
        self.inputs.push(input);
    }

    /// Mixes a stream no longer, if it did.
    pub(super) fn remove(&mut self, stream: &StreamId) {
        self.inputs.retain(|input| input.stream != *stream);
        self.arrangement.remove(stream);
        if self.speaker.as_ref() == Some(stream) {
            self.speaker = None;
        }
    }

    /// Notes that an input's track was paused or resumed.
    pub(super) fn set_input_status(
        &mut self,
        stream: &StreamId,
        kind: TrackKind,
        status: TrackStatus,
    ) {
        let Some(input) = self.inputs.iter_mut().find(|input| input.stream == *stream) else {
            return;
        };
        let audio = input.audio.as_mut().map(|track| &mut track.status);
        let video = input.video.as_mut().map(|track| &mut track.status);
        let known = match kind {
            TrackKind::Audio => audio,
            TrackKind::Video => video,
        };
        if let Some(known) = known {
            *known = status;
        }
    }

    /// Who spoke last, if it is still mixed.
    pub(super) fn speaker(&self) -> Option<&StreamId> {
        self.speaker.as_ref()
    }

    /// When that was last found out.
    pub(super) fn spoke_at(&self) -> Option<Instant> {
        self.spoke_at
    }

    /// Notes who speaks, in a view that finds this out, and shows that input first if the view
    /// does so. Somebody who is not heard here is ignored.
    pub(super) fn note_speaker(&mut self, now: Instant, stream: &StreamId) {
        let listens = self.settings.audio.is_some_and(|audio| audio.voice_activity);
        let heard = |input: &ViewInput| input.stream == *stream && input.audio.is_some();
        if !listens || !self.inputs.iter().any(heard) {
            return;
        }
        self.speaker = Some(stream.clone());
        self.spoke_at = Some(now);
        if self.settings.video.as_ref().is_some_and(|video| video.keep_active_input_primary) {
            self.arrangement.promote(stream);
        }
    }

    /// The view as it should be mixed.
    pub(super) fn desire(&self) -> DesiredView {
        DesiredView {
            settings: Arc::clone(&self.settings),
            inputs: self.inputs.clone(),
            layout: Arc::clone(self.arrangement.layout()),
            speaker: self.speaker.clone(),
        }
    }

    /// The options of its tracks by what the mixer can encode; whether they are others than before.
    pub(super) fn set_capabilities(&mut self, out: &MediaOut, mixer: &MixerCapabilities) -> bool {
        let mut stream = StreamInfo::clone(&self.stream);
        if let Some(audio) = &mut stream.audio {
            audio.optional = out.audio_options(audio.format, Some(mixer));
        }
        if let Some(video) = &mut stream.video
            && let Some(own) = video.original.first()
        {
            video.optional = out.video_options(own, Some(mixer));
        }
        let changed = stream != *self.stream;
        if changed {
            self.stream = Arc::new(stream);
        }
        changed
    }

    /// Brings what everybody knows of it up to date and yields the parts that changed: the
    /// speaker, and whether the layout did.
    pub(super) fn publish_changes(&mut self) -> Changes {
        let stream = Arc::make_mut(&mut self.stream);
        let StreamOrigin::Mixed { active_input, layout, .. } = &mut stream.origin else {
            return Changes::default();
        };
        let changes = Changes {
            active_input: (*active_input != self.speaker).then(|| self.speaker.clone()),
            layout: (layout != self.arrangement.layout())
                .then(|| Arc::clone(self.arrangement.layout())),
        };
        active_input.clone_from(&self.speaker);
        layout.clone_from(self.arrangement.layout());
        changes
    }
}

/// What of a mixed stream changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Who spoke last.
    pub(super) active_input: Option<Option<StreamId>>,
    /// The regions.
    pub(super) layout: Option<super::Layout>,
}
