//! The canvas: the newest picture of each input, drawn into regions. Nothing here waits, and
//! nothing here knows GStreamer.

mod compose;
mod geometry;
mod picture;
mod text;

pub use self::compose::{Canvas, Plan, Showing, Slot, Style, Want};
pub use self::geometry::{Area, Fitting, LayoutError, Outline, Place, Size, fit, place};
pub use self::picture::{Colour, I420, Mask, Picture, Plane, Pool, Pooled, Still};
pub use self::text::{Texts, font};
