//! Transcripts: files of what clients send (`→`) and must receive (`←`), in order and completely.
//! One runner for every dialect; what stands behind the arrows is the dialect's.
//!
//! ```text
//! # comment
//! alice connects HOW                    as the dialect's client does
//! alice → REQUEST {"data": "<token lobby:ann:presenter>"}
//! alice ← ok {"id": "<alice>", ...}     the answer to the request before
//! bob ← EVENT {"uid": "<alice>"}        something that nobody asked for
//! alice → raw 42["publish"]             a frame as it is
//! alice publishes <cam>                 sound and picture with real media, until it is ready
//! alice closes                          `closes and is away` waits until its place is kept
//! alice ← closed
//! ```
//!
//! `<token ROOM:USER:ROLE>` issues a token. `<name>` stands for a text: whatever comes first, and
//! the same ever after. `"...": 0` in an object lets further members pass. At the end every
//! client that is still connected must have been told nothing more.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::{Map, Value};

use super::server::TestServer;

/// Longer than anything a healthy server takes, shorter than the clients' own patience.
const PATIENCE: Duration = Duration::from_secs(8);

/// A client of one dialect.
pub(crate) trait Client: Sized {
    /// Connects; `how` is what the transcript says of it, often nothing.
    async fn connect(server: &TestServer, how: &str) -> Self;

    /// Sends a request; the next [`Heard`] answer must be its.
    async fn ask(&mut self, name: &str, data: Option<&Value>);

    /// Sends a frame as it is.
    async fn send_raw(&mut self, frame: &str);

    /// Publishes sound and picture, which connect but are silent; yields the stream's name.
    async fn publish(&mut self) -> String;

    /// The next thing that the server says.
    async fn hear(&mut self) -> Heard;
}

/// What a server says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    /// `ok` and `error` answer the request before, `closed` is the end, the rest are the dialect's.
    pub(crate) word: String,
    /// What comes with it, `Null` when nothing does.
    pub(crate) data: Value,
}

/// Runs every transcript of a folder below `tests/suite`, each with a server of its own.
pub(crate) async fn run_all<C: Client>(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("transcripts")
        .map(|entry| entry.expect("one").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are transcripts");
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let name = file.file_stem().expect("named").to_string_lossy().into_owned();
        Run::<C>::new(name, TestServer::start().await).all(&text).await;
    }
}

struct Run<C> {
    name: String,
    server: TestServer,
    clients: BTreeMap<String, C>,
    bound: BTreeMap<String, String>,
}

impl<C: Client> Run<C> {
    fn new(name: String, server: TestServer) -> Self {
        Self { name, server, clients: BTreeMap::new(), bound: BTreeMap::new() }
    }

    async fn all(mut self, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}.txt:{}: {line}", self.name, number + 1);
            self.line(line, &place).await;
        }
        for (name, client) in &mut self.clients {
            // An unknown request is answered after everything that was queued before it.
            client.ask("barrier", None).await;
            let heard = heard(client, &format!("{}.txt: the end", self.name)).await;
            assert_eq!(heard.word, "error", "{}.txt: {name} was also told {heard:?}", self.name);
        }
    }

    async fn line(&mut self, line: &str, place: &str) {
        let (name, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{place}: what?"));
        match rest.split_once(' ').unwrap_or((rest, "")) {
            ("connects", how) => {
                let how = self.filled(how, place).await;
                let client = C::connect(&self.server, &how).await;
                self.clients.insert(name.to_owned(), client);
            }
            ("closes", "") => drop(self.clients.remove(name)),
            ("closes", "and is away") => {
                let away = self.server.away();
                drop(self.clients.remove(name));
                self.server.until_away(away + 1).await;
            }
            ("publishes", stream) => self.publish(name, stream, place).await,
            ("→", frame) => self.send(name, frame, place).await,
            ("←", frame) => self.receive(name, frame, place).await,
            _ => panic!("{place}: neither → nor ←"),
        }
    }

    async fn publish(&mut self, name: &str, stream: &str, place: &str) {
        assert!(is_placeholder(stream), "{place}: a name for the stream");
        let client = self.clients.get_mut(name).unwrap_or_else(|| panic!("{place}: who?"));
        let published = client.publish().await;
        self.same(&stream.into(), &published.into(), place);
    }

    async fn send(&mut self, name: &str, frame: &str, place: &str) {
        let frame = self.filled(frame, place).await;
        let client = self.clients.get_mut(name).unwrap_or_else(|| panic!("{place}: who?"));
        if let Some(raw) = frame.strip_prefix("raw ") {
            return client.send_raw(raw).await;
        }
        match frame.split_once(' ') {
            None => client.ask(&frame, None).await,
            Some((event, data)) => client.ask(event, Some(&json(data, place))).await,
        }
    }

    async fn receive(&mut self, name: &str, frame: &str, place: &str) {
        let client = self.clients.get_mut(name).unwrap_or_else(|| panic!("{place}: who?"));
        let got = heard(client, place).await;
        let (word, expected) = match frame.split_once(' ') {
            None => (frame, Value::Null),
            Some((word, data)) => (word, json(data, place)),
        };
        assert_eq!(word, got.word, "{place}\n  instead: {got:?}");
        self.same(&expected, &got.data, place);
        if word == "closed" {
            self.clients.remove(name);
        }
    }

    /// Issues the tokens in a line and puts in the texts that are known by name.
    async fn filled(&self, line: &str, place: &str) -> String {
        let mut filled = String::new();
        let mut rest = line;
        while let Some((before, tail)) = rest.split_once('<') {
            let (name, after) = tail.split_once('>').unwrap_or_else(|| panic!("{place}: no >"));
            filled.push_str(before);
            filled.push_str(&match name.strip_prefix("token ") {
                Some(claims) => self.token(claims, place).await,
                None => self.bound.get(name).unwrap_or_else(|| panic!("{place}: {name}?")).clone(),
            });
            rest = after;
        }
        filled + rest
    }

    async fn token(&self, claims: &str, place: &str) -> String {
        let parts: Vec<&str> = claims.split(':').collect();
        let [room, user, role] = parts[..] else { panic!("{place}: ROOM:USER:ROLE") };
        self.server.token(room, user, role).await
    }

    fn same(&mut self, expected: &Value, got: &Value, place: &str) {
        if let Err(path) = self.matches(expected, got, String::new()) {
            panic!("{place}\n  differs at {path}\n  instead: {got}");
        }
    }

    fn matches(&mut self, expected: &Value, got: &Value, path: String) -> Result<(), String> {
        match (expected, got) {
            (Value::String(name), Value::String(text)) if is_placeholder(name) => {
                let bound = self.bound.entry(name[1..name.len() - 1].to_owned());
                if bound.or_insert_with(|| text.clone()) == text { Ok(()) } else { Err(path) }
            }
            (Value::Object(expected), Value::Object(got)) => {
                self.same_members(expected, got, &path)
            }
            (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
                let mut pairs = expected.iter().zip(got).enumerate();
                pairs.try_for_each(|(i, (e, g))| self.matches(e, g, format!("{path}/{i}")))
            }
            (Value::String(expected), Value::String(got)) if self.with_names(expected) == *got => {
                Ok(())
            }
            (expected, got) if expected == got => Ok(()),
            _ => Err(format!("{path} (expected {expected})")),
        }
    }

    /// A text with the names in it replaced by what they stand for.
    fn with_names(&self, text: &str) -> String {
        let names = self.bound.iter();
        names.fold(text.to_owned(), |text, (name, is)| text.replace(&format!("<{name}>"), is))
    }

    fn same_members(
        &mut self,
        expected: &Map<String, Value>,
        got: &Map<String, Value>,
        path: &str,
    ) -> Result<(), String> {
        let open = expected.contains_key("...");
        if let Some(extra) = got.keys().find(|key| !open && !expected.contains_key(*key)) {
            return Err(format!("{path}/{extra} (unexpected)"));
        }
        for (key, value) in expected.iter().filter(|(key, _)| *key != "...") {
            let path = format!("{path}/{key}");
            let found = got.get(key).ok_or_else(|| format!("{path} (missing)"))?;
            self.matches(value, found, path)?;
        }
        Ok(())
    }
}

/// The next thing that the server says, in time.
async fn heard(client: &mut impl Client, place: &str) -> Heard {
    let heard = tokio::time::timeout(PATIENCE, client.hear()).await;
    heard.unwrap_or_else(|_| panic!("{place}\n  instead: nothing"))
}

fn is_placeholder(text: &str) -> bool {
    text.len() > 2 && text.starts_with('<') && text.ends_with('>')
}

fn json(text: &str, place: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
}
