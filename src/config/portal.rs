//! `[portal]`: where clients connect, and how patient the server is with them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{
    Secret,
    keys::{Keys, Reader, Section},
};

/// Where clients connect, and how patient the server is with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Portal {
    /// The address to listen on.
    pub ip_address: IpAddr,
    /// The TCP port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Whether to speak TLS.
    pub ssl: bool,
    /// PFX file, or PEM file with the certificate chain.
    pub keystore_path: Option<PathBuf>,
    /// PEM file with the private key, where the one above has none.
    pub keystore_key_path: Option<PathBuf>,
    /// What opens the PFX file.
    pub keystore_password: Secret,
    /// The name under which clients reach the server; goes into tokens.
    pub hostname: String,
    /// Where clients connect when something stands before the server.
    pub via_host: Option<ViaHost>,
    /// What a refusal looks like to socket.io clients.
    pub error_format: ErrorFormat,
    /// How long a participant's place is kept after its connection was lost.
    pub reconnection_timeout: Duration,
    /// How long a reconnection ticket is valid.
    pub reconnection_ticket_lifetime: Duration,
    /// Origins whose pages may connect; `*` is any.
    pub cors: Vec<String>,
    /// Time between two pings of a connection.
    pub ping_interval: Duration,
    /// How long a pong may take before the connection counts as lost.
    pub ping_timeout: Duration,
    /// How long a connection may exist without a login.
    pub login_timeout: Duration,
    /// Client connections at once; more are refused.
    pub max_connections: usize,
    /// Messages that wait for a slow client; beyond, its connection is closed. Nearly as many are
    /// kept for a client that is away; beyond, it is dropped.
    pub outbox_length: usize,
    /// The largest message of a client, in bytes; a larger one closes its connection.
    pub max_message_bytes: usize,
    /// Requests of one client that wait for an answer; more are refused.
    pub pending_requests: usize,
}

/// Where clients connect when something stands before the server, such as a proxy that ends TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViaHost {
    /// A host, with a port if the URL says one.
    pub host: String,
    /// Whether TLS is spoken there.
    pub secure: bool,
}

/// What a refusal looks like to socket.io clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// OWT's text for its native SDKs, the document's object for everybody else.
    Auto,
    /// `{code, description}`, as the protocol document says.
    Document,
    /// The bare text that OWT's server sends.
    Owt,
}

const VIA_HOST_WANTED: &str = "an URL such as \"https://meet.example.org\", or \"\" for none";

const DAY_SECS: u64 = 24 * 3600;

impl Section for Portal {
    const NAME: &'static str = "portal";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        use ErrorFormat::{Auto, Document, Owt};
        let formats = [("auto", Auto), ("document", Document), ("owt", Owt)];
        Self {
            ip_address: keys.address("ip_address", Ipv4Addr::LOCALHOST.into()),
            port: keys.whole("port", 8080, 0..=u16::MAX),
            ssl: keys.flag("ssl", false),
            keystore_path: keys.path("keystorePath", ""),
            keystore_key_path: keys.path("keystoreKeyPath", ""),
            keystore_password: keys.secret("keystorePassword"),
            hostname: keys.expanded("hostname", String::new(), "a host name, or \"\"", host),
            via_host: keys.parsed("via_host", None, VIA_HOST_WANTED, via_host),
            error_format: keys.choice("error_format", Auto, &formats),
            reconnection_timeout: keys.seconds("reconnection_timeout", 60, 0..=DAY_SECS),
            reconnection_ticket_lifetime: keys.seconds(
                "reconnection_ticket_lifetime",
                600,
                1..=30 * DAY_SECS,
            ),
            cors: keys
                .list("cors", "a list of origins such as \"https://example.org\", or \"*\"", origin)
                .unwrap_or_else(|| vec!["*".into()]),
            ping_interval: keys.seconds("ping_interval", 25, 1..=3600),
            ping_timeout: keys.seconds("ping_timeout", 20, 1..=3600),
            login_timeout: keys.seconds("login_timeout", 180, 1..=DAY_SECS),
            max_connections: keys.whole("max_connections", 20_000, 1..=1_000_000),
            outbox_length: keys.whole("outbox_length", 1024, 16..=1_000_000),
            max_message_bytes: keys.whole("max_message_bytes", 1_500_000, 65_536..=100_000_000),
            pending_requests: keys.whole("pending_requests", 64, 1..=10_000),
        }
    }
}

impl Portal {
    /// Checks what needs more than one key.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        let files = [
            ("portal.keystorePath", &self.keystore_path),
            ("portal.keystoreKeyPath", &self.keystore_key_path),
        ];
        if !self.ssl {
            return;
        }
        if self.keystore_path.is_none() {
            let what = "ssl = true needs a certificate".to_owned();
            reader.refuse("portal.ssl", what, "set keystorePath to a PFX or PEM file");
        }
        for (key, path) in files {
            if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
                let what = format!("there is no file {}", path.display());
                reader.refuse(key, what, "name an existing PFX or PEM file");
            }
        }
    }

    /// `host:port` as it stands in tokens of a server that listens at `listening`: what stands
    /// before the server, else the host name if there is one, else the address; for a server that
    /// listens everywhere, the address that other machines most likely see.
    pub fn public_host(&self, listening: SocketAddr) -> String {
        if let Some(via) = &self.via_host {
            return via.host.clone();
        }
        let port = listening.port();
        if !self.hostname.is_empty() {
            return format!("{}:{port}", self.hostname);
        }
        let ip = listening.ip();
        SocketAddr::new(if ip.is_unspecified() { outward_address() } else { ip }, port).to_string()
    }

    /// Whether clients connect by TLS, as tokens say it.
    pub fn public_secure(&self) -> bool {
        self.via_host.as_ref().map_or(self.ssl, |via| via.secure)
    }

    /// Notifications that are kept for a participant while its connection is lost; with more it is
    /// dropped. They all go into its new connection's outbox at once, which must have room for its
    /// answer and pings as well.
    pub fn max_missed(&self) -> usize {
        const BESIDES: usize = 8;
        self.outbox_length.saturating_sub(BESIDES)
    }

    /// Where to listen, as it is written; a port of 0 becomes another once one listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip_address, self.port)
    }
}

/// The address of the interface with the default route, without sending anything.
fn outward_address() -> IpAddr {
    // RFC 5737 reserves this address for documentation: it is routed outward like any other.
    const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let probe = || -> std::io::Result<IpAddr> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(ANYWHERE)?;
        Ok(socket.local_addr()?.ip())
    };
    probe().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

fn host(text: &str) -> Result<String, String> {
    const MAX_HOST_LEN: usize = 253;
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bracketed.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    if text.len() <= MAX_HOST_LEN && (address || text.bytes().all(clean)) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not a host name"))
    }
}

fn via_host(text: &str) -> Result<Option<ViaHost>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let no_url = || format!("{text:?} is not an URL of a host alone");
    let (secure, rest) = match text.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        Some(_) | None => return Err(no_url()),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    // A bracketed IPv6 address has colons of its own.
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        Some(_) | None => (authority, None),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if name.is_empty() || !port_fits || host(name).is_err() {
        return Err(no_url());
    }
    Ok(Some(ViaHost { host: authority.to_owned(), secure }))
}

fn origin(text: &str) -> Result<String, String> {
    let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match after {
        _ if text == "*" => Ok(text.to_owned()),
        // Browsers write it in small letters.
        Some(host) if !host.is_empty() && !host.contains('/') => Ok(text.to_ascii_lowercase()),
        Some(_) | None => Err(format!("{text:?} is not an origin")),
    }
}
