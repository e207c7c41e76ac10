//! `[demo]`: the page at `/` and its room.

use super::keys::{Keys, Section};
use crate::ids::RoomId;

/// The page at `/` and its room.
#[derive(Debug, Clone, PartialEq)]
pub struct Demo {
    /// Whether there is one. Its room then needs no token.
    pub enabled: bool,
    /// The room.
    pub room: RoomId,
}

impl Section for Demo {
    const NAME: &'static str = "demo";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let demo = "demo".parse().expect("letters only");
        let wanted = "1 to 128 characters of 0-9, A-Z, a-z, '-' and '_'";
        Self {
            enabled: keys.flag("enabled", true),
            room: keys.parsed("room", demo, wanted, |text| {
                text.parse().map_err(|_| format!("{text:?} cannot name a room"))
            }),
        }
    }
}
