//! The house rules that no compiler knows: which module may use which, and how large a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lines of a file's production part, which is everything before its tests.
const MAX_FILE_LINES: usize = 400;

/// Each module of the server and what it may import from the crate, beside itself.
const IMPORTS: [(&str, &[&str]); 13] = [
    ("ids", &[]),
    ("formats", &[]),
    ("room", &["ids", "formats"]),
    ("media", &["ids", "formats"]),
    ("config", &["ids", "formats"]),
    ("store", &["ids", "formats", "config", "room"]),
    ("live", &["ids", "config"]),
    ("mixing", &["ids", "formats", "config", "room", "media", "live"]),
    ("driver", &["ids", "formats", "config", "room", "media", "mixing", "store", "live"]),
    ("portal", &["ids", "formats", "config", "room", "store", "live", "driver"]),
    ("admin", &["ids", "formats", "config", "room", "store", "live", "driver", "portal"]),
    (
        "server",
        &[
            "ids", "formats", "config", "room", "media", "mixing", "store", "live", "driver",
            "portal", "admin",
        ],
    ),
    ("cli", &["ids", "config", "store", "portal", "admin", "server"]),
];

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{folder} has sources");
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("inside src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for path in sources("src").iter().filter(|path| !is_test(path)) {
        let module = module_of(path);
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "no rule for {module}");
            continue;
        };
        let text = fs::read_to_string(path).expect("readable");
        for used in imported(production(&text)) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The top-level modules that a text names by `crate::`, one by one or in braces.
fn imported(text: &str) -> Vec<String> {
    let known = IMPORTS.iter().map(|(name, _)| *name);
    let mut used = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        let rest = &text[start + "crate::".len()..];
        let list = if rest.starts_with('{') { braced(rest) } else { rest };
        let depth_one = if rest.starts_with('{') { top_level(list) } else { first_name(list) };
        used.extend(known.clone().filter(|name| depth_one.iter().any(|word| word == name)));
    }
    used.into_iter().map(str::to_owned).collect()
}

fn braced(text: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return &text[1..at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

fn top_level(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut entries = vec![String::new()];
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            other if depth == 0 => entries.last_mut().expect("one").push(other),
            _ => {}
        }
    }
    entries.iter().flat_map(|entry| first_name(entry.trim())).collect()
}

fn first_name(text: &str) -> Vec<String> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    vec![text[..end.unwrap_or(text.len())].to_owned()]
}

#[test]
fn files_are_small() {
    let all = ["src", "mixer"].into_iter().flat_map(sources).filter(|path| !is_test(path));
    let long = all.filter_map(|path| {
        let text = fs::read_to_string(&path).expect("readable");
        let lines = production(&text).lines().count();
        (lines > MAX_FILE_LINES).then(|| format!("{}: {lines} lines", path.display()))
    });
    let long: Vec<String> = long.collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_project_stands_alone() {
    let folders = ["src", "mixer", "tests"];
    let foreign = concat!("../", "shared");
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        let text = fs::read_to_string(&path).expect("readable");
        assert!(!text.contains(foreign), "{} refers to a folder outside", path.display());
    }
}
