//! Where inputs stand in a view's picture. Only decided here, in shares of the whole; the mixer
//! draws.

mod arrangement;
mod fraction;
mod templates;

use std::{collections::BTreeSet, sync::Arc};

pub(super) use self::arrangement::Arrangement;
pub use self::{
    fraction::{Fraction, InvalidFraction},
    templates::{LayoutSettings, TemplateBase},
};
use crate::ids::StreamId;

/// Regions of one layout: as many as a view may have inputs.
pub const MAX_REGIONS: usize = 256;

/// Bytes of a region's id.
pub const MAX_REGION_ID: usize = 64;

/// A region's outline. Parts of it that stick out of the picture are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Shares of the picture's width (`left`, `width`) and height (`top`, `height`).
    Rectangle {
        /// From the left edge.
        left: Fraction,
        /// From the upper edge.
        top: Fraction,
        /// The width.
        width: Fraction,
        /// The height.
        height: Fraction,
    },
    /// The centre as shares of width and height, the radius as a share of the width.
    Circle {
        /// From the left edge.
        center_w: Fraction,
        /// From the upper edge.
        center_h: Fraction,
        /// The radius.
        radius: Fraction,
    },
}

/// A place for one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its id, unique in its layout.
    pub id: Arc<str>,
    /// Its outline.
    pub shape: Shape,
}

/// Regions for as many inputs, the lowest first: later ones cover earlier ones.
pub type Template = Arc<[Region]>;

/// A region and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedRegion {
    /// The region.
    pub region: Region,
    /// The input; nothing if the region is empty.
    pub stream: Option<StreamId>,
}

/// A view's regions, the lowest first, empty ones included.
pub type Layout = Arc<[PlacedRegion]>;

/// What is wrong with a layout that comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutFault {
    /// No region at all, too many, or one whose id is empty, too long or not its own.
    #[error("invalid region")]
    Region,
    /// A region with a stream stands behind an empty one.
    #[error("an empty region before one with a stream")]
    StreamHole,
    /// A stream stands in two regions.
    #[error("a stream in two regions")]
    DuplicateStream,
    /// A stream is not an input with a picture.
    #[error("not an input with a picture")]
    InputStream,
}

/// Refuses regions that make no template: see [`LayoutFault::Region`].
///
/// # Errors
/// [`LayoutFault::Region`].
pub fn check_regions<'a>(regions: impl IntoIterator<Item = &'a Region>) -> Result<(), LayoutFault> {
    let mut ids = BTreeSet::new();
    for region in regions {
        let named = (1..=MAX_REGION_ID).contains(&region.id.len());
        if !named || ids.len() == MAX_REGIONS || !ids.insert(&region.id) {
            return Err(LayoutFault::Region);
        }
    }
    if ids.is_empty() { Err(LayoutFault::Region) } else { Ok(()) }
}

/// Refuses a layout whose regions are no template, or whose streams do not stand in its first
/// regions, each in one.
pub(super) fn check_layout(layout: &[PlacedRegion]) -> Result<(), LayoutFault> {
    check_regions(layout.iter().map(|placed| &placed.region))?;
    let mut streams = BTreeSet::new();
    let mut hole = false;
    for placed in layout {
        match &placed.stream {
            None => hole = true,
            Some(_) if hole => return Err(LayoutFault::StreamHole),
            Some(stream) if !streams.insert(stream) => return Err(LayoutFault::DuplicateStream),
            Some(_) => {}
        }
    }
    Ok(())
}
