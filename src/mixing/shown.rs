//! How large views show their inputs, and so which simulcast layer of each is enough.

use std::collections::BTreeMap;

use super::outputs::Views;
use crate::{
    formats::{LayerChoice, Resolution},
    ids::StreamId,
    room::{DesiredView, Fit, Region, Shape},
};

/// The largest place of each stream in any view.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown(BTreeMap<StreamId, Place>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    size: Resolution,
    /// Whether the picture must reach the place's size both ways, because it fills it.
    fills: bool,
}

const NOWHERE: Resolution = Resolution { width: 0, height: 0 };

/// Where the views show what.
pub(super) fn shown(views: &Views) -> Shown {
    let mut shown = Shown::default();
    for view in views.values() {
        for placed in view.layout.iter() {
            let place = placed.stream.as_ref().zip(place(view, &placed.region));
            let Some((stream, place)) = place else { continue };
            let largest = shown.0.entry(stream.clone()).or_insert(place);
            largest.size.width = largest.size.width.max(place.size.width);
            largest.size.height = largest.size.height.max(place.size.height);
            largest.fills |= place.fills;
        }
    }
    shown
}

impl Shown {
    /// The layer that is enough for a stream; the smallest for one that is nowhere shown.
    pub(super) fn layer(&self, stream: &StreamId) -> LayerChoice {
        match self.0.get(stream) {
            None => LayerChoice::Covering(NOWHERE),
            Some(Place { size, fills: true }) => LayerChoice::Covering(*size),
            Some(Place { size, fills: false }) => LayerChoice::Filling(*size),
        }
    }
}

/// A region's place in a view's picture; `None` in a view without one.
fn place(view: &DesiredView, region: &Region) -> Option<Place> {
    let video = view.settings.video.as_ref()?;
    let whole = video.resolution;
    let size = match region.shape {
        Shape::Rectangle { width, height, .. } => {
            Resolution { width: width.of(whole.width), height: height.of(whole.height) }
        }
        Shape::Circle { radius, .. } => {
            let diameter = radius.of(whole.width).saturating_mul(2);
            Resolution { width: diameter, height: diameter }
        }
    };
    Some(Place { size, fills: video.fit == Fit::Crop })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        mixing::testing::{id, view},
        room::{Fraction, PlacedRegion, ViewVideo},
    };

    fn fraction(numerator: u32, denominator: u32) -> Fraction {
        Fraction::new(numerator, denominator).expect("a share")
    }

    fn rectangle(width: Fraction, height: Fraction) -> Shape {
        let zero = fraction(0, 1);
        Shape::Rectangle { left: zero, top: zero, width, height }
    }

    /// A view that shows streams in these shapes.
    fn laid_out(
        regions: &[(&str, Shape)],
        change: impl FnOnce(&mut ViewVideo),
    ) -> Arc<DesiredView> {
        let mut view = view(&[]);
        let placed = |(stream, shape): &(&str, Shape)| PlacedRegion {
            region: Region { id: "1".into(), shape: *shape },
            stream: Some(id(stream)),
        };
        view.layout = regions.iter().map(placed).collect();
        let settings = Arc::make_mut(&mut view.settings);
        let video = settings.video.as_mut().expect("a picture");
        video.resolution = Resolution { width: 1280, height: 720 };
        video.fit = Fit::Letterbox;
        change(video);
        Arc::new(view)
    }

    fn size(width: u32, height: u32) -> Resolution {
        Resolution { width, height }
    }

    #[test]
    fn a_region_asks_for_as_much_as_it_shows() {
        let half = rectangle(fraction(1, 2), fraction(1, 2));
        let circle = Shape::Circle {
            center_w: fraction(1, 2),
            center_h: fraction(1, 2),
            radius: fraction(1, 8),
        };
        let views: Views =
            [(id("mix"), laid_out(&[("a", half), ("b", circle)], |_| {}))].into_iter().collect();
        let shown = shown(&views);
        assert_eq!(shown.layer(&id("a")), LayerChoice::Filling(size(640, 360)));
        assert_eq!(shown.layer(&id("b")), LayerChoice::Filling(size(320, 320)));
        assert_eq!(shown.layer(&id("c")), LayerChoice::Covering(size(0, 0)), "shown nowhere");
    }

    #[test]
    fn the_largest_place_of_all_views_counts() {
        let wide = rectangle(fraction(1, 1), fraction(1, 4));
        let high = rectangle(fraction(1, 4), fraction(1, 1));
        let views: Views = [
            (id("one"), laid_out(&[("a", wide)], |_| {})),
            (id("two"), laid_out(&[("a", high)], |video| video.fit = Fit::Crop)),
            (id("three"), laid_out(&[("a", high)], |video| video.resolution = size(320, 180))),
        ]
        .into_iter()
        .collect();
        assert_eq!(shown(&views).layer(&id("a")), LayerChoice::Covering(size(1280, 720)));
    }
}
