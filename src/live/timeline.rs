//! The segments of one track: what comes next, what is kept, what is listed.

mod order;

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::{
    fault::Fault,
    segment::Segment,
    upload::{Init, PartUpload, SegmentUpload},
};

/// Target durations that a playlist lists at least, if there is as much (RFC 8216bis, 6.2.2).
const MIN_LISTED_TARGETS: u32 = 3;

/// How many times the asked-for segments are listed at most, where they are so short that they
/// do not make up [`MIN_LISTED_TARGETS`].
const MAX_LISTED_FACTOR: usize = 8;

/// An initialization section.
#[derive(Debug)]
struct Map {
    number: u64,
    id: Option<String>,
    data: Bytes,
}

/// The segments of one track, oldest first.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) target_secs: u32,
    pub(super) part_target: Option<Duration>,
    /// Segments that are listed, if there are as many.
    window: usize,
    maps: VecDeque<Map>,
    next_map: u64,
    map: Option<u64>,
    /// Those that are whole; their numbers have no gaps.
    segments: VecDeque<Segment>,
    /// The one that grows.
    open: Option<Segment>,
    /// Of the segments that are gone.
    discontinuities_gone: u64,
    size: usize,
}

/// How an upload will be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on with the segment that grows.
    Continue,
    /// It starts a segment, after so many that are missing.
    Begin { missing: u64 },
    /// It is what players have already.
    Known,
}

/// The newest part, as rendition reports tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) msn: u64,
    pub(super) part: Option<usize>,
}

/// What there is under a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These bytes.
    Ready(Bytes),
    /// It is the next to come.
    Coming,
    /// It was, or will never be.
    Absent,
}

impl Timeline {
    pub(super) fn new(target_secs: u32, part_target: Option<Duration>, window: usize) -> Self {
        Self {
            target_secs,
            part_target,
            window,
            maps: VecDeque::new(),
            next_map: 0,
            map: None,
            segments: VecDeque::new(),
            open: None,
            discontinuities_gone: 0,
            size: 0,
        }
    }

    /// Whether there is anything to play.
    pub(super) fn has_content(&self) -> bool {
        self.open.is_some() || !self.segments.is_empty()
    }

    /// What it takes to keep, in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn open(&self) -> Option<&Segment> {
        self.open.as_ref()
    }

    pub(super) fn check_init(&self, init: &Init) -> Result<(), Fault> {
        let known = |id: &str| self.maps.iter().any(|map| map.id.as_deref() == Some(id));
        match init {
            Init { data: Some(data), .. } if data.is_empty() => {
                Err(Fault::Malformed("the initialization section is empty".into()))
            }
            Init { data: None, id: None } => {
                Err(Fault::Malformed("a map needs an id or data".into()))
            }
            Init { data: None, id: Some(id) } if !known(id) => {
                Err(Fault::Unknown(format!("there is no initialization section {id:?}")))
            }
            Init { .. } => Ok(()),
        }
    }

    /// Makes an initialization section hold from here on; it was checked before.
    pub(super) fn set_init(&mut self, init: Init) {
        let Init { id, data } = init;
        let same = self.maps.iter().rev().find(|map| match &data {
            Some(data) => map.data == data,
            None => map.id == id,
        });
        if let Some(map) = same {
            self.map = Some(map.number);
            return;
        }
        let Some(data) = data else { return };
        self.size += data.len();
        self.maps.push_back(Map { number: self.next_map, id, data });
        self.map = Some(self.next_map);
        self.next_map += 1;
        self.forget_unused_maps();
    }

    fn forget_unused_maps(&mut self) {
        let needed = self.segments.iter().chain(&self.open).map(|segment| segment.map);
        let needed: Vec<_> = needed.chain([self.map]).flatten().collect();
        self.maps.retain(|map| {
            let kept = needed.contains(&map.number);
            if !kept {
                self.size -= map.data.len();
            }
            kept
        });
    }

    /// Takes in a part that was checked.
    pub(super) fn add_part(&mut self, part: PartUpload, step: Step) {
        self.size += part.data.len();
        if let Step::Begin { missing } = step {
            self.close();
            self.miss(missing);
            self.open = Some(Segment::open(part.place.clone(), self.map));
        }
        if let Some(open) = &mut self.open {
            open.push(part);
        }
    }

    /// Takes in a segment that was checked.
    pub(super) fn add_segment(&mut self, segment: SegmentUpload, step: Step) {
        match step {
            Step::Known => {
                let msn = segment.place.msn;
                if let Some(known) = self.segments.iter_mut().find(|known| known.msn() == msn) {
                    known.sealed = true;
                }
            }
            Step::Continue => {
                if let Some(mut open) = self.open.take() {
                    self.size -= open.size();
                    open.seal(segment);
                    self.size += open.size();
                    self.finish(open);
                }
            }
            Step::Begin { missing } => {
                self.close();
                self.miss(missing);
                self.size += segment.data.len();
                self.finish(Segment::whole(segment, self.map));
            }
        }
    }

    fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.close();
            self.finish(open);
        }
    }

    fn miss(&mut self, missing: u64) {
        let duration = Duration::from_secs(self.target_secs.into());
        for _ in 0..missing {
            let msn = self.last_msn().map_or(0, |last| last + 1);
            self.finish(Segment::missing(msn, duration, self.map));
        }
    }

    fn finish(&mut self, segment: Segment) {
        self.segments.push_back(segment);
        // What was listed until now stays for as long as a player may take to come to it (RFC
        // 8216bis, 6.2.2).
        while self.segments.len() > 2 * self.listed_len() {
            self.drop_oldest();
        }
    }

    /// Ends the segment that grows, because nothing follows.
    pub(super) fn end(&mut self) {
        self.close();
    }

    /// Forgets the oldest segment. `false` if players still need all there are.
    pub(super) fn make_room(&mut self) -> bool {
        let seconds: Duration = self.segments.iter().skip(1).map(|segment| segment.duration).sum();
        let enough = Duration::from_secs(u64::from(self.target_secs * MIN_LISTED_TARGETS));
        if self.segments.len() < 2 || seconds < enough {
            return false;
        }
        self.drop_oldest();
        true
    }

    fn drop_oldest(&mut self) {
        let Some(gone) = self.segments.pop_front() else { return };
        self.size -= gone.size();
        self.discontinuities_gone += u64::from(gone.place.discontinuity);
        self.forget_unused_maps();
    }

    fn last_msn(&self) -> Option<u64> {
        self.open.as_ref().or(self.segments.back()).map(Segment::msn)
    }

    /// The newest segment that is whole.
    pub(super) fn last_whole(&self) -> Option<&Segment> {
        self.segments.back()
    }

    /// A segment that is whole, by number.
    pub(super) fn whole(&self, msn: u64) -> Option<&Segment> {
        let first = self.segments.front()?.msn();
        self.segments.get(usize::try_from(msn.checked_sub(first)?).ok()?)
    }

    fn listed_len(&self) -> usize {
        let enough = Duration::from_secs(u64::from(self.target_secs * MIN_LISTED_TARGETS));
        let mut seconds = Duration::ZERO;
        let mut count = 0;
        for segment in self.segments.iter().rev() {
            let full = count >= self.window && seconds >= enough;
            if full || count >= self.window * MAX_LISTED_FACTOR {
                break;
            }
            seconds += segment.duration;
            count += 1;
        }
        count
    }

    /// The whole segments that players are told of.
    pub(super) fn listed(&self) -> impl DoubleEndedIterator<Item = &Segment> + Clone {
        self.segments.range(self.segments.len() - self.listed_len()..)
    }

    /// The discontinuities before the listed segments.
    pub(super) fn discontinuities_before(&self) -> u64 {
        let unlisted = self.segments.range(..self.segments.len() - self.listed_len());
        let passed = unlisted.filter(|segment| segment.place.discontinuity).count();
        self.discontinuities_gone + passed as u64
    }

    /// The newest part.
    pub(super) fn tail(&self) -> Option<Tail> {
        let newest = self.open.as_ref().or(self.segments.back())?;
        Some(Tail { msn: newest.msn(), part: newest.parts.len().checked_sub(1) })
    }

    /// The part that probably comes next: of the next segment where the growing one has as many
    /// parts as the one before it.
    pub(super) fn hint(&self) -> Option<(u64, usize)> {
        self.part_target?;
        let Some(open) = &self.open else { return Some((self.last_msn()? + 1, 0)) };
        let usual = self.segments.back().map(|before| before.parts.len());
        let over = usual.is_some_and(|usual| usual > 0 && open.parts.len() >= usual);
        Some(if over { (open.msn() + 1, 0) } else { (open.msn(), open.parts.len()) })
    }

    pub(super) fn find_map(&self, number: u64) -> Option<Bytes> {
        self.maps.iter().find(|map| map.number == number).map(|map| map.data.clone())
    }

    pub(super) fn find_segment(&self, msn: u64) -> Option<Bytes> {
        self.whole(msn).filter(|segment| !segment.gap)?.data.clone()
    }

    /// A part; the one that comes next, in this segment or the next, can be waited for.
    pub(super) fn find_part(&self, msn: u64, index: usize) -> Found {
        let open = self.open.as_ref().filter(|open| open.msn() == msn);
        if let Some(segment) = open.or_else(|| self.whole(msn)) {
            return match segment.parts.get(index) {
                Some(part) if !part.gap => Found::Ready(part.data.clone()),
                None if open.is_some() && index == segment.parts.len() => Found::Coming,
                Some(_) | None => Found::Absent,
            };
        }
        let follows = self.last_msn().is_some_and(|last| msn == last + 1);
        if follows && index == 0 { Found::Coming } else { Found::Absent }
    }
}
