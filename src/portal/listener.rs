//! Accepts HTTP connections, plain or over TLS, and hands them to the router.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, http::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tracing::{debug, warn};

use super::flag::raised;

/// How long a client may take for its TLS handshake, and for the head of each request. Longer
/// serves only those who hold connections open for nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How long connections may take to finish at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A pause after a failed `accept`, so that a lack of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end of a request's connection; every request has it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A bound TCP port that serves a router.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    max_connections: usize,
}

impl Listener {
    /// Binds a port; `0` lets the system choose one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
        max_connections: usize,
    ) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let places = Arc::new(Semaphore::new(max_connections));
        Ok(Self { tcp, tls: tls.map(TlsAcceptor::from), places, max_connections })
    }

    /// The bound address.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves until `shutdown` turns true, then lets open requests finish for a moment.
    pub async fn serve(self, router: Router, mut shutdown: watch::Receiver<bool>) {
        loop {
            // Waiting for a place before accepting leaves the surplus in the system's own queue.
            let place = tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => place,
                () = raised(&mut shutdown) => break,
            };
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = raised(&mut shutdown) => break,
            };
            let (stream, peer) = match accepted {
                Ok((stream, peer)) => (stream, Peer(peer)),
                Err(error) => {
                    warn!(%error, "cannot accept connections; raise the file limit (ulimit -n)?");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (router, tls, shutdown) = (router.clone(), self.tls.clone(), shutdown.clone());
            tokio::spawn(async move {
                let _place = place;
                connection(stream, peer, tls, router, shutdown).await;
            });
        }
        drop(self.tcp);
        let all = u32::try_from(self.max_connections).unwrap_or(u32::MAX);
        drop(tokio::time::timeout(DRAIN_TIMEOUT, self.places.acquire_many(all)).await);
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: watch::Receiver<bool>,
) {
    // Signaling frames are small and wait for answers; a failure here only costs latency.
    drop(stream.set_nodelay(true));
    let Some(tls) = tls else { return http(stream, peer, router, shutdown).await };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, peer, router, shutdown).await,
        Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
        Err(_) => debug!("TLS handshake took too long"),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut shutdown: watch::Receiver<bool>,
) {
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = raised(&mut shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "HTTP connection failed");
    }
}
