//! A way over TCP to a server that can be closed, opened, and led to another server.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// The way. It is gone when it is dropped.
pub(crate) struct Crossing {
    address: SocketAddr,
    to: watch::Sender<Option<SocketAddr>>,
    task: JoinHandle<()>,
}

impl Crossing {
    /// Opens a way to a server's URL.
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (to, leads) = watch::channel(Some(address_of(url)));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(cross(client, leads.clone()));
            }
        });
        Self { address, to, task }
    }

    /// Where clients go.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends all connections; newer ones end at once.
    pub(crate) fn close(&self) {
        self.to.send_replace(None);
    }

    /// Ends all connections; newer ones lead to this URL's server.
    pub(crate) fn lead_to(&self, url: &str) {
        self.to.send_replace(Some(address_of(url)));
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn cross(mut client: TcpStream, mut leads: watch::Receiver<Option<SocketAddr>>) {
    let Some(address) = *leads.borrow_and_update() else { return };
    let Ok(mut server) = TcpStream::connect(address).await else { return };
    tokio::select! {
        // How a connection ends is the ends' affair.
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = leads.changed() => {}
    }
}

fn address_of(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("the URL of a test's server")
}
