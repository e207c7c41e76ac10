//! One publisher and many subscribers of one server, in one loop on one core.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, Waker};

use super::{
    SERVER_ROLE,
    peer::Datagram,
    publisher::{Pace, Publisher},
    server::{Order, Report},
    subscriber::Subscriber,
};
use crate::support::{
    Result, placement,
    program::Program,
    usage::{self, Cpu},
};

/// Between looks at everybody's timers.
const TICK: Duration = Duration::from_millis(50);

/// How long connecting may take altogether.
const PATIENCE: Duration = Duration::from_secs(30);

/// Datagrams that one socket may yield before others have their turn.
const TURN: usize = 16;

/// Where the server's lines announce themselves.
const LINES: Token = Token(usize::MAX);

/// The place of the publisher's socket; subscribers follow.
const PUBLISHER: Token = Token(0);

const PUBLICATION: &str = "publication";

/// What subscribers do with media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scrutiny {
    /// Open every packet and look at its number.
    Open,
    /// Count it by its first bytes, so that one core can receive what another one sends.
    Count,
}

/// What happened within some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) seconds: f64,
    pub(crate) subscribers: usize,
    /// Packets that the publisher sent.
    pub(crate) sent: u64,
    /// Packets that the server handed to the kernel for subscribers, whether or not they had room
    /// for them.
    pub(crate) forwarded: u64,
    /// Of these, those for which a subscriber's socket had no room.
    pub(crate) overflowed: u64,
    /// Missing in the sequence numbers of packets, where these were opened.
    pub(crate) lost: Option<u64>,
    /// What the server spent.
    pub(crate) cpu: Cpu,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    at: Instant,
    sent: u64,
    received: u64,
    overflowed: u64,
    lost: u64,
    cpu: Cpu,
}

/// The crowd and its server.
pub(crate) struct Crowd {
    server: Program,
    publisher: Publisher,
    subscribers: Vec<Subscriber>,
    ready: usize,
    poll: Poll,
    events: Events,
    /// Sockets that may have more to read; readiness is told once per arrival.
    unread: VecDeque<Token>,
    is_unread: Vec<bool>,
    next_tick: Instant,
    scrutiny: Scrutiny,
}

impl Crowd {
    /// Starts a server, and a publisher that is connected to it.
    pub(crate) fn start() -> Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), LINES)?);
        let mut command = placement::on_server_core(std::env::current_exe()?);
        command.arg(SERVER_ROLE);
        // A waker that fails means that the poll is gone, and with it the need.
        let server = Program::start(command, move || drop(waker.wake()))?;
        let now = Instant::now();
        let mut crowd = Self {
            server,
            publisher: Publisher::new(now)?,
            subscribers: Vec::new(),
            ready: 0,
            poll,
            events: Events::with_capacity(1024),
            unread: VecDeque::new(),
            is_unread: vec![false],
            next_tick: now,
            scrutiny: Scrutiny::Open,
        };
        let socket = &mut crowd.publisher.peer.socket;
        crowd.poll.registry().register(socket, PUBLISHER, Interest::READABLE)?;
        let sdp = crowd.publisher.offer()?;
        crowd.order(&Order::Publish { session: PUBLICATION.to_owned(), sdp })?;
        crowd.run_until_ready(1)?;
        Ok(crowd)
    }

    /// Adds subscribers and waits until all are connected; the time that this took.
    pub(crate) fn subscribe(&mut self, count: usize) -> Result<Duration> {
        let start = Instant::now();
        for number in self.subscribers.len()..self.subscribers.len() + count {
            let mut subscriber = Subscriber::new(number, start)?;
            let token = Token(number + 1);
            let socket = &mut subscriber.peer.socket;
            self.poll.registry().register(socket, token, Interest::READABLE)?;
            self.is_unread.push(false);
            let (session, stream) = (number.to_string(), PUBLICATION.to_owned());
            let sdp = subscriber.offer()?;
            self.subscribers.push(subscriber);
            self.order(&Order::Subscribe { session, stream, sdp })?;
        }
        self.run_until_ready(1 + self.subscribers.len())?;
        Ok(start.elapsed())
    }

    /// The server's resident memory.
    pub(crate) fn server_kib(&self) -> Result<u64> {
        usage::resident_kib(self.server.id())
    }

    /// Changes how the publisher sends and what subscribers do with it.
    pub(crate) fn set_pace(&mut self, pace: Option<Pace>, scrutiny: Scrutiny) {
        self.publisher.set_pace(pace, Instant::now());
        self.scrutiny = scrutiny;
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            self.step()?;
        }
        Ok(())
    }

    /// Lets time pass and says what happened.
    pub(crate) fn measure(&mut self, duration: Duration) -> Result<Measurement> {
        let before = self.counts()?;
        self.run(duration)?;
        let after = self.counts()?;
        let overflowed = after.overflowed - before.overflowed;
        let opened = self.scrutiny == Scrutiny::Open;
        Ok(Measurement {
            seconds: (after.at - before.at).as_secs_f64(),
            subscribers: self.subscribers.len(),
            sent: after.sent - before.sent,
            forwarded: after.received - before.received + overflowed,
            overflowed,
            lost: opened.then(|| after.lost.saturating_sub(before.lost)),
            cpu: after.cpu - before.cpu,
        })
    }

    fn counts(&self) -> Result<Counts> {
        let drops = usage::udp_drops()?;
        let dropped_at = |port: u16| drops.get(&port).copied().unwrap_or(0);
        let mut overflowed = 0;
        for subscriber in &self.subscribers {
            overflowed += dropped_at(subscriber.peer.socket.local_addr()?.port());
        }
        Ok(Counts {
            at: Instant::now(),
            sent: self.publisher.sent,
            received: self.subscribers.iter().map(|subscriber| subscriber.received).sum(),
            overflowed,
            lost: self.subscribers.iter().map(|subscriber| subscriber.lost).sum(),
            cpu: Cpu::of(self.server.id())?,
        })
    }

    fn order(&mut self, order: &Order) -> Result<()> {
        self.server.tell(&serde_json::to_string(order)?)
    }

    fn run_until_ready(&mut self, sessions: usize) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.ready < sessions || !self.is_connected() {
            if Instant::now() > end {
                return Err(format!("{} of {sessions} sessions are ready", self.ready).into());
            }
            self.step()?;
        }
        Ok(())
    }

    fn is_connected(&self) -> bool {
        self.publisher.peer.is_connected()
            && self.subscribers.iter().all(|subscriber| subscriber.peer.is_connected())
    }

    /// One round: timers, the publisher, what has arrived.
    fn step(&mut self) -> Result<()> {
        let now = Instant::now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.publisher.peer.on_time(now)?;
            for subscriber in &mut self.subscribers {
                subscriber.on_time(now)?;
            }
        }
        self.publisher.on_time(now)?;
        self.wait()?;
        while let Some(token) = self.unread.pop_front() {
            self.is_unread[token.0] = self.read(token)?;
            if self.is_unread[token.0] {
                self.unread.push_back(token);
            }
            if self.publisher.next().is_some_and(|next| next <= Instant::now()) {
                break;
            }
        }
        self.take_lines()
    }

    fn wait(&mut self) -> Result<()> {
        let next = self.publisher.next().map_or(self.next_tick, |next| next.min(self.next_tick));
        let wait = if self.unread.is_empty() {
            next.saturating_duration_since(Instant::now())
        } else {
            Duration::ZERO
        };
        // The system rounds up to milliseconds; the last one is spent polling.
        let wait = Duration::from_millis(wait.as_millis() as u64);
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        for event in &self.events {
            let token = event.token();
            if token != LINES && !self.is_unread[token.0] {
                self.is_unread[token.0] = true;
                self.unread.push_back(token);
            }
        }
        Ok(())
    }

    /// Reads a turn of a socket; whether it may have more.
    fn read(&mut self, token: Token) -> Result<bool> {
        let mut buffer = [0; 2048];
        let room = match self.scrutiny {
            Scrutiny::Count if token != PUBLISHER => &mut buffer[..64],
            Scrutiny::Count | Scrutiny::Open => &mut buffer[..],
        };
        for _ in 0..TURN {
            let peer = match token.0.checked_sub(1) {
                None => &mut self.publisher.peer,
                Some(index) => &mut self.subscribers[index].peer,
            };
            let datagram = match peer.socket.recv_from(room) {
                Ok((length, _)) => &room[..length],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let kind = peer.receive(datagram, Instant::now())?;
            match (token.0.checked_sub(1), kind) {
                (_, Datagram::Transport) => {}
                (None, Datagram::Rtp) => return Err("the publisher was sent media".into()),
                (None, Datagram::Rtcp) => self.publisher.feedback(datagram)?,
                (Some(index), kind) => {
                    let subscriber = &mut self.subscribers[index];
                    subscriber.received += u64::from(kind == Datagram::Rtp);
                    match (kind, self.scrutiny) {
                        (Datagram::Rtp, Scrutiny::Open) => subscriber.open_rtp(datagram)?,
                        (Datagram::Rtcp, Scrutiny::Open) => subscriber.open_rtcp(datagram)?,
                        (_, Scrutiny::Count) | (Datagram::Transport, Scrutiny::Open) => {}
                    }
                }
            }
        }
        Ok(true)
    }

    fn take_lines(&mut self) -> Result<()> {
        while let Some(line) = self.server.line() {
            match serde_json::from_str(&line)? {
                Report::Started => {}
                Report::Answered { session, sdp } => {
                    let peer = if session == PUBLICATION {
                        &mut self.publisher.peer
                    } else {
                        let number: usize = session.parse()?;
                        &mut self.subscribers.get_mut(number).ok_or("no such session")?.peer
                    };
                    peer.accept(&sdp, Instant::now())?;
                }
                Report::Ready { .. } => self.ready += 1,
                Report::Failed { session, reason } => {
                    return Err(format!("session {session}: {reason}").into());
                }
            }
        }
        Ok(())
    }
}
