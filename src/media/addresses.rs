//! Where to listen when nobody says.

use std::{io, net::IpAddr};

use super::ListenAddress;

/// The addresses of all network interfaces; loopback only when there is nothing else.
///
/// # Errors
/// When the system does not tell.
pub fn default_addresses() -> io::Result<Vec<ListenAddress>> {
    let found = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip());
    Ok(choose(found).into_iter().map(|bind| ListenAddress { bind, announce: None }).collect())
}

fn choose(found: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (loopback, others): (Vec<_>, Vec<_>) =
        found.filter(|address| !is_link_local(address)).partition(IpAddr::is_loopback);
    let mut chosen = if others.is_empty() { loopback } else { others };
    // IPv4 first: it is the likelier one to work.
    chosen.sort_by_key(IpAddr::is_ipv6);
    chosen.dedup();
    chosen
}

/// Addresses that mean nothing without the interface, which a candidate cannot name.
fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(found: &[&str]) -> Vec<String> {
        let parsed = found.iter().map(|text| text.parse().expect("an address"));
        choose(parsed).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn loopback_is_the_last_resort() {
        let found = ["127.0.0.1", "::1", "fe80::1", "2001:db8::7", "192.0.2.1", "169.254.1.1"];
        assert_eq!(chosen(&found), ["192.0.2.1", "2001:db8::7"]);
        assert_eq!(chosen(&["::1", "127.0.0.1"]), ["127.0.0.1", "::1"]);
    }

    #[test]
    fn this_machine_has_some() {
        assert!(!default_addresses().expect("the system tells").is_empty());
    }
}
