//! The room: one pure state machine that decides who may do what, who is told what, in which order.
//!
//! # Rule of use
//! One mutation, then drain: call [`Room::handle`] (or [`Room::handle_timeout`]) once, then take
//! [`Room::poll_output`] until it yields nothing and perform the outputs in that order, then ask
//! [`Room::poll_timeout`] when to call [`Room::handle_timeout`]. The room reads no clock, makes no
//! ids, knows no JSON and no sockets.
//!
//! # Order
//! Everybody and everything is walked by age, so equal inputs give equal outputs.
//!
//! - A command is answered exactly once. A refused one changes nothing and tells nobody.
//! - The reply comes before whatever the request causes, with two exceptions that OWT makes: the
//!   others hear of a newcomer before it has its answer, and a text is delivered before its sender
//!   has its answer.
//! - An administrator's order is answered exactly once, after everything it leads to. A refused one
//!   changes nothing and tells nobody.
//! - An event is not answered. One about a session, transport or participant that is gone is
//!   ignored, since reports race with closing.
//!
//! # Who closes whom
//! | What ends | Why | What ends with it | Who is told |
//! |---|---|---|---|
//! | participant | left, away too long, dropped | its subscriptions, its publications | the others |
//! | publication | unpublished, owner gone | its stream, if announced | nobody |
//! | publication | session failed, administrator | its stream, if announced | its owner |
//! | stream | publication ended | its place in views, subscriptions to it | everybody, last |
//! | subscription | unsubscribed, owner gone | nothing | nobody |
//! | subscription | stream ended, view or session failed, offer unanswered | nothing | its owner |
//! | transport | its last session ended | nothing | nobody |
//! | view | failed | subscriptions that take anything from it | everybody, first |
//! | room | closed by an administrator | everything | everybody |
//! | room | empty for [`Bounds::idle`] | nothing | the driver |
//!
//! A subscription to two streams ends as a whole with either. Whatever ends here has its media
//! session closed by an effect, unless it is the media session itself that failed. Nobody but its
//! owner ever hears of a publication that is not ready. Whoever is dropped hears of that first.
//!
//! # Being away
//! Whoever loses its connection keeps its place for a time that the loss states, and is told
//! everything meanwhile: that this reaches it later is up to whoever performs the outputs.

mod aged;
mod away;
mod bitrate;
mod broadcast;
mod command;
mod control;
mod deadlines;
mod desired;
mod event;
mod feed;
mod floor;
mod handle;
mod invariants;
mod join;
mod layout;
mod leave;
mod level;
mod live;
mod manage;
mod manner;
mod media_out;
mod mix;
mod mixer;
mod offer;
mod output;
mod participant;
mod presence;
mod publication;
mod publish;
mod publishers;
mod record;
mod rejection;
mod report;
mod role;
mod session;
mod settings;
mod stream;
mod subscribe;
mod subscription;
mod subscription_control;
mod telling;
#[cfg(test)]
mod tests;
mod text;
mod transcoding;
mod view;
mod wish;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use self::{
    aged::Aged, deadlines::Deadlines, floor::Floor, invariants::Due, participant::Participant,
    publication::Publication, session::Transport, subscription::Subscription, telling::Asker,
    view::View,
};
pub use self::{
    broadcast::MAX_BROADCAST_BYTES,
    command::*,
    desired::*,
    event::*,
    layout::{
        Fraction, InvalidFraction, Layout, LayoutFault, LayoutSettings, MAX_REGION_ID, MAX_REGIONS,
        PlacedRegion, Region, Shape, Template, TemplateBase, check_regions,
    },
    live::Broadcastable,
    manage::*,
    manner::*,
    media_out::{MediaOut, MixerCapabilities, Multiple, ResolutionOption},
    offer::OFFER_TIMEOUT,
    output::*,
    record::*,
    rejection::*,
    report::*,
    settings::*,
    stream::*,
    transcoding::Transcoding,
    view::ViewStatus,
};
use crate::ids::{ParticipantId, RoomId, SessionId, TransportId};

/// Everything that can happen to a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A participant asks for something.
    Command {
        /// Who asks.
        from: ParticipantId,
        /// Returned with the answer.
        request: RequestId,
        /// What for.
        command: Command,
    },
    /// Something happened.
    Event(Event),
    /// An administrator orders something.
    Manage {
        /// Returned with the answer.
        request: RequestId,
        /// What.
        order: Order,
    },
}

/// A room.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    settings: Settings,
    /// In the order of the settings.
    views: Vec<View>,
    /// What the mixer can do, if there is one.
    mixer: Option<MixerCapabilities>,
    /// Whether the mixer hears what views mix at present.
    mixer_listens: bool,
    participants: Aged<ParticipantId, Participant>,
    /// A publication is as old as its stream once that is announced.
    publications: Aged<SessionId, Publication>,
    subscriptions: Aged<SessionId, Subscription>,
    /// The transports that carry at least one session.
    transports: BTreeMap<TransportId, Transport>,
    /// Until when those keep their places whose connections are lost.
    absences: Deadlines<ParticipantId>,
    /// Until when those must give a sign of life who promised some.
    presences: Deadlines<ParticipantId>,
    floor: Floor,
    /// Until when this server's offers must be answered, by the sessions that they are for.
    offers: Deadlines<SessionId>,
    outputs: VecDeque<Output>,
    records: VecDeque<RecordChange>,
    /// When the room closes unless somebody joins; absent while somebody is in it.
    closes_at: Option<Instant>,
    /// Whether an administrator changed limits or permissions, after which those inside may have
    /// more than a newcomer would get.
    managed: bool,
}

impl Room {
    /// An empty room, which closes like any other if nobody joins. Its first outputs tell the
    /// mixing side of its views.
    ///
    /// A view is left out whose label repeats an earlier one's or makes no valid stream id (see
    /// [`StreamId::of_view`](crate::ids::StreamId::of_view)).
    pub fn new(now: Instant, id: RoomId, settings: Settings) -> Self {
        let mut room = Self {
            views: mix::views(&id, &settings),
            mixer: None,
            mixer_listens: false,
            id,
            settings,
            participants: Aged::new(),
            publications: Aged::new(),
            subscriptions: Aged::new(),
            transports: BTreeMap::new(),
            absences: Deadlines::default(),
            presences: Deadlines::default(),
            floor: Floor::default(),
            offers: Deadlines::default(),
            outputs: VecDeque::new(),
            records: VecDeque::new(),
            closes_at: None,
            managed: false,
        };
        room.watch_idleness(now);
        room.describe_views();
        room
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Instant, input: Input) {
        let undrained = self.outputs.len();
        let due = match input {
            Input::Command { from, request, command } => {
                let asker = Asker { from, request };
                let joins = matches!(command, Command::Join { .. });
                if let Err(rejection) = self.obey(now, &asker, command) {
                    self.refuse(&asker, rejection);
                }
                self.tell_publishers(joins.then_some(&asker.from));
                Due::Reply(asker)
            }
            Input::Event(event) => {
                self.learn(now, event);
                self.tell_publishers(None);
                Due::Nothing
            }
            Input::Manage { request, order } => {
                let result = self.manage(order);
                self.tell_publishers(None);
                self.outputs.push_back(Output::Managed { request, result });
                Due::Managed(request)
            }
        };
        self.watch_idleness(now);
        if cfg!(debug_assertions) {
            invariants::check_state(self);
            invariants::check_outputs(self, &due, undrained);
        }
    }

    /// The next thing to do, if any is left.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Room::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let presence = self.presences.next();
        let waits = [self.closes_at, self.absences.next(), self.offers.next(), presence];
        waits.into_iter().flatten().min()
    }

    /// Lets time pass. Calling it early, or without need, does nothing.
    ///
    /// A room asks to be closed once; if it is kept and gets another input that leaves it empty,
    /// it waits and asks again.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closes_at.is_some_and(|due| due <= now) {
            self.closes_at = None;
            self.perform(Effect::CloseRoom);
        }
        self.give_up_offers(now);
        if self.give_up(now) | self.release(now) {
            self.watch_idleness(now);
        }
        self.tell_publishers(None);
        if cfg!(debug_assertions) {
            invariants::check_state(self);
        }
    }

    /// The room as a newcomer finds it.
    pub fn info(&self) -> RoomInfo {
        let streams = self.publications.values().filter_map(Publication::stream);
        RoomInfo {
            id: self.id.clone(),
            views: self.views.iter().map(|view| Arc::clone(view.label())).collect(),
            streams: self.views.iter().map(|view| &view.stream).chain(streams).cloned().collect(),
            participants: self.participants.values().map(|one| one.info.clone()).collect(),
        }
    }

    /// Does what is asked and grants it, or changes nothing and says why.
    fn obey(&mut self, now: Instant, asker: &Asker, command: Command) -> Result<(), Rejection> {
        let joins = matches!(command, Command::Join { .. });
        if !joins && !self.participants.contains(&asker.from) {
            return Err(Rejection::NotJoined);
        }
        match command {
            Command::Join { user, role, manner } => self.join(now, asker, user, role, manner),
            Command::Heartbeat => self.heartbeat(now, asker),
            Command::SetSending { sending } => self.set_sending(asker, sending),
            Command::AskForFloor { sending, message } => {
                self.ask_for_floor(asker, sending, &message)
            }
            Command::GrantFloor { to, message } => self.grant_floor(asker, &to, &message),
            Command::DenyFloor { to, message } => self.deny_floor(asker, &to, &message),
            Command::Kick { whom, message } => self.kick(asker, &whom, &message),
            Command::Relay { to, message } => self.relay(asker, to.as_ref(), &message),
            Command::Leave => self.leave(asker),
            Command::Text { to, message } => self.text(asker, &to, message),
            Command::Broadcast { data } => self.broadcast(asker, data),
            Command::Describe => self.describe(asker),
            Command::Publish { session, transport, media, attributes } => {
                self.publish(asker, session, transport, media, attributes)
            }
            Command::Unpublish { session } => self.unpublish(asker, &session),
            Command::Subscribe { session, transport, offerer, media } => {
                self.subscribe(asker, session, transport, offerer, media)
            }
            Command::Unsubscribe { session } => self.unsubscribe(asker, &session),
            Command::UpdateSubscription { session, update } => {
                self.update_subscription(asker, &session, update)
            }
            Command::PauseSubscription { session, tracks } => {
                self.set_subscription_active(asker, &session, tracks, false)
            }
            Command::PlaySubscription { session, tracks } => {
                self.set_subscription_active(asker, &session, tracks, true)
            }
            Command::EstimateBandwidth { session } => self.estimate_bandwidth(asker, &session),
            Command::Negotiate { transport, payload } => self.negotiate(asker, transport, payload),
            Command::PauseStream { stream, tracks } => {
                self.set_status(asker, &stream, tracks, TrackStatus::Inactive)
            }
            Command::PlayStream { stream, tracks } => {
                self.set_status(asker, &stream, tracks, TrackStatus::Active)
            }
            Command::Mix { stream, view } => self.mix(asker, &stream, &view),
            Command::Unmix { stream, view } => self.unmix(asker, &stream, &view),
            Command::GetRegion { stream, view } => self.get_region(asker, &stream, &view),
            Command::SetRegion { stream, view, region } => {
                self.set_region(asker, &stream, &view, &region)
            }
        }
    }

    /// Draws the consequences of what happened.
    fn learn(&mut self, now: Instant, event: Event) {
        match event {
            Event::Answered { transport, sdp } => self.pass_answer(transport, sdp),
            Event::Offered { transport, sdp } => self.pass_offer(now, transport, sdp),
            Event::SessionReady { session, media } => self.session_ready(&session, media),
            Event::SessionFailed { session, reason } => self.session_failed(&session, reason),
            Event::Layered { stream, rids } => self.layered(&stream, &rids),
            Event::Measured { stream, layer, resolution } => {
                self.measured(&stream, layer.as_ref(), resolution);
            }
            Event::MixerUp { capabilities } => self.mixer_up(capabilities),
            Event::MixerDown => self.mixer_down(),
            Event::MixerGone => self.mixer_gone(),
            Event::ViewFailed { view, reason } => self.view_failed(&view, &reason),
            Event::MixerListens { listens } => self.mixer_listens = listens,
            Event::Loudest { view, stream } => self.loudest(now, &view, &stream),
            Event::Level { stream, decibels } => self.level(now, &stream, decibels),
            Event::ConnectionLost { participant, keep } => self.lose(now, &participant, keep),
            Event::Resumed { participant } => self.resume(&participant),
            Event::Restored { participants } => self.restore(now, participants),
            Event::Drop { participant } => self.expel(&participant),
        }
    }

    fn describe_views(&mut self) {
        for view in &self.views {
            let desired = Arc::clone(&view.desired);
            let changed = Effect::ViewChanged { view: view.stream.id.clone(), desired };
            self.outputs.push_back(Output::Effect(changed));
        }
    }

    /// Starts the wait for closing when the room is empty, stops it when it is not.
    fn watch_idleness(&mut self, now: Instant) {
        if !self.participants.is_empty() {
            self.closes_at = None;
        } else if self.closes_at.is_none() {
            self.closes_at = now.checked_add(self.settings.bounds.idle);
        }
    }
}
