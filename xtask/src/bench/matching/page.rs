//! docs/benchmarks/matching.md.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::bulk::{DUCKDB, LIMIT, OURS_IDS, OURS_RAW, POLARS, Size};
use super::place::Place;
use super::{BULK, FLAT, READS, UPLOADS, plot, targets};
use crate::run::Failed;

/// What was measured last of a part.
pub(super) struct Figures(Value);

impl Figures {
    /// All figures of a name; of any where the name is empty.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        let figures = self.0["figures"].as_array().into_iter().flatten();
        figures.filter(move |figure| name.is_empty() || figure["what"] == name)
    }

    /// A number of the first figure of a name.
    pub(super) fn number(&self, name: &str, field: &str) -> Option<f64> {
        self.all(name).find_map(|figure| figure[field].as_f64())
    }

    /// When it was measured, and beside what.
    fn when(&self) -> String {
        let when = &self.0["when"];
        let word = |name: &str| when[name].as_str().unwrap_or("unknown").to_owned();
        if when.is_null() {
            return "Not measured yet.\n\n".to_owned();
        }
        let (date, commit, load) = (word("date"), word("commit"), word("load"));
        format!(
            "Measured on {date} at commit {commit}, on {} threads. When it began, {load} other programs wanted to run, on \
             average of a minute: well above zero, times are too long, and only ratios mean something.\n\n",
            when["threads"]
        )
    }
}

/// Writes the page and its picture.
pub(super) fn write(root: &Path, place: &Place) -> Result<(), Failed> {
    let [bulk, uploads, reads, flat] = [BULK, UPLOADS, READS, FLAT].map(|part| Figures(place.kept(part)));
    let sizes: Vec<Size<'_>> = bulk.all("").map(Size).collect();
    let page = head()
        + &targets::text(&sizes, &reads, &uploads, &flat)
        + &everybody(&bulk, &sizes)
        + &uploaded(&uploads)
        + &one(&reads)
        + &growing(&flat);
    let directory = root.join("docs").join("benchmarks");
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("matching.md"), page))
        .and_then(|()| fs::write(directory.join("matching.svg"), plot::svg(&sizes)))
        .map_err(|error| Failed::new(format!("the page cannot be written: {error}")))
}

fn head() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_matches([':', ' ', '\t']).to_owned()
    };
    let kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    format!(
        "# Matching: measured\n\n\
         Written by `cargo xtask bench matching`: {}, {} GB of memory. Parts can be measured alone (`--only bulk`, \
         `uploads`, `reads`, `flat`); each says when it was, and beside what else the machine did.\n\n",
        field("/proc/cpuinfo", "model name"),
        kib >> 20,
    )
}

/// Edges in millions, for words.
pub(super) fn millions(size: &Size<'_>) -> u64 {
    (size.edges() + 500_000) / 1_000_000
}

fn everybody(bulk: &Figures, sizes: &[Size<'_>]) -> String {
    let mut text = format!(
        "## Everybody at once\n\n{}\
         Books are generated from a seed: log-normal with a median of 120, a mean of 180 and at most 2,000 contacts; \
         45 % of the contacts are registered, 47 % of the edges between registered people mutual, and four contacts in \
         five of one's own community of 1,000. Edges are in memory, as pairs of 64-bit numbers; loading is not \
         counted. All take turns in one run; medians; all counts of mutual pairs agree. DuckDB and Polars are asked in \
         the way that was fastest in one trial of each at that size.\n\n\
         | edges | subscribers | mutual pairs | raw edges, s | ids at rest, s | DuckDB, s | Polars, s | reading each edge \
         once, s | raw, ids: times as fast as DuckDB | as Polars |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        bulk.when()
    );
    for size in sizes {
        let [edges, subscribers, pairs] = ["edges", "subscribers", "pairs"].map(|what| size.count(what));
        let seconds = [OURS_RAW, OURS_IDS, DUCKDB, POLARS, LIMIT].map(|who| told(size.seconds(who), 3));
        let ratios = [DUCKDB, POLARS].map(|peer| {
            format!("{}, {}", told(size.ratio(peer, OURS_RAW), 1), told(size.ratio(peer, OURS_IDS), 1))
        });
        let (seconds, ratios) = (seconds.join(" | "), ratios.join(" | "));
        let _ = writeln!(text, "| {edges} | {subscribers} | {pairs} | {seconds} | {ratios} |");
    }
    text += "\nMemory beyond the input and beyond what a program keeps from runs before, bytes an edge (so for the peers, \
        which keep much, at least this), and how the peers were asked:\n\n\
        | edges | raw edges | ids at rest | DuckDB | Polars | DuckDB asked by | Polars asked by | rounds |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for size in sizes {
        let bytes = [OURS_RAW, OURS_IDS, DUCKDB, POLARS].map(|who| told(size.bytes_an_edge(who), 2));
        let versions = &size.0["versions"];
        let how = [DUCKDB, POLARS].map(|peer| {
            let word = |name: &str| versions[name].as_str().unwrap_or("unknown").to_owned();
            format!("{}, {}", word(&format!("{peer}_how")), word(peer))
        });
        let (bytes, how) = (bytes.join(" | "), how.join(" | "));
        let _ = writeln!(text, "| {} | {bytes} | {how} | {} |", size.edges(), size.count("rounds"));
    }
    text + "\n![Edges a second against edges](matching.svg)\n\n"
}

/// A number for a table; a dash where it was not measured.
fn told(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { "-".to_owned() }
}

/// A table's cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(words) => words.clone(),
        number => number.to_string(),
    }
}

/// A row a figure: its name, then these fields.
fn rows<'a>(figures: impl Iterator<Item = &'a Value>, fields: &[&str]) -> String {
    let mut text = format!("| what | {} |\n| --- |{}\n", fields.join(" | "), " --- |".repeat(fields.len()));
    text = text.replace('_', " ");
    for figure in figures.filter(|figure| fields.iter().any(|field| !figure[*field].is_null())) {
        let cells: Vec<String> = fields.iter().map(|field| cell(&figure[*field])).collect();
        let _ = writeln!(text, "| {} | {} |", cell(&figure["what"]).replace('_', " "), cells.join(" | "));
    }
    text + "\n"
}

const LOAD: &[&str] = &["subscribers", "clients", "a_second", "p50_ms", "p99_ms", "most_ms"];

fn uploaded(uploads: &Figures) -> String {
    let version =
        |name: &str| uploads.all(name).map(|figure| cell(&figure["version"])).next().unwrap_or("-".into());
    format!(
        "## Durable uploads\n\n{}\
         A book of 200 contacts, five of them others than before; keys ready, every upload durable before the next of \
         that client. Ours is the embedded store, with all its rules. The peers keep a row per edge and a row per \
         matched pair and direction, and are told only what changed, which a server would have to find out first: \
         PostgreSQL {}, one statement an upload, 2 GB of shared buffers; SQLite {}, in process, write-ahead log, \
         `synchronous=FULL`. At half load uploads are begun by the clock, and their time counts from when they were \
         due, checkpoints included.\n\n{}",
        uploads.when(),
        version("postgres_version"),
        version("sqlite_version"),
        rows(uploads.all(""), LOAD)
    )
}

fn one(reads: &Figures) -> String {
    let mut text = format!(
        "## One subscriber at a time, in memory\n\n{}| what | figures |\n| --- | --- |\n",
        reads.when()
    );
    for figure in reads.all("").filter_map(Value::as_object) {
        let what = figure.get("what").and_then(Value::as_str).unwrap_or_default().replace('_', " ");
        let rest = figure.iter().filter(|(name, _)| *name != "what");
        let rest: Vec<String> =
            rest.map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
        let _ = writeln!(text, "| {what} | {} |", rest.join(", "));
    }
    text + "\n"
}

/// The same with ever more people.
fn growing(flat: &Figures) -> String {
    let mut text = format!(
        "## From ten thousand subscribers to five million\n\n{}In memory, nanoseconds:\n\n\
         | subscribers | upload of 200 contacts | matches of one | whether two match | a book's membership test | bytes a \
         subscriber beside 8 a pair |\n| --- | --- | --- | --- | --- | --- |\n",
        flat.when()
    );
    for resident in flat.all("one_resident") {
        let people = &resident["subscribers"];
        let of = |name: &str| {
            let figure = flat.all(name).find(|figure| figure["subscribers"] == *people);
            figure.map_or("-".to_owned(), |figure| cell(&figure["ns_per_operation"]))
        };
        let names = [
            "one_upload_of_200_ten_changed",
            "one_matches_of_80_to_100",
            "one_is_match_half_of_them",
            "one_contains_of_about_200",
        ];
        let bytes = cell(&resident["bytes_per_subscriber_beside_8_per_pair"]);
        let _ = writeln!(text, "| {people} | {} | {bytes} |", names.map(of).join(" | "));
    }
    text += "\nAt the embedded store, each upload durable:\n\n";
    text += &rows(flat.all("").filter(|figure| !figure["clients"].is_null()), LOAD);
    text += "Filling it (1,000 books a write), opening it again, and what it takes on disk, write-ahead log included:\n\n";
    text + &rows(
        flat.all("").filter(|figure| cell(&figure["what"]).starts_with("ours_")),
        &["subscribers", "seconds", "contacts_a_second", "bytes_a_contact"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_of_parts_that_were_not_measured_says_so() {
        let nothing = Figures(Value::Null);
        for text in [everybody(&nothing, &[]), uploaded(&nothing), one(&nothing), growing(&nothing)] {
            assert!(text.contains("Not measured yet."), "{text}");
        }
    }

    #[test]
    fn the_flat_table_has_a_row_a_population() {
        let figure = |what: &str, people: u64, ns: u64| json!({ "what": what, "subscribers": people, "ns_per_operation": ns });
        let flat = Figures(json!({ "when": {}, "figures": [
            figure("one_resident", 10, 0), figure("one_is_match_half_of_them", 10, 7),
            figure("one_resident", 20, 0), figure("one_is_match_half_of_them", 20, 8),
        ] }));
        let text = growing(&flat);
        assert!(text.contains("| 10 | - | - | 7 |") && text.contains("| 20 | - | - | 8 |"), "{text}");
    }
}
