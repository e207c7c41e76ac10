//! The versions of the protocol that clients speak, and what else is remembered of a client.

use super::login::ErrorForm;

/// A version of the protocol. In the order of their making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Protocol {
    /// As 1.1, with one description of a stream's picture instead of a list.
    V10,
    /// The documented one.
    #[default]
    V11,
    /// Tracks and transports: many sessions on one peer connection.
    V12,
}

impl Protocol {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::V10, "1.0"), (Self::V11, "1.1"), (Self::V12, "1.2")];

    /// The version of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| *known == name).map(|(version, _)| version)
    }

    fn name(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }
}

/// How a client is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The version.
    pub(super) protocol: Protocol,
    /// The form of errors.
    pub(super) errors: ErrorForm,
}

impl Dialect {
    /// As a text that is kept for a client that comes back, because it does not say this again.
    pub(super) fn note(self) -> String {
        let errors = match self.errors {
            ErrorForm::Object => "object",
            ErrorForm::Text => "text",
        };
        format!("{} {errors}", self.protocol.name())
    }

    /// What such a text says; the most usual dialect if it says nothing.
    pub(super) fn recalled(note: &str) -> Self {
        let (protocol, errors) = note.split_once(' ').unwrap_or_default();
        let errors = if errors == "text" { ErrorForm::Text } else { ErrorForm::Object };
        Self { protocol: Protocol::named(protocol).unwrap_or_default(), errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_recalled() {
        for (protocol, name) in Protocol::NAMES {
            assert_eq!(protocol.name(), name);
            for errors in [ErrorForm::Object, ErrorForm::Text] {
                let dialect = Dialect { protocol, errors };
                assert_eq!(Dialect::recalled(&dialect.note()), dialect);
            }
        }
        let usual = Dialect { protocol: Protocol::V11, errors: ErrorForm::Object };
        assert_eq!(Dialect::recalled(""), usual);
        assert_eq!(Protocol::named("legacy"), None);
    }
}
