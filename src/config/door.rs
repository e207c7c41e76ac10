//! `[signals]` and `[protoo]`: the doors that can also be left open.

use std::time::Duration;

use super::keys::{Keys, Section};

/// Who may come in by a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Whoever has a token.
    Token,
    /// Everybody; for trials.
    Open,
}

const AUTHS: [(&str, Auth); 2] = [("token", Auth::Token), ("open", Auth::Open)];

/// The door of `{action, data}` clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals {
    /// Who may come in.
    pub auth: Auth,
    /// How long a session may send no heartbeat before it is released.
    pub heartbeat_timeout: Duration,
    /// The largest WebSocket frame of a client, in bytes.
    pub max_frame_bytes: usize,
    /// The largest message of a client, in bytes.
    pub max_message_bytes: usize,
    /// How long nothing may come from a client, answers to pings included.
    pub idle_timeout: Duration,
    /// How long a connection may last; zero is for ever.
    pub connection_lifetime: Duration,
    /// Signals of one connection that are taken in a second, in the long run.
    pub signals_per_second: u32,
    /// Publishers at once in a meeting that a client makes.
    pub max_publishers: u32,
    /// URLs of the STUN servers that clients are to use.
    pub ice_servers: Vec<String>,
}

impl Section for Signals {
    const NAME: &'static str = "signals";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let whole = "a STUN URL such as \"stun:stun.example.org:3478\"";
        let ice_servers = keys.list("ice_servers", &format!("a list of {whole}"), ice_server);
        Self {
            auth: keys.choice("auth", Auth::Token, &AUTHS),
            heartbeat_timeout: keys.seconds("heartbeat_timeout", 10, 1..=3600),
            max_frame_bytes: keys.whole("max_frame_bytes", 32 * 1024, FRAME_BYTES),
            max_message_bytes: keys.whole("max_message_bytes", 128 * 1024, FRAME_BYTES),
            idle_timeout: keys.seconds("idle_timeout", 600, 2..=86_400),
            connection_lifetime: keys.seconds("connection_lifetime", 0, 0..=2_592_000),
            signals_per_second: keys.whole("signals_per_second", 100, 1..=10_000),
            max_publishers: keys.whole("max_publishers", 9, 1..=1_000),
            ice_servers: ice_servers.unwrap_or_default(),
        }
    }
}

/// From what one signal needs to what any client sends.
const FRAME_BYTES: std::ops::RangeInclusive<usize> = 4096..=16_777_216;

fn ice_server(text: &str) -> Result<String, String> {
    let known = ["stun:", "stuns:"].iter().any(|scheme| text.starts_with(scheme));
    known.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is no STUN URL"))
}

/// The door of protoo clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protoo {
    /// Who may come in.
    pub auth: Auth,
    /// What this server is called where the dialect names signaling and media nodes.
    pub node: String,
    /// How long a participant may ask for nothing before it is taken for gone.
    pub keepalive_timeout: Duration,
    /// Whether mixed streams are listed among the streams that can be subscribed to.
    pub list_views: bool,
}

impl Section for Protoo {
    const NAME: &'static str = "protoo";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            auth: keys.choice("auth", Auth::Token, &AUTHS),
            node: keys.parsed("node", "portico".to_owned(), "1 to 64 printable characters", node),
            keepalive_timeout: keys.seconds("keepalive_timeout", 30, 1..=3600),
            list_views: keys.flag("list_views", false),
        }
    }
}

fn node(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control);
    fits.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} cannot name a node"))
}
