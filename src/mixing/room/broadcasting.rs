//! The part of a room's views that is broadcast live.

use std::sync::Arc;

use super::RoomMixing;
use crate::{
    ids::StreamId,
    live::Address,
    mixing::broadcasts::{keeping, view_of},
    room::DesiredView,
};

impl RoomMixing {
    /// Broadcasts a stream: a view, or with `alone` somebody's, which that view shows. Called again
    /// when what is to be shown changes; the address is that of the first call.
    pub fn broadcast(
        &mut self,
        stream: StreamId,
        address: Address,
        alone: Option<&Arc<DesiredView>>,
    ) {
        let view = match alone {
            None => stream.clone(),
            Some(desired) => {
                let view = view_of(&stream);
                let present = self.views.get(&view);
                let desired = match present {
                    Some(present) => Arc::new(keeping(&present.settings, desired)),
                    None => Arc::clone(desired),
                };
                self.views.insert(view.clone(), desired);
                view
            }
        };
        if let Some(desired) = self.views.get(&view) {
            self.broadcasts.start(stream, address, view, &desired.settings);
        }
        self.settle();
    }

    /// A stream is broadcast no longer.
    pub fn end_broadcast(&mut self, stream: &StreamId) {
        self.broadcasts.end(stream);
        self.views.remove(&view_of(stream));
        self.settle();
    }

    /// Ends the broadcasts of a view that failed.
    pub(super) fn end_failed_view(&mut self, view: &StreamId) {
        let packages = self.broadcasts.packages().filter(|package| package.view == *view);
        let outputs: Vec<u32> = packages.map(|package| package.output).collect();
        for output in outputs {
            self.end_failed_package(output);
        }
    }

    /// Ends the broadcast whose package failed; whether it was one.
    pub(super) fn end_failed_package(&mut self, output: u32) -> bool {
        let stream = self.broadcasts.stream_of(output);
        if let Some(stream) = &stream {
            self.broadcasts.end(stream);
            self.views.remove(&view_of(stream));
        }
        stream.is_some()
    }
}
