//! The measured agent: started as the server starts it, spoken to in its protocol.

use std::{
    collections::HashMap,
    io::{Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use portico_mixer_protocol::{FromAgent, HEADER_BYTES, Header, Kind, ToAgent, VERSION};
use tempfile::TempDir;

use super::feeder::Sink;
use crate::support::Result;

/// How long an agent may take to say something.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names the agent's program; `scripts/bench.sh` sets it.
const PROGRAM: &str = "PORTICO_MIXER";

/// A packet of an output, and when it came.
pub(super) type OnPacket = Box<dyn FnMut(&[u8], Instant) + Send>;

/// How many packets and frames came from each output.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) packets: u64,
    /// Packets with a marker: the last ones of pictures.
    pub(super) frames: u64,
}

/// A running agent.
pub(super) struct Agent {
    child: Child,
    socket: UnixStream,
    messages: Receiver<FromAgent>,
    counts: Arc<Mutex<HashMap<u32, Count>>>,
    _registry: TempDir,
}

impl Agent {
    /// Starts one. `on_packet` gets every packet of its outputs.
    pub(super) fn start(mut on_packet: Option<OnPacket>) -> Result<Self> {
        let registry = TempDir::new()?;
        let look = command(&registry).arg("--probe").stdout(Stdio::null()).status()?;
        if !look.success() {
            return Err("portico-mixer --probe failed".into());
        }
        let (socket, other) = UnixStream::pair()?;
        let child = command(&registry)
            .env("GST_REGISTRY_UPDATE", "no")
            .env("GST_REGISTRY_FORK", "no")
            .stdin(Stdio::from(OwnedFd::from(other)))
            .stdout(Stdio::null())
            .spawn()?;
        let counts: Arc<Mutex<HashMap<u32, Count>>> = Arc::default();
        let (told, messages) = channel();
        let (mut reading, counted) = (socket.try_clone()?, Arc::clone(&counts));
        thread::spawn(move || {
            while let Some((header, payload)) = read_frame(&mut reading) {
                match header.kind {
                    Kind::Rtp => {
                        let mut counts = counted.lock().expect("no holder panics");
                        let count = counts.entry(header.number).or_default();
                        count.packets += 1;
                        count.frames += u64::from(payload[1] >> 7);
                        drop(counts);
                        if let Some(on_packet) = &mut on_packet {
                            on_packet(&payload, Instant::now());
                        }
                    }
                    Kind::Control => {
                        let message = serde_json::from_slice(&payload).expect("a message");
                        if told.send(message).is_err() {
                            return;
                        }
                    }
                    Kind::Snapshot | Kind::Piece => {}
                }
            }
        });
        let mut agent = Self { child, socket, messages, counts, _registry: registry };
        agent.tell(&ToAgent::Hello { version: VERSION })?;
        agent.wait(|message| matches!(message, FromAgent::Ready { .. }))?;
        Ok(agent)
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says something to it.
    pub(super) fn tell(&mut self, message: &ToAgent) -> Result<()> {
        let payload = serde_json::to_vec(message)?;
        let payload_bytes = payload.len();
        let header = Header { kind: Kind::Control, number: 0, time: Duration::ZERO, payload_bytes };
        self.socket.write_all(&[&header.write()[..], &payload].concat())?;
        Ok(())
    }

    /// Waits for a message. A failure ends the benchmark.
    pub(super) fn wait(&self, is: impl Fn(&FromAgent) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left).map_err(|_| "the agent is silent")?;
            if let FromAgent::Failed { reason, .. } = &message {
                return Err(format!("the agent failed: {reason}").into());
            }
            if is(&message) {
                return Ok(());
            }
        }
    }

    /// What came from all outputs so far.
    pub(super) fn count(&self) -> Count {
        let counts = self.counts.lock().expect("no holder panics");
        counts.values().fold(Count::default(), |sum, count| Count {
            packets: sum.packets + count.packets,
            frames: sum.frames + count.frames,
        })
    }

    /// Where the packets of inputs go, which are numbered from 1.
    pub(super) fn sink(&self) -> Result<Socket> {
        Ok(Socket { socket: self.socket.try_clone()?, start: Instant::now(), bytes: Vec::new() })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The agent's socket, written to once for all packets of a moment, as the server does.
pub(super) struct Socket {
    socket: UnixStream,
    start: Instant,
    bytes: Vec<u8>,
}

impl Sink for Socket {
    fn packet(&mut self, input: usize, packet: &[u8]) {
        let number = u32::try_from(input + 1).expect("few inputs");
        let time = self.start.elapsed();
        let header = Header { kind: Kind::Rtp, number, time, payload_bytes: packet.len() };
        self.bytes.extend_from_slice(&header.write());
        self.bytes.extend_from_slice(packet);
    }

    fn flush(&mut self) {
        // An agent that is gone is noticed elsewhere.
        drop(self.socket.write_all(&self.bytes));
        self.bytes.clear();
    }
}

fn command(registry: &TempDir) -> Command {
    let beside = || PathBuf::from(env!("CARGO_BIN_EXE_portico")).with_file_name("portico-mixer");
    let program = std::env::var_os(PROGRAM).map_or_else(beside, PathBuf::from);
    let mut command = Command::new(program);
    command.env_clear().env("GST_REGISTRY", registry.path().join("registry.bin"));
    command
}

fn read_frame(stream: &mut impl Read) -> Option<(Header, Vec<u8>)> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).ok()?;
    let header = Header::read(header).ok()?;
    let mut payload = vec![0; header.payload_bytes];
    stream.read_exact(&mut payload).ok()?;
    Some((header, payload))
}
