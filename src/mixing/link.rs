//! The connection to a mixing agent: frames both ways over one stream, and a watch on its pulse.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use portico_mixer_protocol::{
    Capabilities, FrameError, FromAgent, HEADER_BYTES, Header, Kind, Piece, ToAgent, VERSION,
    VersionMismatch, check_version,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, mpsc},
    time::{MissedTickBehavior, interval, timeout},
};

use super::agent::Report;
use crate::media::{Fed, Feed, InjectedPacket, Injector, OutputId};

/// Messages to an agent that wait at most; an agent that lets more pile up does not work.
pub(super) const MAX_COMMANDS: usize = 4096;

/// How long an agent may take from its start to its first word: it loads its plugins and tries its
/// codecs.
const GREETING: Duration = Duration::from_secs(20);

/// How often an agent is asked whether it lives.
const PULSE: Duration = Duration::from_secs(1);

/// Unanswered questions after which an agent counts as hung.
const MAX_UNANSWERED: u64 = 3;

/// Bytes read at once, at least.
const READ_BYTES: usize = 64 * 1024;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// The agent closed it: usually it is dead.
    #[error("the mixing agent ended")]
    Closed,
    /// The socket failed.
    #[error("the connection to the mixing agent failed: {0}")]
    Socket(#[from] io::Error),
    /// The agent speaks something else.
    #[error("the mixing agent sent no frame: {0}")]
    Frame(#[from] FrameError),
    /// A control frame is no message.
    #[error("the mixing agent sent no message: {0}")]
    Message(#[from] serde_json::Error),
    /// A frame is too short for a piece of packaged media.
    #[error("the mixing agent sent a piece without its head")]
    Piece,
    /// The agent speaks another version.
    #[error(transparent)]
    Version(#[from] VersionMismatch),
    /// The agent's first word was another one.
    #[error("the mixing agent did not greet")]
    NoGreeting,
    /// The agent does not take in what it is told, so that the server gave up telling.
    #[error("the mixing agent does not take in what it is told")]
    Overrun,
    /// The agent says nothing.
    #[error("the mixing agent hangs")]
    Hung,
}

/// What an agent says.
#[derive(Debug)]
pub(super) enum Said {
    /// A message.
    Message(FromAgent),
    /// A picture that was asked for; empty if there is none.
    Snapshot {
        /// Which request.
        request: u32,
        /// A JPEG file.
        picture: Bytes,
    },
    /// A piece of packaged media.
    Piece {
        /// Of which output.
        output: u32,
        /// What it is.
        piece: Piece,
        /// Its bytes.
        bytes: Bytes,
    },
}

/// What goes through a connection.
pub(super) struct Ends {
    /// What the agent is told.
    pub(super) commands: mpsc::Receiver<ToAgent>,
    /// The packets that it gets.
    pub(super) feed: Feed,
    /// Where its packets go.
    pub(super) injector: Injector,
    /// Where what it says goes.
    pub(super) reports: mpsc::Sender<Report>,
}

/// A connection whose two ends know each other.
pub(super) struct Link<S> {
    stream: S,
    incoming: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Exchanges greetings.
    ///
    /// # Errors
    /// When the other end is no agent of this version.
    pub(super) async fn greet(stream: S) -> Result<(Self, Capabilities), LinkError> {
        let mut link = Self { stream, incoming: BytesMut::new() };
        let mut hello = Vec::new();
        write_message(&ToAgent::Hello { version: VERSION }, &mut hello);
        let greeting = async {
            link.stream.write_all(&hello).await?;
            link.stream.flush().await?;
            loop {
                if let Some((header, payload)) = next_frame(&mut link.incoming)? {
                    return Ok::<_, LinkError>((header.kind, payload));
                }
                fill(&mut link.stream, &mut link.incoming).await?;
            }
        };
        let (kind, payload) = timeout(GREETING, greeting).await.map_err(|_| LinkError::Hung)??;
        if kind != Kind::Control {
            return Err(LinkError::NoGreeting);
        }
        match serde_json::from_slice(&payload)? {
            FromAgent::Ready { version, capabilities } => {
                check_version(version)?;
                Ok((link, capabilities))
            }
            FromAgent::OutputReady { .. }
            | FromAgent::PackageReady { .. }
            | FromAgent::KeyFrameWanted { .. }
            | FromAgent::Shown { .. }
            | FromAgent::LayoutShown { .. }
            | FromAgent::Loudest { .. }
            | FromAgent::Failed { .. }
            | FromAgent::Statistics { .. }
            | FromAgent::Pong { .. } => Err(LinkError::NoGreeting),
        }
    }

    /// Carries everything until something fails; what.
    pub(super) async fn carry(mut self, ends: Ends) -> LinkError {
        let Ends { commands, feed, injector, reports } = ends;
        let pulse = Pulse::default();
        let (mut reader, mut writer) = tokio::io::split(self.stream);
        tokio::select! {
            error = read(&mut reader, &mut self.incoming, &injector, &reports, &pulse) => error,
            error = write(&mut writer, commands, &feed, &pulse) => error,
            error = pulse.watch() => error,
        }
    }
}

/// Questions and answers that tell whether the agent lives.
#[derive(Debug, Default)]
struct Pulse {
    asked: AtomicU64,
    answered: AtomicU64,
    ask: Notify,
}

impl Pulse {
    async fn watch(&self) -> LinkError {
        let mut ticks = interval(PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asked = self.asked.load(Ordering::Relaxed);
            if asked - self.answered.load(Ordering::Relaxed).min(asked) >= MAX_UNANSWERED {
                return LinkError::Hung;
            }
            self.asked.store(asked + 1, Ordering::Relaxed);
            self.ask.notify_one();
        }
    }
}

async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    incoming: &mut BytesMut,
    injector: &Injector,
    reports: &mpsc::Sender<Report>,
    pulse: &Pulse,
) -> LinkError {
    loop {
        let mut packets = Vec::new();
        loop {
            let (header, payload) = match next_frame(incoming) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => return error.into(),
            };
            let message = match header.kind {
                Kind::Rtp => {
                    let (output, composed) = (OutputId(header.number), header.time);
                    packets.push(InjectedPacket { output, composed, packet: payload });
                    continue;
                }
                Kind::Snapshot => Said::Snapshot { request: header.number, picture: payload },
                Kind::Piece => match Piece::read(&payload) {
                    Some((piece, bytes)) => {
                        let bytes = payload.slice_ref(bytes);
                        Said::Piece { output: header.number, piece, bytes }
                    }
                    None => return LinkError::Piece,
                },
                Kind::Control => match serde_json::from_slice(&payload) {
                    Ok(FromAgent::Pong { number }) => {
                        pulse.answered.fetch_max(number, Ordering::Relaxed);
                        continue;
                    }
                    Ok(message) => Said::Message(message),
                    Err(error) => return error.into(),
                },
            };
            if reports.send(Report::Said(message)).await.is_err() {
                return LinkError::Closed;
            }
        }
        if !packets.is_empty() {
            injector.inject(packets);
        }
        if let Err(error) = fill(stream, incoming).await {
            return error;
        }
    }
}

/// Writes what there is to say: messages before packets, because a packet's input is made by a
/// message that was queued before the packet was copied.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    mut commands: mpsc::Receiver<ToAgent>,
    feed: &Feed,
    pulse: &Pulse,
) -> LinkError {
    let mut fed = Fed::default();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => write_message(&command, &mut bytes),
                None => return LinkError::Overrun,
            },
            () = feed.ready() => {}
            () = pulse.ask.notified() => {
                let number = pulse.asked.load(Ordering::Relaxed);
                write_message(&ToAgent::Ping { number }, &mut bytes);
            }
        }
        feed.take(&mut fed);
        while let Ok(command) = commands.try_recv() {
            write_message(&command, &mut bytes);
        }
        for claim in &fed.claims {
            let source_us = u64::try_from(claim.sender_time.as_micros()).unwrap_or(u64::MAX);
            let clock = ToAgent::MapClock { input: claim.input, rtp: claim.rtp, source_us };
            write_message(&clock, &mut bytes);
        }
        for bytes in [&bytes, &fed.packets] {
            if let Err(error) = stream.write_all(bytes).await {
                return error.into();
            }
        }
        if let Err(error) = stream.flush().await {
            return error.into();
        }
    }
}

/// Reads more bytes.
async fn fill(
    stream: &mut (impl AsyncRead + Unpin),
    incoming: &mut BytesMut,
) -> Result<(), LinkError> {
    incoming.reserve(READ_BYTES);
    match stream.read_buf(incoming).await? {
        0 => Err(LinkError::Closed),
        _ => Ok(()),
    }
}

/// Takes the next whole frame.
fn next_frame(incoming: &mut BytesMut) -> Result<Option<(Header, Bytes)>, FrameError> {
    let Some(header) = incoming.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let header = Header::read(*header)?;
    if incoming.len() < HEADER_BYTES + header.payload_bytes {
        return Ok(None);
    }
    incoming.advance(HEADER_BYTES);
    Ok(Some((header, incoming.split_to(header.payload_bytes).freeze())))
}

/// Appends a message as a frame.
fn write_message(message: &ToAgent, bytes: &mut Vec<u8>) {
    let payload = serde_json::to_vec(message).expect("messages have string keys only");
    let payload_bytes = payload.len();
    let header = Header { kind: Kind::Control, number: 0, time: Duration::ZERO, payload_bytes };
    bytes.extend_from_slice(&header.write());
    bytes.extend_from_slice(&payload);
}

#[cfg(test)]
pub(super) mod tests;
