//! The mixing agent's program: finding it, preparing its registry of plugins, starting it.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use portico_mixer_protocol::Capabilities;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::timeout,
};
use tracing::{info, warn};

use super::{
    agent::{NoAgent, Start, Started},
    link::Link,
};
use crate::{config, room::MixerCapabilities};

/// The program's name.
const NAME: &str = "portico-mixer";

/// How long GStreamer may take to look at all its plugins, on a slow disk.
const PREPARATION: Duration = Duration::from_secs(60);

/// Whether views can be mixed on this server.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Availability {
    /// It is being found out.
    Unknown,
    /// They can.
    Ready(MixerCapabilities),
    /// They cannot, and why, for participants.
    Unavailable(Arc<str>),
}

/// How to start an agent on this machine.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    registry: PathBuf,
}

impl Program {
    /// The program that is configured, or that lies beside this one. `folder` is where GStreamer's
    /// registry is kept.
    pub(super) fn new(config: &config::Mixing, folder: &Path) -> Self {
        let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(NAME)));
        let path = config.program.clone().or(beside).unwrap_or_else(|| NAME.into());
        Self { path, registry: folder.join("registry.bin") }
    }

    /// Looks at what this machine can do. The registry that this leaves behind spares every later
    /// agent the look at all plugins, which takes seconds and which its sandbox forbids.
    pub(super) async fn prepare(&self) -> Availability {
        match self.look().await {
            Ok(found) => {
                info!(program = %self.path.display(), encoders = ?found.encoders, "views can be mixed");
                Availability::Ready(super::words::capabilities(&found))
            }
            Err(reason) => self.unavailable(&reason),
        }
    }

    /// What is known without waiting.
    pub(super) fn first_sight(&self) -> Availability {
        if self.path.is_file() {
            return Availability::Unknown;
        }
        self.unavailable("its program is not installed")
    }

    fn unavailable(&self, reason: &str) -> Availability {
        warn!(program = %self.path.display(), reason, "views cannot be mixed");
        Availability::Unavailable(format!("Mixing is not available: {reason}.").into())
    }

    async fn look(&self) -> Result<Capabilities, String> {
        let folder = self.registry.parent().unwrap_or(Path::new("."));
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut probe = self.command(true);
        let probe = probe.arg("--probe").stdin(Stdio::null()).stdout(Stdio::null());
        let output = timeout(PREPARATION, probe.stderr(Stdio::piped()).output()).await;
        let output = output.map_err(|_| format!("{NAME} --probe does not end"))?;
        let output = output.map_err(|error| error.to_string())?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let line = words.lines().last().unwrap_or("it says nothing");
            return Err(format!("{NAME} --probe failed: {line}"));
        }
        let started = self.clone().start().await;
        let capabilities = match started {
            Ok(started) => started.capabilities,
            Err(NoAgent::Died(reason) | NoAgent::Useless(reason)) => return Err(reason),
        };
        if capabilities.encoders.is_empty() {
            return Err("GStreamer has no encoder that is known".into());
        }
        Ok(capabilities)
    }

    /// A command with nothing of the server's environment but the place of the registry.
    fn command(&self, writes_registry: bool) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().kill_on_drop(true).env("GST_REGISTRY", &self.registry);
        if !writes_registry {
            command.env("GST_REGISTRY_UPDATE", "no").env("GST_REGISTRY_FORK", "no");
        }
        if let Ok(log) = std::env::var("PORTICO_MIXER_LOG") {
            command.env("PORTICO_MIXER_LOG", log);
        }
        command
    }

    /// Starts an agent whose standard input is its connection.
    fn spawn(&self) -> io::Result<(UnixStream, Child)> {
        let (own, other) = std::os::unix::net::UnixStream::pair()?;
        own.set_nonblocking(true)?;
        let input = Stdio::from(std::os::fd::OwnedFd::from(other));
        let child = self.command(false).stdin(input).stdout(Stdio::null()).spawn()?;
        Ok((UnixStream::from_std(own)?, child))
    }
}

impl Start for Program {
    type Stream = UnixStream;
    type Process = Child;

    async fn start(&mut self) -> Result<Started<UnixStream, Child>, NoAgent> {
        let spawned = self.spawn();
        let (stream, process) = spawned
            .map_err(|error| NoAgent::Useless(format!("{NAME} cannot be started: {error}")))?;
        let (link, capabilities) = Link::greet(stream).await?;
        Ok(Started { link, capabilities, process })
    }
}
