//! `[mixing]`: who draws the views.

use super::keys::{Keys, Section};

/// Who draws the views.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixing {
    /// Mixing agents on other machines, as `host:port`; empty starts them on this one.
    pub agents: Vec<String>,
}

impl Section for Mixing {
    const NAME: &'static str = "mixing";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let wanted = "a list of addresses such as \"mixer.example.org:7070\"";
        Self { agents: keys.list("agents", wanted, agent).unwrap_or_default() }
    }
}

fn agent(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|port| *port > 0);
    port.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is not a host with a port"))
}
