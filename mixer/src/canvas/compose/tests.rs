use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use portico_mixer_protocol::{Fraction, Shape};

use super::*;
use crate::canvas::font;

const BLACK: Colour = Colour { yuv: [16, 128, 128] };

fn colour(input: u32) -> Colour {
    let n = u8::try_from(input).expect("few inputs");
    Colour { yuv: [60 + 15 * n, 40 + 20 * n, 220 - 20 * n] }
}

fn tile(input: u32, want: Want) -> Arc<dyn Still> {
    Arc::new(Picture::new(want.size, colour(input), &Pool::default()))
}

fn canvas(labels: bool, initials: bool) -> Canvas {
    let style = Style { size: Size::new(640, 360), background: BLACK, labels, initials };
    Canvas::new(style, Texts::new(font(None).expect("the built-in font")))
}

fn share(numerator: u32, denominator: u32) -> Fraction {
    Fraction { numerator, denominator }
}

/// A grid of nine; `turn` says which input is in the first region.
fn grid(turn: u32) -> Vec<Region> {
    (0..9)
        .map(|cell| Region {
            shape: Shape::Rectangle {
                left: share(cell % 3, 3),
                top: share(cell / 3, 3),
                width: share(1, 3),
                height: share(1, 3),
            },
            input: Some((cell + turn) % 9),
            highlighted: false,
        })
        .collect()
}

fn plan(regions: &[Region]) -> Plan<u32> {
    Plan::new(1, regions, Size::new(640, 360), Fit::Letterbox, Some).expect("a valid layout")
}

fn shown(picture: Arc<dyn Still>) -> Showing<'static> {
    Showing::Picture { picture, label: Some("Ada") }
}

/// Just inside the four corners of an area, and its centre.
fn probes(area: Area) -> [(u32, u32); 5] {
    let (l, t) = (area.left.cast_unsigned(), area.top.cast_unsigned());
    let (w, h) = (area.size.width, area.size.height);
    [(l, t), (l + w - 1, t), (l, t + h - 1), (l + w - 1, t + h - 1), (l + w / 2, t + h / 2)]
}

#[test]
fn each_region_shows_its_input_to_its_edges() {
    let plan = plan(&grid(4));
    let picture = canvas(false, false).compose(&plan, |input, want| shown(tile(*input, want)));
    for slot in &plan.slots {
        for (x, y) in probes(slot.place.area) {
            assert_eq!(picture.at(x, y), colour(slot.input.expect("all have")).yuv, "{x},{y}");
        }
    }
}

#[test]
fn later_regions_and_their_bars_cover_earlier_ones() {
    let mut regions = grid(0);
    regions.push(Region {
        shape: Shape::Circle { center_w: share(1, 2), center_h: share(1, 2), radius: share(1, 8) },
        input: Some(10),
        highlighted: false,
    });
    let plan = plan(&regions);
    let picture = canvas(false, false).compose(&plan, |input, want| {
        let size = if *input == 10 { Size::new(160, 80) } else { want.size };
        shown(tile(*input, Want { size, ..want }))
    });
    assert_eq!(picture.at(320, 180), colour(10).yuv, "the circle's centre");
    assert_eq!(picture.at(320, 130), BLACK.yuv, "the bar within the circle");
    assert_eq!(picture.at(242, 130), colour(4).yuv, "the corner beside the circle");
}

#[test]
fn borders_avatars_and_names_stay_in_their_region() {
    let mut regions = grid(0);
    regions[4].highlighted = true;
    let plan = plan(&regions);
    let mut canvas = canvas(true, true);
    let picture = canvas.compose(&plan, |input, want| match *input {
        3 => Showing::Avatar { label: Some("grace") },
        5 => Showing::Nothing,
        other => shown(tile(other, want)),
    });
    let at = |slot: usize| plan.slots[slot].place.area;
    let (x, y) = probes(at(4))[0];
    assert_eq!(picture.at(x, y), Colour::from_rgb(HIGHLIGHT).yuv);
    assert_eq!(picture.at(x + 6, y + 6), colour(4).yuv);
    let (x, y) = probes(at(3))[0];
    assert_eq!(picture.at(x, y), Colour::from_rgb(AVATAR_GROUND).yuv);
    let (x, y) = probes(at(5))[4];
    assert_eq!(picture.at(x, y), BLACK.yuv);
    let bright = |area: Area| {
        let (l, t) = (area.left.cast_unsigned(), area.top.cast_unsigned());
        let pixels = (0..area.size.height).flat_map(|y| (0..area.size.width).map(move |x| (x, y)));
        pixels.filter(|(x, y)| picture.at(l + x, t + y)[0] > 200).count()
    };
    assert!(bright(at(0)) > 10, "a name");
    assert!(bright(at(3)) > 50, "an initial");
    assert_eq!(bright(at(5)), 0, "no name without a picture");
}

#[test]
fn layouts_out_of_bounds_are_refused() {
    let many = vec![grid(0)[0]; MAX_REGIONS + 1];
    let refused = Plan::new(1, &many, Size::new(640, 360), Fit::Crop, Some);
    assert_eq!(refused.err(), Some(LayoutError::Regions(MAX_REGIONS + 1)));
}

/// The layout changes as fast as it can while pictures are drawn: each picture shows one layout.
#[test]
fn no_picture_mixes_two_of_a_thousand_layouts() {
    let plans: Vec<_> = (0..9).map(|turn| Arc::new(plan(&grid(turn)))).collect();
    let current = Mutex::new(Arc::clone(&plans[0]));
    let done = AtomicBool::new(false);
    let tiles: Vec<_> = (0..9).map(|n| tile(n, plans[0].slots[n as usize].want)).collect();
    let drawn = std::thread::scope(|scope| {
        scope.spawn(|| {
            for change in 1..=1000 {
                *current.lock().expect("no panic") = Arc::clone(&plans[change % 9]);
                std::thread::sleep(std::time::Duration::from_micros(500));
            }
            done.store(true, Ordering::Release);
        });
        let mut canvas = canvas(false, false);
        let mut layouts = std::collections::BTreeSet::new();
        while !done.load(Ordering::Acquire) {
            let plan = Arc::clone(&current.lock().expect("no panic"));
            let picture = canvas.compose(&plan, |n, want| {
                let tile = &tiles[*n as usize];
                // Rounding gives regions of two sizes; such a tile is made for its region.
                if tile.i420().size == want.size {
                    shown(Arc::clone(tile))
                } else {
                    shown(super::tests::tile(*n, want))
                }
            });
            let first = (0..9).find(|n| picture.at(100, 60) == colour(*n).yuv).expect("a colour");
            for (cell, slot) in plan.slots.iter().enumerate() {
                let expected = colour((first + u32::try_from(cell).expect("nine")) % 9);
                for (x, y) in probes(slot.place.area) {
                    assert_eq!(picture.at(x, y), expected.yuv, "cell {cell} of layout {first}");
                }
            }
            layouts.insert(first);
        }
        layouts.len()
    });
    assert!(drawn > 3, "only {drawn} layouts were seen");
}
