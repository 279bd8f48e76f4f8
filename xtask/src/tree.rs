//! The workspace's files.

use std::path::{Path, PathBuf};

use crate::run::Failed;

/// Directories that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "hutong-data", "corpus"];

/// Endings of files that are text.
const TEXT: &[&str] = &["rs", "md", "toml", "sql", "yml", "yaml", "json", "sh", "html", "js", "css"];

/// One text file.
pub(crate) struct Source {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl Source {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is a test and nothing else.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    /// The crate it belongs to, from `crates/<name>/…`.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Its lines with their numbers, without what follows the first `#[cfg(test)]` on a `mod` with a
    /// body: house style keeps tests at a file's end.
    pub(crate) fn lines_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let text = self.text.get(..end).unwrap_or(&self.text);
        text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The workspace's directory.
pub(crate) fn root() -> Result<PathBuf, Failed> {
    // Cargo tells it at run time; started by hand, the task looks upwards.
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => std::env::current_dir().map_err(|error| Failed::new(format!("no directory: {error}")))?,
    };
    let found = start.ancestors().find(|directory| directory.join("Cargo.lock").is_file());
    found.map(Path::to_path_buf).ok_or_else(|| Failed::new("start this inside the workspace"))
}

/// All text files, in the order of their paths.
pub(crate) fn sources(root: &Path) -> Result<Vec<Source>, Failed> {
    let mut sources = Vec::new();
    collect(root, "", &mut sources)
        .map_err(|error| Failed::new(format!("the sources cannot be read: {error}")))?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(directory: &Path, prefix: &str, sources: &mut Vec<Source>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), sources)?;
        } else if kind.is_file() && is_text(&path)
            // A file that vanishes meanwhile, or is not UTF-8, is none of ours to judge.
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

fn is_text(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    path.starts_with(".ci/") || ending.is_some_and(|ending| TEXT.contains(&ending))
}
