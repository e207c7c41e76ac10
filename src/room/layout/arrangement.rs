//! The ordered list of a view's pictures and the regions they get.

use std::sync::Arc;

use super::{Layout, LayoutFault, LayoutSettings, PlacedRegion, Region, Template};
use crate::ids::StreamId;

/// A view's pictures in their order. The first ones, as many as the view has places, get a region
/// each, in the order of the regions; the others wait.
#[derive(Debug)]
pub(in crate::room) struct Arrangement {
    /// By rising number of regions.
    templates: Vec<Template>,
    /// How many pictures are shown at once.
    places: usize,
    pictures: Vec<Picture>,
    /// What follows from the rest; empty until there was a picture.
    layout: Layout,
}

/// A picture in its view.
#[derive(Debug)]
struct Picture {
    stream: StreamId,
    /// How often it was brought to the first region.
    promotions: u32,
}

/// No region of that id shows anything.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::room) struct NoSuchRegion;

impl Arrangement {
    /// Without pictures.
    pub(in crate::room) fn new(settings: &LayoutSettings, max_input: u32) -> Self {
        Self {
            templates: settings.templates(max_input),
            places: max_input as usize,
            pictures: Vec::new(),
            layout: Arc::new([]),
        }
    }

    /// Of a view without a picture.
    pub(in crate::room) fn none() -> Self {
        Self { templates: Vec::new(), places: 0, pictures: Vec::new(), layout: Arc::new([]) }
    }

    /// The regions and what they show. Empty until there was a picture, as in OWT.
    pub(in crate::room) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the picture is one of these, shown or waiting.
    pub(in crate::room) fn contains(&self, stream: &StreamId) -> bool {
        self.place_of(stream).is_some()
    }

    /// Adds a picture at the end.
    pub(in crate::room) fn add(&mut self, stream: StreamId) {
        self.pictures.push(Picture { stream, promotions: 0 });
        self.arrange();
    }

    /// Takes a picture out; those behind it move up.
    pub(in crate::room) fn remove(&mut self, stream: &StreamId) {
        if let Some(place) = self.place_of(stream) {
            self.pictures.remove(place);
            self.arrange();
        }
    }

    /// The id of the region that shows a picture.
    pub(in crate::room) fn region_of(&self, stream: &StreamId) -> Option<&Arc<str>> {
        let shows = |placed: &&PlacedRegion| placed.stream.as_ref() == Some(stream);
        self.layout.iter().find(shows).map(|placed| &placed.region.id)
    }

    /// Exchanges a picture with the one that a region shows.
    pub(in crate::room) fn move_to(
        &mut self,
        stream: &StreamId,
        region: &str,
    ) -> Result<(), NoSuchRegion> {
        let index = self.layout.iter().position(|placed| *placed.region.id == *region);
        self.move_to_index(stream, index.ok_or(NoSuchRegion)?)
    }

    /// Exchanges a picture with the one that the region at a place of the layout shows.
    pub(in crate::room) fn move_to_index(
        &mut self,
        stream: &StreamId,
        index: usize,
    ) -> Result<(), NoSuchRegion> {
        let occupied = self.layout.get(index).is_some_and(|placed| placed.stream.is_some());
        let place = self.place_of(stream).filter(|_| occupied).ok_or(NoSuchRegion)?;
        self.pictures.swap(place, index);
        self.arrange();
        Ok(())
    }

    /// Brings a picture to the first region. One that waits takes the place of the one that was
    /// brought there the fewest times.
    pub(in crate::room) fn promote(&mut self, stream: &StreamId) {
        let Some(mut place) = self.place_of(stream).filter(|place| *place > 0) else { return };
        let shown = self.pictures.len().min(self.places);
        if place >= shown {
            let active = self.pictures.iter().take(shown).enumerate().rev();
            let least = active.min_by_key(|(_, picture)| picture.promotions);
            let Some((least, _)) = least else { return };
            self.pictures.swap(place, least);
            place = least;
        }
        self.pictures.swap(0, place);
        self.pictures[0].promotions += 1;
        self.arrange();
    }

    /// Makes the regions of a checked layout the only ones, with its streams in them. Other
    /// pictures follow in their order.
    pub(in crate::room) fn replace(&mut self, layout: &[PlacedRegion]) {
        let template: Template = layout.iter().map(|placed| placed.region.clone()).collect();
        self.places = template.len();
        self.templates = vec![template];
        let told = |picture: &Picture| {
            layout.iter().position(|placed| placed.stream.as_ref() == Some(&picture.stream))
        };
        self.pictures.sort_by_key(|picture| told(picture).unwrap_or(usize::MAX));
        self.arrange();
    }

    /// Goes by other layouts, as a view does that starts with them.
    pub(in crate::room) fn set_templates(
        &mut self,
        layouts: &LayoutSettings,
        max_input: u32,
    ) -> Result<(), LayoutFault> {
        let templates = layouts.templates(max_input);
        if templates.is_empty() {
            return Err(LayoutFault::Region);
        }
        self.templates = templates;
        self.places = max_input as usize;
        if !self.layout.is_empty() || !self.pictures.is_empty() {
            self.arrange();
        }
        Ok(())
    }

    fn place_of(&self, stream: &StreamId) -> Option<usize> {
        self.pictures.iter().position(|picture| picture.stream == *stream)
    }

    fn arrange(&mut self) {
        let shown = self.pictures.len().min(self.places);
        let fits = self.templates.iter().find(|template| template.len() >= shown);
        let Some(template) = fits.or(self.templates.last()) else { return };
        let mut pictures = self.pictures.iter().take(shown);
        let place = |region: &Region| PlacedRegion {
            region: region.clone(),
            stream: pictures.next().map(|picture| picture.stream.clone()),
        };
        self.layout = template.iter().map(place).collect();
    }
}

#[cfg(test)]
#[path = "tests/arrangement.rs"]
mod tests;
