//! Reads the keys of one table: each with its default, what it may be, and a problem if it is not.

use std::{
    collections::BTreeMap,
    fmt::Display,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use toml::Value;

use super::{
    Secret, owt,
    problem::{Place, Problem},
    source::{Entry, Source, parts_of, remedy_for_unknown, variable_name},
};

/// A table of `portal.toml`. Its default is what [`Section::read`] makes of an empty one.
pub(super) trait Section: Sized {
    /// Its name, with dots where it stands inside another.
    const NAME: &'static str;

    /// Takes its values out of what was written.
    fn read(keys: &mut Keys<'_, '_>) -> Self;
}

/// All values on their way into the settings.
pub(super) struct Reader<'s> {
    pub(super) source: &'s mut Source,
    /// Where relative paths start.
    pub(super) base: &'s Path,
    /// Every key that was asked for, with its variable.
    pub(super) known: Vec<(String, String)>,
    /// Where values came from that were not the default.
    pub(super) places: BTreeMap<String, Place>,
}

impl Reader<'_> {
    /// Reads one table. Of the keys in it that are none of ours, it takes OWT's with a warning and
    /// refuses the rest.
    pub(super) fn section<S: Section>(&mut self) -> S {
        let written = self.source.tables.remove(S::NAME).unwrap_or_default();
        let mut keys = Keys { name: S::NAME, written, asked: Vec::new(), reader: self };
        let section = S::read(&mut keys);
        let Keys { written, asked, .. } = keys;
        self.pass_over(S::NAME, written, &asked.iter().copied());
        section
    }

    /// Passes over the tables that only OWT has.
    pub(super) fn pass_over_owt(&mut self) {
        for table in owt::TABLES {
            let written = self.source.tables.remove(table).unwrap_or_default();
            self.pass_over(table, written, &owt::keys_of(table));
        }
    }

    fn pass_over<'k>(
        &mut self,
        table: &str,
        written: BTreeMap<String, Entry>,
        known: &(impl Iterator<Item = &'k str> + Clone),
    ) {
        for (key, entry) in written {
            let path = format!("{table}.{key}");
            let (place, key) = (entry.place, key.as_str());
            match owt::find(table, key) {
                Some(foreign) => self.source.warnings.push(Problem {
                    place,
                    key: path,
                    what: "this key is OWT's and has no effect".into(),
                    remedy: foreign.remedy.into(),
                }),
                None => self.source.problems.push(Problem {
                    place,
                    key: path,
                    what: "there is no such key".into(),
                    remedy: remedy_for_unknown(key, known.clone()),
                }),
            }
        }
    }

    /// Refuses the variables that no key took.
    pub(super) fn refuse_unknown_variables(&mut self) {
        for entry in std::mem::take(&mut self.source.variables).into_values() {
            let Place::Variable(name) = &entry.place else { continue };
            let all = self.known.iter().map(|(_, variable)| variable.as_str());
            let nearest = all.max_by(|a, b| {
                strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b))
            });
            self.source.problems.push(Problem {
                key: String::new(),
                what: "no key has this variable".into(),
                remedy: format!("did you mean {}? Otherwise unset it", nearest.unwrap_or_default()),
                place: entry.place,
            });
        }
    }

    /// Reports a value that is wrong only beside others.
    pub(super) fn refuse(&mut self, key: &str, what: String, remedy: impl Into<String>) {
        let place = self.places.get(key).cloned().unwrap_or(Place::Default);
        let problem = Problem { place, key: key.into(), what, remedy: remedy.into() };
        self.source.problems.push(problem);
    }
}

/// The keys of one table.
pub(super) struct Keys<'a, 's> {
    name: &'static str,
    written: BTreeMap<String, Entry>,
    asked: Vec<&'static str>,
    reader: &'a mut Reader<'s>,
}

impl Reader<'_> {
    fn take(&mut self, table: &str, key: &str, written: Option<Entry>) -> Option<Entry> {
        let path = format!("{table}.{key}");
        self.known.push((path.clone(), variable_name(table, key)));
        let entry = self.source.variables.remove(&parts_of(table, key)).or(written)?;
        self.places.insert(path, entry.place.clone());
        Some(entry)
    }
}

impl Keys<'_, '_> {
    /// A table inside this one.
    pub(super) fn inner<S: Section>(&mut self) -> S {
        self.reader.section()
    }

    /// A value made by `convert`, which says what is wrong if it cannot; `wanted` is what it takes.
    pub(super) fn convert<T>(
        &mut self,
        key: &'static str,
        default: T,
        wanted: &str,
        convert: impl FnOnce(&Entry) -> Result<T, String>,
    ) -> T {
        self.asked.push(key);
        let written = self.written.remove(key);
        let Some(entry) = self.reader.take(self.name, key, written) else { return default };
        convert(&entry).unwrap_or_else(|what| {
            let key = format!("{}.{key}", self.name);
            let remedy = format!("write {wanted}");
            let problem = Problem { place: entry.place, key, what, remedy };
            self.reader.source.problems.push(problem);
            default
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.convert(key, default, "true or false", |entry| {
            entry.value.as_bool().ok_or_else(|| found(&entry.value))
        })
    }

    /// A whole number within a range.
    pub(super) fn whole<T>(&mut self, key: &'static str, default: T, range: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.convert(key, default, &wanted, |entry| {
            let number = entry.value.as_integer().ok_or_else(|| found(&entry.value))?;
            let fitting = T::try_from(number).ok().filter(|number| range.contains(number));
            fitting.ok_or_else(|| format!("{number} is out of range"))
        })
    }

    /// A number, whole or not, within a range.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> f64 {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        self.convert(key, default, &wanted, |entry| {
            let whole = entry.value.as_integer().and_then(|whole| i32::try_from(whole).ok());
            let number = entry.value.as_float().or(whole.map(f64::from));
            let number = number.ok_or_else(|| found(&entry.value))?;
            let fits = range.contains(&number);
            fits.then_some(number).ok_or_else(|| format!("{number} is out of range"))
        })
    }

    /// A time in whole seconds.
    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_secs(self.whole(key, default, range))
    }

    /// A text that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        default: T,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.convert(key, default, wanted, |entry| parse(text(entry)?))
    }

    /// Any text.
    pub(super) fn text(&mut self, key: &'static str, default: &str) -> String {
        self.parsed(key, default.to_owned(), "a string", |text| Ok(text.to_owned()))
    }

    /// A text that no problem shows.
    pub(super) fn secret(&mut self, key: &'static str) -> Secret {
        self.convert(key, Secret::default(), "a string", |entry| {
            let text = text(entry).map_err(|_| "this is not a string".to_owned())?;
            Ok(Secret::from(text.to_owned()))
        })
    }

    /// A path; a relative one starts at the configuration file. Empty is none.
    pub(super) fn path(&mut self, key: &'static str, default: &str) -> Option<PathBuf> {
        let path = self.text(key, default);
        (!path.is_empty()).then(|| self.reader.base.join(path))
    }

    /// A text that `parse` understands, or `$NAME` for what the variable NAME says, as OWT has it.
    pub(super) fn expanded<T>(
        &mut self,
        key: &'static str,
        default: T,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let wanted = format!("{wanted}; or $NAME for a variable's value");
        let environment = std::mem::take(&mut self.reader.source.environment);
        let value = self.parsed(key, default, &wanted, |text| match text.strip_prefix('$') {
            None => parse(text),
            Some(name) => match environment.get(name) {
                Some(value) => parse(value),
                None => Err(format!("there is no variable {name}")),
            },
        });
        self.reader.source.environment = environment;
        value
    }

    /// An address to listen on; empty is all of IPv4.
    pub(super) fn address(&mut self, key: &'static str, default: IpAddr) -> IpAddr {
        self.expanded(key, default, "an IP address, or \"\" for all", |text| match text {
            "" => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            text => text.parse().map_err(|_| format!("{text:?} is not an IP address")),
        })
    }

    /// An address with a port; empty is none.
    pub(super) fn listener(&mut self, key: &'static str) -> Option<SocketAddr> {
        let wanted = "an address with a port such as \"0.0.0.0:3000\", or \"\" for none";
        self.parsed(key, None, wanted, |text| match text {
            "" => Ok(None),
            text => match text.parse() {
                Ok(address) => Ok(Some(address)),
                Err(_) => Err(format!("{text:?} is not an address with a port")),
            },
        })
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        default: T,
        choices: &[(&str, T)],
    ) -> T {
        let wanted = one_of(choices);
        self.parsed(key, default, &wanted, |text| pick(text, choices))
    }

    /// Some of a few words, in the order in which they are written, each at most once.
    pub(super) fn choices<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        default: &[T],
        choices: &[(&str, T)],
    ) -> Vec<T> {
        let wanted = format!("a list of {}", one_of(choices));
        let picked = self.list(key, &wanted, |text| pick(text, choices));
        let Some(picked) = picked else { return default.to_vec() };
        let mut once = Vec::new();
        for choice in picked {
            if !once.contains(&choice) {
                once.push(choice);
            }
        }
        once
    }

    /// A list of texts, each understood by `parse`; `None` where the default holds.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        self.convert(key, None, wanted, |entry| {
            let array = entry.value.as_array().ok_or_else(|| found(&entry.value))?;
            let parsed = array.iter().map(|value| {
                let text = value.as_str().ok_or_else(|| found(value))?;
                parse(text)
            });
            parsed.collect::<Result<Vec<_>, _>>().map(Some)
        })
    }
}

/// Says what stands where something else is wanted.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::String(text) => format!("found the string {text:?}"),
        Value::Integer(number) => format!("found the whole number {number}"),
        Value::Float(number) => format!("found the number {number}"),
        Value::Boolean(flag) => format!("found {flag}"),
        Value::Datetime(_) => "found a date or time".into(),
        Value::Array(_) => "found a list".into(),
        Value::Table(_) => "found a table".into(),
    }
}

fn text(entry: &Entry) -> Result<&str, String> {
    // A variable such as HOSTNAME=12 means the text "12", although TOML sees a number.
    match (&entry.value, &entry.raw) {
        (Value::String(text), _) | (_, Some(text)) => Ok(text),
        (other, None) => Err(found(other)),
    }
}

fn pick<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = choices.iter().find(|(word, _)| *word == text);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| format!("{text:?} is not one of them"))
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
