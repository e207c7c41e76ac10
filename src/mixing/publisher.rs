//! Turns the pieces of a package into uploads to the live origin.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use portico_mixer_protocol::{PackagedPicture, Packaging, Piece};

use crate::live::{
    About, Fault, Init, PartUpload, Place, TrackKind, TrackName, TrackUpdate, Upload, What,
};

/// What a part of a broadcast lasts at most, in milliseconds: a whole number of pictures at all
/// common rates, so that parts are nearly as long as they may be.
const PART_MS: u32 = 500;

/// What a segment is meant to last, in seconds.
const SEGMENT_SECS: u32 = 2;

/// What a segment may last, in seconds: an encoder counts pictures, and has fewer of them on a
/// machine that is overloaded.
const TARGET_SECS: u32 = 4;

/// What sound adds to a broadcast's bit rate, in kbit/s.
const SOUND_KBPS: u32 = 128;

/// The broadcast's one variant.
const VARIANT: &str = "main";

/// How a picture, or sound alone, is packaged for the origin.
pub(super) fn packaging(picture: Option<PackagedPicture>, sound: bool) -> Packaging {
    Packaging { picture, sound, part_ms: PART_MS, segment_secs: SEGMENT_SECS }
}

/// A broadcast's way through its segments. It goes on when a new agent makes the package anew, or
/// when the origin refused something: then the next segment does not continue the last one.
#[derive(Debug)]
pub(super) struct Publisher {
    playlist: String,
    packaging: Packaging,
    codecs: String,
    init: Option<Bytes>,
    /// Whether the origin knows the present initialization section.
    announced: bool,
    /// The present segment, once there was one.
    msn: Option<u64>,
    index: u32,
    /// Whether something was lost since the last segment began.
    broken: bool,
    /// When the next part was recorded.
    clock: Option<SystemTime>,
}

impl Publisher {
    /// A broadcast of this package; `playlist` tells it from others at the same address.
    pub(super) fn new(playlist: String, packaging: Packaging) -> Self {
        Self {
            playlist,
            packaging,
            codecs: String::new(),
            init: None,
            announced: false,
            msn: None,
            index: 0,
            broken: false,
            clock: None,
        }
    }

    /// What the pieces hold.
    pub(super) fn set_codecs(&mut self, codecs: String) {
        self.codecs = codecs;
    }

    /// What a piece that arrived now means to the origin, in this order.
    pub(super) fn take(&mut self, piece: Piece, bytes: Bytes, now: SystemTime) -> Vec<Upload> {
        match piece {
            Piece::Init => {
                self.init = Some(bytes);
                self.announced = false;
                self.broken = self.msn.is_some();
                self.clock = None;
                Vec::new()
            }
            Piece::Part { duration, independent, starts_segment } => {
                let start = self.clock.unwrap_or(now - duration);
                self.clock = Some(start + duration);
                if starts_segment {
                    let describe = (!self.announced).then(|| self.describe());
                    let part = self.part(duration, independent, bytes, Some(start));
                    self.announced = true;
                    describe.into_iter().chain([part]).collect()
                } else if self.broken || self.msn.is_none() {
                    // Its segment is not whole.
                    Vec::new()
                } else {
                    vec![self.part(duration, independent, bytes, None)]
                }
            }
        }
    }

    /// Notes that an upload was refused: nothing fits until the next segment begins.
    pub(super) fn note_refusal(&mut self, fault: &Fault) {
        self.broken = true;
        match fault {
            // The origin has forgotten the broadcast, or had no room for it.
            Fault::Unknown(_) | Fault::Full(_) => self.announced = false,
            Fault::Malformed(_) | Fault::Order(_) | Fault::TooLarge(_) | Fault::Unfit(_) => {}
        }
    }

    fn describe(&self) -> Upload {
        let picture = self.packaging.picture.map_or(0, |picture| picture.kbps);
        let sound = if self.packaging.sound { SOUND_KBPS } else { 0 };
        let about = About::Variant {
            codecs: self.codecs.clone(),
            // Encoders exceed their mean for a key frame.
            bandwidth: u64::from(picture + sound) * 1250,
            audio: None,
        };
        let what = What::Track(TrackUpdate {
            about,
            version: None,
            target_secs: TARGET_SECS,
            part_target: Some(Duration::from_millis(PART_MS.into())),
        });
        let init = self.init.clone().map(|data| Init { id: None, data: Some(data) });
        self.upload(init, what)
    }

    fn part(
        &mut self,
        duration: Duration,
        independent: bool,
        data: Bytes,
        begins: Option<SystemTime>,
    ) -> Upload {
        let discontinuity = begins.is_some() && self.broken;
        if begins.is_some() {
            self.msn = Some(self.msn.map_or(0, |msn| msn + 1));
            self.index = 0;
            self.broken = false;
        }
        let place = Place {
            msn: self.msn.unwrap_or_default(),
            discontinuity,
            program_date_time: begins.and_then(|start| {
                let since = start.duration_since(UNIX_EPOCH).ok()?;
                crate::live::iso_8601(since.as_secs_f64() * 1000.0)
            }),
        };
        let index = self.index;
        self.index += 1;
        let what = What::Part(PartUpload { place, index, duration, independent, gap: false, data });
        self.upload(None, what)
    }

    fn upload(&self, init: Option<Init>, what: What) -> Upload {
        let id = VARIANT.parse().expect("letters are an id");
        let track = TrackName { kind: TrackKind::Variant, id };
        Upload { playlist: Some(self.playlist.clone()), track, init, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Duration = Duration::from_millis(500);

    fn part(starts_segment: bool) -> Piece {
        Piece::Part { duration: PART, independent: starts_segment, starts_segment }
    }

    fn places(uploads: &[Upload]) -> Vec<(u64, u32, bool)> {
        let parts = uploads.iter().filter_map(|upload| match &upload.what {
            What::Part(part) => Some((part.place.msn, part.index, part.place.discontinuity)),
            What::Track(_) | What::Segment(_) => None,
        });
        parts.collect()
    }

    fn take(publisher: &mut Publisher, piece: Piece) -> Vec<Upload> {
        publisher.take(piece, Bytes::from_static(b"x"), UNIX_EPOCH + PART)
    }

    fn begun() -> Publisher {
        let mut publisher = Publisher::new("p".into(), packaging(None, true));
        publisher.set_codecs("mp4a.40.2".into());
        assert_eq!(take(&mut publisher, Piece::Init), []);
        let first = take(&mut publisher, part(true));
        assert_eq!((first.len(), places(&first)), (2, vec![(0, 0, false)]));
        let What::Track(update) = &first[0].what else { panic!("{first:?}") };
        let about = About::Variant { codecs: "mp4a.40.2".into(), bandwidth: 160_000, audio: None };
        assert_eq!(update.about, about);
        assert!(first[0].init.is_some());
        publisher
    }

    #[test]
    fn parts_are_numbered_in_their_segments() {
        let mut publisher = begun();
        assert_eq!(places(&take(&mut publisher, part(false))), [(0, 1, false)]);
        let next = take(&mut publisher, part(true));
        assert_eq!((next.len(), places(&next)), (1, vec![(1, 0, false)]));
        let What::Part(first) = &next[0].what else { panic!("{next:?}") };
        let recorded = first.place.program_date_time.as_deref();
        assert_eq!(recorded, Some("1970-01-01T00:00:01.000Z"), "two parts after the start");
    }

    #[test]
    fn a_new_agent_goes_on_with_a_discontinuity() {
        let mut publisher = begun();
        assert_eq!(take(&mut publisher, Piece::Init), []);
        assert_eq!(take(&mut publisher, part(false)), [], "of a segment that began elsewhere");
        let next = take(&mut publisher, part(true));
        assert_eq!((next.len(), places(&next)), (2, vec![(1, 0, true)]));
        assert_eq!(places(&take(&mut publisher, part(false))), [(1, 1, false)]);
    }

    #[test]
    fn a_refusal_costs_the_rest_of_the_segment() {
        let mut publisher = begun();
        publisher.note_refusal(&Fault::Unfit("too long".into()));
        assert_eq!(take(&mut publisher, part(false)), []);
        let next = take(&mut publisher, part(true));
        assert_eq!((next.len(), places(&next)), (1, vec![(1, 0, true)]));
        publisher.note_refusal(&Fault::Unknown("forgotten".into()));
        let next = take(&mut publisher, part(true));
        assert_eq!((next.len(), places(&next)), (2, vec![(2, 0, true)]), "told anew");
    }
}
