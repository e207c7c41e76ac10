//! Everything that a worker has: rooms, transports, tracks, and who gets what from whom.
//!
//! Driven by the worker: [`Exchange::obey`] (commands), [`Exchange::handle_datagram`] and
//! [`Exchange::forward_pending`] (packets), [`Exchange::handle_deadlines`] (time). The other files
//! of this folder are its parts, by what they deal with. Tracks and transports name each other by
//! keys into the tables here, so that forwarding touches plain memory and nothing else.

mod commands;
mod connection;
mod control;
mod datagrams;
mod deadlines;
mod injecting;
mod media;
mod negotiate;
mod offering;
mod renegotiate;
mod simulcast;
mod switch;
mod tapping;
#[cfg(test)]
mod tests;
mod transport;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime},
};

use slab::Slab;

use self::{
    injecting::AgentClock,
    simulcast::Simulcast,
    tapping::Feeding,
    transport::{Published, Session, Subscribed, Transport},
};
use super::{
    Event, EventSink, OutputId,
    counters::{Counters, Tally},
    forward::clock::Ntp,
    outbox::{Outbox, Path},
    session::{dtls::Identity, rtcp::Said},
    socket::Socket,
    timers::Timers,
    worker::RoomKey,
};
use crate::ids::{RoomId, SessionId, TransportId};

/// Transports of a worker at most; the sessions of more fail at once. Rooms bound their own much
/// lower, and a core is busy with fewer.
const MAX_TRANSPORTS: usize = 50_000;

/// A room's part.
struct Room {
    id: RoomId,
    sink: EventSink,
    sessions: HashMap<SessionId, Session>,
    transports: HashMap<TransportId, usize>,
    /// Keys of the tracks that its mixing agent sends.
    outputs: HashMap<OutputId, usize>,
    agent: AgentClock,
    feeding: Option<Feeding>,
}

/// The whole of a worker.
pub(crate) struct Exchange {
    pub(crate) sockets: Vec<Socket>,
    identity: Arc<Identity>,
    candidates: Vec<SocketAddr>,
    rooms: HashMap<RoomKey, Room>,
    transports: Slab<Transport>,
    incoming: Slab<Published>,
    outgoing: Slab<Subscribed>,
    simulcasts: Slab<Simulcast>,
    by_path: HashMap<Path, usize>,
    by_ufrag: HashMap<Arc<str>, usize>,
    timers: Timers,
    outbox: Outbox,
    tally: Tally,
    /// Incoming tracks whose packets wait for their forwarding.
    pending: Vec<usize>,
    /// The transport that is being dealt with, to be blamed if that fails.
    current: Option<usize>,
    /// The present time, as `abs-send-time` gives it.
    stamp: [u8; 3],
    /// When the packets came that are being dealt with.
    arrival: Instant,
    /// The zero of the arrival times that mixing agents are told.
    epoch: Instant,
    /// Rooms whose mixing agents have packets to get, or lost some.
    fed: Vec<RoomKey>,
    said: Vec<Said>,
}

impl Exchange {
    pub(crate) fn new(sockets: Vec<Socket>, identity: Arc<Identity>) -> Self {
        let candidates = sockets.iter().map(Socket::announced).collect();
        let limits = sockets.iter().map(Socket::max_segments).collect();
        Self {
            sockets,
            identity,
            candidates,
            rooms: HashMap::new(),
            transports: Slab::new(),
            incoming: Slab::new(),
            outgoing: Slab::new(),
            simulcasts: Slab::new(),
            by_path: HashMap::new(),
            by_ufrag: HashMap::new(),
            timers: Timers::default(),
            outbox: Outbox::new(limits),
            tally: Tally::default(),
            pending: Vec::new(),
            current: None,
            stamp: [0; 3],
            arrival: Instant::now(),
            epoch: Instant::now(),
            fed: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Makes a room.
    pub(crate) fn open_room(&mut self, key: RoomKey, id: RoomId, sink: EventSink) {
        tracing::debug!(room = %id, "media opened");
        let room = Room {
            id,
            sink,
            sessions: HashMap::new(),
            transports: HashMap::new(),
            outputs: HashMap::new(),
            agent: AgentClock::default(),
            feeding: None,
        };
        self.rooms.insert(key, room);
    }

    /// Ends a room with all its sessions. Nobody is there to hear events of it.
    pub(crate) fn close_room(&mut self, key: RoomKey, now: Instant) {
        let Some(room) = self.rooms.get(&key) else { return };
        tracing::debug!(room = %room.id, "media closed");
        let transports: Vec<usize> = room.transports.values().copied().collect();
        let outputs: Vec<usize> = room.outputs.values().copied().collect();
        for transport in transports {
            self.remove_transport(transport, now);
        }
        for output in outputs {
            self.remove_incoming(output);
        }
        self.rooms.remove(&key);
    }

    /// Ends everything.
    pub(crate) fn close_everything(&mut self) {
        let now = Instant::now();
        let rooms: Vec<RoomKey> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.close_room(room, now);
        }
    }

    /// Notes the time for the packets that come.
    pub(crate) fn start_batch(&mut self, now: Instant) {
        self.arrival = now;
        self.stamp = Ntp::of(SystemTime::now()).abs_send_time();
    }

    /// Sends what waits and publishes what was counted.
    pub(crate) fn finish_round(&mut self, counters: &Counters) {
        self.hand_over();
        self.outbox.flush(&self.sockets, &mut self.tally);
        counters.publish(&mut self.tally, self.transports.len());
    }

    /// Ends the transport in whose handling a defect showed.
    pub(crate) fn blame(&mut self, what: &'static str, now: Instant) {
        let current = self.current.take();
        tracing::error!(what, transport = ?current, "a defect in the media plane; please report");
        if let Some(key) = current {
            self.fail_transport(key, "Internal error.", now);
        }
    }

    /// Tells a room.
    fn emit(&self, room: RoomKey, event: Event) {
        if let Some(room) = self.rooms.get(&room) {
            (room.sink)(event);
        }
    }

    /// Puts what a transport's DTLS has to say into the outbox.
    fn send_dtls(&mut self, key: usize) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        while let Some(datagram) = transport.dtls.poll_transmit() {
            if let Some(path) = transport.path {
                self.outbox.push(path, &datagram);
            }
        }
    }

    /// Makes the worker look after a transport at `due`, if it would not before.
    fn schedule(&mut self, key: usize, due: Instant) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        if transport.scheduled.is_none_or(|at| at > due) {
            transport.scheduled = Some(due);
            self.timers.set(due, key);
        }
    }
}
