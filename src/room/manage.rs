//! What administrators order: the same things that participants may ask for their own streams,
//! for any stream, changes of who may what, and a look at the whole room.
//!
//! Limits and permissions that are lowered bind whoever comes next; those inside keep what they
//! have, as in OWT.

use std::sync::Arc;

use super::{
    Effect, LayoutSettings, MediaPermission, Notification, Permission, PlacedRegion, Rejection,
    Room, RoomReport, Settings, StreamInfo, TrackStatus, aged::Aged, deadlines::Deadlines,
    publication::PublicationState,
};
use crate::{
    formats::{TrackKind, TrackSelection},
    ids::{ParticipantId, SessionId, StreamId},
};

/// Why a publication ends that an administrator ended.
const ENDED_BY_ADMINISTRATOR: &str = "Ended by an administrator";

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
    /// Have a view go by other layouts from now on, with its inputs in the order that they have.
    SetTemplates {
        /// A mixed stream with a picture.
        view: StreamId,
        /// Which layouts.
        layouts: LayoutSettings,
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
    /// Throw a participant out.
    DropParticipant {
        /// Whom.
        participant: ParticipantId,
    },
    /// Let a participant do more or less from now on. What it already does goes on, as in OWT.
    SetPermission {
        /// Whom.
        participant: ParticipantId,
        /// Sending or receiving.
        action: Action,
        /// Which kind of track.
        kind: TrackKind,
        /// Whether it may.
        allowed: bool,
    },
    /// End a stream.
    EndStream {
        /// A forward stream.
        stream: StreamId,
    },
    /// Go by other settings: limits, roles and formats for what comes next, notifications at once.
    /// Views stay as they are until the room starts anew.
    Reconfigure {
        /// The settings.
        settings: Box<Settings>,
    },
    /// Throw everybody out.
    Close,
    /// Tell how the room is.
    Report,
}

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Sending.
    Publish,
    /// Receiving.
    Subscribe,
}

/// The answer to a granted order.
#[derive(Debug, Clone, PartialEq)]
pub enum Managed {
    /// The stream as it is now.
    Stream(Arc<StreamInfo>),
    /// The room as it is now.
    Room(Box<RoomReport>),
    /// It is done, and there is nothing to tell.
    Done,
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
            Order::SetTemplates { view, layouts } => {
                Managed::Stream(self.replace_templates(&view, &layouts)?)
            }
            Order::SetRegion { view, index, stream } => {
                Managed::Stream(self.place_input(&view, index, &stream)?)
            }
            Order::DropParticipant { participant } => {
                if !self.participants.contains(&participant) {
                    return Err(Rejection::NotJoined);
                }
                self.expel(&participant);
                Managed::Done
            }
            Order::SetPermission { participant, action, kind, allowed } => {
                let participant = self.participants.get_mut(&participant);
                let participant = participant.ok_or(Rejection::NotJoined)?;
                participant.permission.set(action, kind, allowed);
                self.managed = true;
                Managed::Done
            }
            Order::EndStream { stream } => {
                self.live_stream(&stream)?;
                let session = SessionId::from(&stream);
                self.perform(Effect::CloseSession { session: session.clone() });
                self.publication_failed(&session, ENDED_BY_ADMINISTRATOR.into());
                Managed::Done
            }
            Order::Reconfigure { settings } => {
                self.reconfigure(*settings);
                Managed::Done
            }
            Order::Close => {
                self.close();
                Managed::Done
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

    fn reconfigure(&mut self, settings: Settings) {
        let views = std::mem::take(&mut self.settings.views);
        let media_out = self.settings.media_out.clone();
        let Settings { bounds, floor, kind: own, .. } = self.settings;
        let kind = if floor.founded { own } else { settings.kind };
        self.settings = Settings { views, media_out, bounds, floor, kind, ..settings };
        self.managed = true;
    }

    /// Throws everybody out at once, so that nobody is told of the others.
    fn close(&mut self) {
        let streams: Vec<StreamId> = self.publications.keys().map(StreamId::from).collect();
        let everybody = std::mem::replace(&mut self.participants, Aged::new());
        for participant in everybody.keys() {
            self.tell(participant, Notification::Dropped);
            self.perform(Effect::Disconnect { participant: participant.clone() });
        }
        for stream in &streams {
            self.leave_views(stream);
        }
        let publications = std::mem::replace(&mut self.publications, Aged::new());
        let subscriptions = std::mem::replace(&mut self.subscriptions, Aged::new());
        for session in subscriptions.keys().chain(publications.keys()) {
            self.perform(Effect::CloseSession { session: session.clone() });
        }
        self.transports.clear();
        self.floor.clear();
        self.absences = Deadlines::default();
        self.presences = Deadlines::default();
        self.offers = Deadlines::default();
    }
}

impl Permission {
    fn set(&mut self, action: Action, kind: TrackKind, allowed: bool) {
        let media: &mut MediaPermission = match action {
            Action::Publish => &mut self.publish,
            Action::Subscribe => &mut self.subscribe,
        };
        match kind {
            TrackKind::Audio => media.audio = allowed,
            TrackKind::Video => media.video = allowed,
        }
    }
}
