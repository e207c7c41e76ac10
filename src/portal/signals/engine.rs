//! Which service carries the media of a room.

/// A streaming engine, as the dialect names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// This server.
    Native,
    /// Agora.
    Agora,
    /// 100ms.
    Hundredms,
    /// LiveKit.
    Livekit,
}

impl Engine {
    const ALL: [Self; 4] = [Self::Native, Self::Agora, Self::Hundredms, Self::Livekit];

    /// Its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Agora => "agora",
            Self::Hundredms => "hundredms",
            Self::Livekit => "livekit",
        }
    }

    /// The engine of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// The engine that serves whoever wants this one: an engine that is not there is stood in for
    /// by this server.
    pub(super) fn serving(self) -> Self {
        match self {
            Self::Native | Self::Agora | Self::Hundredms | Self::Livekit => Self::Native,
        }
    }
}
