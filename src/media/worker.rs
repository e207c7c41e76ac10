//! A worker thread: it reads its sockets and its orders, looks after deadlines, and sends what
//! comes of it. Everything it does is in [`Exchange`].

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};

use super::{
    Command, EventSink, InjectedPacket,
    counters::Counters,
    exchange::Exchange,
    outbox::Path,
    session::dtls::Identity,
    socket::{Batch, Socket},
};
use crate::ids::RoomId;

/// A room on a worker. Ids of rooms may be reused while an old one is not quite gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RoomKey(pub(crate) u64);

/// What a worker is told.
pub(crate) enum Order {
    /// There is a room.
    OpenRoom { key: RoomKey, id: RoomId, sink: EventSink },
    /// A room's command.
    Command { key: RoomKey, command: Command },
    /// Packets of a room's mixing agent.
    Inject { key: RoomKey, agent: u64, packets: Vec<InjectedPacket> },
    /// A room is no more.
    CloseRoom { key: RoomKey },
    /// End everything.
    Stop,
}

/// Reads of one socket before the others have their turn.
const MAX_READS: usize = 8;

/// Orders that are obeyed before the sockets have their turn.
const MAX_ORDERS_AT_ONCE: usize = 64;

/// Without deadlines a worker wakes up this often, to publish its counts.
const IDLE: Duration = Duration::from_secs(1);

/// A worker that is ready to run.
pub(crate) struct Worker {
    poll: Poll,
    orders: Receiver<Order>,
    exchange: Exchange,
    counters: Arc<Counters>,
    batch: Batch,
}

impl Worker {
    /// The token of the waker; sockets have their numbers.
    pub(crate) const WAKER: Token = Token(usize::MAX);

    /// Prepares a worker.
    ///
    /// # Errors
    /// When the system does not let it wait for the sockets.
    pub(crate) fn new(
        poll: Poll,
        mut sockets: Vec<Socket>,
        orders: Receiver<Order>,
        identity: Arc<Identity>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        for (number, socket) in sockets.iter_mut().enumerate() {
            poll.registry().register(socket.io(), Token(number), Interest::READABLE)?;
        }
        let exchange = Exchange::new(sockets, identity);
        Ok(Self { poll, orders, exchange, counters, batch: Batch::new() })
    }

    /// Works until it is told to stop, or nobody is left who could tell it.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(64);
        let mut more = true;
        loop {
            let wait = if more { Duration::ZERO } else { self.wait() };
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "a media worker can no longer wait for packets");
                    break;
                }
            }
            for event in events.iter().filter(|event| event.token() != Self::WAKER) {
                self.exchange.sockets[event.token().0].readable = true;
            }
            let Some(more_orders) = self.obey() else { break };
            more = self.read() | more_orders;
            let now = Instant::now();
            self.guarded("deadlines", |exchange| exchange.handle_deadlines(now));
            self.exchange.finish_round(&self.counters);
        }
        self.guarded("the end", Exchange::close_everything);
        self.exchange.finish_round(&self.counters);
    }

    fn wait(&self) -> Duration {
        self.exchange.wait(Instant::now()).unwrap_or(IDLE).min(IDLE)
    }

    /// Obeys orders. Whether there may be more; `None` when it is to stop.
    fn obey(&mut self) -> Option<bool> {
        for _ in 0..MAX_ORDERS_AT_ONCE {
            let order = match self.orders.try_recv() {
                Ok(order) => order,
                Err(TryRecvError::Empty) => return Some(false),
                Err(TryRecvError::Disconnected) => return None,
            };
            let now = Instant::now();
            match order {
                Order::Stop => return None,
                Order::OpenRoom { key, id, sink } => self.exchange.open_room(key, id, sink),
                Order::CloseRoom { key } => {
                    self.guarded("a room's end", |exchange| exchange.close_room(key, now));
                }
                Order::Inject { key, agent, packets } => {
                    self.exchange.start_batch(now);
                    self.guarded("a mixed stream", |exchange| {
                        exchange.inject(key, agent, &packets, now);
                        exchange.forward_pending();
                    });
                }
                Order::Command { key, command } => {
                    self.guarded("a command", |exchange| exchange.obey(key, command, now));
                }
            }
        }
        Some(true)
    }

    /// Reads the sockets. Whether there may be more to read.
    fn read(&mut self) -> bool {
        let mut more = false;
        for socket in 0..self.exchange.sockets.len() {
            for _ in 0..MAX_READS {
                if !self.exchange.sockets[socket].readable {
                    break;
                }
                self.read_batch(socket);
            }
            more |= self.exchange.sockets[socket].readable;
        }
        more
    }

    fn read_batch(&mut self, socket: usize) {
        let count = match self.exchange.sockets[socket].receive(&mut self.batch) {
            Ok(count) => count,
            Err(error) => {
                // The next packet makes it readable again, whatever was wrong.
                self.exchange.sockets[socket].readable = false;
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::debug!(%error, "a media socket could not be read");
                }
                return;
            }
        };
        let now = Instant::now();
        self.exchange.start_batch(now);
        for at in 0..count {
            let (remote, datagrams) = self.batch.datagrams(at);
            let path = Path { socket, remote };
            for datagram in datagrams {
                let handled = catch_unwind(AssertUnwindSafe(|| {
                    self.exchange.handle_datagram(path, datagram, now);
                }));
                if handled.is_err() {
                    self.exchange.blame("a datagram", now);
                }
            }
        }
        self.guarded("forwarding", Exchange::forward_pending);
    }

    /// The last defence: a defect ends the session that it shows in, not the room or the server.
    fn guarded(&mut self, what: &'static str, act: impl FnOnce(&mut Exchange)) {
        let exchange = &mut self.exchange;
        if catch_unwind(AssertUnwindSafe(|| act(exchange))).is_err() {
            exchange.blame(what, Instant::now());
        }
    }
}
