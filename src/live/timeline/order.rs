//! Whether an upload comes when it may, and keeps what its track has promised.

use std::time::Duration;

use super::{Step, Timeline};
use crate::live::{
    fault::Fault,
    upload::{PartUpload, Place, SegmentUpload},
};

/// Segments that may be missing in a row; they are listed as gaps. A packager that has lost more
/// starts its broadcast anew.
const MAX_MISSING: u64 = 32;

/// Parts of one segment. A segment of the longest target in parts of a tenth of a second has fewer.
const MAX_PARTS: usize = 1024;

impl Timeline {
    /// Whether a part comes when it may, and is as long as it may be.
    pub(in crate::live) fn check_part(&self, part: &PartUpload) -> Result<Step, Fault> {
        let Some(target) = self.part_target else {
            return Err(Fault::Unfit("this track has no targetPartDuration, so no parts".into()));
        };
        if part.duration > target {
            let (part, target) = (part.duration.as_secs_f64(), target.as_secs_f64());
            return Err(Fault::Unfit(format!(
                "{part} s is longer than the part target {target} s"
            )));
        }
        let index = part.index as usize;
        let step = match &self.open {
            Some(open) if open.msn() == part.place.msn => {
                let next = open.parts.len();
                let (msn, index) = (open.msn(), index);
                if index < next {
                    return Err(Fault::Order(format!("part {index} of segment {msn} is here")));
                }
                if index > next {
                    return Err(Fault::Order(format!(
                        "part {next} of segment {msn} comes next, not part {index}"
                    )));
                }
                if next >= MAX_PARTS {
                    return Err(Fault::Unfit(format!("a segment has at most {MAX_PARTS} parts")));
                }
                self.check_duration(open.duration + part.duration)?;
                return Ok(Step::Continue);
            }
            Some(_) | None => self.begin(&part.place)?,
        };
        if index > 0 {
            let msn = part.place.msn;
            return Err(Fault::Order(format!("segment {msn} starts with part 0, not {index}")));
        }
        self.check_duration(part.duration)?;
        Ok(step)
    }

    /// Whether a segment comes when it may, and is as long as it may be.
    pub(in crate::live) fn check_segment(&self, segment: &SegmentUpload) -> Result<Step, Fault> {
        self.check_duration(segment.duration)?;
        let msn = segment.place.msn;
        if self.open.as_ref().is_some_and(|open| open.msn() == msn) {
            return Ok(Step::Continue);
        }
        // Its parts were followed by the next segment's before the whole arrived.
        if self.whole(msn).is_some_and(|known| !known.sealed) {
            return Ok(Step::Known);
        }
        self.begin(&segment.place)
    }

    fn check_duration(&self, duration: Duration) -> Result<(), Fault> {
        // RFC 8216bis, 4.4.3.1: rounded to whole seconds, it is at most the target.
        if duration < Duration::from_millis(u64::from(self.target_secs) * 1000 + 500) {
            return Ok(());
        }
        let (long, target) = (duration.as_secs_f64(), self.target_secs);
        Err(Fault::Unfit(format!(
            "the segment has {long} s, but the target duration is {target} s"
        )))
    }

    fn begin(&self, place: &Place) -> Result<Step, Fault> {
        let Some(last) = self.last_msn() else { return Ok(Step::Begin { missing: 0 }) };
        let (next, msn) = (last + 1, place.msn);
        if msn < next {
            return Err(Fault::Order(format!("segment {msn} is over; {next} comes next")));
        }
        let missing = msn - next;
        if missing > 0 && !place.discontinuity {
            return Err(Fault::Order(format!(
                "segment {next} comes next, not {msn}; after a loss go on with `discontinuity`"
            )));
        }
        if missing > MAX_MISSING {
            return Err(Fault::Order(format!(
                "segment {next} comes next; {missing} are missing, which is more than \
                 {MAX_MISSING}: start anew with another playlist id"
            )));
        }
        Ok(Step::Begin { missing })
    }
}
