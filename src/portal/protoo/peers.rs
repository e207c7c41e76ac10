//! Which connection a peer has, so that a newer one can take the place of an older one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{oneshot, watch};

use crate::ids::RoomId;

/// Whom two connections belong to in order to replace each other: a name, within the room of its
/// token, since whoever hands out tokens for another room knows other people by that name. Without
/// tokens a name is one's own in the whole server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    /// The room of the token, where there is one.
    pub(super) room: Option<RoomId>,
    /// The `uid`.
    pub(super) name: Arc<str>,
}

/// The connections of all peers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<Peer, Holder>>>);

#[derive(Debug)]
struct Holder {
    evict: oneshot::Sender<()>,
    ended: watch::Receiver<()>,
}

/// A connection's claim to be its peer's only one. Dropping it says that the connection has left
/// its room.
#[derive(Debug)]
pub(super) struct Hold {
    peers: Peers,
    peer: Peer,
    evicted: oneshot::Receiver<()>,
    alive: watch::Sender<()>,
}

impl Peers {
    /// Takes a peer's place; whoever had it is evicted and has left its room when this returns.
    pub(super) async fn take(&self, peer: Peer) -> Hold {
        let (evict, evicted) = oneshot::channel();
        let (alive, ended) = watch::channel(());
        let older = self.holders().insert(peer.clone(), Holder { evict, ended });
        let hold = Hold { peers: self.clone(), peer, evicted, alive };
        if let Some(Holder { evict, mut ended }) = older {
            // It has ended by itself when this fails, or is about to.
            evict.send(()).ok();
            while ended.changed().await.is_ok() {}
        }
        hold
    }

    fn holders(&self) -> std::sync::MutexGuard<'_, HashMap<Peer, Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Waits until a newer connection takes this one's place.
    pub(super) async fn evicted(&mut self) {
        // The other end is dropped only when it is replaced by a newer one, too.
        (&mut self.evicted).await.ok();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holders = self.peers.holders();
        let own = |holder: &Holder| holder.ended.same_channel(&self.alive.subscribe());
        if holders.get(&self.peer).is_some_and(own) {
            holders.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};

    use super::*;

    fn peer(room: Option<&str>, name: &str) -> Peer {
        let room = room.map(|room| room.parse().expect("an id"));
        Peer { room, name: name.into() }
    }

    #[tokio::test]
    async fn a_newer_connection_waits_until_the_older_one_has_ended() {
        let peers = Peers::default();
        let mut first = peers.take(peer(None, "ann")).await;
        let mut second = Box::pin(peers.take(peer(None, "ann")));
        let early = poll_fn(|context| std::task::Poll::Ready(second.as_mut().poll(context))).await;
        assert!(early.is_pending(), "the first one is still there");
        first.evicted().await;
        drop(first);
        let second = second.await;
        assert_eq!(peers.holders().len(), 1, "the first one's end leaves the second one's claim");
        drop(second);
        assert!(peers.holders().is_empty());
    }

    #[tokio::test]
    async fn other_names_and_other_rooms_are_other_peers() {
        let peers = Peers::default();
        let _ann = peers.take(peer(None, "ann")).await;
        let _bob = peers.take(peer(None, "bob")).await;
        let _here = peers.take(peer(Some("here"), "ann")).await;
        let _there = peers.take(peer(Some("there"), "ann")).await;
        assert_eq!(peers.holders().len(), 4);
    }
}
