//! What administrators order: the same things that participants may ask for their own streams,
//! for any stream, and a look at the whole room.

use std::sync::Arc;

use super::{
    PlacedRegion, Rejection, Room, RoomInfo, StreamInfo, TrackStatus, ViewStatus,
    publication::PublicationState,
};
use crate::{
    formats::TrackSelection,
    ids::{SessionId, StreamId},
};

/// An administrator's order. It is answered by [`Managed`], after everything it leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Mix a stream into a view; nothing happens if it is there already.
    Mix {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
    },
    /// Take a stream out of a view; nothing happens if it is not there.
    Unmix {
        /// A forward stream.
        stream: StreamId,
        /// The view's label.
        view: Arc<str>,
    },
    /// Pause or resume a stream for everybody.
    SetStatus {
        /// A forward stream.
        stream: StreamId,
        /// Which tracks.
        tracks: TrackSelection,
        /// Flowing or paused.
        status: TrackStatus,
    },
    /// Make a layout a view's only one: its regions are all that there are, and its streams stand
    /// where it says. Other inputs follow in the regions that it leaves empty, then wait.
    SetLayout {
        /// A mixed stream.
        view: StreamId,
        /// The regions, the lowest first; those with a stream come before those without.
        layout: Vec<PlacedRegion>,
    },
    /// Exchange an input with the one in the region at some place of the layout.
    SetRegion {
        /// A mixed stream.
        view: StreamId,
        /// The region's place, from 0.
        index: usize,
        /// The input.
        stream: StreamId,
    },
    /// Tell how the room is.
    Report,
}

/// The answer to a granted order.
#[derive(Debug, Clone, PartialEq)]
pub enum Managed {
    /// The stream as it is now.
    Stream(Arc<StreamInfo>),
    /// The room as it is now.
    Room(Box<RoomReport>),
}

/// A room as administrators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomReport {
    /// What newcomers see.
    pub room: RoomInfo,
    /// How its views stand, in the order of the settings.
    pub views: Vec<ViewReport>,
}

/// How a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewReport {
    /// Its label.
    pub label: Arc<str>,
    /// Whether it is mixed, and if not, why.
    pub status: ViewStatus,
}

impl Room {
    /// Carries an order out, or changes nothing and says why.
    pub(super) fn manage(&mut self, order: Order) -> Result<Managed, Rejection> {
        Ok(match order {
            Order::Mix { stream, view } => {
                self.live_stream(&stream)?;
                let view = self.view_labelled(&view)?;
                self.check_mixable(view, &stream)?;
                self.enter_view(view, &stream);
                self.settle(view);
                Managed::Stream(Arc::clone(self.live_stream(&stream)?))
            }
            Order::Unmix { stream, view } => {
                self.live_stream(&stream)?;
                let view = self.view_labelled(&view)?;
                self.leave_view(view, &stream);
                Managed::Stream(Arc::clone(self.live_stream(&stream)?))
            }
            Order::SetStatus { stream, tracks, status } => {
                self.live_stream(&stream)?.check_tracks(tracks)?;
                self.apply_status(&stream, tracks, status);
                Managed::Stream(Arc::clone(self.live_stream(&stream)?))
            }
            Order::SetLayout { view, layout } => {
                Managed::Stream(self.replace_layout(&view, &layout)?)
            }
            Order::SetRegion { view, index, stream } => {
                Managed::Stream(self.place_input(&view, index, &stream)?)
            }
            Order::Report => Managed::Room(Box::new(self.report())),
        })
    }

    /// A forward stream that is announced.
    fn live_stream(&self, stream: &StreamId) -> Result<&Arc<StreamInfo>, Rejection> {
        if self.view(stream).is_some() {
            return Err(Rejection::StreamIsMixed);
        }
        let publication = self.publications.get::<SessionId>(&stream.into());
        match &publication.ok_or(Rejection::NoSuchStream)?.state {
            PublicationState::Connecting { .. } => Err(Rejection::StreamNotReady),
            PublicationState::Live(info) => Ok(info),
        }
    }

    fn report(&self) -> RoomReport {
        let report = |view: &super::view::View| ViewReport {
            label: Arc::clone(view.label()),
            status: view.status.clone(),
        };
        RoomReport { room: self.info(), views: self.views.iter().map(report).collect() }
    }
}
