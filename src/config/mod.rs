//! The settings: `portal.toml`, its defaults and its checks.
//!
//! One file per table; each key stands there with its default and its range. A value comes from
//! an environment variable, else from the file, else it is the default. Every problem is found at
//! once, and says where it is and what to do.

mod demo;
mod door;
mod engines;
mod keys;
mod live;
mod log;
mod media;
mod mixing;
mod owt;
mod portal;
mod problem;
mod rest;
mod rooms;
mod secret;
mod source;
mod store;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::Path,
};

pub use self::{
    demo::Demo,
    door::{Auth, Protoo, Signals},
    engines::{Agora, Engines, HundredMs, LiveKit},
    live::{Live, Playback},
    log::Log,
    media::{Media, MediaAddress},
    mixing::Mixing,
    portal::{ErrorFormat, Portal, ViaHost},
    problem::{Place, Problem, Problems},
    rest::Rest,
    rooms::{AUDIO_CODECS, Fit, LayoutTemplate, Rooms, VIDEO_CODECS, View},
    secret::Secret,
    store::Store,
};
use self::{
    keys::{Reader, Section},
    source::Source,
};

/// The file that is read when none is named, in the working directory.
pub const DEFAULT_FILE: &str = "portal.toml";

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where clients connect.
    pub portal: Portal,
    /// Where packets come in.
    pub media: Media,
    /// Where things are kept.
    pub store: Store,
    /// What rooms are like.
    pub rooms: Rooms,
    /// Who draws the views.
    pub mixing: Mixing,
    /// The door of `{action, data}` clients.
    pub signals: Signals,
    /// The door of protoo clients.
    pub protoo: Protoo,
    /// Live broadcasts.
    pub live: Live,
    /// Services of others.
    pub engines: Engines,
    /// The page at `/`.
    pub demo: Demo,
    /// The management interface.
    pub rest: Rest,
    /// What is logged.
    pub log: Log,
}

/// The settings, and what was passed over on the way to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Keys without effect: those of OWT's that mean nothing here.
    pub warnings: Problems,
}

const TABLES: [&str; 16] = [
    Portal::NAME,
    Media::NAME,
    Store::NAME,
    Rooms::NAME,
    View::NAME,
    Mixing::NAME,
    Signals::NAME,
    Protoo::NAME,
    Live::NAME,
    Engines::NAME,
    LiveKit::NAME,
    HundredMs::NAME,
    Agora::NAME,
    Demo::NAME,
    Rest::NAME,
    Log::NAME,
];

impl Config {
    /// Reads the settings from the named file, or from [`DEFAULT_FILE`] if there is one, and from
    /// the environment.
    ///
    /// # Errors
    /// All problems at once. A named file that does not exist is one.
    pub fn load(
        named: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, Problems> {
        let file = named.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match read(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => None,
            Err(error) => return Err(unreadable(file, &error)),
        };
        let base = file.parent().unwrap_or(Path::new(""));
        Self::parse(text.as_deref().unwrap_or_default(), file, base, variables).0
    }

    /// The settings, and every key that there is with the variable that overrides it.
    fn parse(
        text: &str,
        file: &Path,
        base: &Path,
        variables: impl Iterator<Item = (String, String)>,
    ) -> (Result<Loaded, Problems>, Vec<(String, String)>) {
        let mut source = Source::default();
        source.add_file(text, file, &TABLES, &owt::TABLES);
        source.add_variables(variables);
        let mut reader =
            Reader { source: &mut source, base, known: Vec::new(), places: BTreeMap::new() };
        let config = Self::read(&mut reader);
        config.portal.check(&mut reader);
        config.media.check(&mut reader);
        config.mixing.check(&mut reader);
        config.engines.check(&mut reader);
        reader.pass_over_owt();
        reader.refuse_unknown_variables();
        let known = reader.known;
        let loaded = if source.problems.is_empty() {
            Ok(Loaded { config, warnings: Problems(source.warnings) })
        } else {
            Err(Problems(source.problems))
        };
        (loaded, known)
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            portal: reader.section(),
            media: reader.section(),
            store: reader.section(),
            rooms: reader.section(),
            mixing: reader.section(),
            signals: reader.section(),
            protoo: reader.section(),
            live: reader.section(),
            engines: reader.section(),
            demo: reader.section(),
            rest: reader.section(),
            log: reader.section(),
        }
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut limited = std::fs::File::open(file)?.take(source::MAX_FILE_BYTES + 1);
    limited.read_to_string(&mut text)?;
    if limited.limit() == 0 {
        let what = format!("it is longer than {} bytes", source::MAX_FILE_BYTES);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(text)
}

fn unreadable(file: &Path, error: &io::Error) -> Problems {
    Problems(vec![Problem {
        place: Place::File(file.to_owned()),
        key: String::new(),
        what: format!("this file cannot be read: {error}"),
        remedy: "name a readable file after --config".into(),
    }])
}

impl Default for Config {
    fn default() -> Self {
        let mut source = Source::default();
        Self::read(&mut Reader {
            source: &mut source,
            base: Path::new(""),
            known: Vec::new(),
            places: BTreeMap::new(),
        })
    }
}
