//! Rules about the text of one file.

use super::Violation;
use crate::tree::Source;

/// The longest file, in lines; house.md aims at a median of 120.
const LINES_MAX: usize = 600;

/// Words that begin the declaration of a name.
const DECLARATIONS: &[&str] = &["struct", "enum", "trait", "type", "mod", "fn"];

/// Names of modules and files that say nothing.
const EMPTY_WORDS: &[&str] = &["utils", "util", "helpers", "helper", "misc", "manager"];

/// Methods of a library's trait that we implement; the names are not ours.
const GIVEN_NAMES: &[&str] = &["get_read", "get_bytes"];

/// Beginnings of paths that exist on one machine; written in two halves, so that this file passes.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// The same, but allowed in tests.
const TEMPORARY_PATH: &str = concat!("/t", "mp/");

/// Hosts of registries; builds name none, so that a mirror can stand in for each.
const REGISTRIES: &[&str] =
    &[concat!("crates", ".io"), concat!("registry.npm", "js"), concat!("py", "pi.org")];

/// What pure code must not touch.
const OUTSIDE: &[&str] = &["std::fs", "std::net", "std::env", "std::process", "SystemTime", "Instant::"];

/// Where the terminal's library does I/O itself: the file that serves one of its ports.
const TERMINAL_FILE: &str = "crates/terminal/src/memory.rs";

/// What a library that is bound to from elsewhere must not hold.
const SHARED_STATE: &[&str] =
    &["Mutex<", "RwLock<", "Atomic", "LazyLock", "OnceLock", "thread_local!", "println!"];

/// How statements of SQL begin, as texts in Rust.
const SQL: &[&str] = &["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM ", "\"CREATE TABLE "];

/// Every rule of one file.
pub(super) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = check_paths(source);
    violations.extend(check_registries(source));
    if source.is_rust() {
        violations.extend(check_size(source));
        violations.extend(check_names(source));
        violations.extend(check_pure(source));
        violations.extend(check_ports(source));
        violations.extend(check_sql(source));
    }
    violations
}

/// Rule: no file is longer than 600 lines.
pub(super) fn check_size(source: &Source) -> Vec<Violation> {
    let lines = source.text.lines().count();
    let too_long =
        format!("{lines} lines, and {LINES_MAX} is the limit; split it by what its parts are about");
    if lines > LINES_MAX { vec![Violation::new(&source.path, too_long)] } else { Vec::new() }
}

/// Rule: names say what a thing is or does.
pub(super) fn check_names(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let stems = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    for word in stems.filter(|stem| EMPTY_WORDS.contains(stem)) {
        violations.push(Violation::new(
            &source.path,
            format!("`{word}` says nothing; name it after what is in it"),
        ));
    }
    for (number, line) in source.text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let [keyword, rest] = pair else { continue };
            let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            if DECLARATIONS.contains(keyword) && is_empty_name(name) {
                let what = format!("`{name}` says nothing; name it after what it is or does");
                violations.push(Violation::at(&source.path, number + 1, what));
            }
        }
    }
    violations
}

fn is_empty_name(name: &str) -> bool {
    let suffix = ["Manager", "Helper", "Helpers", "Utils"].iter().any(|word| name.ends_with(word));
    let empty = name.starts_with("get_") && !GIVEN_NAMES.contains(&name);
    suffix || EMPTY_WORDS.contains(&name) || empty
}

/// Rule: no path of one machine.
pub(super) fn check_paths(source: &Source) -> Vec<Violation> {
    let mut found = lines_with(source, MACHINE_PATHS);
    if !source.is_test() {
        let temporary = source.lines_without_tests().filter(|(_, line)| line.contains(TEMPORARY_PATH));
        found.extend(temporary.map(|(number, _)| (number, TEMPORARY_PATH)));
    }
    let what = |path: &str| format!("`{path}…` is a path of one machine");
    found.into_iter().map(|(line, path)| Violation::at(&source.path, line, what(path))).collect()
}

/// Rule: no host of a registry.
pub(super) fn check_registries(source: &Source) -> Vec<Violation> {
    let what = |host: &str| format!("`{host}` is a registry's host; builds take the one configured");
    let found = lines_with(source, REGISTRIES);
    found.into_iter().map(|(line, host)| Violation::at(&source.path, line, what(host))).collect()
}

fn lines_with<'a>(source: &Source, words: &[&'a str]) -> Vec<(usize, &'a str)> {
    let lines = source.text.lines().enumerate();
    let hit = |line: &str| words.iter().copied().find(|word| line.contains(word));
    lines.filter_map(|(number, line)| Some((number + 1, hit(line)?))).collect()
}

/// Rule: domain and matching touch nothing outside of themselves.
pub(super) fn check_pure(source: &Source) -> Vec<Violation> {
    let inside =
        ["crates/domain/src/", "crates/matching/src/"].iter().any(|room| source.path.starts_with(room));
    if !inside || source.is_test() {
        return Vec::new();
    }
    in_code(source, OUTSIDE, "does I/O or reads a clock, which this crate does not")
}

/// Rule: the terminal's library holds no global state, and reaches the outside by its ports alone.
pub(super) fn check_ports(source: &Source) -> Vec<Violation> {
    if !source.path.starts_with("crates/terminal/src/") || source.is_test() {
        return Vec::new();
    }
    let mut violations = in_code(source, SHARED_STATE, "is shared by all who link this library");
    if source.path != TERMINAL_FILE {
        violations.extend(in_code(source, OUTSIDE, "goes around the ports that this library is given"));
    }
    violations
}

/// Rule: the store alone knows SQL.
pub(super) fn check_sql(source: &Source) -> Vec<Violation> {
    if matches!(source.room(), None | Some("store")) || source.is_test() {
        return Vec::new();
    }
    in_code(source, SQL, "is SQL, which `store` alone knows")
}

fn in_code(source: &Source, words: &[&str], what: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in
        source.lines_without_tests().filter(|(_, line)| !line.trim_start().starts_with("//"))
    {
        for word in words.iter().filter(|word| line.contains(**word)) {
            violations.push(Violation::at(&source.path, number, format!("`{}` {what}", word.trim())));
        }
    }
    violations
}
