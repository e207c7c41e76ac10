//! The streams of a room that are to be broadcast live, and how far that is.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    ids::StreamId,
    live::Address,
    mixing::RoomMixing,
    room::{Broadcastable, DesiredView, Room},
};

/// Streams that are to be broadcast.
#[derive(Default)]
pub(super) struct Broadcasts(BTreeMap<StreamId, Broadcast>);

struct Broadcast {
    address: Address,
    /// What is shown; `None` until it can be.
    shown: Option<Shown>,
}

#[derive(PartialEq)]
enum Shown {
    View,
    Alone(Arc<DesiredView>),
}

impl Broadcasts {
    /// A stream is to be broadcast to an address, now or as soon as it is there.
    pub(super) fn start(&mut self, stream: StreamId, address: Address) {
        self.0.entry(stream).or_insert(Broadcast { address, shown: None });
    }

    /// A stream is to be broadcast no longer.
    pub(super) fn end(&mut self, stream: &StreamId, mixing: &mut RoomMixing) {
        if self.0.remove(stream).is_some_and(|broadcast| broadcast.shown.is_some()) {
            mixing.end_broadcast(stream);
        }
    }

    /// Has broadcasts follow what the room says of their streams.
    pub(super) fn follow(&mut self, room: &Room, mixing: &mut RoomMixing) {
        self.0.retain(|stream, Broadcast { address, shown }| {
            let now = match room.broadcastable(stream) {
                Broadcastable::Coming => return true,
                Broadcastable::Gone => {
                    if shown.is_some() {
                        mixing.end_broadcast(stream);
                    }
                    return false;
                }
                Broadcastable::View => Shown::View,
                Broadcastable::Alone(view) => Shown::Alone(view),
            };
            if shown.as_ref() != Some(&now) {
                let alone = match &now {
                    Shown::View => None,
                    Shown::Alone(view) => Some(view),
                };
                mixing.broadcast(stream.clone(), address.clone(), alone);
                *shown = Some(now);
            }
            true
        });
    }
}
