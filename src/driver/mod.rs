//! Runs rooms: one task each, between the doors and the media plane.
//!
//! A door gets a [`RoomHandle`] from the [`Registry`] and joins to become a [`Member`]; from then on it asks
//! through the member and is told through its [`Outbox`]. The rule of `room_task`: one input into
//! the room, then every output performed in order, then the next input.

mod broadcasting;
mod dispatch;
mod fresh;
mod handle;
mod journal;
mod load;
mod message;
mod outbox;
mod registry;
mod room_task;
mod seat;

pub use self::{
    fresh::{fresh_participant, fresh_session, fresh_short_session},
    handle::{JoinRequest, Member, RoomHandle},
    outbox::{Outbox, OutboxFull, Responder},
    registry::{JoinError, Registry, RegistryOptions, RoomCount},
};
