//! The streams of a room that are broadcast live: each a package of a view, whose pieces go to the
//! live origin.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use portico_mixer_protocol::{PackagedPicture, Packaging, Piece};
use tracing::{info, warn};

use super::publisher::{Publisher, packaging};
use crate::{
    formats::Resolution,
    ids::{RoomId, StreamId},
    live::{Address, Live},
    room::{DesiredView, ViewSettings},
};

/// The first number of a package. Outputs for subscribers count from 1 and never come so far.
const FIRST_PACKAGE: u32 = 1 << 31;

/// A package that an agent is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// Its output's number.
    pub(super) output: u32,
    /// Of which view.
    pub(super) view: StreamId,
    /// How.
    pub(super) packaging: Packaging,
}

/// A stream that is broadcast.
#[derive(Debug)]
struct Broadcast {
    address: Address,
    package: Package,
    publisher: Publisher,
}

/// The broadcasts of a room. They end when this is dropped.
pub(super) struct Broadcasts {
    room: RoomId,
    live: Live,
    last: u32,
    by_stream: BTreeMap<StreamId, Broadcast>,
}

impl Broadcasts {
    pub(super) fn new(room: RoomId, live: Live) -> Self {
        Self { room, live, last: FIRST_PACKAGE, by_stream: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_stream.is_empty()
    }

    /// Starts a broadcast of a stream, which `view` shows, unless there is one.
    pub(super) fn start(
        &mut self,
        stream: StreamId,
        address: Address,
        view: StreamId,
        settings: &ViewSettings,
    ) {
        if self.by_stream.contains_key(&stream) {
            return;
        }
        info!(room = %self.room, %stream, %address, "a stream is broadcast");
        let output = self.last;
        self.last += 1;
        let packaging = packaging_of(settings);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let playlist = format!("{}-{}-{}", self.room, stream, since.as_millis());
        let publisher = Publisher::new(playlist, packaging);
        let package = Package { output, view, packaging };
        self.by_stream.insert(stream, Broadcast { address, package, publisher });
    }

    /// Ends a broadcast, if there is one.
    pub(super) fn end(&mut self, stream: &StreamId) {
        if let Some(Broadcast { address, .. }) = self.by_stream.remove(stream) {
            info!(room = %self.room, %stream, %address, "a stream is no longer broadcast");
            self.live.end(&address);
        }
    }

    /// The broadcast stream whose package has this number.
    pub(super) fn stream_of(&self, output: u32) -> Option<StreamId> {
        let mut all = self.by_stream.iter();
        all.find(|(_, broadcast)| broadcast.package.output == output).map(|(it, _)| it.clone())
    }

    /// What is to be packaged.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> + Clone {
        self.by_stream.values().map(|broadcast| &broadcast.package)
    }

    /// Notes what the pieces of a package hold.
    pub(super) fn set_codecs(&mut self, output: u32, codecs: String) {
        if let Some(broadcast) = self.of(output) {
            broadcast.publisher.set_codecs(codecs);
        }
    }

    /// Hands a piece on.
    pub(super) fn take(&mut self, output: u32, piece: Piece, bytes: Bytes) {
        let (live, room) = (self.live.clone(), self.room.clone());
        // One of a package that was just closed may still be on its way.
        let Some(Broadcast { address, publisher, .. }) = self.of(output) else { return };
        for upload in publisher.take(piece, bytes, SystemTime::now()) {
            if let Err(fault) = live.upload(address, upload) {
                warn!(%room, %address, %fault, "the live origin refuses a piece");
                publisher.note_refusal(&fault);
                return;
            }
        }
    }

    fn of(&mut self, output: u32) -> Option<&mut Broadcast> {
        self.by_stream.values_mut().find(|broadcast| broadcast.package.output == output)
    }
}

impl Drop for Broadcasts {
    fn drop(&mut self) {
        for broadcast in self.by_stream.values() {
            self.live.end(&broadcast.address);
        }
    }
}

/// Names the view that shows a stream alone.
pub(super) fn view_of(stream: &StreamId) -> StreamId {
    // A stream's id is shorter than ids may be: the server makes them.
    format!("live-{stream}").parse().unwrap_or_else(|_| stream.clone())
}

/// A view as it should be, whose unchanging part stays as it was: a picture keeps the size with
/// which its broadcast began.
pub(super) fn keeping(settings: &Arc<ViewSettings>, desired: &DesiredView) -> DesiredView {
    DesiredView { settings: Arc::clone(settings), ..desired.clone() }
}

fn packaging_of(settings: &ViewSettings) -> Packaging {
    let picture = settings.video.as_ref().map(|video| {
        let Resolution { width, height } = video.resolution.even();
        let (framerate, kbps) = (video.framerate, video.h264_kbps());
        PackagedPicture { width, height, framerate, kbps }
    });
    packaging(picture, settings.audio.is_some())
}
