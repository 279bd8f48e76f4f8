//! Rules about the manifests.

use super::Violation;
use crate::tree::Source;

/// The fuzzer's programs, and other people's that are measured, are workspaces of their own, and so have none to take
/// anything from.
const OWN_WORKSPACES: [&str; 2] = ["fuzz/Cargo.toml", "xtask/peers/sms/Cargo.toml"];

/// Every rule of manifests.
pub(super) fn check(sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        if source.path == "Cargo.toml" {
            violations.extend(check_comments(source));
        } else if source.path.ends_with("/Cargo.toml") && !OWN_WORKSPACES.contains(&source.path.as_str()) {
            violations.extend(check_member(source));
            violations.extend(check_use(source, sources));
        }
    }
    violations
}

/// Rule: a member uses, in its own files, what it names; a comment behind the line says why it need not.
pub(super) fn check_use(manifest: &Source, sources: &[Source]) -> Vec<Violation> {
    let place = manifest.path.trim_end_matches("Cargo.toml");
    let own: Vec<&str> = sources
        .iter()
        .filter(|source| source.path.starts_with(place) && source.path.ends_with(".rs"))
        .map(|source| source.text.as_str())
        .collect();
    let mut violations = Vec::new();
    for (number, line) in section_lines(manifest, |name| name.ends_with("dependencies")) {
        let Some(name) = key(line).filter(|_| !line.contains(" # ")) else { continue };
        if !own.iter().any(|text| has_word(text, &name.replace('-', "_"))) {
            violations.push(Violation::at(&manifest.path, number, format!("`{name}` is not used")));
        }
    }
    violations
}

fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(joins) && !after.starts_with(joins)
    })
}

/// Rule: every dependency of the workspace has a comment that says why, above it or behind it.
pub(super) fn check_comments(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut explained = false;
    for (number, line) in section_lines(source, |name| name == "workspace.dependencies") {
        let line = line.trim();
        // `# --- storage ---` is a heading and explains nothing.
        if line.starts_with('#') {
            explained = !line.starts_with("# ---");
            continue;
        }
        if let Some(name) = key(line)
            && !(explained || line.contains(" # ") || line.contains("path ="))
        {
            let what = format!("`{name}` stands without a comment that says why it is needed");
            violations.push(Violation::at(&source.path, number, what));
        }
        explained = false;
    }
    violations
}

/// Rules: members take dependencies and lints from the workspace.
pub(super) fn check_member(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let lints: Vec<&str> =
        section_lines(source, |name| name == "lints").map(|(_, line)| line.trim()).collect();
    if !lints.contains(&"workspace = true") {
        violations.push(Violation::new(
            &source.path,
            "it does not take the workspace's lints ([lints] workspace = true)",
        ));
    }
    for (number, line) in section_lines(source, |name| name.ends_with("dependencies")) {
        let own = line.contains("path = \".\"");
        if let Some(name) = key(line)
            && !own
            && !line.contains("workspace = true")
        {
            let what = format!("`{name}` is not taken from the workspace's dependencies (workspace = true)");
            violations.push(Violation::at(&source.path, number, what));
        }
    }
    violations
}

/// The name that a line gives a value to.
fn key(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim().trim_end_matches(".workspace");
    let fits = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    fits.then_some(name)
}

/// The numbered lines of the sections that `wanted` says.
fn section_lines(source: &Source, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    source.text.lines().enumerate().filter_map(move |(number, line)| {
        if let Some(name) = line.trim().strip_prefix('[') {
            inside = wanted(name.trim_end_matches(']'));
            return None;
        }
        inside.then_some((number + 1, line))
    })
}
