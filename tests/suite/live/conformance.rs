//! Checks playlists against the rules of RFC 8216bis (draft 16), with a parser of its own.

use std::collections::BTreeMap;

/// What an encoder breaks that is short of processor time: pictures are missing, and a part ends
/// before a picture that would last too long in it.
pub(crate) const SHORT_PART: &str = "a part has less than 85 % of PART-TARGET (4.4.4.9)";

/// A media playlist as a player reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Playlist {
    pub(crate) version: u32,
    pub(crate) target_secs: f64,
    pub(crate) part_target: Option<f64>,
    pub(crate) server_control: BTreeMap<String, String>,
    pub(crate) first: u64,
    pub(crate) discontinuities: u64,
    pub(crate) skipped: u64,
    /// After those that are skipped.
    pub(crate) segments: Vec<Segment>,
    /// The parts of the segment that grows.
    pub(crate) growing: Vec<Part>,
    pub(crate) hint: Option<String>,
    pub(crate) reports: Vec<BTreeMap<String, String>>,
    pub(crate) ended: bool,
}

/// A segment of a playlist.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Segment {
    pub(crate) uri: String,
    pub(crate) duration: f64,
    pub(crate) map: Option<String>,
    pub(crate) discontinuity: bool,
    pub(crate) gap: bool,
    pub(crate) program_date_time: Option<String>,
    pub(crate) parts: Vec<Part>,
}

/// A part of a segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Part {
    pub(crate) uri: String,
    pub(crate) duration: f64,
    pub(crate) independent: bool,
    pub(crate) gap: bool,
}

impl Playlist {
    /// The number of the segment that grows, or will.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.skipped + self.segments.len() as u64
    }

    /// Reads a playlist and checks what must hold in each one.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        Self::read_tolerating(text, &[])
    }

    /// The same, except for some rules.
    #[track_caller]
    pub(crate) fn read_tolerating(text: &str, tolerated: &[&str]) -> Self {
        let playlist = parse(text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        let mut wrong = violations(&playlist);
        wrong.retain(|rule| !tolerated.contains(&rule.as_str()));
        assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
        playlist
    }

    /// Checks that a later playlist of the same track goes on from this one (6.2.1).
    #[track_caller]
    pub(crate) fn precedes(&self, later: &Self) {
        assert!(later.first >= self.first, "EXT-X-MEDIA-SEQUENCE went back");
        assert!(later.next() >= self.next(), "segments were taken back at the end");
        assert_eq!(later.target_secs, self.target_secs, "EXT-X-TARGETDURATION changed");
        assert_eq!(later.part_target, self.part_target, "PART-TARGET changed");
        assert!(!self.ended || later.segments == self.segments, "an ended playlist changed");
        let passed = (later.first - self.first) as usize;
        let gone = self.segments.iter().take(passed).filter(|segment| segment.discontinuity);
        if self.skipped == 0 {
            let expected = self.discontinuities + gone.count() as u64;
            assert_eq!(later.discontinuities, expected, "EXT-X-DISCONTINUITY-SEQUENCE");
        }
        for (number, segment) in later.numbered() {
            let before = self.numbered().find(|(known, _)| *known == number);
            if let Some((_, before)) = before {
                assert_eq!(before.uri, segment.uri, "the address of segment {number} changed");
                assert_eq!(before.duration, segment.duration, "segment {number}");
            }
            if number == self.next() && !self.growing.is_empty() && !segment.parts.is_empty() {
                let parts = &segment.parts[..self.growing.len().min(segment.parts.len())];
                assert_eq!(self.growing, parts, "the parts of segment {number} changed");
            }
        }
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, &Segment)> {
        (self.first + self.skipped..).zip(&self.segments)
    }
}

/// What a playlist breaks.
pub(crate) fn violations(playlist: &Playlist) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rule = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let control = |name: &str| playlist.server_control.get(name).map(String::as_str);
    let seconds = |name: &str| control(name).and_then(|value| value.parse::<f64>().ok());
    let target = playlist.target_secs;
    rule(playlist.version >= 6, "EXT-X-MAP needs version 6 (8)");
    rule(playlist.skipped == 0 || playlist.version >= 9, "EXT-X-SKIP needs version 9 (8)");
    rule(target >= 1.0 && target.fract() == 0.0, "TARGETDURATION is a whole number (4.4.3.1)");
    rule(control("CAN-BLOCK-RELOAD") == Some("YES"), "low latency needs blocking reloads (B.1)");
    rule(seconds("HOLD-BACK").is_none_or(|back| back >= 3.0 * target), "HOLD-BACK (4.4.3.8)");
    let until = seconds("CAN-SKIP-UNTIL");
    rule(until.is_none_or(|until| until >= 6.0 * target), "CAN-SKIP-UNTIL (4.4.3.8)");
    rule(playlist.skipped == 0 || until.is_some(), "a skip without CAN-SKIP-UNTIL (4.4.5.2)");
    for segment in &playlist.segments {
        rule(segment.duration.round() <= target, "EXTINF exceeds TARGETDURATION (4.4.3.1)");
        rule(segment.map.is_some(), "fragmented MP4 needs EXT-X-MAP (3.1.2)");
    }
    let all = playlist.segments.iter().map(|segment| &segment.parts);
    let whole: Vec<&Vec<Part>> = all.filter(|parts| !parts.is_empty()).collect();
    if let Some(part_target) = playlist.part_target {
        let back = seconds("PART-HOLD-BACK").unwrap_or_default();
        rule(back >= 2.0 * part_target, "PART-HOLD-BACK is twice the target at least (4.4.3.8)");
        let parts = whole.iter().copied().flatten().chain(&playlist.growing);
        for part in parts {
            rule(part.duration <= part_target + 1e-6, "a part exceeds PART-TARGET (4.4.4.9)");
        }
        // All but the last of each segment.
        let inner = whole.iter().flat_map(|parts| parts.split_last().map(|(_, inner)| inner));
        for part in inner.flatten() {
            let long = part.duration >= 0.85 * part_target - 1e-6;
            rule(long, SHORT_PART);
        }
        rule(playlist.ended || playlist.hint.is_some(), "low latency needs a hint (B.1)");
    } else {
        let none = whole.is_empty() && playlist.growing.is_empty();
        rule(none, "EXT-X-PART without EXT-X-PART-INF (4.4.3.7)");
    }
    for segment in playlist.segments.iter().filter(|segment| !segment.parts.is_empty()) {
        let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
        rule((sum - segment.duration).abs() < 0.02, "parts do not make up their segment (4.4.4.9)");
    }
    let age: f64 = playlist.growing.iter().map(|part| part.duration).sum();
    let mut age = age;
    for segment in playlist.segments.iter().rev() {
        rule(
            segment.parts.is_empty() || age < 3.0 * target + 1e-6,
            "old parts are listed (4.4.4.9)",
        );
        age += segment.duration;
    }
    rule(!playlist.ended || playlist.growing.is_empty(), "an ended playlist has a partial end");
    wrong
}

/// The multivariant playlist: attributes and address of each variant and each rendition.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Multivariant {
    pub(crate) variants: Vec<(BTreeMap<String, String>, String)>,
    pub(crate) renditions: Vec<BTreeMap<String, String>>,
}

impl Multivariant {
    /// Reads a multivariant playlist and checks what must hold.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "{text}");
        let mut found = Self::default();
        while let Some(line) = lines.next() {
            if let Some(list) = line.strip_prefix("#EXT-X-STREAM-INF:") {
                let uri = lines.next().expect("an address after EXT-X-STREAM-INF").to_owned();
                found.variants.push((attributes(list).expect("attributes"), uri));
            } else if let Some(list) = line.strip_prefix("#EXT-X-MEDIA:") {
                found.renditions.push(attributes(list).expect("attributes"));
            } else {
                assert!(line.starts_with("#EXT-X-VERSION:"), "{line}");
            }
        }
        for (variant, _) in &found.variants {
            let rate = variant.get("BANDWIDTH").and_then(|rate| rate.parse::<u64>().ok());
            assert!(rate.is_some_and(|rate| rate > 0), "BANDWIDTH is required (4.4.6.2): {text}");
            if let Some(group) = variant.get("AUDIO") {
                let mut renditions = found.renditions.iter();
                let there = renditions.any(|rendition| rendition.get("GROUP-ID") == Some(group));
                assert!(there, "a variant's group must exist (4.4.6.2): {text}");
            }
        }
        for rendition in &found.renditions {
            for required in ["TYPE", "GROUP-ID", "NAME", "URI"] {
                assert!(rendition.contains_key(required), "{required} (4.4.6.1): {text}");
            }
        }
        found
    }
}

fn parse(text: &str) -> Result<Playlist, String> {
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("the first line is EXTM3U (4.4.1.1)".into());
    }
    let mut playlist = Playlist::default();
    let mut segment = Segment::default();
    let mut map = None;
    let mut extinf = None;
    for line in lines {
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        if playlist.ended {
            return Err(format!("{line} after EXT-X-ENDLIST"));
        }
        match tag {
            "#EXT-X-VERSION" => playlist.version = number(value)?,
            "#EXT-X-TARGETDURATION" => playlist.target_secs = number(value)?,
            "#EXT-X-SERVER-CONTROL" => playlist.server_control = attributes(value)?,
            "#EXT-X-PART-INF" => {
                playlist.part_target = Some(number(need(&attributes(value)?, "PART-TARGET")?)?);
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                if !playlist.segments.is_empty() {
                    return Err("EXT-X-MEDIA-SEQUENCE after a segment (4.4.3.2)".into());
                }
                playlist.first = number(value)?;
            }
            "#EXT-X-DISCONTINUITY-SEQUENCE" => playlist.discontinuities = number(value)?,
            "#EXT-X-SKIP" => {
                playlist.skipped = number(need(&attributes(value)?, "SKIPPED-SEGMENTS")?)?;
            }
            "#EXT-X-MAP" => map = Some(need(&attributes(value)?, "URI")?.to_owned()),
            "#EXT-X-DISCONTINUITY" => segment.discontinuity = true,
            "#EXT-X-GAP" => segment.gap = true,
            "#EXT-X-PROGRAM-DATE-TIME" => segment.program_date_time = Some(value.to_owned()),
            "#EXT-X-PART" => segment.parts.push(part(&attributes(value)?)?),
            "#EXTINF" => extinf = Some(number(value.trim_end_matches(','))?),
            "#EXT-X-PRELOAD-HINT" => {
                let list = attributes(value)?;
                if need(&list, "TYPE")? != "PART" || playlist.hint.is_some() {
                    return Err("one hint of each type (4.4.5.3)".into());
                }
                playlist.hint = Some(need(&list, "URI")?.to_owned());
            }
            "#EXT-X-RENDITION-REPORT" => playlist.reports.push(attributes(value)?),
            "#EXT-X-ENDLIST" => playlist.ended = true,
            tag if tag.starts_with('#') || tag.is_empty() => {
                return Err(format!("unknown: {line}"));
            }
            _ => {
                let duration = extinf.take().ok_or("an address without EXTINF (4.4.4.1)")?;
                let done = std::mem::take(&mut segment);
                let (uri, map) = (line.to_owned(), map.clone());
                playlist.segments.push(Segment { uri, duration, map, ..done });
            }
        }
    }
    playlist.growing = segment.parts;
    Ok(playlist)
}

fn part(list: &BTreeMap<String, String>) -> Result<Part, String> {
    Ok(Part {
        uri: need(list, "URI")?.to_owned(),
        duration: number(need(list, "DURATION")?)?,
        independent: list.get("INDEPENDENT").is_some_and(|value| value == "YES"),
        gap: list.get("GAP").is_some_and(|value| value == "YES"),
    })
}

fn need<'l>(list: &'l BTreeMap<String, String>, name: &str) -> Result<&'l str, String> {
    list.get(name).map(String::as_str).ok_or_else(|| format!("{name} is missing"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// An attribute list (4.2): names in capitals, values with commas only between quotes.
fn attributes(mut text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut list = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once('=').ok_or_else(|| format!("no value: {text}"))?;
        let proper = |letter: char| letter.is_ascii_uppercase() || letter == '-' || letter == '_';
        if name.is_empty() || !name.chars().all(proper) {
            return Err(format!("{name:?} is no attribute name"));
        }
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        if list.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{name} stands there twice"));
        }
        text = match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            None if rest.is_empty() => rest,
            Some(_) | None => return Err(format!("{rest:?} after {name}")),
        };
    }
    Ok(list)
}

#[test]
fn the_checker_finds_what_is_wrong() {
    const GOOD: &str = "\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:3
#EXT-X-MAP:URI=\"a,b.mp4\"
#EXT-X-PART:DURATION=0.5,URI=\"3.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI=\"3.1.m4s\"
#EXTINF:0.7,
3.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"4.0.m4s\"
";
    let good = Playlist::read(GOOD);
    assert_eq!(good.segments[0].map.as_deref(), Some("a,b.mp4"));
    assert_eq!(good.next(), 4);
    for (from, to) in [
        ("EXTM3U", "EXTM4U"),
        ("VERSION:9", "VERSION:3"),
        ("DURATION:2\n", "DURATION:2.5\n"),
        ("BLOCK-RELOAD=YES", "BLOCK-RELOAD=NO"),
        ("UNTIL=12.0", "UNTIL=11.0"),
        ("BACK=1.5", "BACK=0.9"),
        ("#EXT-X-PART-INF:PART-TARGET=0.5\n", ""),
        ("#EXT-X-MAP:URI=\"a,b.mp4\"\n", ""),
        ("DURATION=0.5,URI=\"3.0", "DURATION=0.51,URI=\"3.0"),
        ("DURATION=0.5,URI=\"3.0", "DURATION=0.4,URI=\"3.0"),
        ("EXTINF:0.7", "EXTINF:0.8"),
        ("EXTINF:0.7", "EXTINF:2.6"),
        ("#EXTINF:0.7,\n", ""),
        ("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"4.0.m4s\"\n", ""),
        ("INDEPENDENT=YES", "INDEPENDENT=YES,"),
        ("INDEPENDENT=YES", "URI=\"x\""),
        ("#EXT-X-MAP", "#EXT-X-WHATEVER"),
    ] {
        let bad = GOOD.replacen(from, to, 1);
        assert_ne!(bad, GOOD, "{from}");
        let broken = parse(&bad).map(|playlist| violations(&playlist));
        assert!(broken.as_ref().is_err() || broken.is_ok_and(|wrong| !wrong.is_empty()), "{bad}");
    }
}
