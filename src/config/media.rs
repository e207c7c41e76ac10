//! `[media]`: where packets come in and who moves them.

use std::net::IpAddr;

use toml::Value;

use super::{
    keys::{Keys, Reader, Section, found},
    source::Entry,
};

/// More addresses than a candidate list should have.
const MAX_ADDRESSES: usize = 32;
/// More threads than any machine in sight has cores.
const MAX_WORKERS: u16 = 256;

/// Where packets come in and who moves them.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// UDP port of the first worker, the next has the next one; 0 lets the system choose.
    pub udp_port: u16,
    /// Addresses to receive on; empty is every address of the machine.
    pub addresses: Vec<MediaAddress>,
    /// Worker threads; 0 is one per core.
    pub workers: u16,
}

/// An address to receive on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAddress {
    /// The machine's own address.
    pub bind: IpAddr,
    /// What clients are told instead, where a 1:1 NAT stands before the machine.
    pub announce: Option<IpAddr>,
}

impl Section for Media {
    const NAME: &'static str = "media";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let wanted = "a list such as [{ bind = \"10.0.0.5\", announce = \"203.0.113.7\" }]";
        Self {
            udp_port: keys.whole("udp_port", 10_000, 0..=u16::MAX),
            addresses: keys.convert("addresses", Vec::new(), wanted, addresses),
            workers: keys.whole("workers", 0, 0..=MAX_WORKERS),
        }
    }
}

impl Media {
    /// Checks what needs more than one key.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let workers = if self.workers == 0 { cores } else { self.workers.into() };
        if self.udp_port > 0 && usize::from(self.udp_port) + workers - 1 > u16::MAX.into() {
            let what = format!("{workers} workers need as many ports from here");
            reader.refuse("media.udp_port", what, "choose a lower port or fewer workers");
        }
    }
}

fn addresses(entry: &Entry) -> Result<Vec<MediaAddress>, String> {
    let array = entry.value.as_array().ok_or_else(|| found(&entry.value))?;
    if array.len() > MAX_ADDRESSES {
        return Err(format!("found {} addresses, more than {MAX_ADDRESSES}", array.len()));
    }
    array.iter().map(address).collect()
}

fn address(value: &Value) -> Result<MediaAddress, String> {
    let table = value.as_table().ok_or_else(|| found(value))?;
    if let Some(unknown) = table.keys().find(|key| !matches!(key.as_str(), "bind" | "announce")) {
        return Err(format!("an address has `bind` and `announce`, but not `{unknown}`"));
    }
    let ip = |key: &str| -> Result<Option<IpAddr>, String> {
        let Some(value) = table.get(key) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| format!("{key}: {}", found(value)))?;
        let ip = text.parse().map_err(|_| format!("{key}: {text:?} is not an IP address"))?;
        Ok(Some(ip))
    };
    let bind = ip("bind")?.ok_or("an address without `bind`")?;
    if bind.is_unspecified() || bind.is_multicast() {
        return Err(format!("bind: {bind} is not the address of one interface"));
    }
    Ok(MediaAddress { bind, announce: ip("announce")? })
}
