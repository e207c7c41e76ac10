//! A network between a peer and the media plane that a test can damage.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    net::UdpSocket,
    sync::{Mutex, watch},
    task::JoinHandle,
};

/// Says whether an encrypted RTP packet (its number among those that came) gets lost.
type Loss = Box<dyn Fn(u32) -> bool + Send>;

/// Passes datagrams both ways.
pub(super) struct Relay {
    near: SocketAddr,
    far: Arc<Mutex<Arc<UdpSocket>>>,
    moved: watch::Sender<()>,
    lost: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Relay {
    /// A relay to the media plane's address in `answer`, and the answer with the relay's address
    /// instead. RTP from the plane is lost as `loss` says.
    pub(super) async fn before(answer: &str, loss: Loss) -> (Self, String) {
        let plane = candidate(answer);
        let near = Arc::new(loopback().await);
        let near_address = near.local_addr().expect("bound");
        let far = Arc::new(Mutex::new(Arc::new(loopback().await)));
        let (moved, mut moves) = watch::channel(());
        let (peer_to, peer) = watch::channel(None);
        let lost = Arc::new(AtomicU32::new(0));
        let outward = tokio::spawn({
            let (near, far) = (near.clone(), far.clone());
            async move {
                let mut buffer = vec![0; 2048];
                while let Ok((len, from)) = near.recv_from(&mut buffer).await {
                    peer_to.send_replace(Some(from));
                    let far = far.lock().await.clone();
                    far.send_to(&buffer[..len], plane).await.expect("loopback takes it");
                }
            }
        });
        let inward = tokio::spawn({
            let (far, lost) = (far.clone(), lost.clone());
            async move {
                let mut buffer = vec![0; 2048];
                let mut media = 0;
                loop {
                    let socket = far.lock().await.clone();
                    let len = tokio::select! {
                        received = socket.recv_from(&mut buffer) => received.expect("open").0,
                        _ = moves.changed() => continue,
                    };
                    let is_rtp = buffer[0] >> 6 == 2 && !(192..=223).contains(&buffer[1]);
                    media += u32::from(is_rtp);
                    if is_rtp && loss(media) {
                        lost.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    let peer = peer.borrow().expect("the plane only answers");
                    near.send_to(&buffer[..len], peer).await.expect("loopback takes it");
                }
            }
        });
        let relay = Self { near: near_address, far, moved, lost, tasks: vec![outward, inward] };
        let answer = answer.replace(&plane.port().to_string(), &relay.near.port().to_string());
        (relay, answer)
    }

    /// Appears to the plane at another address from now on, as after a change of network.
    pub(super) async fn roam(&self) {
        *self.far.lock().await = Arc::new(loopback().await);
        self.moved.send_replace(());
    }

    /// How many packets were lost.
    pub(super) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn loopback() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.expect("loopback can be bound")
}

/// The address of the first candidate of an SDP.
pub(super) fn candidate(sdp: &str) -> SocketAddr {
    let line = sdp.lines().find(|line| line.starts_with("a=candidate:")).expect("a candidate");
    let words: Vec<&str> = line.split(' ').collect();
    format!("{}:{}", words[4], words[5]).parse().expect("an address")
}
