//! `cargo xtask bench numbers`: reading raw number fields, beside the library alone and its reference port.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::report::{self, Moment};
use crate::run::{self, Failed};

/// The release whose numbering plans are those of the library that we link.
const PEER: &str = "phonenumbers==9.0.43";
const PEER_PROGRAM: &str = include_str!("peer.py");

/// The test vectors: numbers of 140 regions as people write them, two thirds of them Chinese.
const VECTORS: &str = "crates/domain/tests/fixtures/phones/vectors.jsonl";

/// Fields a second on one core, of the mix and of China's alone.
const WANTED: f64 = 200_000.0;

/// How often everybody has a turn; the median counts.
const ROUNDS: usize = 3;

/// Measures, and writes the page.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    if !arguments.is_empty() {
        return Err(Failed::new("usage: cargo xtask bench numbers"));
    }
    let place = Place::make(root)?;
    let rows = read_vectors(root)?;
    let mut page = head(root);
    for (title, home) in [("All regions", None), ("A Chinese book", Some("CN"))] {
        let chosen = rows.iter().filter(|(region, _)| home.is_none_or(|home| region == home));
        let text: String = chosen.map(|(region, raw)| format!("{region}\t{raw}\n")).collect();
        let _ = write!(page, "\n## {title}\n\n{}", table(&place.measure(&text)?));
    }
    report::keep(root, "numbers.md", &page)
}

fn failed(error: &std::io::Error) -> Failed {
    Failed::new(format!("what is measured cannot be kept: {error}"))
}

/// Region and raw field of every vector; those with a line's end inside cannot be handed over by lines.
fn read_vectors(root: &Path) -> Result<Vec<(String, String)>, Failed> {
    let text = fs::read_to_string(root.join(VECTORS)).map_err(|error| failed(&error))?;
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let rows =
        rows.filter_map(|row| Some((row["region"].as_str()?.to_owned(), row["raw"].as_str()?.to_owned())));
    Ok(rows.filter(|(_, raw)| !raw.contains(['\n', '\r'])).collect())
}

/// The programs that measure.
struct Place {
    ours: PathBuf,
    python: PathBuf,
    directory: PathBuf,
}

impl Place {
    fn make(root: &Path) -> Result<Self, Failed> {
        let target = crate::house::target(root);
        run::cargo(root, &["build", "--release", "--package", "domain", "--example", "numbers"]).run()?;
        let directory = target.join("bench-numbers");
        fs::create_dir_all(&directory).map_err(|error| failed(&error))?;
        let environment = directory.join("python");
        let python = environment.join("bin").join("python");
        if !python.exists() {
            run::program("python3", &["-m", "venv", &environment.to_string_lossy()]).run()?;
        }
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER];
        run::program(&python, &install).run()?;
        fs::write(directory.join("peer.py"), PEER_PROGRAM).map_err(|error| failed(&error))?;
        Ok(Self { ours: target.join("release").join("examples").join("numbers"), python, directory })
    }

    /// Everybody's median of the rounds, taking turns.
    fn measure(&self, text: &str) -> Result<Vec<Value>, Failed> {
        let rows = self.directory.join("rows.tsv");
        fs::write(&rows, text).map_err(|error| failed(&error))?;
        let (rows, peer) = (rows.to_string_lossy(), self.directory.join("peer.py"));
        let (ours, python) = (self.ours.to_string_lossy(), self.python.to_string_lossy());
        let commands = [
            format!("'{ours}' < '{rows}'"),
            format!("'{ours}' library < '{rows}'"),
            format!("'{python}' '{}' < '{rows}'", peer.to_string_lossy()),
        ];
        let mut found: Vec<Vec<Value>> = vec![Vec::new(); commands.len()];
        for _ in 0..ROUNDS {
            for (figures, command) in found.iter_mut().zip(&commands) {
                let said = run::program("sh", &["-c", command]).read()?;
                let figure = serde_json::from_str(said.trim());
                figures.push(figure.map_err(|_| Failed::new(format!("{command}: no figures: {said}")))?);
            }
        }
        Ok(found.into_iter().filter_map(median).collect())
    }
}

/// The run in the middle by its rate.
fn median(mut figures: Vec<Value>) -> Option<Value> {
    let rate = |figure: &Value| figure["a_second"].as_f64().unwrap_or(0.0);
    figures.sort_by(|left, right| rate(left).total_cmp(&rate(right)));
    let middle = figures.len() / 2;
    (middle < figures.len()).then(|| figures.swap_remove(middle))
}

fn table(figures: &[Value]) -> String {
    let rate = |figure: &Value| figure["a_second"].as_f64().unwrap_or(0.0);
    let mut text =
        "| who | fields | numbers found | first pass, s | fields a second, later passes | wanted |\n\
                    | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for figure in figures {
        let who = figure["who"].as_str().unwrap_or("unknown");
        let wanted = match (who, rate(figure) >= WANTED) {
            ("ours", true) => format!("at least {WANTED}: met"),
            ("ours", false) => format!("at least {WANTED}: missed"),
            _ => String::new(),
        };
        let first = figure["first_seconds"].as_f64().unwrap_or(0.0);
        let (fields, numbers) = (&figure["fields"], &figure["numbers"]);
        let _ =
            writeln!(text, "| {who} | {fields} | {numbers} | {first:.3} | {:.0} | {wanted} |", rate(figure));
    }
    text
}

fn head(root: &Path) -> String {
    let Moment { date, commit, load, .. } = Moment::now(root);
    format!(
        "# Numbers: measured\n\nWritten by `cargo xtask bench numbers` on {date} at commit {commit}, on one core. When it \
         began, {load} other programs wanted to run, on average of a minute: well above zero, all rates here are too low, and \
         only ratios mean something.\n\nThe fields are the test vectors, each read with its own default region. Ours reads \
         them with all its rules: several numbers in a field, carrier prefixes, the reasons of refusals. \"library\" is \
         rlibphonenumber alone: parse, whether valid, type, E.164. The reference port is {PEER} from PyPI. The first pass is \
         that of a new process and holds what is compiled once; {ROUNDS} rounds in turns, medians. That ours and the library \
         agree is not looked at here but by the tests of `crates/domain/src/number`; ours finds more numbers, for what \
         people in China write around them.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_median_round_is_shown_beside_what_is_wanted() {
        let figure = |rate: u32| json!({ "who": "ours", "fields": 1, "numbers": 1, "first_seconds": 0.5, "a_second": rate });
        let middle = median(vec![figure(300_000), figure(100_000), figure(250_000)]).unwrap();
        assert!(table(&[middle]).contains("| ours | 1 | 1 | 0.500 | 250000 | at least 200000: met |"));
        assert!(table(&[figure(1)]).contains("missed"));
        assert_eq!(median(Vec::new()), None);
    }
}
