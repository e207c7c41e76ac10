//! What the media plane gives to a mixing agent: the packets of tapped tracks, ready to be written
//! to the agent's socket.
//!
//! A worker gathers a turn's packets in memory of its own and hands them over at the turn's end,
//! under a lock that the other side holds for an exchange of two pointers. So packets cost one copy
//! and no allocation, and a slow agent never makes a worker wait: beyond a bound, what comes is
//! dropped, and pictures go on with their next key frame.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// Bytes that wait for an agent at most: two seconds of sixteen pictures of 1 Mbit/s. More is not
/// worth waiting for, since it would be late.
pub const MAX_FEED_BYTES: usize = 4 << 20;

/// Claims about clocks that wait at most; the tracks tell theirs again every few seconds.
const MAX_CLAIMS: usize = 1024;

/// What an RTP time of an input means on its sender's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockClaim {
    /// The input.
    pub input: u32,
    /// An RTP time, as the input's packets bear it.
    pub rtp: u32,
    /// The same moment by the sender's wall clock, since 1900.
    pub sender_time: Duration,
}

/// What waits for an agent.
#[derive(Debug, Default)]
pub struct Fed {
    /// Packets, framed as [`portico_mixer_protocol`] says.
    pub packets: Vec<u8>,
    /// Claims about the clocks of the inputs.
    pub claims: Vec<ClockClaim>,
}

impl Fed {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.claims.is_empty()
    }
}

/// The way of tapped packets from a worker to an agent's link. Both ends hold a clone.
#[derive(Debug, Clone, Default)]
pub struct Feed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Fed>,
    ready: Notify,
}

impl Feed {
    /// Waits until there is something to take.
    pub async fn ready(&self) {
        self.0.ready.notified().await;
    }

    /// Takes what waits in exchange for `emptied`, whose memory is used again.
    pub fn take(&self, emptied: &mut Fed) {
        emptied.packets.clear();
        emptied.claims.clear();
        std::mem::swap(&mut *self.waiting(), emptied);
    }

    /// Hands a turn's packets over and empties `turn`. False if they do not fit and are lost.
    pub(crate) fn give(&self, turn: &mut Fed) -> bool {
        let mut waiting = self.waiting();
        let fits = waiting.packets.len() + turn.packets.len() <= MAX_FEED_BYTES;
        if fits && waiting.is_empty() {
            std::mem::swap(&mut *waiting, turn);
        } else if fits {
            waiting.packets.append(&mut turn.packets);
            let room = MAX_CLAIMS.saturating_sub(waiting.claims.len());
            waiting.claims.extend(turn.claims.drain(..).take(room));
        }
        drop(waiting);
        turn.packets.clear();
        turn.claims.clear();
        self.0.ready.notify_one();
        fits
    }

    /// Whether so little waits that it is worth going on after packets were lost.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting().packets.len() <= MAX_FEED_BYTES / 4
    }

    fn waiting(&self) -> MutexGuard<'_, Fed> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(bytes: &[u8]) -> Fed {
        let claim = ClockClaim { input: 1, rtp: 2, sender_time: Duration::from_secs(3) };
        Fed { packets: bytes.to_vec(), claims: vec![claim] }
    }

    #[test]
    fn turns_are_taken_together_and_in_order() {
        let feed = Feed::default();
        assert!(feed.give(&mut turn(b"one")));
        assert!(feed.give(&mut turn(b"two")));
        let mut fed = turn(b"old");
        feed.take(&mut fed);
        assert_eq!((fed.packets.as_slice(), fed.claims.len()), (&b"onetwo"[..], 2));
        feed.take(&mut fed);
        assert!(fed.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_lost_until_most_of_it_is_taken() {
        let feed = Feed::default();
        assert!(feed.give(&mut turn(&vec![0; MAX_FEED_BYTES - 1])));
        assert!(!feed.give(&mut turn(b"xx")));
        assert!(!feed.has_room());
        let mut fed = Fed::default();
        feed.take(&mut fed);
        assert_eq!(fed.packets.len(), MAX_FEED_BYTES - 1);
        assert!(feed.has_room());
        assert!(feed.give(&mut turn(b"xx")));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let feed = Feed::default();
        let other = feed.clone();
        let waiter = tokio::spawn(async move { other.ready().await });
        feed.give(&mut turn(b"one"));
        waiter.await.expect("woken");
    }
}
