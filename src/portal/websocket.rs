//! Text frames over a WebSocket, for the doors whose dialects are JSON in frames: a bounded queue
//! out, a bounded pace in, and an end of a few seconds at most.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::driver::OutboxFull;

/// The time between two frames of a client that are read, in the long run. A client that sends
/// faster waits, and TCP tells it so.
const FRAME_INTERVAL: Duration = Duration::from_millis(10);

/// Frames that a client may send at once before it waits.
const FRAME_BURST: u32 = 200;

/// How long a client may take to read what is queued for it when its connection is closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The code of a connection that is closed because a message was too large, or broken (RFC 6455,
/// 7.4.1).
const UNREADABLE: Farewell = Farewell { code: 1009, reason: "the message is too large or broken" };

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

    /// Waits until the connection is being closed from this end.
    pub(super) async fn hung_up(&self) {
        said(&mut self.farewell.subscribe()).await;
    }
}

/// Moves frames both ways until the connection ends: queued ones to the client, and the client's
/// texts to `hear`. Binary frames mean nothing in any dialect and are passed over.
pub(super) async fn pump(socket: WebSocket, outgoing: Outgoing, hear: impl FnMut(&str)) {
    let mut farewell = outgoing.farewell.clone();
    let overdue = async {
        said(&mut farewell).await;
        sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = talk(socket, outgoing, hear) => {}
        () = overdue => {}
    }
}

async fn talk(mut socket: WebSocket, outgoing: Outgoing, mut hear: impl FnMut(&str)) {
    let Outgoing { mut frames, mut farewell } = outgoing;
    let mut pace = Pace { paid_until: Instant::now() };
    loop {
        tokio::select! {
            biased;
            Some(frame) = frames.recv() => {
                if socket.send(Message::Text(frame)).await.is_err() {
                    return;
                }
            }
            farewell = said(&mut farewell) => return close(socket, farewell).await,
            heard = next(&mut socket, &pace) => match heard {
                Some(Ok(Message::Close(_))) | None => return,
                Some(Ok(Message::Text(text))) => {
                    pace.spend(Instant::now());
                    hear(&text);
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                    pace.spend(Instant::now());
                }
                Some(Err(_)) => return close(socket, UNREADABLE).await,
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

/// How far a client's frames are ahead of their pace.
struct Pace {
    paid_until: Instant,
}

impl Pace {
    /// When the next frame may be read; `None` for at once.
    fn ready_at(&self, now: Instant) -> Option<Instant> {
        let ready = self.paid_until.checked_sub(FRAME_INTERVAL * FRAME_BURST)?;
        (ready > now).then_some(ready)
    }

    fn spend(&mut self, now: Instant) {
        self.paid_until = self.paid_until.max(now) + FRAME_INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_follows_is_paced() {
        let start = Instant::now();
        let mut pace = Pace { paid_until: start };
        for _ in 0..FRAME_BURST {
            assert_eq!(pace.ready_at(start), None);
            pace.spend(start);
        }
        assert_eq!(pace.ready_at(start), None);
        pace.spend(start);
        let next = start + FRAME_INTERVAL;
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
