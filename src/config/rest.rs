//! `[rest]`: the management interface.

use std::net::SocketAddr;

use super::keys::{Keys, Section};

/// The management interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// A second listener for it alone; without, it is on the portal's port only.
    pub listen: Option<SocketAddr>,
}

impl Section for Rest {
    const NAME: &'static str = "rest";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { listen: keys.listener("listen") }
    }
}
