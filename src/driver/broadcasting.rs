//! The streams of a room that are to be broadcast live, and how far that is.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    ids::StreamId,
    live::Address,
    mixing::RoomMixing,
    room::{Broadcastable, DesiredView, Room, StreamInfo},
};

/// Streams that are to be broadcast.
#[derive(Default)]
pub(super) struct Broadcasts(BTreeMap<StreamId, Broadcast>);

struct Broadcast {
    address: Address,
    /// What is shown; `None` until it can be.
    shown: Option<Shown>,
}

enum Shown {
    View,
    Alone {
        /// What the view was made of.
        stream: Arc<StreamInfo>,
        view: Arc<DesiredView>,
    },
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

    /// Has broadcasts follow what the room says of their streams. Called after every input of the
    /// room: a stream that is as it was costs a look.
    pub(super) fn follow(&mut self, room: &Room, mixing: &mut RoomMixing) {
        self.0.retain(|stream, broadcast| {
            match room.broadcastable(stream) {
                Broadcastable::Coming => {}
                Broadcastable::Gone => {
                    if broadcast.shown.is_some() {
                        mixing.end_broadcast(stream);
                    }
                    return false;
                }
                Broadcastable::View => broadcast.show_view(stream, mixing),
                Broadcastable::Alone(stream) => broadcast.show_alone(stream, room, mixing),
            }
            true
        });
    }
}

impl Broadcast {
    fn show_view(&mut self, view: &StreamId, mixing: &mut RoomMixing) {
        if !matches!(self.shown, Some(Shown::View)) {
            mixing.broadcast(view.clone(), self.address.clone(), None);
            self.shown = Some(Shown::View);
        }
    }

    fn show_alone(&mut self, stream: Arc<StreamInfo>, room: &Room, mixing: &mut RoomMixing) {
        let known = match &self.shown {
            Some(Shown::Alone { stream, view }) => Some((stream, view)),
            Some(Shown::View) | None => None,
        };
        if known.is_some_and(|(known, _)| Arc::ptr_eq(known, &stream)) {
            return;
        }
        let Some(view) = room.alone(&stream.id).map(Arc::new) else { return };
        if known.is_none_or(|(_, known)| *known != view) {
            mixing.broadcast(stream.id.clone(), self.address.clone(), Some(&view));
        }
        self.shown = Some(Shown::Alone { stream, view });
    }
}
