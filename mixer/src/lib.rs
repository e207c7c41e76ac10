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

use ab_glyph::FontArc;

pub use control::End;
pub use pipeline::probe;
use portico_mixer_protocol::Capabilities;

/// Serves one server until it says so, or its connection ends.
///
/// # Errors
/// When the connection fails, or the server is of another version.
pub fn serve(socket: &UnixStream, capabilities: Capabilities, font: FontArc) -> Result<(), End> {
    let outbox = Arc::new(link::Outbox::default());
    let sockets = || -> std::io::Result<_> {
        let (reading, writing) = (socket.try_clone()?, socket.try_clone()?);
        // The agent has other things to do, too.
        reading.set_read_timeout(Some(control::HOUSEKEEPING))?;
        let queue = Arc::clone(&outbox);
        let writer = std::thread::Builder::new().name("writing".into());
        let writer = writer.spawn(move || queue.write_to(writing))?;
        let around = input::Surroundings { outbox: Arc::clone(&outbox), failures: Arc::default() };
        let reader = link::Reader::new(reading);
        Ok((control::Agent::new(around, capabilities, font)?, reader, writer))
    };
    let (agent, reader, writer) = sockets().map_err(link::LinkError::Socket)?;
    let end = agent.run(reader);
    // What was said last, such as the own version to a server of another one, shall arrive.
    outbox.close();
    if let Ok(Err(error)) = writer.join() {
        tracing::debug!(%error, "the server was gone before all was said");
    }
    end
}
