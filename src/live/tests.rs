use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    broadcast::{Bounds, Broadcast},
    decode,
    fault::Fault,
    playlist::{self, Style},
    reload::{Awaited, Reload, reload},
    timeline::{Found, Timeline},
    upload::{TrackKind, TrackName},
};

const PLENTY: usize = 1 << 20;

/// A broadcast of one variant `v` with 2-second segments of four parts, told by data signals.
struct Show {
    broadcast: Broadcast,
    allowed: usize,
}

impl Show {
    fn new() -> Self {
        Self::of(&json!({
            "id": "v", "codecs": "avc1.42c01f,mp4a.40.2", "bandwidth": "500000",
            "targetDuration": "2", "targetPartDuration": 0.5,
        }))
    }

    fn of(variant: &Value) -> Self {
        let broadcast = Broadcast::new(Bounds { segments: 3, tracks: 2 }, Some("p".into()));
        let mut show = Self { broadcast, allowed: PLENTY };
        let init = json!({"map": {"id": "i", "data": "aW5pdA=="}});
        let payload = json!({"variant": variant, "segment": init});
        show.signal("updateVariant", payload).expect("a variant");
        show
    }

    fn signal(&mut self, action: &str, mut payload: Value) -> Result<(), Fault> {
        payload["playlist"] = json!({"id": "p"});
        let message = json!({"action": action, "version": 1, "payload": payload}).to_string();
        let signal = decode::signal(message.as_bytes())?;
        self.broadcast.apply(signal.upload, self.allowed)
    }

    fn part(&mut self, msn: u64, index: u64) -> Result<(), Fault> {
        self.part_of(&json!({"sequence": msn}), index, "AAAA")
    }

    fn part_of(&mut self, segment: &Value, index: u64, data: &str) -> Result<(), Fault> {
        let part = json!({
            "sequence": index.to_string(), "duration": 0.5, "independent": index == 0,
            "data": data,
        });
        let variant = json!({"id": "v"});
        self.signal("updatePart", json!({"variant": variant, "segment": segment, "part": part}))
    }

    fn whole(&mut self, msn: u64, data: &str) -> Result<(), Fault> {
        let segment = json!({"sequence": msn, "duration": 2, "data": data});
        self.signal("updateSegment", json!({"variant": {"id": "v"}, "segment": segment}))
    }

    /// Segments of four parts each.
    fn segments(&mut self, numbers: std::ops::Range<u64>) {
        for msn in numbers {
            for index in 0..4 {
                self.part(msn, index).expect("in order");
            }
        }
    }

    fn timeline(&self) -> &Timeline {
        self.broadcast.timeline(&name()).expect("the variant")
    }

    fn playlist(&self, skip: bool) -> String {
        playlist::media(&self.broadcast, &name(), skip, STYLE).expect("a playlist")
    }

    fn asked(&self, msn: u64, part: Option<u64>) -> Reload {
        reload(self.timeline(), Awaited { msn: Some(msn), part })
    }
}

const STYLE: Style<'_> = Style { epoch: 0xe, suffix: "" };

fn name() -> TrackName {
    TrackName { kind: TrackKind::Variant, id: "v".parse().expect("an id") }
}

#[test]
fn a_playlist_tells_all_that_low_latency_players_need() {
    let mut show = Show::new();
    let first = json!({"sequence": "7", "programDateTime": 1_700_000_000_000_u64});
    show.part_of(&first, 0, "AAAA").expect("the first part");
    for index in 1..4 {
        show.part(7, index).expect("in order");
    }
    show.part(8, 0).expect("the next segment");
    let expected = "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.50000
#EXT-X-PART-INF:PART-TARGET=0.50000
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI=\"e-0.mp4\"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXT-X-PART:DURATION=0.50000,URI=\"e-7.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.50000,URI=\"e-7.1.m4s\"
#EXT-X-PART:DURATION=0.50000,URI=\"e-7.2.m4s\"
#EXT-X-PART:DURATION=0.50000,URI=\"e-7.3.m4s\"
#EXTINF:2.00000,
e-7.m4s
#EXT-X-PART:DURATION=0.50000,URI=\"e-8.0.m4s\",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"e-8.1.m4s\"
";
    assert_eq!(show.playlist(false), expected);
    show.broadcast.end();
    let ended = show.playlist(false);
    assert!(ended.ends_with("#EXTINF:0.50000,\ne-8.m4s\n#EXT-X-ENDLIST\n"), "{ended}");
}

#[test]
fn the_multivariant_playlist_lists_what_plays() {
    let mut show = Show::of(&json!({
        "id": "v", "codecs": "avc1.42c01f", "bandwidth": 1, "audio": "sound", "targetDuration": 2,
    }));
    assert_eq!(playlist::multivariant(&show.broadcast, STYLE), None);
    show.whole(0, "AAAA").expect("a segment");
    let rendition = json!({
        "id": "r", "type": "audio", "groupId": "sound", "name": "Deutsch", "language": "de",
        "isDefault": true, "autoSelect": false, "targetDuration": 2,
    });
    show.signal("updateRendition", json!({"rendition": rendition})).expect("a rendition");
    let head = "#EXTM3U\n#EXT-X-VERSION:9\n";
    let silent = "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.42c01f\"\nvariant/v/playlist.m3u8\n";
    let written = playlist::multivariant(&show.broadcast, STYLE);
    assert_eq!(written, Some(format!("{head}{silent}")), "the rendition has nothing yet");
    let segment = json!({"sequence": 0, "duration": 2, "data": "AAAA"});
    let payload = json!({"rendition": {"id": "r"}, "segment": segment});
    show.signal("updateSegment", payload).expect("sound");
    let style = Style { epoch: 0, suffix: "?key=k" };
    let written = playlist::multivariant(&show.broadcast, style);
    let expected = format!(
        "{head}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Deutsch\",LANGUAGE=\"de\",\
         DEFAULT=YES,AUTOSELECT=YES,URI=\"rendition/r/playlist.m3u8?key=k\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.42c01f\",AUDIO=\"sound\"\n\
         variant/v/playlist.m3u8?key=k\n"
    );
    assert_eq!(written, Some(expected));
    let report = "#EXT-X-RENDITION-REPORT:URI=\"../../rendition/r/playlist.m3u8\",LAST-MSN=0\n";
    assert!(show.playlist(false).ends_with(report), "{}", show.playlist(false));
}

#[test]
fn what_comes_out_of_order_is_refused_and_nothing_is_lost() {
    let mut show = Show::new();
    show.segments(4..5);
    show.part(5, 0).expect("in order");
    let before = show.playlist(false);
    for (msn, index) in [(5, 0), (5, 2), (4, 3), (4, 4), (6, 1), (7, 0), (0, 0)] {
        let refused = show.part(msn, index).expect_err("out of order");
        assert!(matches!(refused, Fault::Order(_)), "{msn}.{index}: {refused:?}");
    }
    assert_eq!(show.playlist(false), before);
    show.part(5, 1).expect("still in order");
}

#[test]
fn a_whole_after_its_parts_is_the_same_segment() {
    let mut show = Show::new();
    show.segments(0..1);
    let parts = show.timeline().size();
    // Four parts of "AAAA", which are twelve zero bytes.
    show.whole(0, "AAAAAAAAAAAAAAAA").expect("the whole of segment 0");
    assert_eq!(show.timeline().size(), parts, "the same bytes are kept once");
    assert_eq!(show.timeline().find_segment(0), Some(Bytes::from(vec![0; 12])));
    assert!(matches!(show.whole(0, "AAAA"), Err(Fault::Order(_))), "twice");

    show.segments(1..3);
    show.whole(1, "////").expect("late, after the next segment's first part");
    let kept = show.timeline().find_segment(1);
    assert_eq!(kept, Some(Bytes::from(vec![0; 12])), "what players have does not change");
    assert!(matches!(show.whole(1, "////"), Err(Fault::Order(_))), "twice");
}

#[test]
fn a_loss_is_told_as_gaps() {
    let mut show = Show::new();
    show.segments(0..1);
    let after = json!({"sequence": 3, "discontinuity": true});
    show.part_of(&after, 0, "AAAA").expect("two segments later");
    let playlist = show.playlist(false);
    let gaps = "#EXT-X-GAP\n#EXTINF:2.00000,\ne-1.m4s\n#EXT-X-GAP\n#EXTINF:2.00000,\ne-2.m4s\n\
                #EXT-X-DISCONTINUITY\n#EXT-X-PART:";
    assert!(playlist.contains(gaps), "{playlist}");
    assert_eq!(show.timeline().find_segment(1), None);
    let far = json!({"sequence": 300, "discontinuity": true});
    assert!(matches!(show.part_of(&far, 0, "AAAA"), Err(Fault::Order(_))));
}

#[test]
fn old_segments_go_and_are_counted() {
    let mut show = Show::new();
    show.segments(0..1);
    let jump = json!({"sequence": 1, "discontinuity": true});
    show.part_of(&jump, 0, "AAAA").expect("a discontinuity");
    for index in 1..4 {
        show.part(1, index).expect("in order");
    }
    show.segments(2..20);
    let playlist = show.playlist(false);
    // Three whole ones are listed, and the one that grows.
    assert!(playlist.contains("#EXT-X-MEDIA-SEQUENCE:16\n"), "{playlist}");
    assert!(playlist.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), "{playlist}");
    let there = |msn| show.timeline().find_segment(msn).is_some();
    assert!(there(13), "a player may still come to it");
    assert!(!there(12));
    assert!(!there(19), "it still grows");
}

#[test]
fn a_broadcast_takes_no_more_than_it_may() {
    let mut show = Show::new();
    // Each segment has 12 bytes, and the initialization section 4.
    show.allowed = 4 + 12 * 5;
    show.segments(0..30);
    assert!(show.broadcast.size() <= show.allowed, "{}", show.broadcast.size());
    assert!(show.timeline().listed().count() >= 3, "{}", show.playlist(false));
    show.allowed = 4 + 12 * 3;
    let before = show.timeline().find_segment(28);
    let refused = show.part(30, 0).expect_err("players need three segments");
    assert!(matches!(refused, Fault::Full(_)), "{refused:?}");
    assert_eq!(show.timeline().find_segment(28), before);
}

#[test]
fn delta_updates_leave_out_what_is_old() {
    let mut show = Show::new();
    let wide = Bounds { segments: 12, tracks: 2 };
    show.broadcast = Broadcast::new(wide, Some("p".into()));
    let variant = json!({"id": "v", "targetDuration": 2, "targetPartDuration": 0.5});
    show.signal("updateVariant", json!({"variant": variant})).expect("a variant");
    show.segments(0..6);
    assert!(!show.playlist(true).contains("SKIP:"), "nothing is 12 s old");
    show.segments(6..11);
    let delta = show.playlist(true);
    // Segment 10 grows with 2 s; segments 0 to 3 ended more than 12 s before its end.
    assert!(delta.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n"), "{delta}");
    assert!(delta.contains("#EXT-X-MEDIA-SEQUENCE:0\n"), "{delta}");
    let full = show.playlist(false);
    let (_, kept) = delta.split_once("SKIPPED-SEGMENTS=4\n").expect("found above");
    assert!(full.ends_with(kept) && !full.contains("SKIP:"), "{full}");
    assert!(!kept.contains("e-3.m4s") && kept.contains("e-4.m4s"), "{kept}");
}

#[test]
fn requests_wait_for_what_comes_next_only() {
    let mut show = Show::new();
    show.segments(0..2);
    // Segment 1 has its four parts and may have a fifth.
    for (msn, part) in [(0, None), (0, Some(9)), (1, Some(3)), (0, Some(0))] {
        assert_eq!(show.asked(msn, part), Reload::Now, "{msn} {part:?}");
    }
    for (msn, part) in [(1, None), (1, Some(4)), (2, None), (2, Some(0)), (3, None), (1, Some(9))] {
        assert_eq!(show.asked(msn, part), Reload::Wait, "{msn} {part:?}");
    }
    for (msn, part) in [(4, None), (4, Some(0)), (1, Some(10)), (2, Some(6))] {
        assert_eq!(show.asked(msn, part), Reload::TooFar, "{msn} {part:?}");
    }
    assert_eq!(reload(show.timeline(), Awaited::default()), Reload::Now);
    show.part(2, 0).expect("in order");
    assert_eq!(show.asked(1, Some(4)), Reload::Now, "it is part 0 of segment 2");
    assert_eq!(show.asked(1, None), Reload::Now);
}

#[test]
fn hints_follow_the_rhythm_of_the_segments() {
    let mut show = Show::new();
    assert_eq!(show.timeline().hint(), None);
    show.segments(0..1);
    assert_eq!(show.timeline().hint(), Some((0, 4)), "how long segments are is not known yet");
    show.segments(1..2);
    assert_eq!(show.timeline().hint(), Some((2, 0)));
    assert_eq!(show.timeline().find_part(2, 0), Found::Coming);
    assert_eq!(show.timeline().find_part(1, 4), Found::Coming);
    show.part(2, 0).expect("in order");
    assert_eq!(show.timeline().hint(), Some((2, 1)));
    assert_eq!(show.timeline().find_part(1, 4), Found::Absent, "the hint was wrong");
    assert_eq!(show.timeline().find_part(2, 0), Found::Ready(Bytes::from(vec![0; 3])));
    assert_eq!(show.timeline().find_part(4, 0), Found::Absent);
}

#[test]
fn promises_to_players_are_kept() {
    let mut show = Show::new();
    let long = json!({"sequence": 0, "duration": 0.6, "data": "AAAA"});
    let payload = json!({"variant": {"id": "v"}, "segment": {"sequence": 0}, "part": long});
    assert!(matches!(show.signal("updatePart", payload), Err(Fault::Unfit(_))));
    show.segments(0..1);
    let fifth = show.part(0, 4).expect_err("2.5 s are rounded to 3");
    assert!(matches!(fifth, Fault::Unfit(_)), "{fifth:?}");
    let segment = json!({"sequence": 1, "duration": "2.5", "data": "AAAA"});
    let payload = json!({"variant": {"id": "v"}, "segment": segment});
    assert!(matches!(show.signal("updateSegment", payload), Err(Fault::Unfit(_))));
    let other = json!({"id": "v", "targetDuration": 4, "targetPartDuration": 0.5});
    let changed = show.signal("updateVariant", json!({"variant": other}));
    assert!(matches!(changed, Err(Fault::Unfit(_))), "{changed:?}");
}

#[test]
fn initialization_sections_change_with_the_segments() {
    let mut show = Show::new();
    show.segments(0..1);
    let map = json!({"id": "j", "data": "aW5pdDI="});
    show.part_of(&json!({"sequence": 1, "map": map}), 0, "AAAA").expect("another map rides along");
    show.part_of(&json!({"sequence": 2, "map": {"id": "i"}}), 0, "AAAA").expect("a known one");
    let playlist = show.playlist(false);
    let maps: Vec<_> = playlist.lines().filter(|line| line.starts_with("#EXT-X-MAP")).collect();
    let expected = [0, 1, 0].map(|map| format!("#EXT-X-MAP:URI=\"e-{map}.mp4\""));
    assert_eq!(maps, expected);
    assert_eq!(show.timeline().find_map(1), Some(Bytes::from_static(b"init2")));
    let unknown = show.part_of(&json!({"sequence": 2, "map": {"id": "x"}}), 1, "AAAA");
    assert!(matches!(unknown, Err(Fault::Unknown(_))), "{unknown:?}");
    show.part(2, 1).expect("in order");
    for index in 2..4 {
        show.part(2, index).expect("in order");
    }
    show.segments(3..20);
    assert_eq!(show.timeline().find_map(1), None, "nothing needs it any more");
    assert_eq!(show.timeline().find_map(0), Some(Bytes::from_static(b"init")));
}

#[test]
fn another_playlist_starts_anew() {
    let mut show = Show::new();
    show.segments(0..2);
    let read = |action: &str, playlist: &str| {
        let payload = json!({
            "playlist": {"id": playlist}, "variant": {"id": "v", "targetDuration": 2},
            "segment": {"sequence": 2, "duration": 2, "data": "AAAA"},
        });
        let message = json!({"action": action, "payload": payload}).to_string();
        decode::signal(message.as_bytes()).expect("a signal").upload
    };
    assert!(!show.broadcast.is_succeeded_by(&read("updateVariant", "p")));
    assert!(show.broadcast.is_succeeded_by(&read("updateVariant", "q")));
    let other = read("updateSegment", "q");
    assert!(!show.broadcast.is_succeeded_by(&other), "only a description starts anew");
    let refused = show.broadcast.apply(other, PLENTY);
    assert!(matches!(refused, Err(Fault::Unknown(_))), "{refused:?}");
    show.broadcast.end();
    assert!(show.broadcast.is_succeeded_by(&read("updateVariant", "p")));
    let late = show.broadcast.apply(read("updateSegment", "p"), PLENTY);
    assert!(matches!(late, Err(Fault::Order(_))), "{late:?}");
}

#[test]
fn older_descriptions_are_refused() {
    let mut show = Show::new();
    let variant = |version| {
        json!({"variant": {
            "id": "v", "version": version, "targetDuration": 2, "targetPartDuration": "0.5",
        }})
    };
    show.signal("updateVariant", variant(3)).expect("the first that counts");
    show.signal("updateVariant", variant(3)).expect("the same again");
    assert!(matches!(show.signal("updateVariant", variant(2)), Err(Fault::Order(_))));
    show.signal("updateVariant", json!({"variant": {"id": "w", "targetDuration": 2}}))
        .expect("a second track");
    let third = show.signal("updateVariant", json!({"variant": {"id": "x", "targetDuration": 2}}));
    assert!(matches!(third, Err(Fault::TooLarge(_))), "{third:?}");
}

#[test]
fn gap_parts_are_listed_but_not_served() {
    let mut show = Show::new();
    let part = json!({"sequence": 0, "duration": 0.5, "gap": true});
    let payload = json!({"variant": {"id": "v"}, "segment": {"sequence": 0}, "part": part});
    show.signal("updatePart", payload).expect("a gap");
    let playlist = show.playlist(false);
    let line = "#EXT-X-PART:DURATION=0.50000,URI=\"e-0.0.m4s\",GAP=YES\n";
    assert!(playlist.contains(line), "{playlist}");
    assert_eq!(show.timeline().find_part(0, 0), Found::Absent);
    assert_eq!(show.timeline().open().map(|open| open.duration), Some(Duration::from_millis(500)));
}
