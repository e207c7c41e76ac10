//! Where inputs stand in a view's picture.

use serde::{Deserialize, Serialize};

/// The most regions of a layout: as many as a view of a room may have inputs.
pub const MAX_REGIONS: usize = 256;

/// A share of a picture's width or height: `numerator / denominator`, from 0 to 1. The denominator
/// is never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fraction {
    /// Above the line.
    pub numerator: u32,
    /// Below the line.
    pub denominator: u32,
}

/// A region's outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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

/// One region. Later regions of a layout cover earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its outline.
    pub shape: Shape,
    /// The video input it shows, if any.
    pub input: Option<u32>,
    /// Whether it has a border, as the active speaker's has.
    pub highlighted: bool,
}

/// How a picture is fitted into its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Whole, centred, with bars of the background's colour.
    Letterbox,
    /// Filling the region, with edges cut off.
    Crop,
}
