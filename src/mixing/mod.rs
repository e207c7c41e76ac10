//! Mixed views, seen from the server: who draws them, what is to be drawn, who gets it.
//!
//! A room says how each of its views should be and who subscribes to it ([`RoomMixing`]). `outputs`
//! finds out which encodings that takes and shares them; `plan` compares what should be with what
//! the agent does; `agent` keeps one `portico-mixer` process per room alive over a `link`; packets
//! go directly between the link and the room's media worker.

mod agent;
mod broadcasts;
mod link;
mod outputs;
mod plan;
mod program;
mod publisher;
mod remote;
mod room;
mod shown;
mod snapshots;
#[cfg(test)]
mod testing;
mod words;

use std::{
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::watch;

use self::{
    agent::{Agent, Endurance, NoAgent},
    program::{Availability, Program},
    remote::Machines,
};
pub use self::{
    remote::SetupError,
    room::RoomMixing,
    snapshots::{SnapshotError, SnapshotSender},
};
use crate::{
    config,
    ids::RoomId,
    live::Live,
    media::{Injector, RoomMedia},
};

/// How long to wait before a machine without an agent is asked again, by how often it was.
const ASK_AGAIN: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// What mixes on this server. Cheap to clone.
#[derive(Clone)]
pub struct Mixing(Arc<Inner>);

struct Inner {
    config: config::Mixing,
    agents: Agents,
    live: Live,
    availability: watch::Sender<Availability>,
}

/// Where agents run.
enum Agents {
    /// On this machine.
    Here(Program),
    /// On others.
    Elsewhere(Machines),
}

impl Mixing {
    /// Finds out, in the background, whether and what can be mixed here or on the machines that are
    /// configured. `data` is a directory of the server's own, in which GStreamer's registry is kept;
    /// `live` is where broadcasts go.
    ///
    /// # Errors
    /// When other machines are configured and connections to them cannot be set up.
    pub fn start(config: &config::Mixing, data: &Path, live: Live) -> Result<Self, SetupError> {
        let (agents, first) = if config.agents.is_empty() {
            let program = Program::new(config, &data.join("gstreamer"));
            let first = program.first_sight();
            (Agents::Here(program), first)
        } else {
            (Agents::Elsewhere(Machines::new(config)?), Availability::Unknown)
        };
        let is_known = first != Availability::Unknown;
        let availability = watch::Sender::new(first);
        let mixing = Self(Arc::new(Inner { config: config.clone(), agents, live, availability }));
        match &mixing.0.agents {
            Agents::Here(program) if !is_known => {
                let (program, inner) = (program.clone(), Arc::clone(&mixing.0));
                tokio::spawn(async move {
                    inner.availability.send_replace(program.prepare().await);
                });
            }
            Agents::Here(_) => {}
            Agents::Elsewhere(machines) => {
                for machine in 0..machines.count() {
                    let inner = Arc::downgrade(&mixing.0);
                    tokio::spawn(ask(machines.clone(), machine, inner));
                }
            }
        }
        Ok(mixing)
    }

    /// The views of a room.
    pub fn open_room(&self, room: RoomId, media: Arc<RoomMedia>) -> RoomMixing {
        RoomMixing::new(room, self.clone(), media)
    }

    fn availability(&self) -> watch::Receiver<Availability> {
        self.0.availability.subscribe()
    }

    /// Keeps an agent alive for a room.
    fn keep_agent(&self, room: RoomId, injector: impl Fn() -> Injector + Send + 'static) -> Agent {
        let endurance = Endurance::of(&self.0.config);
        match &self.0.agents {
            Agents::Here(program) => Agent::keep(room, program.clone(), endurance, injector),
            Agents::Elsewhere(machines) => Agent::keep(room, machines.clone(), endurance, injector),
        }
    }

    fn live(&self) -> &Live {
        &self.0.live
    }

    fn look(&self) -> &config::Mixing {
        &self.0.config
    }
}

/// Asks a machine what it can do until it says so. Views can be mixed as soon as one did.
async fn ask(machines: Machines, machine: usize, inner: Weak<Inner>) {
    let mut pauses = ASK_AGAIN.into_iter();
    let mut pause = ASK_AGAIN[0];
    let mut told = None;
    loop {
        let (agent, found) = machines.look(machine).await;
        let Some(inner) = inner.upgrade() else { return };
        let reason = match found {
            Ok(found) => {
                tracing::info!(agent, encoders = ?found.encoders, "views can be mixed");
                let ready = Availability::Ready(words::capabilities(&found));
                inner.availability.send_if_modified(|known| {
                    let is_first = !matches!(known, Availability::Ready(_));
                    if is_first {
                        *known = ready;
                    }
                    is_first
                });
                return;
            }
            Err(NoAgent::Died(reason) | NoAgent::Useless(reason)) => reason,
        };
        if told.as_ref() != Some(&reason) {
            tracing::warn!(agent, reason, "no mixing agent there");
            told = Some(reason);
        }
        inner.availability.send_if_modified(|known| {
            let is_first = *known == Availability::Unknown;
            if is_first {
                let reason = "Mixing is not available: no mixing agent can be reached.";
                *known = Availability::Unavailable(reason.into());
            }
            is_first
        });
        drop(inner);
        pause = pauses.next().unwrap_or(pause);
        tokio::time::sleep(pause).await;
    }
}
