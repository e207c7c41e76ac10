//! A layout made concrete, and the drawing of it.

use std::sync::Arc;

use portico_mixer_protocol::{Fit, MAX_REGIONS, Region};

use super::{Area, Colour, LayoutError, Outline, Picture, Place, Pool, Size, Still, Texts, place};

/// How wide the border of a highlighted region is, as a share of the picture's height.
const BORDER_SHARE: u32 = 120;

/// What surrounds the highlighted region.
const HIGHLIGHT: [u8; 3] = [0x3d, 0xd6, 0x8c];
/// Behind an avatar.
const AVATAR_GROUND: [u8; 3] = [0x2b, 0x30, 0x3b];
/// An avatar's figure.
const AVATAR_FIGURE: [u8; 3] = [0x6b, 0x7a, 0x99];
/// Letters.
const LETTERS: [u8; 3] = [0xff, 0xff, 0xff];
/// Behind names.
const NAME_GROUND: [u8; 3] = [0x18, 0x1b, 0x22];

/// The size in which a region wants its input, and how it is fitted into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The region's size.
    pub size: Size,
    /// How the picture is fitted.
    pub fit: Fit,
}

/// A region of a plan. `I` is whatever stands for an input.
#[derive(Debug, Clone)]
pub struct Slot<I> {
    /// Where it is.
    pub place: Place,
    /// The region without its border.
    inner: Outline,
    /// The size in which it wants its input.
    pub want: Want,
    /// What it shows.
    pub input: Option<I>,
}

/// A layout in pixels. A canvas draws with one plan at a time, so that no picture mixes two.
#[derive(Debug, Clone)]
pub struct Plan<I> {
    /// The layout's number.
    pub sequence: u64,
    /// The lowest first.
    pub slots: Vec<Slot<I>>,
}

impl<I> Plan<I> {
    /// Places regions in a picture; `input` finds what a number stands for.
    ///
    /// # Errors
    /// When there are too many regions, or one has a fraction that is none.
    pub fn new(
        sequence: u64,
        regions: &[Region],
        picture: Size,
        fit: Fit,
        mut input: impl FnMut(u32) -> Option<I>,
    ) -> Result<Self, LayoutError> {
        if regions.len() > MAX_REGIONS {
            return Err(LayoutError::Regions(regions.len()));
        }
        let border = (picture.height / BORDER_SHARE).max(2).next_multiple_of(2);
        let slot = |region: &Region| {
            let place = place(region, picture)?;
            let inner =
                if region.highlighted { place.outline.inset(border) } else { place.outline };
            let want = Want { size: place.area.size, fit };
            Ok(Slot { place, inner, want, input: region.input.and_then(&mut input) })
        };
        Ok(Self { sequence, slots: regions.iter().map(slot).collect::<Result<_, _>>()? })
    }
}

/// What an input has to show at the moment.
pub enum Showing<'a> {
    /// Nothing yet.
    Nothing,
    /// It is paused.
    Avatar {
        /// Its name.
        label: Option<&'a str>,
    },
    /// A picture, fitted into the region's size.
    Picture {
        /// Not larger than the region.
        picture: Arc<dyn Still>,
        /// Its name.
        label: Option<&'a str>,
    },
}

/// How a view looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The picture's size.
    pub size: Size,
    /// Where no input is.
    pub background: Colour,
    /// Whether names are written.
    pub labels: bool,
    /// Whether avatars bear initials.
    pub initials: bool,
}

/// Draws a view's pictures.
pub struct Canvas {
    style: Style,
    texts: Texts,
    pool: Pool,
}

impl Canvas {
    /// A canvas.
    pub fn new(style: Style, texts: Texts) -> Self {
        Self { style, texts, pool: Pool::default() }
    }

    /// Draws one picture. `showing` tells what an input has for a region.
    pub fn compose<'a, I: 'a>(
        &mut self,
        plan: &'a Plan<I>,
        mut showing: impl FnMut(&'a I, Want) -> Showing<'a>,
    ) -> Picture {
        let mut picture = Picture::new(self.style.size, self.style.background, &self.pool);
        for slot in &plan.slots {
            let outline = &slot.place.outline;
            if slot.inner != *outline {
                picture.fill(outline, outline, Colour::from_rgb(HIGHLIGHT));
            }
            picture.fill(&slot.inner, &slot.inner, self.style.background);
            let label = match slot.input.as_ref().map(|input| showing(input, slot.want)) {
                None | Some(Showing::Nothing) => None,
                Some(Showing::Avatar { label }) => {
                    self.avatar(&mut picture, slot, label);
                    label
                }
                Some(Showing::Picture { picture: tile, label }) => {
                    let (tile, area) = (tile.i420(), slot.place.area);
                    let left = centred(area.left, area.size.width, tile.size.width);
                    let top = centred(area.top, area.size.height, tile.size.height);
                    picture.draw(&tile, left, top, &slot.inner);
                    label
                }
            };
            if let Some(label) = label.filter(|_| self.style.labels) {
                self.name(&mut picture, slot, label);
            }
        }
        picture
    }

    /// A head and shoulders, or an initial on a disc.
    fn avatar<I>(&mut self, picture: &mut Picture, slot: &Slot<I>, label: Option<&str>) {
        let Area { left, top, size } = slot.place.area;
        let clip = &slot.inner;
        picture.fill(clip, clip, Colour::from_rgb(AVATAR_GROUND));
        let short = i64::from(size.width.min(size.height));
        let center_x2 = 2 * i64::from(left) + i64::from(size.width);
        let center_y2 = 2 * i64::from(top) + i64::from(size.height);
        let figure = Colour::from_rgb(AVATAR_FIGURE);
        let initial = label.filter(|_| self.style.initials).and_then(|label| {
            let letter = label.trim().chars().next()?.to_uppercase().to_string();
            self.texts.get(&letter, size.width.min(size.height) / 3, size.width)
        });
        if let Some(letter) = initial {
            let disc = Outline::Circle { center_x2, center_y2, radius2: short * 6 / 10 };
            picture.fill(&disc, clip, figure);
            let left = centred(left, size.width, letter.size.width);
            let top = centred(top, size.height, letter.size.height);
            picture.blend(&letter, left, top, clip, Colour::from_rgb(LETTERS));
            return;
        }
        let head_y2 = center_y2 - short / 4;
        let head = Outline::Circle { center_x2, center_y2: head_y2, radius2: short * 35 / 100 };
        let body_y2 = center_y2 + short * 85 / 100;
        let body = Outline::Circle { center_x2, center_y2: body_y2, radius2: short * 7 / 10 };
        picture.fill(&body, clip, figure);
        picture.fill(&head, clip, figure);
    }

    /// The name on a dark ground: in the left lower corner, or low in the middle of a circle.
    fn name<I>(&mut self, picture: &mut Picture, slot: &Slot<I>, label: &str) {
        let Area { left, top, size } = slot.place.area;
        let letters = (size.height / 12).clamp(14, 40);
        let edge = (letters / 3).max(2).next_multiple_of(2);
        let room = size.width.saturating_sub(6 * edge) & !1;
        let Some(text) = self.texts.get(label, letters, room) else { return };
        let ground = Size::new(text.size.width + 2 * edge, text.size.height);
        let (x, y) = match slot.place.outline {
            Outline::Rectangle(_) => (
                left + (2 * edge).cast_signed(),
                top + (size.height.saturating_sub(ground.height + 2 * edge) & !1).cast_signed(),
            ),
            Outline::Circle { .. } => (
                centred(left, size.width, ground.width),
                top + ((size.height * 4 / 5).saturating_sub(ground.height / 2) & !1).cast_signed(),
            ),
        };
        let plate = Outline::Rectangle(Area { left: x, top: y, size: ground });
        picture.fill(&plate, &slot.inner, Colour::from_rgb(NAME_GROUND));
        let white = Colour::from_rgb(LETTERS);
        picture.blend(&text, x + edge.cast_signed(), y, &slot.inner, white);
    }
}

/// Where something of `length` starts that is in the middle of `room`; even.
fn centred(start: i32, room: u32, length: u32) -> i32 {
    (start + (i64::from(room) - i64::from(length)).div_euclid(2) as i32) & !1
}

#[cfg(test)]
mod tests;
