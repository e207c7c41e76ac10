//! Cutting parts.

use std::collections::VecDeque;
use std::time::Duration;

use portico_mixer_protocol::Piece;

use super::fragment::{self, Run, Sample};
use super::{Encoded, SOUND_TRACK, SoundSetup, VIDEO_TIMESCALE, VIDEO_TRACK, VideoSetup, init};

/// Samples in an AAC frame.
const AAC_FRAME: u32 = 1024;

/// How long a part waits for the sound that belongs to it.
const SOUND_PATIENCE: Duration = Duration::from_millis(500);

/// Encoded pictures and frames of sound that wait: some seconds of them. Beyond it the oldest are
/// lost, since what they wait for does not come.
const MAX_WAITING: usize = 1024;

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) piece: Piece,
    /// When its first picture, or sound where there is none, was composed.
    pub(crate) time: Duration,
    pub(crate) bytes: Vec<u8>,
}

/// Turns encoded pictures and sound into an initialization section and parts.
///
/// Parts are cut between pictures, so that each lasts [`part`](Self::new) at most and begins a
/// segment where a key frame comes at least half a segment after the last one. Without pictures,
/// sound is cut alike.
#[derive(Debug)]
pub(crate) struct Packager {
    part: Duration,
    segment: Duration,
    video: Option<Track<VideoSetup>>,
    sound: Option<Track<SoundSetup>>,
    /// Whether the initialization section is out.
    begun: bool,
    /// Parts so far.
    sequence: u32,
    /// What the tracks' time counts from.
    origin: Duration,
    segment_start: Option<Duration>,
}

/// Where a part lies.
#[derive(Debug)]
struct Bounds {
    start: Duration,
    end: Duration,
    /// Whether it can be decoded alone.
    independent: bool,
    starts_segment: bool,
}

#[derive(Debug)]
struct Track<S> {
    setup: Option<S>,
    waiting: VecDeque<Encoded>,
}

impl<S> Default for Track<S> {
    fn default() -> Self {
        Self { setup: None, waiting: VecDeque::new() }
    }
}

impl<S> Track<S> {
    fn push(&mut self, encoded: Encoded) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(encoded);
    }

    fn newest(&self) -> Option<Duration> {
        self.waiting.back().map(|encoded| encoded.time)
    }

    /// How many of what waits lie before a time.
    fn count_before(&self, end: Duration) -> usize {
        self.waiting.iter().take_while(|encoded| encoded.time < end).count()
    }
}

impl Packager {
    /// Packages into parts and segments that last so long.
    pub(crate) fn new(part: Duration, segment: Duration, video: bool, sound: bool) -> Self {
        Self {
            part,
            segment,
            video: video.then(Track::default),
            sound: sound.then(Track::default),
            begun: false,
            sequence: 0,
            origin: Duration::ZERO,
            segment_start: None,
        }
    }

    /// What pictures need; the first is kept.
    pub(crate) fn set_video(&mut self, setup: VideoSetup) {
        if let Some(video) = &mut self.video {
            video.setup.get_or_insert(setup);
        }
    }

    /// What sound needs; the first is kept.
    pub(crate) fn set_sound(&mut self, setup: SoundSetup) {
        if let Some(sound) = &mut self.sound {
            sound.setup.get_or_insert(setup);
        }
    }

    /// Takes an encoded picture.
    pub(crate) fn push_video(&mut self, picture: Encoded) {
        if let Some(video) = &mut self.video {
            video.push(picture);
        }
    }

    /// Takes a frame of encoded sound.
    pub(crate) fn push_sound(&mut self, frame: Encoded) {
        if let Some(sound) = &mut self.sound {
            sound.push(frame);
        }
    }

    /// RFC 6381's names of what is packaged, once that is known.
    pub(crate) fn codecs(&self) -> Option<String> {
        let video = self.video.as_ref().map(|video| Some(video.setup.as_ref()?.codec()));
        let sound = self.sound.as_ref().map(|sound| {
            sound.setup.as_ref()?;
            Some("mp4a.40.2".to_owned())
        });
        let codecs: Option<Vec<String>> = [video, sound].into_iter().flatten().collect();
        codecs.map(|codecs| codecs.join(","))
    }

    /// The next piece, if there is one.
    pub(crate) fn next(&mut self) -> Option<Cut> {
        if !self.begun {
            return self.begin();
        }
        let Bounds { start, end, independent, starts_segment } = self.bounds()?;
        if self.sound_is_missing(end) {
            return None;
        }
        if starts_segment {
            self.segment_start = Some(start);
        }
        let runs = self.take(start, end);
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = fragment::write(self.sequence, &runs);
        let duration = end.saturating_sub(start).min(self.part);
        Some(Cut {
            piece: Piece::Part { duration, independent, starts_segment },
            time: start,
            bytes,
        })
    }

    fn begin(&mut self) -> Option<Cut> {
        self.codecs()?;
        let setup = self.video.as_ref().and_then(|video| video.setup.as_ref());
        let bytes = init::write(setup, self.sound.as_ref().and_then(|sound| sound.setup.as_ref()));
        // The first segment begins with a key frame, and with the sound of its time.
        self.origin = match &mut self.video {
            Some(video) => {
                let first = video.waiting.iter().position(|picture| picture.key)?;
                video.waiting.drain(..first);
                video.waiting.front()?.time
            }
            None => self.sound.as_ref()?.waiting.front()?.time,
        };
        if let Some(sound) = &mut self.sound {
            let early = sound.count_before(self.origin);
            sound.waiting.drain(..early);
        }
        self.begun = true;
        Some(Cut { piece: Piece::Init, time: self.origin, bytes })
    }

    /// The next part, if all that decides where it ends is there.
    fn bounds(&self) -> Option<Bounds> {
        let waiting = match (&self.video, &self.sound) {
            (Some(video), _) => &video.waiting,
            (None, Some(sound)) => &sound.waiting,
            (None, None) => return None,
        };
        let first = waiting.front()?;
        let least = self.least_segment();
        let may_start = |encoded: &Encoded, segment_start: Option<Duration>| {
            let age = segment_start.map(|begun| encoded.time.saturating_sub(begun));
            encoded.key && age.is_none_or(|age| age >= least)
        };
        let starts_segment = may_start(first, self.segment_start);
        let segment_start = if starts_segment { Some(first.time) } else { self.segment_start };
        let ends = |(index, next): &(usize, &Encoded)| {
            // A part may not be longer than it is said to be: the picture after this one ends it
            // when this one still fits in and that would not.
            let following = waiting.get(index + 1).map_or(next.time, |after| after.time);
            let too_long = following.saturating_sub(first.time) > self.part + ROUNDING;
            too_long || may_start(next, segment_start)
        };
        let (_, end) = waiting.iter().enumerate().skip(1).find(ends)?;
        let (start, end, independent) = (first.time, end.time, first.key);
        Some(Bounds { start, end, independent, starts_segment })
    }

    /// How long a segment lasts at least. Encoders choose where key frames are; frames of sound
    /// are all alike.
    fn least_segment(&self) -> Duration {
        if self.video.is_some() { self.segment / 2 } else { self.segment }
    }

    /// Whether sound that belongs to a part that ends so is still to be waited for.
    fn sound_is_missing(&self, end: Duration) -> bool {
        let (Some(video), Some(sound)) = (&self.video, &self.sound) else { return false };
        let is_there = sound.newest().is_some_and(|newest| newest >= end);
        let waited = video.newest().is_some_and(|newest| newest >= end + SOUND_PATIENCE);
        !is_there && !waited
    }

    /// Takes what lies before `end`.
    fn take(&mut self, start: Duration, end: Duration) -> Vec<Run> {
        let origin = self.origin;
        let mut runs = Vec::with_capacity(2);
        if let Some(video) = &mut self.video {
            let count = video.count_before(end);
            let taken: Vec<Encoded> = video.waiting.drain(..count).collect();
            let next = video.waiting.front().map_or(end, |picture| picture.time);
            let ends = taken.iter().skip(1).map(|picture| picture.time).chain([next]);
            let ends: Vec<Duration> = ends.collect();
            let samples = taken.into_iter().zip(ends).map(|(picture, until)| Sample {
                duration: units(until.saturating_sub(picture.time), VIDEO_TIMESCALE),
                key: picture.key,
                bytes: picture.bytes,
            });
            let samples = samples.collect();
            let time = since(origin, start, VIDEO_TIMESCALE);
            runs.push(Run { track: VIDEO_TRACK, time, samples });
        }
        if let Some(sound) = &mut self.sound {
            let rate = sound.setup.as_ref().map_or(VIDEO_TIMESCALE, |setup| setup.rate);
            let count = sound.count_before(end);
            let taken: Vec<Encoded> = sound.waiting.drain(..count).collect();
            let time = taken.first().map_or(start, |frame| frame.time);
            let samples = taken.into_iter().map(|frame| Sample {
                duration: AAC_FRAME,
                key: true,
                bytes: frame.bytes,
            });
            let time = since(origin, time, rate);
            runs.push(Run { track: SOUND_TRACK, time, samples: samples.collect() });
        }
        runs
    }
}

/// What clocks of pictures and of parts may differ by.
const ROUNDING: Duration = Duration::from_millis(2);

fn units(duration: Duration, timescale: u32) -> u32 {
    u32::try_from(since(Duration::ZERO, duration, timescale)).unwrap_or(u32::MAX)
}

/// The time between two moments in units of a track's time, rounded.
fn since(origin: Duration, moment: Duration, timescale: u32) -> u64 {
    let nanos = moment.saturating_sub(origin).as_nanos();
    let units = (nanos * u128::from(timescale) + 500_000_000) / 1_000_000_000;
    u64::try_from(units).unwrap_or(u64::MAX)
}
