//! An agent process and the server's end of its socket.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portico_mixer_protocol::{
    Capabilities, Codec, Encoding, Fit, Fraction, FromAgent, HEADER_BYTES, Header, Kind, Picture,
    Piece, Region, RtpFormat, Shape, ToAgent, VERSION, VideoCodec,
};

/// How long anything may take. Generous: other work shares the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What came from the agent.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) messages: Vec<FromAgent>,
    pub(crate) snapshots: HashMap<u32, Vec<u8>>,
    pub(crate) formats: HashMap<u32, RtpFormat>,
    /// Of packaged outputs.
    pub(crate) pieces: Vec<(u32, Piece, Vec<u8>)>,
    /// The newest statistics: processor milliseconds, pictures, dropped packets.
    pub(crate) statistics: Option<(u64, u64, u64)>,
    /// Whether the agent closed the connection.
    pub(crate) closed: bool,
}

type Tap = Box<dyn FnMut(Duration, &[u8]) + Send>;

/// Packets of an output that are kept until somebody wants them.
const KEPT: usize = 1000;

#[derive(Default)]
struct Taps {
    taps: HashMap<u32, Tap>,
    early: HashMap<u32, Vec<(Duration, Vec<u8>)>>,
}

#[derive(Default)]
struct Inbox {
    received: Mutex<Received>,
    changed: Condvar,
    /// Who gets an output's packets.
    taps: Mutex<Taps>,
}

/// The writing half, shared with sources.
#[derive(Clone)]
pub(crate) struct Sender {
    socket: Arc<Mutex<UnixStream>>,
    start: Instant,
}

impl Sender {
    /// The server's clock.
    pub(crate) fn now(&self) -> Duration {
        // Any epoch will do; this one is not the agent's.
        self.start.elapsed() + Duration::from_secs(1000)
    }

    pub(crate) fn message(&self, message: &ToAgent) {
        let payload = serde_json::to_vec(message).expect("messages serialize");
        self.raw(Kind::Control, 0, Duration::ZERO, &payload);
    }

    pub(crate) fn packet(&self, input: u32, arrival: Duration, packet: &[u8]) {
        self.raw(Kind::Rtp, input, arrival, packet);
    }

    /// Sends what is no frame.
    pub(crate) fn garbage(&self, bytes: &[u8]) {
        self.socket.lock().expect("no panic").write_all(bytes).expect("the agent lives");
    }

    /// Sends a frame. That an agent is gone shows elsewhere.
    pub(crate) fn raw(&self, kind: Kind, number: u32, time: Duration, payload: &[u8]) {
        let header = Header { kind, number, time, payload_bytes: payload.len() };
        let mut bytes = header.write().to_vec();
        bytes.extend_from_slice(payload);
        let _ = self.socket.lock().expect("no panic").write_all(&bytes);
    }
}

/// An agent. It ends with this.
pub(crate) struct Agent {
    child: Child,
    pub(crate) sender: Sender,
    inbox: Arc<Inbox>,
    pub(crate) capabilities: Capabilities,
}

impl Agent {
    /// Starts an agent and shakes hands.
    pub(crate) fn start() -> Self {
        let mut agent = Self::start_silent();
        agent.send(ToAgent::Hello { version: VERSION });
        agent.capabilities = agent.wait("ready", |received| {
            received.messages.iter().find_map(|message| match message {
                FromAgent::Ready { capabilities, .. } => Some(capabilities.clone()),
                FromAgent::OutputReady { .. }
                | FromAgent::PackageReady { .. }
                | FromAgent::KeyFrameWanted { .. }
                | FromAgent::Shown { .. }
                | FromAgent::LayoutShown { .. }
                | FromAgent::Loudest { .. }
                | FromAgent::Failed { .. }
                | FromAgent::Statistics { .. }
                | FromAgent::Pong { .. } => None,
            })
        });
        agent
    }

    /// Starts an agent and says nothing.
    pub(crate) fn start_silent() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let child = Command::new(env!("CARGO_BIN_EXE_portico-mixer"))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // What GStreamer only complains of elsewhere ends the agent here.
            .env("G_DEBUG", "fatal-criticals")
            .spawn()
            .expect("the agent starts");
        let inbox = Arc::new(Inbox::default());
        let reading = ours.try_clone().expect("a second handle");
        let of_reader = Arc::clone(&inbox);
        std::thread::spawn(move || read(reading, &of_reader));
        let sender = Sender { socket: Arc::new(Mutex::new(ours)), start: Instant::now() };
        Self { child, sender, inbox, capabilities: Capabilities::default() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests read better so")]
    pub(crate) fn send(&self, message: ToAgent) {
        self.sender.message(&message);
    }

    /// Waits until something is found in what was received.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&mut Received) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut received = self.inbox.received.lock().expect("no panic");
        loop {
            if let Some(found) = find(&mut received) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} never came; there is {:?}", received.messages);
            received = self.inbox.changed.wait_timeout(received, left).expect("no panic").0;
        }
    }

    /// Waits for a message.
    pub(crate) fn wait_for(&self, what: &str, mut is: impl FnMut(&FromAgent) -> bool) -> FromAgent {
        self.wait(what, |received| received.messages.iter().find(|m| is(m)).cloned())
    }

    /// What came so far.
    pub(crate) fn received<T>(&self, look: impl FnOnce(&mut Received) -> T) -> T {
        look(&mut self.inbox.received.lock().expect("no panic"))
    }

    /// Gives the packets of an output to `tap`, from the first one on if nobody had them before.
    pub(crate) fn tap(&self, output: u32, mut tap: impl FnMut(Duration, &[u8]) + Send + 'static) {
        let mut taps = self.inbox.taps.lock().expect("no panic");
        for (time, packet) in taps.early.remove(&output).into_iter().flatten() {
            tap(time, &packet);
        }
        taps.taps.insert(output, Box::new(tap));
    }

    /// Makes a view with a picture of the usual kind.
    pub(crate) fn create_view(&self, view: u32, picture: Picture) {
        self.send(ToAgent::CreateView { view, picture: Some(picture) });
    }

    /// Opens a video output as large as `picture` and waits for its format.
    pub(crate) fn open_video(&self, output: u32, view: u32, picture: Picture) -> RtpFormat {
        self.open(
            output,
            view,
            video(VideoCodec::Vp8, picture.width, picture.height, picture.framerate),
        )
    }

    /// Opens an output and waits for its format.
    pub(crate) fn open(&self, output: u32, view: u32, encoding: Encoding) -> RtpFormat {
        self.send(ToAgent::OpenOutput { output, view, encoding });
        self.format(output)
    }

    pub(crate) fn format(&self, output: u32) -> RtpFormat {
        self.wait("the output's format", |received| received.formats.get(&output).cloned())
    }

    /// Waits until the agent has dealt with all that was sent.
    pub(crate) fn settle(&self) {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.send(ToAgent::Ping { number });
        self.wait_for("pong", |m| *m == FromAgent::Pong { number });
    }

    /// Waits for the next statistics.
    pub(crate) fn statistics(&self) -> (u64, u64, u64) {
        self.received(|received| received.statistics = None);
        self.wait("statistics", |received| received.statistics)
    }

    /// A count of things that the process has: `task` for threads, `fd` for files.
    pub(crate) fn count(&self, what: &str) -> usize {
        let path = format!("/proc/{}/{what}", self.child.id());
        std::fs::read_dir(path).expect("the process lives").count()
    }

    /// Takes a snapshot.
    pub(crate) fn snapshot(&self, request: u32, view: u32) -> Vec<u8> {
        self.send(ToAgent::TakeSnapshot { request, view });
        self.wait("a snapshot", |received| received.snapshots.remove(&request))
    }

    /// Waits for the process to end and gives its exit code.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        self.wait("the end", |received| received.closed.then_some(()));
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the agent closed its socket and stays");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes the server's end.
    pub(crate) fn hang_up(&self) {
        let socket = self.sender.socket.lock().expect("no panic");
        socket.shutdown(Shutdown::Both).expect("connected");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut socket: UnixStream, inbox: &Inbox) {
    let mut header = [0; HEADER_BYTES];
    while socket.read_exact(&mut header).is_ok() {
        let header = Header::read(header).expect("the agent speaks the protocol");
        let mut payload = vec![0; header.payload_bytes];
        if socket.read_exact(&mut payload).is_err() {
            break;
        }
        match header.kind {
            Kind::Control => {
                let message = serde_json::from_slice(&payload).expect("a message");
                let mut received = inbox.received.lock().expect("no panic");
                if let FromAgent::OutputReady { output, format } = &message {
                    received.formats.insert(*output, format.clone());
                }
                if let FromAgent::Statistics { cpu_ms, pictures, dropped } = message {
                    received.statistics = Some((cpu_ms, pictures, dropped));
                } else {
                    received.messages.push(message);
                }
            }
            Kind::Rtp => {
                let mut taps = inbox.taps.lock().expect("no panic");
                if let Some(tap) = taps.taps.get_mut(&header.number) {
                    tap(header.time, &payload);
                } else {
                    let early = taps.early.entry(header.number).or_default();
                    if early.len() < KEPT {
                        early.push((header.time, payload));
                    }
                }
                continue;
            }
            Kind::Snapshot => {
                let mut received = inbox.received.lock().expect("no panic");
                received.snapshots.insert(header.number, payload);
            }
            Kind::Piece => {
                let (piece, bytes) = Piece::read(&payload).expect("a piece");
                let mut received = inbox.received.lock().expect("no panic");
                received.pieces.push((header.number, piece, bytes.to_vec()));
            }
        }
        inbox.changed.notify_all();
    }
    inbox.received.lock().expect("no panic").closed = true;
    inbox.changed.notify_all();
}

/// A view's picture of the usual kind.
pub(crate) fn picture(width: u32, height: u32) -> Picture {
    Picture {
        width,
        height,
        framerate: 30,
        background: [0, 0, 0],
        fit: Fit::Letterbox,
        labels: false,
        avatars: false,
    }
}

/// A video encoding of the usual kind.
pub(crate) fn video(codec: VideoCodec, width: u32, height: u32, framerate: u32) -> Encoding {
    Encoding::Video { codec, width, height, framerate, kbps: 1500, key_frame_interval_secs: 100 }
}

pub(crate) fn share(numerator: u32, denominator: u32) -> Fraction {
    Fraction { numerator, denominator }
}

/// A region that is `[left, top, width, height]` of `of` parts of the picture.
pub(crate) fn rectangle(
    [left, top, width, height]: [u32; 4],
    of: u32,
    input: Option<u32>,
) -> Region {
    let shape = Shape::Rectangle {
        left: share(left, of),
        top: share(top, of),
        width: share(width, of),
        height: share(height, of),
    };
    Region { shape, input, highlighted: false }
}

/// A grid just large enough for some inputs.
pub(crate) fn grid(inputs: &[u32]) -> Vec<Region> {
    let side = (1..).find(|side| side * side >= inputs.len()).expect("some");
    let side = u32::try_from(side).expect("small");
    let cells = (0..).zip(inputs);
    cells.map(|(n, input)| rectangle([n % side, n / side, 1, 1], side, Some(*input))).collect()
}

/// What packets of a test source hold.
pub(crate) fn format(codec: Codec) -> RtpFormat {
    let (payload_type, clock_rate, channels) = match codec {
        Codec::Video(_) => (96, 90_000, 0),
        Codec::Audio(portico_mixer_protocol::AudioCodec::Opus) => (111, 48_000, 2),
        Codec::Audio(portico_mixer_protocol::AudioCodec::Pcmu) => (0, 8000, 1),
        Codec::Audio(portico_mixer_protocol::AudioCodec::Pcma) => (8, 8000, 1),
        Codec::Audio(portico_mixer_protocol::AudioCodec::G722) => (9, 8000, 1),
        Codec::Audio(portico_mixer_protocol::AudioCodec::Aac) => (97, 48_000, 2),
    };
    RtpFormat { codec, payload_type, clock_rate, channels, fmtp: String::new() }
}
