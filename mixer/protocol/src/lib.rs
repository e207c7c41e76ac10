//! The messages between the server and its mixing agent. No GStreamer inside, so that the server
//! needs none.
//!
//! One stream connection carries everything: frames of a fixed [`Header`] and a payload. Control
//! frames hold one JSON message ([`ToAgent`] or [`FromAgent`]); media frames hold one RTP packet
//! each, to the agent for an input, from it for an output; a packaged output sends pieces of
//! fragmented MP4 instead.
//!
//! The server speaks first with [`ToAgent::Hello`]; the agent answers [`FromAgent::Ready`] with
//! what this machine can decode and encode. From then on the server keeps the desired state and
//! sends differences; an agent that dies is started again and told everything anew. Numbers of
//! views, inputs and outputs are the server's. Those of views and inputs are never used twice on one
//! connection; an output that was closed may be opened again.
//!
//! # Starting an agent
//! `portico-mixer` takes its end of a socket pair as standard input (or connects to `--socket`), logs
//! to standard error (`PORTICO_MIXER_LOG`, as `RUST_LOG`, default `warn`) and ends with code 0 when the
//! connection ends or [`ToAgent::Shutdown`] comes, with another one when it cannot go on. It kills
//! itself when the *thread* that started it ends, so that thread has to live as long as the server.
//! `GST_REGISTRY` names GStreamer's registry, which `portico-mixer --probe` writes; with
//! `GST_REGISTRY_UPDATE=no` agents use it as it is. After its start an agent reads only system folders
//! and what the `GST_` variables name, writes no file and opens no socket.
//!
//! On another machine than the server, `portico-mixer --listen` takes TLS connections ([`tls`]) and
//! starts an agent for each, to which it passes on what the server says.

mod codec;
mod control;
mod frame;
mod layout;
mod package;
pub mod tls;

pub use self::{codec::*, control::*, frame::*, layout::*, package::*};

/// The version of these messages. Two ends of different versions do not talk to each other.
pub const VERSION: u32 = 2;

/// The other end is of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mixing protocol is version {VERSION} here and {theirs} there; \
     install portico and portico-mixer of the same release"
)]
pub struct VersionMismatch {
    /// The other end's version.
    pub theirs: u32,
}

/// Accepts the other end's version.
///
/// # Errors
/// When it is another one.
pub const fn check_version(theirs: u32) -> Result<(), VersionMismatch> {
    if theirs == VERSION { Ok(()) } else { Err(VersionMismatch { theirs }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_what_to_do() {
        let error = check_version(7).expect_err("another version");
        assert!(error.to_string().contains("7 there"), "{error}");
        assert_eq!(check_version(VERSION), Ok(()));
    }
}
