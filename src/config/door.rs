//! `[signals]` and `[protoo]`: the doors that can also be left open.

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
}

impl Section for Protoo {
    const NAME: &'static str = "protoo";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { auth: keys.choice("auth", Auth::Token, &AUTHS) }
    }
}
