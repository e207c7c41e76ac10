//! `[rest]`: the management interface.

use std::{net::SocketAddr, time::Duration};

use super::keys::{Keys, Section};

/// The management interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// A second listener for it alone; without, it is on the portal's port only.
    pub listen: Option<SocketAddr>,
    /// Whether a signed header is taken once only, and only in time.
    pub strict: bool,
    /// How far a header's timestamp may be from now, where that matters.
    pub timestamp_window: Duration,
}

impl Section for Rest {
    const NAME: &'static str = "rest";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            listen: keys.listener("listen"),
            strict: keys.flag("strict", false),
            timestamp_window: keys.seconds("timestamp_window", 60, 1..=3600),
        }
    }
}
