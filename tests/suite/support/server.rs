//! A whole server inside the test process, on loopback ports of its own.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use portico::{
    config::{Config, MediaAddress},
    ids::RoomId,
    server::Server,
};
use tempfile::TempDir;

/// A running server with an empty store. Everything is taken down when it is dropped.
pub(crate) struct TestServer {
    server: Server,
    _store: TempDir,
}

impl TestServer {
    /// A server on which any room with a valid token exists.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config.rooms.create_on_join = true).await
    }

    /// A server with some settings changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let store = TempDir::new().expect("a temporary directory");
        let mut config = Config::default();
        config.portal.port = 0;
        config.portal.ip_address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        config.media.udp_port = 0;
        config.media.addresses =
            vec![MediaAddress { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), announce: None }];
        config.store.path = store.path().to_owned();
        change(&mut config);
        let server = Server::start(&config).await.expect("the server starts");
        Self { server, _store: store }
    }

    /// Ends it, as an operator does.
    pub(crate) async fn shut_down(self) {
        self.server.shut_down().await;
    }

    /// Where browsers and socket.io clients go.
    pub(crate) fn http_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A one-time token.
    pub(crate) async fn token(&self, room: &str, user: &str, role: &str) -> String {
        let room: RoomId = room.parse().expect("a room id");
        self.server
            .tokens()
            .issue(&room, user, role, None)
            .await
            .expect("a token")
            .reveal()
            .to_owned()
    }

    /// How many participants are away.
    pub(crate) fn away(&self) -> usize {
        self.server.registry().count().away
    }

    /// Waits until so many participants are away.
    pub(crate) async fn until_away(&self, wanted: usize) {
        self.eventually("so many are away", || self.away() == wanted).await;
    }

    /// Waits for something about the server that no event tells.
    pub(crate) async fn eventually(&self, what: &str, holds: impl Fn() -> bool) {
        const STEP: Duration = Duration::from_millis(2);
        const PATIENCE: Duration = Duration::from_secs(10);
        let waiting = async {
            while !holds() {
                tokio::time::sleep(STEP).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(reached.is_ok(), "it never came to it that {what}");
    }

    /// The server itself.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }
}

/// The mixing agent's program, beside the server's as it is installed.
pub(crate) fn mixer() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_portico")).with_file_name("portico-mixer");
    assert!(program.is_file(), "{} is not built: cargo build --workspace", program.display());
    program
}
