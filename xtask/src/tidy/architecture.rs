//! What ARCHITECTURE.md names exists.

use std::collections::BTreeSet;

use super::Violation;
use crate::tree::Source;

/// The page.
const PAGE: &str = "ARCHITECTURE.md";

/// The longest it may be, so that it is read.
const LINES_MAX: usize = 300;

/// Endings that make a word the name of a file.
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".sql", ".json", ".lock"];

/// Rules: the page is there and short, and what it names in backticks exists: a path with a slash or a
/// known ending, a type, and each part of `room::module::item`.
pub(super) fn check(sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let Some(page) = super::find(sources, PAGE) else {
        return vec![Violation::new(PAGE, "it is missing")];
    };
    let mut violations = Vec::new();
    if page.lines().count() > LINES_MAX {
        violations.push(Violation::new(PAGE, format!("it is longer than {LINES_MAX} lines")));
    }
    let words = words(sources);
    for (line, span) in spans(page) {
        if !stands(span, &words, &exists) {
            violations.push(Violation::at(PAGE, line, format!("`{span}` does not exist")));
        }
    }
    violations
}

fn stands(span: &str, words: &BTreeSet<&str>, exists: &impl Fn(&str) -> bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_path = span.contains('/') || ENDINGS.iter().any(|ending| span.ends_with(ending));
    if is_path && span.chars().all(plain) && !span.starts_with('/') {
        // Within a room the page leaves the room's name out, as in `embedded/`.
        let inside = |room: &str| {
            exists(&format!("crates/{room}/src/{span}")) || exists(&format!("crates/{room}/{span}"))
        };
        return exists(span)
            || exists(&format!("crates/{span}"))
            || super::floors::rooms().any(inside)
            || !has_known_top(span, exists);
    }
    let parts: Vec<&str> = span.trim_end_matches("()").split("::").collect();
    let is_name =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !parts.iter().all(is_name) {
        return true;
    }
    // One lower-case word alone is a word; two humps, or a path of modules, name something of ours.
    if parts.len() > 1 || is_type(span) { parts.iter().all(|part| words.contains(part)) } else { true }
}

/// `text/plain` or `and/or` is no path: its first part is the name of nothing here. A file's name is one always.
fn has_known_top(span: &str, exists: &impl Fn(&str) -> bool) -> bool {
    let top = span.split('/').next().unwrap_or(span);
    ENDINGS.iter().any(|ending| span.ends_with(ending)) || exists(top) || exists(&format!("crates/{top}"))
}

/// `StoreError` and `Caller`, but not `SIGTERM`.
fn is_type(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && word.contains(|c: char| c.is_ascii_lowercase())
}

/// Every word of the sources, and the rooms' names.
fn words(sources: &[Source]) -> BTreeSet<&str> {
    let rust = sources.iter().filter(|source| source.is_rust());
    let in_text =
        rust.flat_map(|source| source.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
    in_text.chain(sources.iter().filter_map(Source::room)).collect()
}

/// What stands in single backticks, outside of blocks.
fn spans(page: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    let mut in_block = false;
    for (number, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (number + 1, span)));
        }
    }
    spans
}
