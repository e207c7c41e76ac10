use super::*;
use crate::room::{Fraction, Shape, TemplateBase};

fn id(stream: &str) -> StreamId {
    stream.parse().expect("an id")
}

fn fluid(max_input: u32) -> Arrangement {
    Arrangement::new(&LayoutSettings { base: TemplateBase::Fluid, custom: Vec::new() }, max_input)
}

fn with(mut arrangement: Arrangement, streams: &str) -> Arrangement {
    for stream in streams.split_whitespace() {
        arrangement.add(id(stream));
    }
    arrangement
}

/// What the regions show, `-` for nothing.
fn shown(arrangement: &Arrangement) -> String {
    let streams = arrangement.layout().iter();
    let streams = streams.map(|it| it.stream.as_ref().map_or("-", |stream| stream.as_str()));
    streams.collect::<Vec<_>>().join(" ")
}

fn regions(ids: &[(&str, Option<&str>)]) -> Vec<PlacedRegion> {
    let half = Fraction::new(1, 2).expect("a share");
    let shape = Shape::Circle { center_w: half, center_h: half, radius: half };
    let placed = |(name, stream): &(&str, Option<&str>)| PlacedRegion {
        region: Region { id: (*name).into(), shape },
        stream: stream.map(id),
    };
    ids.iter().map(placed).collect()
}

#[test]
fn the_smallest_template_with_enough_regions_is_used() {
    for (base, max_input, expected) in [
        (TemplateBase::Fluid, 25, vec![1, 4, 4, 4, 9, 9, 9, 9, 9, 16]),
        (TemplateBase::Lecture, 25, vec![1, 6, 6, 6, 6, 6, 8, 8, 10, 10, 12, 12, 13, 14, 17]),
        (TemplateBase::Fluid, 3, vec![1, 4, 4, 4, 4]),
        (TemplateBase::Void, 25, vec![0, 0]),
    ] {
        let settings = LayoutSettings { base, custom: Vec::new() };
        let mut arrangement = Arrangement::new(&settings, max_input);
        assert_eq!(arrangement.layout().len(), 0, "a view has no layout before its first input");
        for (at, expected) in expected.into_iter().enumerate() {
            arrangement.add(id(&format!("s{at}")));
            assert_eq!(arrangement.layout().len(), expected, "{base:?} with {} inputs", at + 1);
        }
    }
}

#[test]
fn gaps_close_and_the_smallest_template_stays_when_all_are_gone() {
    let mut view = with(fluid(16), "a b c");
    assert_eq!(shown(&view), "a b c -");
    view.remove(&id("a"));
    assert_eq!(shown(&view), "b c - -");
    view.remove(&id("nobody"));
    view.remove(&id("b"));
    assert_eq!(shown(&view), "c");
    view.remove(&id("c"));
    assert_eq!(shown(&view), "-");
}

#[test]
fn inputs_beyond_the_largest_number_wait_for_a_place() {
    let mut view = with(fluid(2), "a b c d");
    assert_eq!(shown(&view), "a b - -");
    assert!(view.contains(&id("d")));
    assert_eq!(view.region_of(&id("d")), None);
    view.remove(&id("a"));
    assert_eq!(shown(&view), "b c - -");
}

#[test]
fn without_a_template_large_enough_the_largest_stays() {
    let template: Template = regions(&[("x", None)]).into_iter().map(|it| it.region).collect();
    let settings = LayoutSettings { base: TemplateBase::Void, custom: vec![template] };
    let mut view = with(Arrangement::new(&settings, 16), "a b");
    assert_eq!(shown(&view), "a");
    view.promote(&id("b"));
    assert_eq!(shown(&view), "b");
}

#[test]
fn a_region_is_exchanged_with_one_that_shows_something() {
    let mut view = with(fluid(16), "a b c");
    assert_eq!(view.move_to(&id("a"), "3"), Ok(()));
    assert_eq!(shown(&view), "c b a -");
    assert_eq!(view.region_of(&id("a")).map(|it| &**it), Some("3"));
    assert_eq!(view.move_to(&id("a"), "3"), Ok(()));
    for region in ["4", "5", ""] {
        assert_eq!(view.move_to(&id("a"), region), Err(NoSuchRegion), "{region}");
    }
    assert_eq!(view.move_to_index(&id("a"), 3), Err(NoSuchRegion));
    assert_eq!(view.move_to_index(&id("a"), usize::MAX), Err(NoSuchRegion));
    assert_eq!(view.move_to_index(&id("nobody"), 0), Err(NoSuchRegion));
    assert_eq!(view.move_to_index(&id("a"), 0), Ok(()));
    assert_eq!(shown(&view), "a b c -");
}

#[test]
fn one_that_waits_can_be_given_a_region() {
    let mut view = with(fluid(2), "a b c");
    assert_eq!(view.move_to(&id("c"), "2"), Ok(()));
    assert_eq!(shown(&view), "a c - -");
    view.remove(&id("a"));
    assert_eq!(shown(&view), "c b - -");
}

#[test]
fn the_speaker_comes_first() {
    let mut view = with(fluid(16), "a b c");
    view.promote(&id("c"));
    assert_eq!(shown(&view), "c b a -");
    view.promote(&id("c"));
    view.promote(&id("nobody"));
    assert_eq!(shown(&view), "c b a -");
}

#[test]
fn a_speaker_that_waits_replaces_the_one_that_spoke_least() {
    let mut view = with(fluid(3), "a b c d e");
    view.promote(&id("c"));
    view.promote(&id("b"));
    assert_eq!(shown(&view), "b c a -");
    view.promote(&id("d"));
    assert_eq!(shown(&view), "d c b -", "a had never spoken");
    view.promote(&id("e"));
    assert_eq!(shown(&view), "e c d -", "among equals the last goes");
    view.remove(&id("c"));
    assert_eq!(shown(&view), "e d a -", "whoever waits longest follows");
}

#[test]
fn a_layout_from_outside_is_the_only_one() {
    let mut view = with(fluid(16), "a b c d");
    view.replace(&regions(&[("x", Some("c")), ("y", Some("a")), ("z", None)]));
    assert_eq!(shown(&view), "c a b");
    assert_eq!(view.region_of(&id("d")), None, "it waits");
    view.remove(&id("c"));
    assert_eq!(shown(&view), "a b d");
    view.add(id("e"));
    view.remove(&id("a"));
    view.remove(&id("b"));
    assert_eq!(shown(&view), "d e -");
}

#[test]
fn other_layouts_keep_the_order_of_the_pictures() {
    let family = |base| LayoutSettings { base, custom: Vec::new() };
    let mut view = fluid(4);
    view.set_templates(&family(TemplateBase::Lecture), 4).expect("a family");
    assert_eq!(shown(&view), "", "no layout before the first picture");
    let mut view = with(view, "a b c d e");
    assert_eq!(shown(&view), "a b c d - -");
    view.replace(&regions(&[("x", Some("c"))]));
    assert_eq!(shown(&view), "c");
    view.set_templates(&family(TemplateBase::Fluid), 4).expect("a family");
    assert_eq!(shown(&view), "c a b d");
    let none = view.set_templates(&family(TemplateBase::Void), 4);
    assert_eq!(none, Err(LayoutFault::Region));
    assert_eq!(shown(&view), "c a b d");

    let template = |ids: &[(&str, Option<&str>)]| {
        regions(ids).into_iter().map(|placed| placed.region).collect()
    };
    let custom = vec![template(&[("x", None), ("y", None)])];
    let settings = LayoutSettings { base: TemplateBase::Void, custom };
    view.set_templates(&settings, 4).expect("one layout");
    assert_eq!(shown(&view), "c a", "the others find no region");
}
