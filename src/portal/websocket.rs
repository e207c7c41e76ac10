//! Text frames over a WebSocket, for the doors whose dialects are JSON in frames: a bounded queue
//! out, a bounded pace in, pings where a dialect wants them, and an end of a few seconds at most.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::driver::OutboxFull;

/// What is read of a client at once. Most messages are smaller, and each connection keeps so much.
pub(super) const READ_BUFFER_BYTES: usize = 8 * 1024;

/// Frames of a client that are read in a second, in the long run.
pub(super) const FRAMES_PER_SECOND: u32 = 100;

/// For how many seconds' worth of frames a client may be ahead before it waits.
const BURST_SECONDS: u32 = 2;

/// How long a client may take to read what is queued for it when its connection is closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The code of a connection that is closed because a message was too large, or broken (RFC 6455,
/// 7.4.1).
const UNREADABLE: Farewell = Farewell { code: 1009, reason: "the message is too large or broken" };

/// Nothing was heard of the client for too long (RFC 6455, 7.4.1: going away).
const IDLE: Farewell = Farewell { code: 1001, reason: "nothing was heard for too long" };

/// What a door asks of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// Frames of a client that are read in a second, in the long run; at least 1. A client that
    /// sends faster waits, and TCP tells it so.
    pub(super) frames_per_second: u32,
    /// How long nothing at all may come from a client, not even answers to pings, before its
    /// connection is closed; pings are sent at half of that. `None` is for ever, without pings.
    pub(super) idle: Option<Duration>,
}

/// Why a connection is closed, as the client hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Farewell {
    /// The close frame's code.
    pub(super) code: u16,
    /// For a person to read.
    pub(super) reason: &'static str,
}

/// The way to a client. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    frames: mpsc::Sender<Utf8Bytes>,
    farewell: Arc<watch::Sender<Option<Farewell>>>,
}

/// What waits to be sent.
pub(super) struct Outgoing {
    frames: mpsc::Receiver<Utf8Bytes>,
    farewell: watch::Receiver<Option<Farewell>>,
}

/// A way to a client for which so many frames may wait.
pub(super) fn wire(outbox_length: usize) -> (Wire, Outgoing) {
    let (sender, frames) = mpsc::channel(outbox_length);
    let (raise, farewell) = watch::channel(None);
    (Wire { frames: sender, farewell: Arc::new(raise) }, Outgoing { frames, farewell })
}

impl Wire {
    /// Queues a frame without blocking.
    pub(super) fn send(&self, text: String) -> Result<(), OutboxFull> {
        self.frames.try_send(text.into()).map_err(|_| OutboxFull)
    }

    /// Closes the connection after what is queued. Only the first farewell counts.
    pub(super) fn hang_up(&self, farewell: Farewell) {
        self.farewell.send_if_modified(|said| {
            let first = said.is_none();
            said.get_or_insert(farewell);
            first
        });
    }

    /// Whether the connection still lives.
    pub(super) fn is_open(&self) -> bool {
        !self.frames.is_closed()
    }

    /// Waits until the connection is being closed from this end.
    pub(super) async fn hung_up(&self) {
        said(&mut self.farewell.subscribe()).await;
    }
}

/// Moves frames both ways until the connection ends: queued ones to the client, and the client's
/// texts to `hear`. Binary frames mean nothing in any dialect and are passed over.
pub(super) async fn pump(
    socket: WebSocket,
    outgoing: Outgoing,
    habits: Habits,
    hear: impl FnMut(&str),
) {
    let mut farewell = outgoing.farewell.clone();
    let overdue = async {
        said(&mut farewell).await;
        sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = talk(socket, outgoing, habits, hear) => {}
        () = overdue => {}
    }
}

async fn talk(
    mut socket: WebSocket,
    outgoing: Outgoing,
    habits: Habits,
    mut hear: impl FnMut(&str),
) {
    let Outgoing { mut frames, mut farewell } = outgoing;
    let now = Instant::now();
    let mut pace = Pace::new(habits.frames_per_second, now);
    let mut silence = Silence { allowed: habits.idle, heard: now, pinged: now };
    loop {
        tokio::select! {
            biased;
            Some(frame) = frames.recv() => {
                if socket.send(Message::Text(frame)).await.is_err() {
                    return;
                }
            }
            farewell = said(&mut farewell) => return close(socket, farewell).await,
            heard = next(&mut socket, &pace) => {
                let now = Instant::now();
                silence.heard = now;
                match heard {
                    Some(Ok(Message::Close(_))) | None => return,
                    Some(Ok(Message::Text(text))) => {
                        pace.spend(now);
                        hear(&text);
                    }
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                        pace.spend(now);
                    }
                    Some(Err(_)) => return close(socket, UNREADABLE).await,
                }
            }
            over = silence.noticed() => {
                if over {
                    return close(socket, IDLE).await;
                }
                silence.pinged = Instant::now();
                if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn next(socket: &mut WebSocket, pace: &Pace) -> Option<Result<Message, axum::Error>> {
    if let Some(ready) = pace.ready_at(Instant::now()) {
        sleep_until(ready).await;
    }
    socket.recv().await
}

/// Says good-bye and waits for the client's own, because closing a socket that has unread data
/// may destroy what was sent last.
async fn close(mut socket: WebSocket, farewell: Farewell) {
    let frame = CloseFrame { code: farewell.code, reason: farewell.reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

async fn said(farewell: &mut watch::Receiver<Option<Farewell>>) -> Farewell {
    match farewell.wait_for(Option::is_some).await {
        Ok(said) => said.unwrap_or(GONE),
        // Nobody is left who could send anything.
        Err(_) => GONE,
    }
}

/// The code of an ordinary end (RFC 6455, 7.4.1).
const GONE: Farewell = Farewell { code: 1000, reason: "" };

/// How long nothing was heard.
struct Silence {
    allowed: Option<Duration>,
    heard: Instant,
    pinged: Instant,
}

impl Silence {
    /// Waits until a ping is due, or, which it says, the client was silent for too long.
    async fn noticed(&self) -> bool {
        let Some(allowed) = self.allowed else { return std::future::pending().await };
        let over = self.heard + allowed;
        let ping = self.heard.max(self.pinged) + allowed / 2;
        sleep_until(ping.min(over)).await;
        over <= ping
    }
}

/// How far a client's frames are ahead of their pace.
struct Pace {
    interval: Duration,
    burst: Duration,
    paid_until: Instant,
}

impl Pace {
    fn new(frames_per_second: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / frames_per_second.max(1);
        let burst = Duration::from_secs(BURST_SECONDS.into());
        Self { interval, burst, paid_until: now }
    }

    /// When the next frame may be read; `None` for at once.
    fn ready_at(&self, now: Instant) -> Option<Instant> {
        let ready = self.paid_until.checked_sub(self.burst)?;
        (ready > now).then_some(ready)
    }

    fn spend(&mut self, now: Instant) {
        self.paid_until = self.paid_until.max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_follows_is_paced() {
        let start = Instant::now();
        let mut pace = Pace::new(FRAMES_PER_SECOND, start);
        for _ in 0..FRAMES_PER_SECOND * BURST_SECONDS {
            assert_eq!(pace.ready_at(start), None);
            pace.spend(start);
        }
        assert_eq!(pace.ready_at(start), None);
        pace.spend(start);
        let next = start + Duration::from_secs(1) / FRAMES_PER_SECOND;
        assert_eq!(pace.ready_at(start), Some(next));
        assert_eq!(pace.ready_at(next), None);
    }

    #[test]
    fn the_first_farewell_counts() {
        let (wire, outgoing) = wire(1);
        wire.hang_up(UNREADABLE);
        wire.hang_up(GONE);
        assert_eq!(*outgoing.farewell.borrow(), Some(UNREADABLE));
        assert_eq!(wire.send("a".into()), Ok(()), "what is queued is still sent");
        assert_eq!(wire.send("b".into()), Err(OutboxFull));
    }
}
