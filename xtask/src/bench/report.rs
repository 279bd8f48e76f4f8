//! What every page of docs/benchmarks says in the same way: when it was measured, and the middle of what was found.

use std::fs;
use std::path::Path;

use crate::run::{self, Failed};

/// When, of what, and beside what else something is measured.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// The day, UTC.
    pub(super) date: String,
    /// The commit, short.
    pub(super) commit: String,
    /// Programs that wanted to run, on average of the minute before; a word where that is not known.
    pub(super) load: String,
    /// Processors.
    pub(super) threads: usize,
}

impl Moment {
    /// This moment: take it before anything is measured.
    pub(super) fn now(root: &Path) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: said(root, "date", &["-u", "+%Y-%m-%d"]),
            commit: said(root, "git", &["rev-parse", "--short", "HEAD"]),
            load: load.split_whitespace().next().unwrap_or("an unknown number of").to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// In a line: day, commit, processors, load.
    pub(super) fn line(&self) -> String {
        let Self { date, commit, load, threads } = self;
        format!("{date}, commit {commit}, {threads} cores, load {load} before")
    }
}

/// What a program says; nothing where it fails.
pub(super) fn said(root: &Path, program: &str, arguments: &[&str]) -> String {
    run::program(program, arguments).inside(root).read().unwrap_or_default().trim().to_owned()
}

/// The middle of some values; 0 where there are none.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// Writes the page of that name, and says where.
pub(super) fn keep(root: &Path, name: &str, page: &str) -> Result<(), Failed> {
    let file = root.join("docs").join("benchmarks").join(name);
    fs::write(&file, page).map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    println!("{}", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
