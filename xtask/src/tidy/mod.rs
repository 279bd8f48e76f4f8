//! The house rules that no compiler checks: each a small function from texts to violations.

mod architecture;
mod codes;
mod failpoints;
mod floors;
mod manifest;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::path::Path;

use crate::run::{Failed, cargo};
use crate::tree::{self, Source};

/// A broken rule, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    place: String,
    line: Option<usize>,
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), line: None, what: what.into() }
    }

    fn at(place: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { place: place.into(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

/// Checks every rule.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>, Failed> {
    let sources = tree::sources(root)?;
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--no-deps"]).read()?;
    let members = floors::members(&metadata)
        .ok_or_else(|| Failed::new("cargo metadata answers in a shape that is not understood"))?;
    let mut violations = floors::check(&members);
    violations.extend(failpoints::check(&metadata));
    for source in &sources {
        violations.extend(text::check(source));
    }
    violations.extend(manifest::check(&sources));
    violations.extend(architecture::check(&sources, |path| root.join(path).exists()));
    violations.extend(codes::check(&sources));
    violations.extend(check_changelog(find(&sources, "CHANGELOG.md")));
    violations.extend(check_fuzz_lock(root));
    Ok(violations)
}

/// Rule: the lock file of `fuzz/`, which no build of the workspace touches, is in step with the manifests.
fn check_fuzz_lock(root: &Path) -> Option<Violation> {
    let manifest = root.join("fuzz").join("Cargo.toml");
    let locked = ["tree", "--locked", "--quiet", "--manifest-path", &manifest.to_string_lossy()];
    let in_step = cargo(root, &locked).read().is_ok();
    let what = "it is not in step: run `cargo tree --manifest-path fuzz/Cargo.toml`, and keep it";
    (!in_step).then(|| Violation::new("fuzz/Cargo.lock", what))
}

fn find<'a>(sources: &'a [Source], path: &str) -> Option<&'a str> {
    sources.iter().find(|source| source.path == path).map(|source| source.text.as_str())
}

/// Rule: the change log has an entry to write the next change into.
fn check_changelog(text: Option<&str>) -> Vec<Violation> {
    let Some(text) = text else { return vec![Violation::new("CHANGELOG.md", "it is missing")] };
    let mut entry = text.lines().skip_while(|line| !line.starts_with("## ")).skip(1);
    let has_words =
        entry.by_ref().take_while(|line| !line.starts_with("## ")).any(|line| !line.trim().is_empty());
    if has_words {
        Vec::new()
    } else {
        vec![Violation::new("CHANGELOG.md", "its top entry (## …) says nothing")]
    }
}
