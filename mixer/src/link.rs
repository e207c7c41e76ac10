//! The connection to the server: frames in, frames out.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use portico_mixer_protocol::{
    FrameError, FromAgent, HEADER_BYTES, Header, Kind, MAX_PAYLOAD_BYTES, PIECE_HEADER_BYTES,
    Piece, ToAgent,
};

use crate::clock;

/// Media frames that wait for the socket. Beyond it packets are lost: the server is too slow.
const MAX_QUEUED_MEDIA: usize = 4096;

/// Control frames that wait for the socket. Beyond it the connection is given up.
const MAX_QUEUED_CONTROL: usize = 8192;

/// Bytes read at once.
const READ_BYTES: usize = 128 * 1024;

/// What happens to the agent.
#[derive(Debug)]
pub(crate) enum Event {
    /// The server asks for something.
    Message(ToAgent),
    /// A control frame that is no message of this protocol.
    Unreadable(serde_json::Error),
    /// A packet of an input.
    Packet {
        /// The input.
        input: u32,
        /// When it came to the server, on the server's clock.
        stamp: Duration,
        /// When it came here.
        came: Duration,
        /// The RTP packet.
        bytes: Vec<u8>,
    },
    /// The connection is over.
    Closed(Result<(), LinkError>),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The socket failed.
    #[error("the connection to the server failed")]
    Socket(#[from] std::io::Error),
    /// The other end speaks something else.
    #[error("what came from the server is no frame")]
    Frame(#[from] FrameError),
}

/// The reading half.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    socket: R,
    buffered: Vec<u8>,
    chunk: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads from `socket`, which should give up waiting now and then.
    pub(crate) fn new(socket: R) -> Self {
        Self { socket, buffered: Vec::with_capacity(READ_BYTES), chunk: vec![0; READ_BYTES] }
    }

    /// Waits for more frames. None may be whole, or have come in time. Once one of the events says
    /// that the connection is closed, there are no more.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        match self.socket.read(&mut self.chunk) {
            Ok(0) => return vec![Event::Closed(Ok(()))],
            Ok(count) => self.buffered.extend_from_slice(&self.chunk[..count]),
            Err(error) if is_wait(&error) => return Vec::new(),
            Err(error) => return vec![Event::Closed(Err(LinkError::Socket(error)))],
        }
        let mut batch = Vec::new();
        match parse(&self.buffered, &mut batch) {
            Ok(used) => drop(self.buffered.drain(..used)),
            Err(error) => batch.push(Event::Closed(Err(LinkError::Frame(error)))),
        }
        batch
    }
}

/// Whether an error says only that nothing has come.
fn is_wait(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Reads all whole frames and returns how many bytes they took.
fn parse(bytes: &[u8], batch: &mut Vec<Event>) -> Result<usize, FrameError> {
    let came = clock::now();
    let mut rest = bytes;
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let header = Header::read(*header)?;
        let Some((payload, after)) = after.split_at_checked(header.payload_bytes) else { break };
        rest = after;
        match header.kind {
            Kind::Control => batch.push(match serde_json::from_slice(payload) {
                Ok(message) => Event::Message(message),
                Err(error) => Event::Unreadable(error),
            }),
            Kind::Rtp => batch.push(Event::Packet {
                input: header.number,
                stamp: header.time,
                came,
                bytes: payload.to_vec(),
            }),
            // Only the agent takes snapshots and packages.
            Kind::Snapshot | Kind::Piece => {}
        }
    }
    Ok(bytes.len() - rest.len())
}

/// Whether frames of a kind may be lost when the server is too slow.
const fn is_media(kind: Kind) -> bool {
    matches!(kind, Kind::Rtp | Kind::Piece)
}

/// Frames on their way to the server.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    filled: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<(Header, Vec<u8>)>,
    media: usize,
    closed: bool,
}

impl Outbox {
    /// Tells the server something.
    pub(crate) fn tell(&self, message: &FromAgent) {
        let payload = serde_json::to_vec(message).expect("messages have string keys only");
        self.add(Kind::Control, 0, Duration::ZERO, payload);
    }

    /// Sends a packet of an output, composed at `time`.
    pub(crate) fn packet(&self, output: u32, time: Duration, packet: Vec<u8>) {
        self.add(Kind::Rtp, output, time, packet);
    }

    /// Sends a piece of a packaged output.
    pub(crate) fn piece(&self, output: u32, time: Duration, piece: Piece, bytes: &[u8]) {
        if bytes.len() > MAX_PAYLOAD_BYTES - PIECE_HEADER_BYTES {
            self.count_dropped();
            return;
        }
        let payload = [&piece.write(), bytes].concat();
        self.add(Kind::Piece, output, time, payload);
    }

    /// Answers a request for a snapshot.
    pub(crate) fn snapshot(&self, request: u32, jpeg: Vec<u8>) {
        self.add(Kind::Snapshot, request, Duration::ZERO, jpeg);
    }

    fn add(&self, kind: Kind, number: u32, time: Duration, payload: Vec<u8>) {
        let header = Header { kind, number, time, payload_bytes: payload.len() };
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return;
        }
        if is_media(kind) {
            if queue.media >= MAX_QUEUED_MEDIA {
                self.count_dropped();
                return;
            }
            queue.media += 1;
        } else if queue.frames.len() - queue.media >= MAX_QUEUED_CONTROL {
            tracing::error!("the server reads nothing: giving the connection up");
            queue.closed = true;
        }
        queue.frames.push_back((header, payload));
        drop(queue);
        self.filled.notify_one();
    }

    /// Counts a packet that was lost because a queue was full.
    pub(crate) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Packets lost so far because a queue was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits for a first packet; `false` when none comes in time.
    pub(crate) fn wait_for_packet(&self, patience: Duration) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let none = |queue: &mut Queue| queue.media == 0;
        let waited = self.filled.wait_timeout_while(queue, patience, none);
        waited.unwrap_or_else(PoisonError::into_inner).0.media > 0
    }

    /// Lets the writer end once it has written what is queued.
    pub(crate) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.filled.notify_one();
    }

    /// Writes frames until the outbox is closed or the socket fails.
    ///
    /// # Errors
    /// When the socket fails.
    pub(crate) fn write_to(self: &Arc<Self>, mut socket: impl Write) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(READ_BYTES);
        loop {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            while queue.frames.is_empty() {
                if queue.closed {
                    return Ok(());
                }
                queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            bytes.clear();
            while bytes.len() < READ_BYTES {
                let Some((header, payload)) = queue.frames.pop_front() else { break };
                queue.media -= usize::from(is_media(header.kind));
                bytes.extend_from_slice(&header.write());
                bytes.extend_from_slice(&payload);
            }
            drop(queue);
            socket.write_all(&bytes)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let outbox = Arc::new(Outbox::default());
        outbox.tell(&FromAgent::Pong { number: 5 });
        outbox.packet(3, Duration::from_micros(77), vec![0x80, 1, 2]);
        outbox.close();
        let mut wire = Vec::new();
        outbox.write_to(&mut wire).expect("memory");
        let (first, rest) = wire.split_first_chunk::<HEADER_BYTES>().expect("a header");
        let first = Header::read(*first).expect("valid");
        let (json, rest) = rest.split_at(first.payload_bytes);
        assert_eq!(serde_json::from_slice::<FromAgent>(json).expect("valid").clone(), {
            FromAgent::Pong { number: 5 }
        });
        let (second, packet) = rest.split_first_chunk::<HEADER_BYTES>().expect("a header");
        let second = Header::read(*second).expect("valid");
        assert_eq!((second.number, second.time.as_micros(), packet), (3, 77, &[0x80, 1, 2][..]));
    }

    #[test]
    fn a_server_that_reads_nothing_costs_packets_not_memory() {
        let outbox = Outbox::default();
        for _ in 0..MAX_QUEUED_MEDIA + 10 {
            outbox.packet(1, Duration::ZERO, vec![0; 10]);
        }
        assert_eq!(outbox.dropped(), 10);
    }

    #[test]
    fn frames_are_read_whatever_way_they_are_cut_up() {
        let message = serde_json::to_vec(&ToAgent::Ping { number: 9 }).expect("serializes");
        let mut wire = Vec::new();
        let header = |kind, number, payload_bytes| Header {
            kind,
            number,
            time: Duration::from_micros(5),
            payload_bytes,
        };
        wire.extend(header(Kind::Control, 0, message.len()).write());
        wire.extend(&message);
        wire.extend(header(Kind::Rtp, 4, 3).write());
        wire.extend([1, 2, 3]);
        wire.extend(header(Kind::Control, 0, 2).write());
        wire.extend(b"{}");
        /// Gives a byte at a time.
        struct Drip(VecDeque<u8>);
        impl Read for Drip {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                Ok(self.0.pop_front().map_or(0, |byte| {
                    buffer[0] = byte;
                    1
                }))
            }
        }
        let mut reader = Reader::new(Drip(wire.into()));
        let mut events = Vec::new();
        while !matches!(events.last(), Some(Event::Closed(_))) {
            events.extend(reader.events());
        }
        assert!(matches!(&events[0], Event::Message(ToAgent::Ping { number: 9 })));
        assert!(matches!(&events[1], Event::Packet { input: 4, bytes, .. } if *bytes == [1, 2, 3]));
        assert!(matches!(&events[2], Event::Unreadable(_)));
        assert!(matches!(&events[3], Event::Closed(Ok(()))));
    }

    #[test]
    fn what_is_no_frame_ends_the_connection() {
        let end = Reader::new(&[0xff; 40][..]).events().pop().expect("an event");
        assert!(matches!(end, Event::Closed(Err(LinkError::Frame(_)))));
    }
}
