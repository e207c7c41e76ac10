//! Portico as an operator runs it: the release binary, a configuration file, a store on the disk.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    time::{Duration, Instant},
};

use portico::{ids::RoomId, portal::token::Tokens, store::Store};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{ROOM_SIZE, START_PATIENCE, Server};
use crate::support::{Result, placement, program::Program};

/// A kind of request.
pub(super) struct Case {
    /// What a table calls it.
    pub(super) name: &'static str,
    /// The request of the participant with this id.
    pub(super) request: fn(&str) -> String,
}

/// What is asked. A ticket is made and signed by the door; a text goes through the room's task and
/// comes back as a notification beside its acknowledgement.
pub(super) const CASES: [Case; 2] = [
    Case {
        name: "portico: a signed ticket of 300 bytes",
        request: |_| json!(["refreshReconnectionTicket"]).to_string(),
    },
    Case {
        name: "portico: text to oneself and ack",
        request: |id| json!(["text", {"to": id, "message": "hello"}]).to_string(),
    },
];

/// Between looks whether the server is ready.
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// A server with an empty store, before and while it runs.
pub(super) struct Portico {
    folder: TempDir,
    server: Option<Server>,
}

impl Portico {
    /// Makes the folder that the server lives in.
    pub(super) fn prepare() -> Result<Self> {
        Ok(Self { folder: TempDir::new()?, server: None })
    }

    /// Tokens for as many participants, a room for every [`ROOM_SIZE`] of them. The store admits
    /// one process, so this comes before the start.
    pub(super) fn tokens(&self, count: usize) -> Result<Vec<String>> {
        let store = Store::open(&self.store_path())?;
        let tokens = Tokens::new(store, "localhost", false);
        (0..count)
            .map(|number| {
                let room: RoomId = format!("room-{}", number / ROOM_SIZE).parse()?;
                let user = format!("user-{number}");
                Ok(tokens.issue_jwt(&room, &user, "presenter")?.reveal().to_owned())
            })
            .collect()
    }

    /// Starts the server and waits until it serves.
    pub(super) async fn start(&mut self) -> Result<&mut Server> {
        // The port may be taken by another process meanwhile; then the start fails and says so.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let config = self.folder.path().join("portal.toml");
        fs::write(&config, self.configuration(port))?;
        let mut command = placement::on_server_core(env!("CARGO_BIN_EXE_portico"));
        command.arg("serve").arg("--config").arg(&config);
        let program = Program::start(command, || {})?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let end = Instant::now() + START_PATIENCE;
        while !is_ready(address).await {
            if Instant::now() > end {
                return Err("portico does not become ready".into());
            }
            sleep(READY_INTERVAL).await;
        }
        Ok(self.server.insert(Server { program, address }))
    }

    /// Rooms appear as tokens name them; everything else that matters here is the default.
    fn configuration(&self, port: u16) -> String {
        format!(
            "[portal]\nport = {port}\n\
             [media]\nworkers = 1\n\
             [store]\npath = {:?}\n\
             [rooms]\ncreate_on_join = true\n\
             [log]\nlevel = \"warn\"\n",
            self.store_path()
        )
    }

    fn store_path(&self) -> PathBuf {
        self.folder.path().join("store")
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    // Refused while the server is not there yet.
    ask.await.unwrap_or(false)
}
