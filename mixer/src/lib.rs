//! `portico-mixer`, the mixing agent: one process per room, the only one that loads GStreamer.
//!
//! ```text
//! link.rs ──► control.rs ──► input.rs ──► pipeline/ (depay, decode) ──► Face / SoundInput
//!    ▲                                                                     │ newest picture, samples
//!    └────── pipeline/ (encode, pay) ◄── view.rs + canvas/, audio/ ◄───────┘
//! ```
//!
//! Inputs put their newest picture in every wanted size into a [face](pipeline), their samples into
//! a [queue](audio::Playout). One thread per view draws at its own pace ([canvas]), one thread mixes
//! all sound ([audio]). Neither ever waits for an input, so an input that stalls, fails or leaves
//! delays nobody. A layout is exchanged as one pointer, so no picture shows parts of two.

pub mod audio;
pub mod canvas;
pub mod clock;
pub mod listen;
pub mod raster;
pub mod sandbox;
pub mod sync;

mod control;
mod input;
mod link;
mod package;
mod pipeline;
mod view;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use ab_glyph::FontArc;

pub use control::End;
pub use pipeline::probe;
use portico_mixer_protocol::Capabilities;

/// Batches of events that wait for the agent. When it is full the socket is not read.
const MAX_QUEUED_BATCHES: usize = 256;

/// Serves one server until it says so, or its connection ends.
///
/// # Errors
/// When the connection fails, or the server is of another version.
pub fn serve(socket: &UnixStream, capabilities: Capabilities, font: FontArc) -> Result<(), End> {
    let (events, received) = sync_channel(MAX_QUEUED_BATCHES);
    let outbox = Arc::new(link::Outbox::default());
    let sockets = || -> std::io::Result<_> {
        let (reading, writing) = (socket.try_clone()?, socket.try_clone()?);
        let to_agent = events;
        let reader = std::thread::Builder::new().name("reading".into());
        reader.spawn(move || link::read(reading, &to_agent))?;
        let queue = Arc::clone(&outbox);
        let writer = std::thread::Builder::new().name("writing".into());
        let writer = writer.spawn(move || queue.write_to(writing))?;
        let around = input::Surroundings { outbox: Arc::clone(&outbox), failures: Arc::default() };
        Ok((control::Agent::new(around, capabilities, font)?, writer))
    };
    let (agent, writer) = sockets().map_err(link::LinkError::Socket)?;
    let end = agent.run(&received);
    // What was said last, such as the own version to a server of another one, shall arrive.
    outbox.close();
    if let Ok(Err(error)) = writer.join() {
        tracing::debug!(%error, "the server was gone before all was said");
    }
    end
}
