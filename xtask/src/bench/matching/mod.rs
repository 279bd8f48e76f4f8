//! `cargo xtask bench matching`: ours and what people would use instead, on the same data in the same run.
//!
//! Each part keeps its figures under `target`, so that one can be measured again alone; the page is written from all.

mod bulk;
mod child;
mod one;
mod page;
mod place;
mod plot;
mod targets;

use std::path::Path;

use serde_json::{Value, json};

use self::place::Place;
use super::report::Moment;
use crate::run::Failed;

/// A part: its word, and what measures it.
type Part = (&'static str, fn(&Place, &Options) -> Result<Vec<Value>, Failed>);

const BULK: &str = "bulk";
const UPLOADS: &str = "uploads";
const READS: &str = "reads";
const FLAT: &str = "flat";

const PARTS: &[Part] =
    &[(BULK, bulk::measure), (UPLOADS, one::uploads), (READS, one::in_memory), (FLAT, one::flat)];

/// What is asked for.
#[derive(Debug)]
struct Options {
    /// Millions of edges of each bulk match.
    millions: Vec<u64>,
    rounds: u64,
    /// The parts wanted; all where this is empty.
    only: Vec<String>,
    large: bool,
    /// How long each kind of load goes on.
    seconds: u64,
    /// People of the upload part, and the most of the flat part; less than usual for a trial.
    people: Option<u64>,
    threads: usize,
}

/// Measures what is asked for, and writes the page and the plot.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let options = Options::read(arguments)?;
    let place = Place::make(root)?;
    for (part, measure) in PARTS.iter().filter(|(part, _)| options.wants(part)) {
        let when = when(root, options.threads);
        let figures = measure(&place, &options)?;
        place.keep(part, &when, &figures)?;
    }
    page::write(root, &place)
}

/// The moment, the sources, and what else the machine has to do.
fn when(root: &Path, threads: usize) -> Value {
    let Moment { date, commit, load, .. } = Moment::now(root);
    json!({ "date": date, "commit": commit, "load": load, "threads": threads })
}

impl Options {
    fn read(arguments: &[&str]) -> Result<Self, Failed> {
        let usage = || {
            Failed::new(
                "usage: cargo xtask bench matching [--only bulk,uploads,reads,flat] [--large] [--edges 18,90,180] \
                 [--rounds 3] [--seconds 5] [--people N]",
            )
        };
        let positive = |word: Option<&&str>| {
            word.and_then(|word| word.trim().parse::<u64>().ok())
                .filter(|&number| number > 0)
                .ok_or_else(usage)
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self {
            millions: vec![18, 90, 180],
            rounds: 3,
            only: Vec::new(),
            large: false,
            seconds: 5,
            people: None,
            threads,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match *word {
                "--large" => options.large = true,
                "--rounds" => options.rounds = positive(words.next())?,
                "--seconds" => options.seconds = positive(words.next())?,
                "--people" => options.people = Some(positive(words.next())?),
                "--edges" => {
                    let list = words.next().ok_or_else(usage)?.split(',');
                    options.millions = list.map(|size| positive(Some(&size))).collect::<Result<_, _>>()?;
                }
                "--only" => {
                    let list: Vec<&str> = words.next().ok_or_else(usage)?.split(',').collect();
                    if !list.iter().all(|word| PARTS.iter().any(|(part, _)| part == word)) {
                        return Err(usage());
                    }
                    options.only = list.into_iter().map(str::to_owned).collect();
                }
                _ => return Err(usage()),
            }
        }
        if options.large && !options.millions.contains(&500) {
            options.millions.push(500);
        }
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_words_that_mean_nothing_refused() {
        let options = Options::read(&["--only", "bulk,flat", "--large", "--edges", "1, 2"]).unwrap();
        assert!(options.wants(BULK) && options.wants(FLAT) && !options.wants(UPLOADS));
        assert_eq!(options.millions, [1, 2, 500]);
        assert!(Options::read(&[]).unwrap().wants(READS));
        for wrong in [&["--only", "everything"][..], &["--edges", "0"], &["--rounds"], &["18"]] {
            assert!(Options::read(wrong).is_err(), "{wrong:?}");
        }
    }
}
