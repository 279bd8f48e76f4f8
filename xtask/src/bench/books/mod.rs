//! `cargo xtask bench books`: telephone values read from the address books that other projects test with, held against
//! what another reader finds there.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{self, Failed};
use crate::{house, python};

/// The other reader, in Python, from PyPI.
const ORACLE: &str = "vobject==0.9.9";
/// Whose fixtures are read: it has gathered those of fifteen projects.
const FIXTURES: &str = "calcard";
/// Of the telephone values that are there, and of those that ours reads.
const WANTED: f64 = 0.995;

/// How the values of one file, or of all, were read.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    /// Values that the other reader finds.
    there: usize,
    /// Those of them that ours reads too.
    right: usize,
    /// Values that ours reads.
    read: usize,
}

/// Reads, compares, and writes the page.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    if !arguments.is_empty() {
        return Err(Failed::new("usage: cargo xtask bench books"));
    }
    let (version, files) = fixtures(root)?;
    let paths: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (ours, other) = (ours(root, &paths)?, oracle(root, &paths)?);
    let mut all = Tally::default();
    let (mut unread, mut differing) = (0, Vec::new());
    for ((file, ours), other) in files.iter().zip(&ours).zip(&other) {
        let (Some(ours), Some(other)) = (values(ours), values(other)) else {
            unread += 1;
            continue;
        };
        let tally = Tally::of(&ours, &other);
        if tally.there != tally.right || tally.read != tally.right {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            differing.push(format!("{name} ({} of {} right, {} read)", tally.right, tally.there, tally.read));
        }
        all.add(&tally);
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let (recall, precision) = (share(all.right, all.there), share(all.right, all.read));
    let verdict = |share: f64| if share >= WANTED { "met" } else { "missed" };
    let page = format!(
        "# Address books: what is read from them\n\n`cargo xtask bench books` writes this page.\n\n\
         The fixtures are the {} vCard files that the crate {FIXTURES} {version} has gathered from other projects; none is in this\n\
         repository. The telephone values are held against those that {ORACLE} (PyPI, Python) finds, as they stand in the\n\
         file, without `tel:`. Files that it cannot read, {unread} of them, do not count.\n\n\
         | telephone values there | read right | read | recall | precision | wanted |\n| --- | --- | --- | --- | --- | --- |\n\
         | {} | {} | {} | {recall:.4}: {} | {precision:.4}: {} | {WANTED} |\n\nFiles in which the two differ: {}.\n",
        files.len(),
        all.there,
        all.right,
        all.read,
        verdict(recall),
        verdict(precision),
        if differing.is_empty() { "none".to_owned() } else { differing.join(", ") },
    );
    print!("{page}");
    let file = root.join("docs").join("benchmarks").join("books.md");
    fs::write(&file, page).map_err(|error| Failed::new(format!("{}: {error}", file.display())))
}

/// The version of the crate that has the fixtures, and its vCard files.
fn fixtures(root: &Path) -> Result<(String, Vec<PathBuf>), Failed> {
    let missing = || Failed::new(format!("the crate {FIXTURES} has no fixtures any more"));
    let said = run::cargo(root, &["metadata", "--format-version", "1", "--locked"]).read()?;
    let metadata: Value = serde_json::from_str(&said).map_err(|_| missing())?;
    let packages = metadata["packages"].as_array().ok_or_else(missing)?;
    let package = packages.iter().find(|package| package["name"] == FIXTURES).ok_or_else(missing)?;
    let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
    let folder = manifest.with_file_name("resources").join("vcard");
    let entries = fs::read_dir(&folder).map_err(|_| missing())?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "vcf"));
    files.sort();
    Ok((package["version"].as_str().unwrap_or_default().to_owned(), files))
}

fn ours(root: &Path, paths: &[&str]) -> Result<Vec<Value>, Failed> {
    run::cargo(root, &["build", "--package", "terminal", "--example", "telephones"]).run()?;
    let program = house::target(root).join("debug").join("examples").join("telephones");
    lines(&run::program(program, paths).read()?)
}

fn oracle(root: &Path, paths: &[&str]) -> Result<Vec<Value>, Failed> {
    let target = house::target(root);
    let requirements = target.join("bench-books.txt");
    fs::write(&requirements, ORACLE)
        .map_err(|error| Failed::new(format!("{}: {error}", requirements.display())))?;
    let python = python::environment(&target, "python-books", &requirements)?.join("python");
    let script = root.join("xtask").join("src").join("bench").join("books").join("oracle.py");
    let script = script.to_string_lossy();
    lines(&run::program(python, &[&[script.as_ref()], paths].concat()).read()?)
}

fn lines(said: &str) -> Result<Vec<Value>, Failed> {
    let lines = said.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    lines.map_err(|_| Failed::new("a reader says what is no JSON"))
}

/// The values without what is no part of them; `None` where nothing could be read.
fn values(said: &Value) -> Option<Vec<&str>> {
    let values = said.as_array()?.iter().filter_map(Value::as_str);
    let values = values.map(|value| value.trim().trim_start_matches("tel:"));
    Some(values.filter(|value| !value.is_empty()).collect())
}

impl Tally {
    fn of(ours: &[&str], other: &[&str]) -> Self {
        let mut open: HashMap<&str, usize> = HashMap::new();
        for value in other {
            *open.entry(value).or_default() += 1;
        }
        let mut right = 0;
        for value in ours {
            if let Some(count) = open.get_mut(value).filter(|count| **count > 0) {
                *count -= 1;
                right += 1;
            }
        }
        Self { there: other.len(), right, read: ours.len() }
    }

    fn add(&mut self, more: &Self) {
        self.there += more.there;
        self.right += more.right;
        self.read += more.read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_counts_as_often_as_it_is_there() {
        let tally = Tally::of(&["1", "1", "2", "3"], &["1", "2", "2", "4"]);
        assert_eq!(tally, Tally { there: 4, right: 2, read: 4 });
    }
}
