//! The room: one pure state machine that decides who may do what, who is told what, in which order.
//!
//! Rule of use: call [`Room::handle`] once, then drain [`Room::poll_output`] until it yields
//! nothing and perform the outputs in that order, then ask [`Room::poll_timeout`] when to call
//! [`Room::handle_timeout`]. The room reads no clock, makes no ids, knows no JSON and no sockets.

mod command;
mod event;
mod output;
mod rejection;
mod settings;
mod stream;

use std::time::Instant;

pub use self::{command::*, event::*, output::*, rejection::*, settings::*, stream::*};
use crate::ids::{ParticipantId, RoomId};

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
}

/// A room.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    settings: Settings,
}

impl Room {
    /// An empty room.
    pub fn new(now: Instant, id: RoomId, settings: Settings) -> Self {
        let _ = now;
        Self { id, settings }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Instant, input: Input) {
        let _ = (now, input, &self.id, &self.settings);
    }

    /// The next thing to do, if any is left.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// When [`Room::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }
}
