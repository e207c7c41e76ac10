//! Where settings come from: the configuration file and the environment, each value with its place.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize as _;
use toml::{
    Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::problem::{Place, Problem};

/// Variables that override keys start with this.
const PREFIX: &str = "PORTICO__";

/// A variable with a name of its own, since secrets are often handed over so.
const PASSWORD_VARIABLE: &str = "PORTICO_KEYSTORE_PASSWORD";

/// Another one, whose name is OWT's.
const VIA_HOST_VARIABLE: &str = "owt_via_host";

/// The longest configuration file, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) place: Place,
    /// A variable's text as it is; what a key of text takes even where it looks like a number.
    pub(super) raw: Option<String>,
}

/// The values of one configuration file and of the environment.
#[derive(Default)]
pub(super) struct Source {
    /// By table, then by key.
    pub(super) tables: BTreeMap<String, BTreeMap<String, Entry>>,
    /// By the name's parts in capitals and without underscores.
    pub(super) variables: BTreeMap<Vec<String>, Entry>,
    /// The whole environment, for values that name a variable.
    pub(super) environment: BTreeMap<String, String>,
    /// What is wrong so far.
    pub(super) problems: Vec<Problem>,
    /// What is passed over so far.
    pub(super) warnings: Vec<Problem>,
}

impl Source {
    /// Takes in a file's text; `known` names the tables there are, `foreign` those that are not
    /// worth proposing to anybody.
    pub(super) fn add_file(&mut self, text: &str, file: &Path, known: &[&str], foreign: &[&str]) {
        let lines = Lines { text, file, known, foreign };
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            self.problems.push(Problem {
                place: lines.place(error.span().map_or(0, |span| span.start)),
                key: String::new(),
                what: format!("this is not TOML: {}", error.message()),
                remedy: "see https://toml.io for how to write it".into(),
            });
        }
        for (name, value) in document.into_inner() {
            let place = lines.place(name.span().start);
            match value.into_inner() {
                DeValue::Table(table) => {
                    self.add_table(name.get_ref(), table, place, &lines);
                }
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_) => self.problems.push(Problem {
                    place,
                    key: name.get_ref().to_string(),
                    what: "every key belongs to a table".into(),
                    remedy: "put it below a line such as [portal]".into(),
                }),
            }
        }
    }

    fn add_table(&mut self, name: &str, table: DeTable<'_>, place: Place, lines: &Lines<'_>) {
        let known = lines.known;
        if !known.contains(&name) && !lines.foreign.contains(&name) {
            self.problems.push(Problem {
                place,
                key: format!("[{name}]"),
                what: "there is no such table".into(),
                remedy: remedy_for_unknown(name, known.iter().copied()),
            });
            return;
        }
        for (key, value) in table {
            let place = lines.place(key.span().start);
            let path = format!("{name}.{}", key.get_ref());
            let span = value.span();
            let value = value.into_inner();
            if known.contains(&path.as_str())
                && let DeValue::Table(inner) = value
            {
                self.add_table(&path, inner, place, lines);
                continue;
            }
            match Value::deserialize(ValueDeserializer::from(toml::Spanned::new(span, value))) {
                Ok(value) => {
                    let entry = Entry { value, place, raw: None };
                    let table = self.tables.entry(name.to_owned()).or_default();
                    table.insert(key.get_ref().to_string(), entry);
                }
                Err(error) => self.problems.push(Problem {
                    place,
                    key: path,
                    what: error.message().to_owned(),
                    remedy: "write a value that TOML has".into(),
                }),
            }
        }
    }

    /// Takes in the variables that override keys, and leaves the rest.
    pub(super) fn add_variables(&mut self, variables: impl Iterator<Item = (String, String)>) {
        for (name, raw) in variables {
            self.environment.insert(name.clone(), raw.clone());
            let parts = match name.strip_prefix(PREFIX) {
                Some(rest) => rest.split("__").map(plain).collect(),
                None if name == PASSWORD_VARIABLE => parts_of("portal", "keystorePassword"),
                None if name == VIA_HOST_VARIABLE => parts_of("portal", "via_host"),
                None => continue,
            };
            let value = ValueDeserializer::parse(&raw)
                .and_then(Value::deserialize)
                .unwrap_or_else(|_| Value::String(raw.clone()));
            let entry = Entry { value, place: Place::Variable(name), raw: Some(raw) };
            self.variables.insert(parts, entry);
        }
    }
}

/// The parts under which a variable for this key is found.
pub(super) fn parts_of(table: &str, key: &str) -> Vec<String> {
    table.split('.').chain([key]).map(plain).collect()
}

/// The variable that overrides this key.
pub(super) fn variable_name(table: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", table.replace('.', "__"), key).to_ascii_uppercase()
}

fn plain(part: &str) -> String {
    part.replace('_', "").to_ascii_uppercase()
}

/// Names the nearest known name where one is near, else all of them.
pub(super) fn remedy_for_unknown<'k>(
    name: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> String {
    let lower = name.to_ascii_lowercase();
    let similarity = |known: &str| strsim::jaro_winkler(&lower, &known.to_ascii_lowercase());
    let nearest = known.clone().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest {
        Some(nearest) if similarity(nearest) > 0.75 => {
            format!("did you mean `{nearest}`? Otherwise remove it")
        }
        Some(_) | None => {
            let all: Vec<_> = known.collect();
            format!("remove it; there are {}", all.join(", "))
        }
    }
}

/// Turns offsets into lines, and knows which tables there are.
struct Lines<'t> {
    text: &'t str,
    file: &'t Path,
    known: &'t [&'t str],
    foreign: &'t [&'t str],
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Place::Line { file: self.file.to_owned(), line }
    }
}
