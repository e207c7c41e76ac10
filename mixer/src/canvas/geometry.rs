//! Where things are: even pixel areas out of fractions, and the chords of outlines.

use std::ops::Range;

use portico_mixer_protocol::{Fit, Fraction, MAX_REGIONS, Region, Shape};

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Pixels per line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

impl Size {
    /// A size.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

/// A rectangle of pixels, which may reach beyond the picture. All four numbers are even, since a
/// chroma sample covers two by two pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Pixels from the picture's left edge.
    pub left: i32,
    /// Pixels from the picture's upper edge.
    pub top: i32,
    /// Its size.
    pub size: Size,
}

impl Area {
    /// The same area without a frame of `by` pixels; at least two by two pixels stay.
    pub fn inset(self, by: u32) -> Self {
        let by = by.min((self.size.width.min(self.size.height) / 2).saturating_sub(1)) & !1;
        Self {
            left: self.left + by.cast_signed(),
            top: self.top + by.cast_signed(),
            size: Size::new(self.size.width - 2 * by, self.size.height - 2 * by),
        }
    }
}

/// The pixels that belong to something, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// All pixels of an area.
    Rectangle(Area),
    /// The pixels whose centre is within a circle.
    Circle {
        /// Twice the centre's distance from the left edge.
        center_x2: i64,
        /// Twice the centre's distance from the upper edge.
        center_y2: i64,
        /// The diameter.
        radius2: i64,
    },
}

impl Outline {
    /// The outline without a frame of `by` pixels.
    pub fn inset(self, by: u32) -> Self {
        match self {
            Self::Rectangle(area) => Self::Rectangle(area.inset(by)),
            Self::Circle { center_x2, center_y2, radius2 } => {
                Self::Circle { center_x2, center_y2, radius2: (radius2 - 2 * i64::from(by)).max(2) }
            }
        }
    }

    /// The rows of a plane that the outline may touch. `scale` is how many pixels a sample of the
    /// plane covers in each direction: 1 for luma, 2 for chroma.
    pub fn rows(&self, scale: i64) -> Range<i64> {
        match *self {
            Self::Rectangle(area) => {
                let top = i64::from(area.top);
                top / scale..(top + i64::from(area.size.height)) / scale
            }
            Self::Circle { center_y2, radius2, .. } => {
                let span = 2 * scale;
                (center_y2 - radius2).div_euclid(span)..(center_y2 + radius2).div_euclid(span) + 1
            }
        }
    }

    /// The samples of a plane's row that are inside.
    pub fn chord(&self, row: i64, scale: i64) -> Range<i64> {
        match *self {
            Self::Rectangle(area) => {
                let left = i64::from(area.left);
                left / scale..(left + i64::from(area.size.width)) / scale
            }
            Self::Circle { center_x2, center_y2, radius2 } => {
                // A sample's centre is at `scale * (2 * index + 1)` half pixels.
                let away = scale * (2 * row + 1) - center_y2;
                let Some(half) = (radius2 * radius2).checked_sub(away * away).filter(|s| *s >= 0)
                else {
                    return 0..0;
                };
                let half = half.isqrt();
                let first = (center_x2 - half + scale - 1).div_euclid(2 * scale);
                let last = (center_x2 + half - scale).div_euclid(2 * scale);
                first..(last + 1).max(first)
            }
        }
    }
}

/// A region with pixels for fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What belongs to it.
    pub outline: Outline,
    /// The rectangle around it, into which pictures are fitted.
    pub area: Area,
}

/// Why a layout is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// More regions than [`MAX_REGIONS`].
    #[error("a layout of {0} regions; the most is {MAX_REGIONS}")]
    Regions(usize),
    /// A fraction outside of 0 to 1, or without a denominator.
    #[error("{0} / {1} is no share of a picture")]
    Fraction(u32, u32),
}

/// Places one region in a picture.
///
/// # Errors
/// When a fraction is not from 0 to 1.
pub fn place(region: &Region, picture: Size) -> Result<Place, LayoutError> {
    match region.shape {
        Shape::Rectangle { left, top, width, height } => {
            let (left, right) = edges(left, width, picture.width)?;
            let (top, bottom) = edges(top, height, picture.height)?;
            let size = Size::new(right - left, bottom - top);
            let area = Area { left: left.cast_signed(), top: top.cast_signed(), size };
            Ok(Place { outline: Outline::Rectangle(area), area })
        }
        Shape::Circle { center_w, center_h, radius } => {
            let x = i64::from(even(check(center_w)?, picture.width));
            let y = i64::from(even(check(center_h)?, picture.height));
            let r = i64::from(even(check(radius)?, picture.width)).max(2);
            let outline = Outline::Circle { center_x2: 2 * x, center_y2: 2 * y, radius2: 2 * r };
            let small = |v: i64| i32::try_from(v).expect("pictures are far smaller");
            let side = u32::try_from(2 * r).expect("pictures are far smaller");
            let area = Area { left: small(x - r), top: small(y - r), size: Size::new(side, side) };
            Ok(Place { outline, area })
        }
    }
}

/// Both edges of a span, rounded each for itself, so that neighbours meet without a gap.
fn edges(start: Fraction, length: Fraction, pixels: u32) -> Result<(u32, u32), LayoutError> {
    let (start, length) = (check(start)?, check(length)?);
    let wide = |number: u32| u128::from(number);
    let end_numerator = wide(start.numerator) * wide(length.denominator)
        + wide(length.numerator) * wide(start.denominator);
    let end_denominator = wide(start.denominator) * wide(length.denominator);
    let end = rounded(end_numerator, end_denominator, pixels).min(pixels);
    // Every region has a pixel, or its chroma would have none.
    let first = even(start, pixels).min(pixels.saturating_sub(2));
    Ok((first, end.max(first + 2)))
}

fn check(fraction: Fraction) -> Result<Fraction, LayoutError> {
    let Fraction { numerator, denominator } = fraction;
    if denominator == 0 || numerator > denominator {
        return Err(LayoutError::Fraction(numerator, denominator));
    }
    Ok(fraction)
}

/// The even number of pixels next to a fraction of them.
fn even(fraction: Fraction, pixels: u32) -> u32 {
    rounded(u128::from(fraction.numerator), u128::from(fraction.denominator), pixels)
}

fn rounded(numerator: u128, denominator: u128, pixels: u32) -> u32 {
    let pairs = (numerator * u128::from(pixels) + denominator) / (2 * denominator);
    u32::try_from(pairs * 2).unwrap_or(u32::MAX - 1)
}

/// How a source's picture fills a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitting {
    /// The part of the source that is shown: left, top, size.
    pub crop: (u32, u32, Size),
    /// The size to which it is scaled.
    pub size: Size,
}

/// Fits a source of `size`, whose pixels are `aspect.0 / aspect.1` as wide as high, into a place.
/// `size` and `into` are not empty.
pub fn fit(size: Size, aspect: (u32, u32), into: Size, fit: Fit) -> Fitting {
    // The source's width and height as shown, to compare `w / h` by products.
    let w = u64::from(size.width) * u64::from(aspect.0.max(1));
    let h = u64::from(size.height) * u64::from(aspect.1.max(1));
    let (iw, ih) = (u64::from(into.width), u64::from(into.height));
    let wider = w * ih > iw * h;
    let whole = (0, 0, size);
    match fit {
        Fit::Letterbox if wider => {
            let height = pixels(iw * h, w).clamp(2, into.height);
            Fitting { crop: whole, size: Size::new(into.width, height) }
        }
        Fit::Letterbox => {
            let width = pixels(ih * w, h).clamp(2, into.width);
            Fitting { crop: whole, size: Size::new(width, into.height) }
        }
        Fit::Crop if wider => {
            let width = pixels(u64::from(size.width) * iw * h, ih * w).clamp(2, size.width.max(2));
            let width = width.min(size.width);
            let left = ((size.width - width) / 2) & !1;
            Fitting { crop: (left, 0, Size::new(width, size.height)), size: into }
        }
        Fit::Crop => {
            let height =
                pixels(u64::from(size.height) * ih * w, iw * h).clamp(2, size.height.max(2));
            let height = height.min(size.height);
            let top = ((size.height - height) / 2) & !1;
            Fitting { crop: (0, top, Size::new(size.width, height)), size: into }
        }
    }
}

/// The even number next to `numerator / denominator`.
fn pixels(numerator: u64, denominator: u64) -> u32 {
    let pairs = (numerator + denominator) / (2 * denominator);
    u32::try_from(pairs * 2).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests;
