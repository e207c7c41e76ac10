//! What a mixed picture should show, in shares of its width and height, and whether it does.

use super::gst;

/// A decoded picture of three bytes per pixel.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

impl Image {
    pub(super) fn new((width, height): (usize, usize), rgb: Vec<u8>) -> Self {
        assert_eq!(rgb.len(), width * height * 3);
        Self { width, height, rgb }
    }

    fn at(&self, (x, y): (i64, i64)) -> [u8; 3] {
        let x = usize::try_from(x).expect("inside").min(self.width - 1);
        let y = usize::try_from(y).expect("inside").min(self.height - 1);
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

/// How far inside an edge is looked: encoders blur edges by a few pixels.
const INSIDE: i64 = 6;

/// How far outside a circle is looked.
const OUTSIDE: f64 = 8.0;

/// A region's outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outline {
    /// Left, top, width, height.
    Rectangle(f64, f64, f64, f64),
    /// Centre, and radius as a share of the width.
    Circle(f64, f64, f64),
}

impl Outline {
    /// A cell of a square grid.
    pub(super) fn cell(left: u32, top: u32, size: u32, side: u32) -> Self {
        let share = |count| f64::from(count) / f64::from(side);
        Self::Rectangle(share(left), share(top), share(size), share(size))
    }

    fn contains(self, (x, y): (i64, i64), width: f64, height: f64, margin: f64) -> bool {
        let (x, y) = (x as f64, y as f64);
        match self {
            Self::Rectangle(left, top, wide, high) => {
                let across = left * width - margin..(left + wide) * width + margin;
                let down = top * height - margin..(top + high) * height + margin;
                across.contains(&x) && down.contains(&y)
            }
            Self::Circle(center_x, center_y, radius) => {
                (x - center_x * width).hypot(y - center_y * height) < radius * width + margin
            }
        }
    }

    /// Its centre and places just inside its edges.
    fn inside(self, width: f64, height: f64) -> Vec<(i64, i64)> {
        match self {
            Self::Rectangle(left, top, wide, high) => {
                let (l, t) = ((left * width).round() as i64, (top * height).round() as i64);
                let r = ((left + wide) * width).round() as i64 - INSIDE;
                let b = ((top + high) * height).round() as i64 - INSIDE;
                let (l, t) = (l + INSIDE, t + INSIDE);
                let (x, y) = (i64::midpoint(l, r), i64::midpoint(t, b));
                vec![(x, y), (l, y), (r, y), (x, t), (x, b), (l, t), (r, t), (l, b), (r, b)]
            }
            Self::Circle(center_x, center_y, radius) => {
                let near = radius * width - INSIDE as f64;
                let turn = |eighth: u32| {
                    let angle = f64::from(eighth) * std::f64::consts::FRAC_PI_4;
                    let x = center_x * width + near * angle.cos();
                    let y = center_y * height + near * angle.sin();
                    (x.round() as i64, y.round() as i64)
                };
                let centre = ((center_x * width) as i64, (center_y * height) as i64);
                (0..8).map(turn).chain([centre]).collect()
            }
        }
    }

    /// Places outside a circle but inside the square around it; none of a rectangle.
    fn corners(self, width: f64, height: f64) -> Vec<(i64, i64)> {
        let Self::Circle(center_x, center_y, radius) = self else { return Vec::new() };
        let far = (radius * width + OUTSIDE) * std::f64::consts::FRAC_1_SQRT_2;
        let corner = |(x, y): (f64, f64)| {
            let (x, y) = (center_x * width + x * far, center_y * height + y * far);
            (x.round() as i64, y.round() as i64)
        };
        [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)].map(corner).to_vec()
    }
}

/// Regions and the colour in each, the lowest first, on a background.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) background: [u8; 3],
    pub(super) regions: Vec<(Outline, [u8; 3])>,
}

/// A place where a picture is not as it should be.
#[derive(Debug)]
pub(super) struct Difference {
    /// Read by whoever reads the failure.
    #[expect(dead_code, reason = "shown by Debug")]
    at: (i64, i64),
    #[expect(dead_code, reason = "shown by Debug")]
    seen: [u8; 3],
    #[expect(dead_code, reason = "shown by Debug")]
    wanted: [u8; 3],
}

impl Scene {
    pub(super) fn new(background: [u8; 3], regions: Vec<(Outline, [u8; 3])>) -> Self {
        Self { background, regions }
    }

    /// Where a picture differs: at each region's centre and just inside its edges, where no later
    /// region covers it, and just outside of circles, where no region is at all.
    pub(super) fn differences(&self, image: &Image) -> Vec<Difference> {
        let (width, height) = (image.width as f64, image.height as f64);
        let mut wrong = Vec::new();
        let mut check = |at: (i64, i64), wanted: [u8; 3]| {
            let seen = image.at(at);
            if !gst::alike(seen, wanted) {
                wrong.push(Difference { at, seen, wanted });
            }
        };
        for (place, (outline, colour)) in self.regions.iter().enumerate() {
            let free = |later: &[(Outline, [u8; 3])], at: (i64, i64)| {
                let margin = INSIDE as f64;
                !later.iter().any(|(other, _)| other.contains(at, width, height, margin))
            };
            let inside = outline.inside(width, height);
            let seen = inside.into_iter().filter(|at| free(&self.regions[place + 1..], *at));
            seen.for_each(|at| check(at, *colour));
            let others: Vec<_> =
                self.regions.iter().copied().filter(|(other, _)| other != outline).collect();
            let corners = outline.corners(width, height);
            let bare = corners.into_iter().filter(|at| free(&others, *at));
            bare.for_each(|at| check(at, self.background));
        }
        wrong
    }
}

#[test]
fn a_scene_tells_what_differs() {
    const RED: [u8; 3] = [200, 0, 0];
    let size = (320, 180);
    let mut rgb = vec![0; size.0 * size.1 * 3];
    for y in 0..90 {
        for x in 0..160 {
            rgb[(y * size.0 + x) * 3] = 200;
        }
    }
    let circle = Outline::Circle(0.75, 0.5, 0.125);
    let image = Image::new(size, rgb);
    let differences =
        |regions: Vec<(Outline, [u8; 3])>| Scene::new([0; 3], regions).differences(&image).len();
    let quarter = Outline::cell(0, 0, 1, 2);
    assert_eq!(differences(vec![(quarter, RED)]), 0);
    assert_eq!(differences(vec![(quarter, RED), (circle, [0; 3])]), 0);
    assert_eq!(differences(vec![(quarter, [0; 3])]), 9);
    assert_eq!(differences(vec![(Outline::cell(0, 0, 1, 1), RED)]), 8, "all but the upper left");
    assert_eq!(differences(vec![(circle, RED)]), 9);
    // What is covered is not looked at.
    assert_eq!(differences(vec![(circle, RED), (Outline::cell(1, 0, 1, 2), [0; 3])]), 3);
    let around = Outline::Circle(0.25, 0.25, 0.125);
    assert_eq!(differences(vec![(around, RED)]), 4, "its corners are not background");
}
