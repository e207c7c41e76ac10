//! `[mixing]`: who draws the views, and what is drawn beside the inputs.

use std::{path::PathBuf, time::Duration};

use super::keys::{Keys, Reader, Section};

/// More voices at once than anybody can tell apart.
const MAX_LOUDEST: u32 = 1000;

/// The most deaths and the longest time to count them in that make sense: an agent that dies more
/// often than this is restarted for ever.
const MAX_DEATHS: u32 = 1000;
const MAX_DEATHS_WINDOW: u64 = 86_400;

/// Who draws the views, and what is drawn beside the inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixing {
    /// Mixing agents on other machines, as `host:port`; empty starts them on this one.
    pub agents: Vec<String>,
    /// PEM file with the authority that signed the certificates of the agents on other machines.
    pub ca: Option<PathBuf>,
    /// PEM file with the certificate, and its chain, that this server shows to these agents.
    pub certificate: Option<PathBuf>,
    /// PEM file with its private key.
    pub key: Option<PathBuf>,
    /// The mixing agent's program; `None` is `portico-mixer` beside the server's own.
    pub program: Option<PathBuf>,
    /// How often a room's mixing agent may die within `deaths_window` before the room's views fail.
    pub max_deaths: u32,
    /// How long a death counts.
    pub deaths_window: Duration,
    /// How many voices are heard at once, the loudest ones; 0 is everybody.
    pub loudest: u32,
    /// Whether names are written into the regions.
    pub names: bool,
    /// Whether the avatar of a paused picture bears the first letter of the name.
    pub initials: bool,
    /// Whether whoever speaks has a border.
    pub mark_speaker: bool,
}

impl Section for Mixing {
    const NAME: &'static str = "mixing";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let wanted = "a list of addresses such as \"mixer.example.org:7070\"";
        Self {
            agents: keys.list("agents", wanted, agent).unwrap_or_default(),
            ca: keys.path("ca", ""),
            certificate: keys.path("certificate", ""),
            key: keys.path("key", ""),
            program: keys.path("program", ""),
            max_deaths: keys.whole("max_deaths", 5, 1..=MAX_DEATHS),
            deaths_window: keys.seconds("deaths_window", 60, 1..=MAX_DEATHS_WINDOW),
            loudest: keys.whole("loudest", 0, 0..=MAX_LOUDEST),
            names: keys.flag("names", false),
            initials: keys.flag("initials", false),
            mark_speaker: keys.flag("mark_speaker", false),
        }
    }
}

impl Mixing {
    /// Checks what needs more than one key.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.agents.is_empty() {
            return;
        }
        let files = [
            ("mixing.ca", &self.ca),
            ("mixing.certificate", &self.certificate),
            ("mixing.key", &self.key),
        ];
        for (key, path) in files {
            let what = match path {
                None => "agents on other machines need it".to_owned(),
                Some(path) if !path.is_file() => format!("there is no file {}", path.display()),
                Some(_) => continue,
            };
            reader.refuse(key, what, "name a PEM file");
        }
    }
}

fn agent(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|port| *port > 0);
    port.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is not a host with a port"))
}
