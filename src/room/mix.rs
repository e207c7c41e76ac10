//! Mixing: which streams a view shows and plays, and where.

use std::sync::Arc;

use super::{
    Effect, LayoutSettings, Notification, PlacedRegion, Rejection, Reply, Room, StreamInfo,
    StreamUpdate, TrackStatus, layout::check_layout, publication::PublicationState, telling::Asker,
    view::View,
};
use crate::{
    formats::TrackKind,
    ids::{ParticipantId, RoomId, SessionId, StreamId},
};

impl Room {
    /// Mixes one's own stream into a view. Nothing happens if it is there already.
    pub(super) fn mix(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        label: &str,
    ) -> Result<(), Rejection> {
        self.check_own_stream(&asker.from, stream)?;
        let view = self.view_labelled(label)?;
        self.check_mixable(view, stream)?;
        self.grant(asker, Reply::Done);
        self.enter_view(view, stream);
        self.settle(view);
        Ok(())
    }

    /// Takes one's own stream out of a view. Nothing happens if it is not there.
    pub(super) fn unmix(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        label: &str,
    ) -> Result<(), Rejection> {
        self.check_own_stream(&asker.from, stream)?;
        let view = self.view_labelled(label)?;
        self.grant(asker, Reply::Done);
        self.leave_view(view, stream);
        Ok(())
    }

    /// Says which region of a view shows one's own stream.
    pub(super) fn get_region(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        label: &str,
    ) -> Result<(), Rejection> {
        self.check_own_stream(&asker.from, stream)?;
        let view = self.view_labelled(label)?;
        let region = self.views[view].arrangement.region_of(stream);
        let region = Arc::clone(region.ok_or(Rejection::NotInView)?);
        self.grant(asker, Reply::Region { region });
        Ok(())
    }

    /// Exchanges one's own stream with the one that a region of a view shows.
    pub(super) fn set_region(
        &mut self,
        asker: &Asker,
        stream: &StreamId,
        label: &str,
        region: &str,
    ) -> Result<(), Rejection> {
        self.check_own_stream(&asker.from, stream)?;
        let view = self.view_labelled(label)?;
        let arrangement = &mut self.views[view].arrangement;
        if !arrangement.contains(stream) {
            return Err(Rejection::NotInView);
        }
        arrangement.move_to(stream, region).map_err(|_| Rejection::NoSuchRegion)?;
        self.grant(asker, Reply::Done);
        self.settle(view);
        Ok(())
    }

    fn check_own_stream(
        &mut self,
        participant: &ParticipantId,
        stream: &StreamId,
    ) -> Result<(), Rejection> {
        let publication = self.own_publication(participant, stream)?;
        publication.stream().map(drop).ok_or(Rejection::StreamNotReady)
    }

    /// The view of that label, by its place.
    pub(super) fn view_labelled(&self, label: &str) -> Result<usize, Rejection> {
        let found = self.views.iter().position(|view| **view.label() == *label);
        found.ok_or(Rejection::NoSuchView)
    }

    /// Whether a ready stream has something that a view mixes.
    pub(super) fn check_mixable(&self, view: usize, stream: &StreamId) -> Result<(), Rejection> {
        let publication = self.publications.get(stream.as_str()).ok_or(Rejection::NoSuchStream)?;
        let nobody = Arc::from("");
        let input = self.views[view].input_of(publication, &nobody);
        input.map(drop).ok_or(Rejection::NothingToMix)
    }

    /// Puts a ready stream among a view's inputs, unless it is there or has nothing to mix. Nobody
    /// is told before [`Room::settle`].
    pub(super) fn enter_view(&mut self, view: usize, stream: &StreamId) {
        let Some(publication) = self.publications.get_mut(stream.as_str()) else { return };
        let Some(owner) = self.participants.get(&publication.owner) else { return };
        let view = &mut self.views[view];
        if view.mixes(stream) {
            return;
        }
        let Some(input) = view.input_of(publication, &owner.info.user) else { return };
        view.add(input);
        if let PublicationState::Live(info) = &mut publication.state
            && let Some(in_views) = Arc::make_mut(info).in_views_mut()
        {
            in_views.push(Arc::clone(view.label()));
        }
    }

    /// Takes a stream out of a view, if it is there.
    pub(super) fn leave_view(&mut self, view: usize, stream: &StreamId) {
        let label = Arc::clone(self.views[view].label());
        self.views[view].remove(stream);
        let publication = self.publications.get_mut(stream.as_str());
        if let Some(PublicationState::Live(info)) = publication.map(|it| &mut it.state)
            && let Some(in_views) = Arc::make_mut(info).in_views_mut()
        {
            in_views.retain(|it| *it != label);
        }
        self.settle(view);
    }

    /// Takes a stream that ends out of all views.
    pub(super) fn leave_views(&mut self, stream: &StreamId) {
        for view in 0..self.views.len() {
            self.leave_view(view, stream);
        }
    }

    /// Mixes a new stream into every view in rooms that do so. Nobody is told before
    /// [`Room::settle_all`].
    pub(super) fn auto_mix(&mut self, session: &SessionId) {
        if self.settings.auto_mix {
            for view in 0..self.views.len() {
                self.enter_view(view, &StreamId::from(session));
            }
        }
    }

    /// Has views show that a stream was paused or resumed.
    pub(super) fn pass_status(&mut self, stream: &StreamId, kind: TrackKind, status: TrackStatus) {
        for view in &mut self.views {
            view.set_input_status(stream, kind, status);
        }
    }

    /// Makes a layout from outside a view's only one.
    pub(super) fn replace_layout(
        &mut self,
        view: &StreamId,
        layout: &[PlacedRegion],
    ) -> Result<Arc<StreamInfo>, Rejection> {
        let place = self.mixed_stream(view)?;
        check_layout(layout).map_err(Rejection::InvalidLayout)?;
        let arrangement = &mut self.views[place].arrangement;
        let mut streams = layout.iter().filter_map(|placed| placed.stream.as_ref());
        if !streams.all(|stream| arrangement.contains(stream)) {
            return Err(Rejection::InvalidLayout(super::LayoutFault::InputStream));
        }
        arrangement.replace(layout);
        self.settle(place);
        Ok(Arc::clone(&self.views[place].stream))
    }

    /// Has a view go by other layouts.
    pub(super) fn replace_templates(
        &mut self,
        view: &StreamId,
        layouts: &LayoutSettings,
    ) -> Result<Arc<StreamInfo>, Rejection> {
        let place = self.mixed_stream(view)?;
        let view = &mut self.views[place];
        let picture = view.settings().video.as_ref().ok_or(Rejection::NoSuchView)?;
        let max_input = picture.max_input;
        let changed = view.arrangement.set_templates(layouts, max_input);
        changed.map_err(Rejection::InvalidLayout)?;
        self.settle(place);
        Ok(Arc::clone(&self.views[place].stream))
    }

    /// Exchanges an input with the one that the region at a place of a view's layout shows.
    pub(super) fn place_input(
        &mut self,
        view: &StreamId,
        index: usize,
        stream: &StreamId,
    ) -> Result<Arc<StreamInfo>, Rejection> {
        let place = self.mixed_stream(view)?;
        let arrangement = &mut self.views[place].arrangement;
        if !arrangement.contains(stream) {
            return Err(Rejection::NotInView);
        }
        arrangement.move_to_index(stream, index).map_err(|_| Rejection::NoSuchRegion)?;
        self.settle(place);
        Ok(Arc::clone(&self.views[place].stream))
    }

    /// The view of a mixed stream, by its place.
    fn mixed_stream(&self, stream: &StreamId) -> Result<usize, Rejection> {
        let place = self.views.iter().position(|view| view.stream.id == *stream);
        place.ok_or_else(|| {
            let known = self.publications.contains(stream.as_str());
            if known { Rejection::NotMixedStream } else { Rejection::NoSuchStream }
        })
    }

    /// Has the mixing side and everybody else know how all views are.
    pub(super) fn settle_all(&mut self) {
        for view in 0..self.views.len() {
            self.settle(view);
        }
    }

    /// Has the mixing side and everybody else know how a view is, as far as that changed: the
    /// speaker is told before the regions.
    pub(super) fn settle(&mut self, place: usize) {
        let view = &mut self.views[place];
        let desired = view.desire();
        let changes = view.publish_changes();
        let stream = view.stream.id.clone();
        if *view.desired != desired {
            view.desired = Arc::new(desired);
            let desired = Arc::clone(&view.desired);
            self.perform(Effect::ViewChanged { view: stream.clone(), desired });
        }
        let active_input = changes.active_input.map(StreamUpdate::ActiveInput);
        let layout = changes.layout.map(StreamUpdate::Layout);
        for update in active_input.into_iter().chain(layout) {
            self.announce_stream(Notification::StreamUpdated { stream: stream.clone(), update });
        }
    }
}

/// The views of a room. One is left out whose label repeats an earlier one's or makes no stream id.
pub(super) fn views(room: &RoomId, settings: &super::Settings) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    let wanted = settings.views.iter();
    for view in wanted.filter_map(|view| View::new(room, view, &settings.media_out).ok()) {
        if views.iter().all(|known| known.stream.id != view.stream.id) {
            views.push(view);
        }
    }
    views
}
