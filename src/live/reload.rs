//! When a playlist request is answered (RFC 8216bis, 6.2.5.2).

use super::timeline::Timeline;

/// What a player's `_HLS_msn` and `_HLS_part` ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Awaited {
    pub(super) msn: Option<u64>,
    pub(super) part: Option<u64>,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reload {
    /// The playlist has it.
    Now,
    /// It is about to come.
    Wait,
    /// It cannot be about to come.
    TooFar,
}

/// How many segments a request may be ahead of the newest.
const ADVANCE_SEGMENTS: u64 = 2;

/// How many parts a request may be ahead of the newest, where parts have a second or more; shorter
/// ones, as many as make up three seconds.
const ADVANCE_PARTS: f64 = 3.0;

/// Whether a track's playlist has what is asked for.
pub(super) fn reload(timeline: &Timeline, awaited: Awaited) -> Reload {
    let (Some(msn), Some(tail)) = (awaited.msn, timeline.tail()) else { return Reload::Now };
    if msn > tail.msn + ADVANCE_SEGMENTS {
        return Reload::TooFar;
    }
    let (msn, part) = match awaited.part {
        // A part after a segment's last is the first of the next segment.
        Some(part) => match timeline.whole(msn) {
            Some(whole) if part >= whole.parts.len() as u64 && part > 0 => (msn + 1, Some(0)),
            Some(_) | None => (msn, Some(part)),
        },
        None => (msn, None),
    };
    if timeline.last_whole().is_some_and(|last| last.msn() >= msn) {
        return Reload::Now;
    }
    let Some(part) = part else { return Reload::Wait };
    let growing = timeline.open().filter(|open| open.msn() == msn);
    let here = growing.map_or(0, |open| open.parts.len() as u64);
    if part < here {
        return Reload::Now;
    }
    if part - here >= advance_parts(timeline) { Reload::TooFar } else { Reload::Wait }
}

fn advance_parts(timeline: &Timeline) -> u64 {
    let target = timeline.part_target.map_or(1.0, |target| target.as_secs_f64());
    (ADVANCE_PARTS / target.min(1.0)).ceil() as u64
}
