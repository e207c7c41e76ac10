//! Serving rooms of servers on other machines: each connection gets an agent process of its own.
//!
//! This process holds the keys and the sockets and decodes nothing. What a server says goes, once
//! TLS has told who it is, unread to a child that has nothing but its end of a socket pair.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use portico_mixer_protocol::tls::{self, Files, TlsError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Connections that have not shown yet who they are. More wait in the system's queue.
const MAX_STRANGERS: usize = 64;

/// How long a connection may take to show who it is.
const INTRODUCTION: Duration = Duration::from_secs(10);

/// How long an end may be silent, or may take in nothing. Servers ask every second whether the
/// agent lives, and wait no longer for the answer.
const SILENCE: Duration = Duration::from_secs(5);

/// How long to wait after the system refused a connection, such as for want of files.
const RECOVERY: Duration = Duration::from_millis(200);

/// Bytes that are passed on at once.
const CHUNK: usize = 64 * 1024;

/// The variables that agents inherit: where GStreamer and its registry are, and what is logged.
const INHERITED: &[&str] = &["HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "PORTICO_MIXER_LOG"];

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// Where.
    pub address: SocketAddr,
    /// Who this is, and who may come.
    pub files: Files,
    /// Rooms at once.
    pub max_rooms: usize,
    /// Arguments of the agents.
    pub arguments: Vec<std::ffi::OsString>,
}

/// Why serving ends.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The certificates are of no use.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// The agents' program cannot be found or started.
    #[error("agents cannot be started: {0}")]
    Program(std::io::Error),
    /// GStreamer does not work here.
    #[error("{0}")]
    Probe(String),
}

/// Serves rooms until the process ends; `bound` is told where.
///
/// # Errors
/// When it cannot begin to.
pub fn listen(options: &Options, bound: impl FnOnce(SocketAddr)) -> Result<(), ListenError> {
    // One thread, because an agent ends with the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ListenError::Program)?.block_on(async {
        let tls = TlsAcceptor::from(Arc::new(options.files.server_config()?));
        let agents = Agents::prepare(options).await?;
        let failed = |error| ListenError::Bind(options.address, error);
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        bound(listener.local_addr().map_err(failed)?);
        accept(&listener, &tls, &Arc::new(agents)).await;
        Ok(())
    })
}

async fn accept(listener: &TcpListener, tls: &TlsAcceptor, agents: &Arc<Agents>) {
    let strangers = Arc::new(Semaphore::new(MAX_STRANGERS));
    loop {
        let permit = Arc::clone(&strangers).acquire_owned().await.expect("never closed");
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(RECOVERY).await;
                continue;
            }
        };
        let (tls, agents) = (tls.clone(), Arc::clone(agents));
        tokio::spawn(async move { welcome(stream, peer, &tls, &agents, permit).await });
    }
}

async fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    tls: &TlsAcceptor,
    agents: &Agents,
    permit: OwnedSemaphorePermit,
) {
    // Packets do not wait for more of them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "packets may wait");
    }
    let stream = match timeout(INTRODUCTION, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let meaning = tls::refusal(&error);
            let reason = meaning.map_or_else(|| error.to_string(), str::to_owned);
            return tracing::warn!(%peer, reason, "a connection was refused");
        }
        Err(_) => return tracing::warn!(%peer, "a connection was refused: it says nothing"),
    };
    drop(permit);
    let Ok(_room) = agents.rooms.try_acquire() else {
        return tracing::warn!(%peer, "a server was sent away: there are too many rooms");
    };
    match agents.start() {
        Ok((socket, child)) => {
            tracing::info!(%peer, agent = child.id(), "a room is served");
            let end = carry(stream, socket).await;
            tracing::info!(%peer, agent = child.id(), end, "a room is served no longer");
        }
        Err(error) => tracing::error!(%peer, %error, "no agent could be started"),
    }
}

/// Passes everything on until one end has enough; which.
async fn carry(server: impl AsyncRead + AsyncWrite, agent: UnixStream) -> &'static str {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_agent, mut to_agent) = agent.into_split();
    tokio::select! {
        end = pass(&mut from_server, &mut to_agent) => match end {
            Passing::Ended => "the server ended it",
            Passing::Stalled => "the server is silent, or the agent hangs",
        },
        end = pass(&mut from_agent, &mut to_server) => match end {
            Passing::Ended => {
                // The server learns sooner of an orderly end; one that is gone needs none.
                timeout(SILENCE, to_server.shutdown()).await.ok();
                "the agent ended"
            }
            Passing::Stalled => "the agent hangs, or the server takes nothing",
        },
    }
}

enum Passing {
    Ended,
    Stalled,
}

async fn pass(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> Passing {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match timeout(SILENCE, from.read(&mut chunk)).await {
            Ok(Ok(count)) if count > 0 => count,
            Ok(Ok(_) | Err(_)) => return Passing::Ended,
            Err(_) => return Passing::Stalled,
        };
        let written = async {
            to.write_all(&chunk[..count]).await?;
            to.flush().await
        };
        match timeout(SILENCE, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Passing::Ended,
            Err(_) => return Passing::Stalled,
        }
    }
}

/// Starts agents.
#[derive(Debug)]
struct Agents {
    program: std::path::PathBuf,
    arguments: Vec<std::ffi::OsString>,
    rooms: Semaphore,
}

impl Agents {
    /// Finds out whether agents work here. This leaves GStreamer's registry behind, which spares
    /// every agent the look at all plugins.
    async fn prepare(options: &Options) -> Result<Self, ListenError> {
        let program = std::env::current_exe().map_err(ListenError::Program)?;
        let rooms = Semaphore::new(options.max_rooms.min(Semaphore::MAX_PERMITS));
        let agents = Self { program, arguments: options.arguments.clone(), rooms };
        let mut probe = agents.command();
        let output = probe.arg("--probe").stdin(Stdio::null()).output().await;
        let output = output.map_err(ListenError::Program)?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(ListenError::Probe(words));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            tracing::info!("{line}");
        }
        Ok(agents)
    }

    /// An agent that is killed when it is dropped, and the other end of its socket.
    fn start(&self) -> std::io::Result<(UnixStream, Child)> {
        let (own, other) = std::os::unix::net::UnixStream::pair()?;
        own.set_nonblocking(true)?;
        let mut command = self.command();
        command.env("GST_REGISTRY_UPDATE", "no").env("GST_REGISTRY_FORK", "no");
        let child =
            command.stdin(Stdio::from(OwnedFd::from(other))).stdout(Stdio::null()).spawn()?;
        Ok((UnixStream::from_std(own)?, child))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let inherited = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with("GST_") || INHERITED.contains(&&*name)
        });
        command.args(&self.arguments).env_clear().envs(inherited).kill_on_drop(true);
        command
    }
}
