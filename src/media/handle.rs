//! The media plane from outside: starting and ending it, and speaking to a room's part of it.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use mio::{Poll, Waker};
use rtc_crypto::{RTCCryptoProvider, providers::AwsLcRsProvider};

use super::{
    Command, EventSink, Injector, ListenAddress, Options,
    counters::{Counters, Statistics},
    session::dtls::Identity,
    socket::{Socket, is_concrete},
    worker::{Order, RoomKey, Worker},
};
use crate::ids::RoomId;

/// Orders that wait for a worker at most. A sender of more waits until the worker, which has
/// nothing that blocks it, has read some.
const MAX_ORDERS: usize = 4096;

/// The stack of a worker thread, in bytes: the DTLS library goes deep when a handshake comes in
/// many fragments.
const STACK: usize = 8 << 20;

/// The media plane could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is nothing to listen on.
    #[error("the media plane needs an address to listen on and a worker")]
    NothingToDo,
    /// An address stands for every interface, so candidates cannot name it.
    #[error("{0} is no address that clients can be told; add what to announce instead")]
    NotAnnounceable(IpAddr),
    /// The workers' ports exceed what there is.
    #[error("there are not {1} UDP ports from {0} on")]
    PortRange(u16, usize),
    /// An address is taken, or not this machine's.
    #[error("UDP port {port} of {address}: {source}")]
    Bind {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused a thread or its means to wait.
    #[error("worker: {0}")]
    Worker(#[from] io::Error),
    /// The DTLS certificate could not be made.
    #[error("certificate: {0}")]
    Certificate(String),
}

/// The running media plane. A handle: clones mean the same plane, which ends with the last of
/// them or with [`Media::shutdown`].
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    links: Vec<Arc<Link>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    next_room: AtomicU64,
}

/// The way to a worker.
pub(crate) struct Link {
    orders: SyncSender<Order>,
    waker: Waker,
    counters: Arc<Counters>,
    rooms: AtomicUsize,
}

impl Link {
    /// Gives an order; one to a worker that has ended is void.
    fn order(&self, order: Order) {
        match self.orders.try_send(order) {
            Ok(()) => self.wake(),
            Err(TrySendError::Full(order)) => {
                self.wake();
                // An error means that the worker has ended, and its rooms with it.
                let _ = self.orders.send(order);
                self.wake();
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Gives an order that may get lost if the worker has too many.
    pub(crate) fn offer(&self, order: Order) {
        match self.orders.try_send(order) {
            Ok(()) => self.wake(),
            Err(TrySendError::Full(_)) => tracing::debug!("a media worker is behind"),
            // The worker has ended, and its rooms with it.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!(%error, "a media worker could not be woken");
        }
    }
}

impl Media {
    /// Binds the sockets and starts the workers.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(options: Options) -> Result<Self, StartError> {
        let Options { addresses, udp_port, workers } = options;
        if addresses.is_empty() || workers == 0 {
            return Err(StartError::NothingToDo);
        }
        if let Some(bad) = addresses.iter().find(|address| !is_concrete(**address)) {
            return Err(StartError::NotAnnounceable(bad.bind));
        }
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let identity = Identity::generate(provider);
        let identity = identity.map_err(|error| StartError::Certificate(error.to_string()))?;
        let identity = Arc::new(identity);
        let mut links = Vec::with_capacity(workers);
        let mut prepared = Vec::with_capacity(workers);
        for number in 0..workers {
            let port = port_of(udp_port, number, workers)?;
            let (link, worker) = prepare(&addresses, port, identity.clone())?;
            links.push(link);
            prepared.push(worker);
        }
        let mut threads = Vec::with_capacity(workers);
        for (number, worker) in prepared.into_iter().enumerate() {
            let builder = std::thread::Builder::new().name(format!("media-{number}"));
            threads.push(builder.stack_size(STACK).spawn(move || worker.run())?);
        }
        let threads = Mutex::new(threads);
        Ok(Self { inner: Arc::new(Inner { links, threads, next_room: AtomicU64::new(0) }) })
    }

    /// Makes a room's part, on the worker with the fewest rooms. `sink` hears its events, on the
    /// worker's thread: it must not wait, and must not send commands.
    pub fn open_room(&self, room: &RoomId, sink: EventSink) -> RoomMedia {
        let lightest =
            self.inner.links.iter().min_by_key(|link| link.rooms.load(Ordering::Relaxed));
        let link = lightest.expect("a media plane has at least one worker").clone();
        link.rooms.fetch_add(1, Ordering::Relaxed);
        let key = RoomKey(self.inner.next_room.fetch_add(1, Ordering::Relaxed));
        link.order(Order::OpenRoom { key, id: room.clone(), sink });
        RoomMedia { link, key, agents: AtomicU64::new(0) }
    }

    /// What was counted so far, over all workers.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics::default();
        for link in &self.inner.links {
            link.counters.add_to(&mut sum);
        }
        sum
    }

    /// Ends every session, telling the peers, and the workers; waits until they have ended.
    pub fn shutdown(&self) {
        self.inner.shutdown();
    }
}

impl Inner {
    fn shutdown(&self) {
        for link in &self.links {
            link.order(Order::Stop);
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media worker had died");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// A room's part of the media plane; dropping it ends all of the room's sessions.
pub struct RoomMedia {
    link: Arc<Link>,
    key: RoomKey,
    /// Mixing agents so far.
    agents: AtomicU64,
}

impl RoomMedia {
    /// Gives a command. Commands are obeyed in their order; results come as events.
    pub fn send(&self, command: Command) {
        self.link.order(Order::Command { key: self.key, command });
    }

    /// The way in for the packets of a mixing agent, which takes the place of an earlier one:
    /// numbers and clocks of its packets have nothing to do with those of the earlier one.
    pub fn injector(&self) -> Injector {
        let agent = self.agents.fetch_add(1, Ordering::Relaxed);
        Injector::new(self.link.clone(), self.key, agent)
    }
}

impl Drop for RoomMedia {
    fn drop(&mut self) {
        self.link.rooms.fetch_sub(1, Ordering::Relaxed);
        self.link.order(Order::CloseRoom { key: self.key });
    }
}

fn port_of(first: u16, number: usize, workers: usize) -> Result<u16, StartError> {
    if first == 0 {
        return Ok(0);
    }
    let port = u16::try_from(number).ok().and_then(|number| first.checked_add(number));
    port.ok_or(StartError::PortRange(first, workers))
}

fn prepare(
    addresses: &[ListenAddress],
    port: u16,
    identity: Arc<Identity>,
) -> Result<(Arc<Link>, Worker), StartError> {
    let bind = |address: &ListenAddress| {
        Socket::bind(*address, port).map_err(|source| StartError::Bind {
            address: address.bind,
            port,
            source,
        })
    };
    let sockets = addresses.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), Worker::WAKER)?;
    let (orders, received) = sync_channel(MAX_ORDERS);
    let counters = Arc::new(Counters::default());
    let worker = Worker::new(poll, sockets, received, identity, counters.clone())?;
    Ok((Arc::new(Link { orders, waker, counters, rooms: AtomicUsize::new(0) }), worker))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(bind: &str) -> Options {
        let bind = bind.parse().expect("an address");
        let addresses = vec![ListenAddress { bind, announce: None }];
        Options { addresses, udp_port: 0, workers: 2 }
    }

    #[test]
    fn bad_options_are_refused_with_their_reason() {
        let error = |options| Media::start(options).err().map(|error| error.to_string());
        let none = Options { addresses: Vec::new(), ..options("127.0.0.1") };
        assert!(error(none).is_some_and(|text| text.contains("needs an address")));
        assert!(error(options("0.0.0.0")).is_some_and(|text| text.contains("0.0.0.0")));
        let high = Options { udp_port: 65_535, ..options("127.0.0.1") };
        assert!(error(high).is_some_and(|text| text.contains("65535")));
        let foreign = error(options("192.0.2.1")).expect("not this machine's");
        assert!(foreign.contains("192.0.2.1"), "{foreign}");
    }

    #[test]
    fn rooms_spread_over_the_workers_and_all_ends() {
        let media = Media::start(options("127.0.0.1")).expect("started");
        let room: RoomId = "room".parse().expect("valid");
        let sink: EventSink = Arc::new(|_| {});
        let first = media.open_room(&room, sink.clone());
        let second = media.open_room(&room, sink);
        assert!(!Arc::ptr_eq(&first.link, &second.link));
        drop(first);
        media.clone().shutdown();
        media.shutdown();
        drop(media);
        second.send(Command::CloseSession { session: "nobody".parse().expect("valid") });
    }
}
