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
}

impl Section for Signals {
    const NAME: &'static str = "signals";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { auth: keys.choice("auth", Auth::Token, &AUTHS) }
    }
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
