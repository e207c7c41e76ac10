//! Mixed views, seen from the server: who draws them, what is to be drawn, who gets it.
//!
//! A room says how each of its views should be and who subscribes to it ([`RoomMixing`]). `outputs`
//! finds out which encodings that takes and shares them; `plan` compares what should be with what
//! the agent does; `agent` keeps one `portico-mixer` process per room alive over a `link`; packets
//! go directly between the link and the room's media worker.

mod agent;
mod link;
mod outputs;
mod plan;
mod program;
mod room;
mod shown;
mod snapshots;
#[cfg(test)]
mod testing;
mod words;

use std::{path::Path, sync::Arc};

use tokio::sync::watch;

use self::program::{Availability, Program};
pub use self::{
    room::RoomMixing,
    snapshots::{SnapshotError, SnapshotSender},
};
use crate::{config, ids::RoomId, media::RoomMedia};

/// What mixes on this server. Cheap to clone.
#[derive(Clone)]
pub struct Mixing(Arc<Inner>);

struct Inner {
    config: config::Mixing,
    program: Program,
    availability: watch::Sender<Availability>,
}

impl Mixing {
    /// Finds out, in the background, whether and what this machine can mix. `data` is a directory
    /// of the server's own, in which GStreamer's registry is kept.
    pub fn start(config: &config::Mixing, data: &Path) -> Self {
        let program = Program::new(config, &data.join("gstreamer"));
        let availability = watch::Sender::new(program.first_sight());
        let config = config.clone();
        let mixing = Self(Arc::new(Inner { config, program, availability }));
        if *mixing.availability().borrow() == Availability::Unknown {
            let preparing = mixing.clone();
            tokio::spawn(async move {
                let found = preparing.prepare().await;
                preparing.0.availability.send_replace(found);
            });
        }
        mixing
    }

    /// The views of a room.
    pub fn open_room(&self, room: RoomId, media: Arc<RoomMedia>) -> RoomMixing {
        RoomMixing::new(room, self.clone(), media)
    }

    async fn prepare(&self) -> Availability {
        if self.0.config.agents.is_empty() {
            return self.0.program.prepare().await;
        }
        tracing::warn!("[mixing] agents: this version mixes on its own machine only");
        Availability::Unavailable("Mixing is not available: its agents are elsewhere.".into())
    }

    fn availability(&self) -> watch::Receiver<Availability> {
        self.0.availability.subscribe()
    }

    fn program(&self) -> &Program {
        &self.0.program
    }

    fn look(&self) -> &config::Mixing {
        &self.0.config
    }
}
