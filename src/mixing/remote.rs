//! Mixing agents on other machines.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portico_mixer_protocol::{
    Capabilities,
    tls::{self, Files, TlsError},
};
use rustls_pki_types::ServerName;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tracing::warn;

use super::{
    agent::{NoAgent, Start, Started},
    link::{Link, LinkError},
};
use crate::config;

/// How long a machine may take to answer a connection, and then to show who it is.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a machine that failed is only asked when all others failed, too.
const PROBATION: Duration = Duration::from_secs(30);

/// Why mixing cannot be set up; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Agents on other machines need certificates.
    #[error("[mixing] agents needs ca, certificate and key, each the path of a PEM file")]
    NoCertificates,
    /// The certificates are of no use.
    #[error("[mixing] ca, certificate, key: {0}")]
    Tls(#[from] TlsError),
    /// The name of a machine is none.
    #[error("[mixing] agents: {0:?} has no host name and no address")]
    Name(String),
}

/// A machine that has agents.
struct Machine {
    /// `host:port`.
    address: String,
    /// The host, for which its certificate must be.
    name: ServerName<'static>,
    /// Rooms that this server has there.
    rooms: AtomicUsize,
    /// When it failed last, unless it has worked since.
    failed: Mutex<Option<Instant>>,
}

/// The machines, and how to connect to them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Machines {
    machines: Arc<[Arc<Machine>]>,
    connector: TlsConnector,
}

/// A room's place on a machine.
pub(super) struct Lease(Arc<Machine>);

impl Lease {
    fn of(machine: &Arc<Machine>) -> Self {
        machine.rooms.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(machine))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.rooms.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Machines {
    /// The machines that are configured.
    pub(super) fn new(config: &config::Mixing) -> Result<Self, SetupError> {
        let paths = (config.ca.clone(), config.certificate.clone(), config.key.clone());
        let (Some(ca), Some(certificate), Some(key)) = paths else {
            return Err(SetupError::NoCertificates);
        };
        let tls = Files { ca, certificate, key }.client_config()?;
        let machines = config.agents.iter().map(|address| {
            let host = address.rsplit_once(':').map_or(&**address, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|_| SetupError::Name(address.clone()))?;
            let address = address.clone();
            let rooms = AtomicUsize::new(0);
            Ok(Arc::new(Machine { address, name, rooms, failed: Mutex::new(None) }))
        });
        let machines = machines.collect::<Result<Arc<_>, SetupError>>()?;
        Ok(Self { machines, connector: TlsConnector::from(Arc::new(tls)) })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.machines.len()
    }

    /// The address of a machine and what it can do.
    pub(super) async fn look(&self, machine: usize) -> (&str, Result<Capabilities, NoAgent>) {
        let machine = &self.machines[machine];
        let found = self.connect(machine).await.map(|(_, capabilities)| capabilities);
        (&machine.address, found)
    }

    /// Those that work with the least rooms first, those that failed lately last.
    fn by_preference(&self) -> Vec<Arc<Machine>> {
        let mut machines = self.machines.to_vec();
        machines.sort_by_key(|it| (it.failed_lately(), it.rooms.load(Ordering::Relaxed)));
        machines
    }

    async fn connect(
        &self,
        machine: &Machine,
    ) -> Result<(Link<TlsStream<TcpStream>>, Capabilities), NoAgent> {
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let connecting = async {
            let stream = timeout(CONNECT, TcpStream::connect(&machine.address)).await;
            let stream = stream.map_err(|_| late())??;
            // Packets do not wait for more of them.
            stream.set_nodelay(true)?;
            let connected = self.connector.connect(machine.name.clone(), stream);
            timeout(CONNECT, connected).await.map_err(|_| late())?
        };
        let stream = connecting.await.map_err(|error| lost(&error))?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "only sockets know of certificates")]
        // A machine that refuses this server's certificate says so once it has seen it.
        Link::greet(stream).await.map_err(|error| match &error {
            LinkError::Socket(error) => lost(error),
            _ => error.into(),
        })
    }
}

impl Machine {
    fn failed_lately(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|failed| failed.elapsed() < PROBATION)
    }

    fn note(&self, failed: Option<Instant>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }
}

impl Start for Machines {
    type Stream = TlsStream<TcpStream>;
    type Process = Lease;

    async fn start(&mut self) -> Result<Started<TlsStream<TcpStream>, Lease>, NoAgent> {
        let mut may_go_better = false;
        for machine in self.by_preference() {
            // Counted while it connects, so that rooms that start together spread.
            let process = Lease::of(&machine);
            match self.connect(&machine).await {
                Ok((link, capabilities)) => {
                    machine.note(None);
                    return Ok(Started { link, capabilities, process });
                }
                Err(lost) => {
                    let (NoAgent::Died(reason) | NoAgent::Useless(reason)) = &lost;
                    warn!(agent = machine.address, reason, "no mixing agent there");
                    machine.note(Some(Instant::now()));
                    may_go_better |= matches!(lost, NoAgent::Died(_));
                }
            }
        }
        // What it was, and which machine, is for the operator alone.
        Err(if may_go_better {
            NoAgent::Died("no mixing agent can be reached".into())
        } else {
            NoAgent::Useless("no mixing agent can be used".into())
        })
    }
}

/// What a failed connection means. A wrong certificate is wrong the next time, too.
fn lost(error: &io::Error) -> NoAgent {
    match tls::refusal(error) {
        Some(meaning) => NoAgent::Useless(meaning.to_owned()),
        None => NoAgent::Died(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
