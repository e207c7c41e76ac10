//! `[engines.*]`: services of others to which clients of the signals door may be sent for media.

use super::{
    Secret,
    keys::{Keys, Reader, Section},
};

/// Services of others. One whose keys are empty is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engines {
    /// LiveKit.
    pub livekit: LiveKit,
    /// 100ms.
    pub hundredms: HundredMs,
    /// Agora.
    pub agora: Agora,
}

/// A LiveKit server or cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKit {
    /// Where clients connect, such as `wss://example.livekit.cloud`.
    pub url: String,
    /// Names the key that signs.
    pub api_key: String,
    /// The key that signs.
    pub api_secret: Secret,
}

/// A 100ms workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HundredMs {
    /// Names the key that signs.
    pub access_key: String,
    /// The key that signs.
    pub secret: Secret,
    /// Rooms here and their ids there; a room that is not among them is served here.
    pub rooms: Vec<(String, String)>,
}

/// An Agora project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agora {
    /// Names the project.
    pub app_id: String,
    /// The key that signs.
    pub app_certificate: Secret,
}

impl Section for Engines {
    const NAME: &'static str = "engines";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { livekit: keys.inner(), hundredms: keys.inner(), agora: keys.inner() }
    }
}

impl Section for LiveKit {
    const NAME: &'static str = "engines.livekit";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self {
            url: keys.text("url", ""),
            api_key: keys.text("api_key", ""),
            api_secret: keys.secret("api_secret"),
        }
    }
}

impl Section for HundredMs {
    const NAME: &'static str = "engines.hundredms";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        let wanted = "a list of rooms such as \"lounge=64f1c0ffee64f1c0ffee64f1\"";
        Self {
            access_key: keys.text("access_key", ""),
            secret: keys.secret("secret"),
            rooms: keys.list("rooms", wanted, pair).unwrap_or_default(),
        }
    }
}

impl Section for Agora {
    const NAME: &'static str = "engines.agora";

    fn read(keys: &mut Keys<'_, '_>) -> Self {
        Self { app_id: keys.text("app_id", ""), app_certificate: keys.secret("app_certificate") }
    }
}

impl Engines {
    /// Refuses services with only some of their keys, of which a client would learn first.
    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        let Self { livekit, hundredms, agora } = self;
        let livekit = [&*livekit.url, &*livekit.api_key, livekit.api_secret.reveal()];
        together(reader, "engines.livekit.url", &livekit, "url, api_key and api_secret");
        let hundredms = [&*hundredms.access_key, hundredms.secret.reveal()];
        together(reader, "engines.hundredms.access_key", &hundredms, "access_key and secret");
        let pair = [&*agora.app_id, agora.app_certificate.reveal()];
        together(reader, "engines.agora.app_id", &pair, "app_id and app_certificate");
        let hex = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if pair.iter().any(|text| !text.is_empty() && !hex(text)) {
            let what = "Agora's id and certificate have 32 hexadecimal digits".to_owned();
            reader.refuse("engines.agora.app_id", what, "copy both from the project's page");
        }
    }
}

fn together(reader: &mut Reader<'_>, key: &str, values: &[&str], names: &str) {
    let empty = values.iter().filter(|value| value.is_empty()).count();
    if empty > 0 && empty < values.len() {
        let what = format!("{names} belong together");
        reader.refuse(key, what, "set all of them, or none");
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(ours, theirs)| !ours.is_empty() && !theirs.is_empty());
    let pair = pair.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is not a room here, \"=\", and its id there"))
}
