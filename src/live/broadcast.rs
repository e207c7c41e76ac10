//! One broadcast: its tracks, and what they may take.

use std::collections::BTreeMap;

use super::{
    fault::Fault,
    timeline::{Step, Timeline},
    upload::{About, TrackKind, TrackName, TrackUpdate, Upload, What},
};

/// The bounds of one broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Segments that a playlist lists, if there are as many.
    pub(super) segments: usize,
    /// Variants and renditions.
    pub(super) tracks: usize,
}

/// A variant or a rendition.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) about: About,
    version: Option<u64>,
    pub(super) timeline: Timeline,
}

/// A broadcast from its first upload on. It has no clock and sends nothing: uploads go in,
/// playlists and pieces come out.
#[derive(Debug)]
pub(super) struct Broadcast {
    bounds: Bounds,
    playlist: Option<String>,
    tracks: BTreeMap<TrackName, Track>,
    ended: bool,
}

impl Broadcast {
    pub(super) fn new(bounds: Bounds, playlist: Option<String>) -> Self {
        Self { bounds, playlist, tracks: BTreeMap::new(), ended: false }
    }

    /// Whether this upload belongs to a later broadcast under the same name.
    pub(super) fn is_succeeded_by(&self, upload: &Upload) -> bool {
        let describes = matches!(upload.what, What::Track(_));
        let other = upload.playlist.is_some() && upload.playlist != self.playlist;
        describes && (other || self.ended)
    }

    /// Takes an upload in, so that the whole takes at most so many bytes: what is oldest goes.
    pub(super) fn apply(&mut self, upload: Upload, allowed: usize) -> Result<(), Fault> {
        if self.ended {
            return Err(Fault::Order("the broadcast is over; updateVariant starts anew".into()));
        }
        if upload.playlist.is_some() && upload.playlist != self.playlist {
            return Err(Fault::Unknown("there is no such playlist; see updateVariant".into()));
        }
        let step = self.check(&upload)?;
        self.make_room(upload.size(), allowed)?;
        let Upload { track: name, init, what, .. } = upload;
        if let What::Track(update) = &what {
            self.describe(&name, update);
        }
        let Some(track) = self.tracks.get_mut(&name) else { return Ok(()) };
        if let Some(init) = init {
            track.timeline.set_init(init);
        }
        match what {
            What::Track(_) => {}
            What::Segment(segment) => track.timeline.add_segment(segment, step),
            What::Part(part) => track.timeline.add_part(part, step),
        }
        Ok(())
    }

    fn check(&self, upload: &Upload) -> Result<Step, Fault> {
        let track = self.tracks.get(&upload.track);
        let timeline = track.map(|track| &track.timeline);
        if let (Some(init), Some(timeline)) = (&upload.init, timeline) {
            timeline.check_init(init)?;
        }
        let unknown = || Fault::Unknown(format!("there is no {}", upload.track));
        match &upload.what {
            What::Track(update) => {
                if let (None, Some(init)) = (timeline, &upload.init) {
                    Timeline::new(update.target_secs, None, 1).check_init(init)?;
                }
                self.check_update(upload.track.kind, track, update)?;
                Ok(Step::Known)
            }
            What::Segment(segment) => timeline.ok_or_else(unknown)?.check_segment(segment),
            What::Part(part) => timeline.ok_or_else(unknown)?.check_part(part),
        }
    }

    fn check_update(
        &self,
        kind: TrackKind,
        track: Option<&Track>,
        update: &TrackUpdate,
    ) -> Result<(), Fault> {
        debug_assert_eq!(
            kind == TrackKind::Variant,
            matches!(update.about, About::Variant { .. }),
            "a track is named by what it is"
        );
        let Some(track) = track else {
            if self.tracks.len() >= self.bounds.tracks {
                let most = self.bounds.tracks;
                return Err(Fault::TooLarge(format!("a broadcast has at most {most} tracks")));
            }
            return Ok(());
        };
        if update.version < track.version && update.version.is_some() {
            return Err(Fault::Order("a newer version of this track is here".into()));
        }
        let timeline = &track.timeline;
        let same = update.target_secs == timeline.target_secs
            && update.part_target == timeline.part_target;
        if !same && timeline.has_content() {
            let what = "the target durations of a track that plays stay as they are";
            return Err(Fault::Unfit(what.into()));
        }
        Ok(())
    }

    fn describe(&mut self, name: &TrackName, update: &TrackUpdate) {
        let fresh = || Timeline::new(update.target_secs, update.part_target, self.bounds.segments);
        let track = self.tracks.entry(name.clone()).or_insert_with(|| Track {
            about: update.about.clone(),
            version: update.version,
            timeline: fresh(),
        });
        track.about = update.about.clone();
        track.version = update.version.or(track.version);
        let timeline = &mut track.timeline;
        if !timeline.has_content() {
            timeline.target_secs = update.target_secs;
            timeline.part_target = update.part_target;
        }
    }

    fn make_room(&mut self, more: usize, allowed: usize) -> Result<(), Fault> {
        while self.size() + more > allowed {
            let mut tracks: Vec<_> = self.tracks.values_mut().collect();
            tracks.sort_by_key(|track| std::cmp::Reverse(track.timeline.size()));
            if !tracks.into_iter().any(|track| track.timeline.make_room()) {
                return Err(Fault::Full(format!(
                    "{more} bytes more are too many beside what players still need; \
                     send fewer bits per second or shorter segments"
                )));
            }
        }
        Ok(())
    }

    /// What it takes to keep, in bytes.
    pub(super) fn size(&self) -> usize {
        self.tracks.values().map(|track| track.timeline.size()).sum()
    }

    /// Nothing will follow.
    pub(super) fn end(&mut self) {
        self.ended = true;
        for track in self.tracks.values_mut() {
            track.timeline.end();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The tracks that have something to play, variants first.
    pub(super) fn playable(&self) -> impl Iterator<Item = (&TrackName, &Track)> {
        self.tracks.iter().filter(|(_, track)| track.timeline.has_content())
    }

    pub(super) fn timeline(&self, name: &TrackName) -> Option<&Timeline> {
        self.tracks.get(name).map(|track| &track.timeline)
    }
}
