//! Who speaks in a view: by the levels that publishers tell, or by the mixer's word.

use std::time::{Duration, Instant};

use super::{Room, TrackStatus, ViewInput, view::View};
use crate::ids::StreamId;

/// Nobody speaks who is not louder, in dBov.
const SILENCE: i8 = -50;

/// How much louder another has to be than whoever speaks, in decibels.
const ADVANTAGE: i8 = 6;

/// How long whoever speaks is taken to do so at least.
const HOLD: Duration = Duration::from_secs(1);

/// Whoever was not heard of for as long is silent: its sound was paused, or it stopped sending.
/// Twice the time between two reports of a steady sound.
const PATIENCE: Duration = Duration::from_secs(2);

/// How loud a stream is by its publisher's word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    decibels: i8,
    told_at: Instant,
}

impl Room {
    /// Notes how loud a stream is, and who speaks in the views that mix it.
    pub(super) fn level(&mut self, now: Instant, stream: &StreamId, decibels: i8) {
        let Some(publication) = self.publications.get_mut(stream.as_str()) else { return };
        publication.level = Some(Level { decibels, told_at: now });
        for place in 0..self.views.len() {
            let view = &self.views[place];
            let mixer_decides = self.mixer_listens && !self.has_all_levels(view);
            if !view.mixes(stream) || mixer_decides {
                continue;
            }
            if let Some(speaker) = self.loudest_by_level(view, now) {
                self.views[place].note_speaker(now, &speaker);
                self.settle(place);
            }
        }
    }

    /// Notes who speaks in a view by the mixer's word, if that counts there.
    pub(super) fn loudest(&mut self, now: Instant, view: &StreamId, stream: &StreamId) {
        let Some(place) = self.views.iter().position(|it| it.stream.id == *view) else { return };
        if self.has_all_levels(&self.views[place]) {
            return;
        }
        self.views[place].note_speaker(now, stream);
        self.settle(place);
    }

    /// Whether everything that sounds in a view has told a level.
    fn has_all_levels(&self, view: &View) -> bool {
        let mut sounding = view.inputs().iter().filter(|input| input.audio.is_some());
        sounding.all(|input| self.level_of(&input.stream).is_some())
    }

    /// The loudest input of a view when it is another one than spoke last. Of two that are equally
    /// loud it is the one that came in first.
    fn loudest_by_level(&self, view: &View, now: Instant) -> Option<StreamId> {
        let held = |since: Instant| now.saturating_duration_since(since) < HOLD;
        if view.spoke_at().is_some_and(held) {
            return None;
        }
        let is_speaker = |input: &ViewInput| Some(&input.stream) == view.speaker();
        let speaker = view.inputs().iter().find(|input| is_speaker(input));
        let known = speaker.and_then(|input| self.decibels(input, now));
        let bar = known.map_or(SILENCE, |level| level.saturating_add(ADVANTAGE).max(SILENCE));
        let others = view.inputs().iter().filter(|input| !is_speaker(input));
        let heard = others.filter_map(|input| Some((self.decibels(input, now)?, input)));
        let louder = heard.filter(|(level, _)| *level > bar).rev();
        louder.max_by_key(|(level, _)| *level).map(|(_, input)| input.stream.clone())
    }

    /// How loud an input is at present; `None` for one that is silent, or has no levels.
    fn decibels(&self, input: &ViewInput, now: Instant) -> Option<i8> {
        input.audio.filter(|track| track.status == TrackStatus::Active)?;
        let level = self.level_of(&input.stream)?;
        (now.saturating_duration_since(level.told_at) <= PATIENCE).then_some(level.decibels)
    }

    fn level_of(&self, stream: &StreamId) -> Option<Level> {
        self.publications.get(stream.as_str())?.level
    }
}
