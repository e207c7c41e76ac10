//! Families of layouts: one template per number of regions.

use std::collections::BTreeMap;

use super::{Fraction, Region, Shape, Template, check_regions};

/// Which layouts a view has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutSettings {
    /// A family of layouts by number of inputs.
    pub base: TemplateBase,
    /// Layouts that replace those of the family with as many regions, or come between them.
    pub custom: Vec<Template>,
}

/// A family of layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateBase {
    /// Equal regions in a square grid.
    Fluid,
    /// One large region and small ones around it.
    Lecture,
    /// None.
    Void,
}

impl LayoutSettings {
    /// The templates of a view with so many inputs at most, by rising number of regions. A custom
    /// one that is no template is left out.
    pub(super) fn templates(&self, max_input: u32) -> Vec<Template> {
        let base = match self.base {
            TemplateBase::Fluid => fluid(max_input),
            TemplateBase::Lecture => lecture(max_input),
            TemplateBase::Void => Vec::new(),
        };
        let custom = self.custom.iter().filter(|it| check_regions(it.iter()).is_ok()).cloned();
        let by_size = base.into_iter().chain(custom).map(|template| (template.len(), template));
        by_size.collect::<BTreeMap<_, _>>().into_values().collect()
    }
}

/// Square grids, row by row, the largest with at least `max_input` regions.
fn fluid(max_input: u32) -> Vec<Template> {
    let largest = max_input.isqrt() + u32::from(max_input.isqrt().pow(2) < max_input);
    (1..=largest)
        .map(|side| numbered((0..side * side).map(|at| cell(at % side, at / side, 1, side))))
        .collect()
}

/// The number of inputs from which on a view gets lecture templates with more regions than six:
/// `max_input`, then the grid and the family that it adds.
const LECTURES: [(u32, u32, Lecture); 8] = [
    (7, 4, Lecture::OneBelt),
    (9, 5, Lecture::OneBelt),
    (11, 6, Lecture::OneBelt),
    (13, 7, Lecture::OneBelt),
    (15, 4, Lecture::TwoBelts),
    (15, 5, Lecture::TwoBelts),
    (18, 6, Lecture::TwoBelts),
    (22, 7, Lecture::TwoBelts),
];

/// How many belts of small regions lie around the large one, on its right and below.
#[derive(Clone, Copy)]
enum Lecture {
    OneBelt,
    TwoBelts,
}

fn lecture(max_input: u32) -> Vec<Template> {
    let mut templates = vec![numbered([cell(0, 0, 1, 1)]), lecture_of_six()];
    for (from, side, family) in LECTURES {
        if max_input >= from {
            templates.push(match family {
                Lecture::OneBelt => one_belt(side),
                Lecture::TwoBelts => two_belts(side),
            });
        }
    }
    templates
}

/// The smallest, which writes its zeros as wholes.
fn lecture_of_six() -> Template {
    let places = [(0, 0, 2), (2, 0, 1), (2, 1, 1), (2, 2, 1), (1, 2, 1), (0, 2, 1)];
    let share = |at| if at == 0 { fraction(0, 1) } else { fraction(at, 3) };
    numbered(places.map(|(left, top, size)| square(share(left), share(top), fraction(size, 3))))
}

/// A large region and one belt: `2 * side` regions.
fn one_belt(side: u32) -> Template {
    let large = square(fraction(0, 1), fraction(0, 1), fraction(side - 1, side));
    numbered(std::iter::once(large).chain(belt(side - 1, side)))
}

/// A smaller large region and two belts: `4 * side - 3` regions.
fn two_belts(side: u32) -> Template {
    let large = square(fraction(0, 1), fraction(0, 1), fraction(side - 2, side));
    numbered(std::iter::once(large).chain(belt(side - 2, side)).chain(belt(side - 1, side)))
}

/// The cells of a column, downwards, and then of the row left of its foot, leftwards.
fn belt(at: u32, side: u32) -> impl Iterator<Item = Shape> {
    let column = (0..=at).map(move |top| cell(at, top, 1, side));
    column.chain((0..at).rev().map(move |left| cell(left, at, 1, side)))
}

/// A square of some cells of a square grid.
fn cell(left: u32, top: u32, size: u32, side: u32) -> Shape {
    square(fraction(left, side), fraction(top, side), fraction(size, side))
}

fn square(left: Fraction, top: Fraction, size: Fraction) -> Shape {
    Shape::Rectangle { left, top, width: size, height: size }
}

fn fraction(numerator: u32, denominator: u32) -> Fraction {
    Fraction::new(numerator, denominator).expect("cells lie within their grid")
}

/// Regions with the ids `1`, `2`, ...
fn numbered(shapes: impl IntoIterator<Item = Shape>) -> Template {
    let ids = (1_u32..).map(|number| number.to_string().into());
    ids.zip(shapes).map(|(id, shape)| Region { id, shape }).collect()
}

#[cfg(test)]
#[path = "tests/templates.rs"]
mod tests;
