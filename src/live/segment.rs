//! A segment of a track, whole or still growing.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::upload::{PartUpload, Place, SegmentUpload};

/// A part of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) duration: Duration,
    pub(super) independent: bool,
    pub(super) gap: bool,
    pub(super) data: Bytes,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) place: Place,
    pub(super) duration: Duration,
    /// Number of the initialization section that it needs.
    pub(super) map: Option<u64>,
    pub(super) parts: Vec<Part>,
    /// What a player gets; `None` while it grows.
    pub(super) data: Option<Bytes>,
    /// Whether the parts' bytes are the same memory.
    shared: bool,
    /// Whether there is nothing to play.
    pub(super) gap: bool,
    /// Whether its packager has handed it over as a whole.
    pub(super) sealed: bool,
}

impl Segment {
    /// A segment whose parts are still to come.
    pub(super) fn open(place: Place, map: Option<u64>) -> Self {
        Self {
            place,
            duration: Duration::ZERO,
            map,
            parts: Vec::new(),
            data: None,
            shared: false,
            gap: false,
            sealed: false,
        }
    }

    /// A segment that arrived as a whole.
    pub(super) fn whole(upload: SegmentUpload, map: Option<u64>) -> Self {
        let mut segment = Self::open(upload.place, map);
        segment.duration = upload.duration;
        segment.data = Some(upload.data);
        segment.sealed = true;
        segment
    }

    /// A segment that never arrived.
    pub(super) fn missing(msn: u64, duration: Duration, map: Option<u64>) -> Self {
        let place = Place { msn, discontinuity: false, program_date_time: None };
        let mut segment = Self::open(place, map);
        segment.duration = duration;
        segment.gap = true;
        segment.sealed = true;
        segment
    }

    pub(super) fn msn(&self) -> u64 {
        self.place.msn
    }

    pub(super) fn push(&mut self, part: PartUpload) {
        self.duration += part.duration;
        let PartUpload { duration, independent, gap, data, .. } = part;
        self.parts.push(Part { duration, independent, gap, data });
    }

    /// Makes a growing segment whole, with the bytes that it came with or those of its parts.
    /// Bytes that are both are kept once.
    pub(super) fn seal(&mut self, upload: SegmentUpload) {
        self.duration = upload.duration;
        self.sealed = true;
        self.shared = self.is_made_of(&upload.data);
        self.data = Some(upload.data);
        self.share();
    }

    /// Makes a growing segment whole with the bytes of its parts.
    pub(super) fn close(&mut self) {
        let mut joined = BytesMut::with_capacity(self.size());
        for part in &self.parts {
            joined.extend_from_slice(&part.data);
        }
        self.gap = self.parts.iter().all(|part| part.gap);
        self.data = Some(joined.freeze());
        self.shared = true;
        self.share();
    }

    fn is_made_of(&self, data: &Bytes) -> bool {
        let mut rest = &data[..];
        for part in &self.parts {
            match rest.strip_prefix(&part.data[..]) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }

    fn share(&mut self) {
        let Some(data) = self.data.as_ref().filter(|_| self.shared) else { return };
        let mut start = 0;
        for part in &mut self.parts {
            let end = start + part.data.len();
            part.data = data.slice(start..end);
            start = end;
        }
    }

    /// What it takes to keep, in bytes.
    pub(super) fn size(&self) -> usize {
        let whole = self.data.as_ref().map_or(0, Bytes::len);
        let parts: usize = self.parts.iter().map(|part| part.data.len()).sum();
        if self.shared { whole } else { whole + parts }
    }
}
