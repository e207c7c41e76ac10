//! Writes playlists (RFC 8216bis, 4.4 and appendix B).

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use super::{
    broadcast::Broadcast,
    segment::{Part, Segment},
    timeline::Timeline,
    upload::{About, Media, TrackName},
};

/// The version that delta updates need (RFC 8216bis, 8).
const VERSION: u32 = 9;

/// How far behind the end players stay, in part targets; less stalls at every hiccup.
const PART_HOLD_BACK: u32 = 3;

/// How far behind the end players stay that know nothing of parts, in target durations.
const HOLD_BACK: u32 = 3;

/// How old a segment is, in target durations, before a delta update leaves it out.
const SKIP_UNTIL: u32 = 6;

/// How old a segment is, in target durations, before its parts are no longer listed.
const PARTS_UNTIL: u32 = 3;

/// What a playlist depends on beside the broadcast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'s> {
    /// Tells the names of a broadcast from those of earlier ones under the same address, which
    /// caches may still hold.
    pub(super) epoch: u64,
    /// What every address ends with; lets players prove that they may play.
    pub(super) suffix: &'s str,
}

/// The multivariant playlist; `None` while there is nothing to play.
pub(super) fn multivariant(broadcast: &Broadcast, style: Style<'_>) -> Option<String> {
    let mut text = header();
    let renditions = broadcast.playable().filter_map(|(name, track)| match &track.about {
        About::Variant { .. } => None,
        About::Rendition { media, group, name: title, language, is_default, auto_select } => {
            let mut line = format!("#EXT-X-MEDIA:TYPE={}", media.word());
            push(&mut line, format_args!(",GROUP-ID=\"{group}\",NAME=\"{title}\""));
            if let Some(language) = language {
                push(&mut line, format_args!(",LANGUAGE=\"{language}\""));
            }
            // RFC 8216bis, 4.4.6.1: what is played by default may be chosen, too.
            let (default, auto) = (yes(*is_default), yes(*auto_select || *is_default));
            push(&mut line, format_args!(",DEFAULT={default},AUTOSELECT={auto}"));
            push(&mut line, format_args!(",URI=\"{}\"\n", playlist_of(name, style)));
            Some((*media, group.clone(), line))
        }
    });
    let renditions: Vec<_> = renditions.collect();
    for (_, _, line) in &renditions {
        text.push_str(line);
    }
    let sounds = |wanted: &str| {
        renditions.iter().any(|(media, group, _)| *media == Media::Audio && group == wanted)
    };
    let mut variants = 0;
    for (name, track) in broadcast.playable() {
        let About::Variant { codecs, bandwidth, audio } = &track.about else { continue };
        variants += 1;
        push(&mut text, format_args!("#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}"));
        if !codecs.is_empty() {
            push(&mut text, format_args!(",CODECS=\"{codecs}\""));
        }
        if let Some(audio) = audio.as_deref().filter(|audio| sounds(audio)) {
            push(&mut text, format_args!(",AUDIO=\"{audio}\""));
        }
        push(&mut text, format_args!("\n{}\n", playlist_of(name, style)));
    }
    (variants > 0).then_some(text)
}

/// A track's playlist; with `skip`, without the segments that a player knows that played until
/// now. `None` while there is nothing to play.
pub(super) fn media(
    broadcast: &Broadcast,
    name: &TrackName,
    skip: bool,
    style: Style<'_>,
) -> Option<String> {
    let timeline = broadcast.timeline(name).filter(|timeline| timeline.has_content())?;
    let mut text = header();
    describe(&mut text, timeline);
    let first = timeline.listed().next().or(timeline.open())?.msn();
    push(&mut text, format_args!("#EXT-X-MEDIA-SEQUENCE:{first}\n"));
    let discontinuities = timeline.discontinuities_before();
    if discontinuities > 0 {
        push(&mut text, format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}\n"));
    }
    let ages = ages(timeline);
    let skipped = if skip { skippable(timeline, &ages) } else { 0 };
    if skipped > 0 {
        push(&mut text, format_args!("#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n"));
    }
    let mut writer = Writer { text, style, map: None };
    let parts_until = targets(timeline, PARTS_UNTIL);
    for (segment, age) in timeline.listed().zip(&ages).skip(skipped) {
        let with_parts = timeline.part_target.is_some() && *age < parts_until;
        writer.segment(segment, with_parts);
    }
    if let Some(open) = timeline.open() {
        writer.growing(open);
    }
    let mut text = writer.text;
    if broadcast.has_ended() {
        text.push_str("#EXT-X-ENDLIST\n");
        return Some(text);
    }
    if let Some((msn, part)) = timeline.hint() {
        let uri = part_uri(msn, part, style);
        push(&mut text, format_args!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{uri}\"\n"));
    }
    report(&mut text, broadcast, name, style);
    Some(text)
}

fn header() -> String {
    format!("#EXTM3U\n#EXT-X-VERSION:{VERSION}\n")
}

fn describe(text: &mut String, timeline: &Timeline) {
    let target = timeline.target_secs;
    push(text, format_args!("#EXT-X-TARGETDURATION:{target}\n"));
    let (skip, hold_back) = (SKIP_UNTIL * target, HOLD_BACK * target);
    push(
        text,
        format_args!(
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={skip}.0,\
             HOLD-BACK={hold_back}.0"
        ),
    );
    match timeline.part_target {
        Some(part) => {
            let hold_back = seconds(part * PART_HOLD_BACK);
            push(text, format_args!(",PART-HOLD-BACK={hold_back}\n"));
            push(text, format_args!("#EXT-X-PART-INF:PART-TARGET={}\n", seconds(part)));
        }
        None => text.push('\n'),
    }
}

fn targets(timeline: &Timeline, count: u32) -> Duration {
    Duration::from_secs(u64::from(count * timeline.target_secs))
}

/// How far the end of each listed segment is from the end of the playlist.
fn ages(timeline: &Timeline) -> Vec<Duration> {
    let mut age = timeline.open().map_or(Duration::ZERO, |open| open.duration);
    let mut ages = Vec::new();
    for segment in timeline.listed().rev() {
        ages.push(age);
        age += segment.duration;
    }
    ages.reverse();
    ages
}

fn skippable(timeline: &Timeline, ages: &[Duration]) -> usize {
    let until = targets(timeline, SKIP_UNTIL);
    ages.iter().take_while(|age| **age > until).count()
}

struct Writer<'s> {
    text: String,
    style: Style<'s>,
    /// What the last `EXT-X-MAP` named.
    map: Option<u64>,
}

impl Writer<'_> {
    fn segment(&mut self, segment: &Segment, with_parts: bool) {
        self.start(segment);
        if with_parts {
            self.parts(segment);
        }
        if segment.gap {
            self.text.push_str("#EXT-X-GAP\n");
        }
        let uri = segment_uri(segment.msn(), self.style);
        push(&mut self.text, format_args!("#EXTINF:{},\n{uri}\n", seconds(segment.duration)));
    }

    fn growing(&mut self, segment: &Segment) {
        self.start(segment);
        self.parts(segment);
    }

    fn start(&mut self, segment: &Segment) {
        if segment.place.discontinuity {
            self.text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if let Some(map) = segment.map
            && self.map != Some(map)
        {
            self.map = Some(map);
            let uri = map_uri(map, self.style);
            push(&mut self.text, format_args!("#EXT-X-MAP:URI=\"{uri}\"\n"));
        }
        if let Some(time) = &segment.place.program_date_time {
            push(&mut self.text, format_args!("#EXT-X-PROGRAM-DATE-TIME:{time}\n"));
        }
    }

    fn parts(&mut self, segment: &Segment) {
        for (index, part) in segment.parts.iter().enumerate() {
            let Part { duration, independent, gap, .. } = part;
            let uri = part_uri(segment.msn(), index, self.style);
            let duration = seconds(*duration);
            push(&mut self.text, format_args!("#EXT-X-PART:DURATION={duration},URI=\"{uri}\""));
            self.text.push_str(if *independent { ",INDEPENDENT=YES" } else { "" });
            self.text.push_str(if *gap { ",GAP=YES\n" } else { "\n" });
        }
    }
}

fn report(text: &mut String, broadcast: &Broadcast, name: &TrackName, style: Style<'_>) {
    for (other, track) in broadcast.playable().filter(|(other, _)| *other != name) {
        let Some(tail) = track.timeline.tail() else { continue };
        let (uri, msn) = (playlist_of(other, style), tail.msn);
        push(text, format_args!("#EXT-X-RENDITION-REPORT:URI=\"../../{uri}\",LAST-MSN={msn}"));
        if let Some(part) = tail.part {
            push(text, format_args!(",LAST-PART={part}"));
        }
        text.push('\n');
    }
}

fn playlist_of(name: &TrackName, style: Style<'_>) -> String {
    format!("{name}/playlist.m3u8{}", style.suffix)
}

fn segment_uri(msn: u64, style: Style<'_>) -> String {
    let Style { epoch, suffix } = style;
    format!("{epoch:x}-{msn}.m4s{suffix}")
}

fn part_uri(msn: u64, part: usize, style: Style<'_>) -> String {
    let Style { epoch, suffix } = style;
    format!("{epoch:x}-{msn}.{part}.m4s{suffix}")
}

fn map_uri(map: u64, style: Style<'_>) -> String {
    let Style { epoch, suffix } = style;
    format!("{epoch:x}-{map}.mp4{suffix}")
}

fn seconds(duration: Duration) -> String {
    format!("{:.5}", duration.as_secs_f64())
}

fn yes(flag: bool) -> &'static str {
    if flag { "YES" } else { "NO" }
}

fn push(text: &mut String, what: fmt::Arguments<'_>) {
    text.write_fmt(what).expect("memory takes all text");
}
