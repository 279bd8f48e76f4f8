//! docs/benchmarks/matching.md.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{DUCKDB, LIMIT, Measured, OURS_IDS, OURS_RAW, POLARS, Size, plot};
use crate::run::{self, Failed};

/// Writes the page and its picture.
pub(super) fn write(root: &Path, measured: &Measured) -> Result<(), Failed> {
    let directory = root.join("docs").join("benchmarks");
    let page = head(root, measured) + &bulk(measured) + &targets(measured) + &one(&measured.one);
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("matching.md"), page))
        .and_then(|()| fs::write(directory.join("matching.svg"), plot::svg(&measured.sizes)))
        .map_err(|error| Failed::new(format!("the page cannot be written: {error}")))
}

fn head(root: &Path, measured: &Measured) -> String {
    let said = |program: &str, arguments: &[&str]| {
        run::program(program, arguments).inside(root).read().unwrap_or_default().trim().to_owned()
    };
    let (date, commit) = (said("date", &["-u", "+%Y-%m-%d"]), said("git", &["rev-parse", "--short", "HEAD"]));
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_matches([':', ' ', '\t']).to_owned()
    };
    let kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let Measured { rounds, threads, load, versions, .. } = measured;
    let version = |peer: &str| versions[peer].as_str().unwrap_or("unknown").to_owned();
    format!(
        "# Matching: measured\n\n\
         Written by `cargo xtask bench matching` on {date} at commit {commit}: {}, {threads} processors, {} GB of \
         memory; DuckDB {}, Polars {}, each in the way to ask it that was fastest in one trial of each ({}; {}), with {threads} threads. When it \
         began, {load} other programs wanted to run, on average of a minute: well above zero, all times here are too \
         long, and only ratios mean something.\n\n\
         Books are generated from a seed: log-normal with a median of 120, a mean of 180 and at most 2,000 contacts; \
         45 % of the contacts are registered, 47 % of the edges between registered people mutual, and four contacts in \
         five of one's own community of 1,000. Edges are in memory, as pairs of 64-bit numbers; loading is not \
         counted. All take turns in one run, {rounds} rounds, medians; all counts of mutual pairs agree.\n\n",
        field("/proc/cpuinfo", "model name"),
        kib >> 20,
        version("duckdb"),
        version("polars"),
        version("duckdb_how"),
        version("polars_how"),
    )
}

fn bulk(measured: &Measured) -> String {
    let mut text = "## Everybody at once\n\n\
        | edges | subscribers | mutual pairs | raw edges, s | ids at rest, s | DuckDB, s | Polars, s | reading each edge \
        once, s | raw, ids: times as fast as DuckDB | as Polars |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for size in &measured.sizes {
        let Size { edges, subscribers, pairs, .. } = size;
        let seconds =
            [OURS_RAW, OURS_IDS, DUCKDB, POLARS, LIMIT].map(|who| format!("{:.3}", size.seconds(who)));
        let ratios = [DUCKDB, POLARS]
            .map(|peer| format!("{:.1}, {:.1}", ratio(size, peer, OURS_RAW), ratio(size, peer, OURS_IDS)));
        let _ = writeln!(
            text,
            "| {edges} | {subscribers} | {pairs} | {} | {} |",
            seconds.join(" | "),
            ratios.join(" | ")
        );
    }
    text += "\nMemory beyond the input and beyond what a program keeps from runs before, bytes an edge (so for the peers, \
        which keep much, at least this):\n\n| edges | raw edges | ids at rest | DuckDB | Polars |\n\
        | --- | --- | --- | --- | --- |\n";
    for size in &measured.sizes {
        let bytes = [OURS_RAW, OURS_IDS, DUCKDB, POLARS].map(|who| format!("{:.2}", size.bytes_an_edge(who)));
        let _ = writeln!(text, "| {} | {} |", size.edges, bytes.join(" | "));
    }
    text + "\n![Edges a second against edges](matching.svg)\n\n"
}

fn ratio(size: &Size, peer: &str, ours: &str) -> f64 {
    size.seconds(peer) / size.seconds(ours)
}

/// One target: what, how much is wanted at least or at most, how much there is, and why it may be missed.
struct Target {
    what: String,
    wanted: f64,
    at_least: bool,
    found: f64,
    why: &'static str,
}

const WHY_RATIO: &str = "By a profile of 18 million edges on one thread some 40 % of the time of raw edges goes into looking \
    contacts up and putting halves into squares, 30 % into spreading edges over slices, 13 % into joining, the rest into \
    ranking owners. How much of the distance is owed to other programs on the same cores is not known before this has run \
    on a quiet machine.";
const WHY_GROWTH: &str =
    "More subscribers mean more slices and squares, and so more places that are written to at a time.";
const WHY_BYTES: &str = "Buffers of a fixed size are not spread over enough edges.";
const WHY_ONE: &str = "No profile has been taken of it yet. The least of nine rounds stands below; where it is far under the \
    median, other programs took part of the time.";

/// Below this many edges the targets say nothing.
const JUDGED_EDGES: u64 = 10_000_000;

fn targets(measured: &Measured) -> String {
    let mut targets = Vec::new();
    for size in measured.sizes.iter().filter(|size| size.edges >= JUDGED_EDGES) {
        let millions = millions(size);
        let wanted = if size.edges > 100_000_000 { 5.0 } else { 3.5 };
        let mut push = |what: String, wanted, at_least, found, why| {
            targets.push(Target {
                what: format!("{what}, {millions} million edges"),
                wanted,
                at_least,
                found,
                why,
            });
        };
        push(
            "raw edges, times as fast as DuckDB".into(),
            wanted,
            true,
            ratio(size, DUCKDB, OURS_RAW),
            WHY_RATIO,
        );
        push(
            "ids at rest, times as fast as DuckDB".into(),
            12.0,
            true,
            ratio(size, DUCKDB, OURS_IDS),
            WHY_RATIO,
        );
        push("raw edges, bytes an edge".into(), 2.5, false, size.bytes_an_edge(OURS_RAW), WHY_BYTES);
    }
    if let [first, .., last] = measured.sizes.as_slice()
        && (JUDGED_EDGES..2 * JUDGED_EDGES).contains(&first.edges)
        && last.edges >= 10 * first.edges
    {
        let an_edge = |size: &Size| size.seconds(OURS_RAW) / size.edges as f64;
        let what =
            format!("time an edge at {} million edges against {} million", millions(last), millions(first));
        let found = an_edge(last) / an_edge(first);
        targets.push(Target { what, wanted: 2.0, at_least: false, found, why: WHY_GROWTH });
    }
    for (name, what, wanted) in [
        ("one_upload", "upload of 200 contacts in memory, nanoseconds", 20_000.0),
        ("one_matches_of", "matches of one subscriber, nanoseconds", 1_500.0),
        ("one_is_match", "whether two match, nanoseconds", 300.0),
    ] {
        let found =
            measured.one.iter().find(|line| line["what"].as_str().is_some_and(|what| what.starts_with(name)));
        let found = found.and_then(|line| line["ns_per_operation"].as_f64()).unwrap_or(f64::NAN);
        targets.push(Target { what: what.to_owned(), wanted, at_least: false, found, why: WHY_ONE });
    }
    let figure = |name: &str| measured.one.iter().find_map(|line| line[name].as_f64()).unwrap_or(f64::NAN);
    for (name, what, wanted) in [
        (
            "bytes_per_subscriber_beside_8_per_pair",
            "resident bytes a subscriber, beside 8 a mutual pair",
            64.0,
        ),
        ("bytes_per_contact", "books at rest, bytes a contact", 4.0),
    ] {
        targets.push(Target {
            what: what.to_owned(),
            wanted,
            at_least: false,
            found: figure(name),
            why: WHY_ONE,
        });
    }
    judged(&targets)
}

/// Edges in millions, for words.
fn millions(size: &Size) -> u64 {
    (size.edges + 500_000) / 1_000_000
}

fn judged(targets: &[Target]) -> String {
    let mut text = "## Targets\n\n| what | wanted | found | |\n| --- | --- | --- | --- |\n".to_owned();
    let mut missed = String::new();
    for Target { what, wanted, at_least, found, why } in targets {
        let met = if *at_least { found >= wanted } else { found <= wanted };
        let bound = if *at_least { "at least" } else { "at most" };
        let verdict = if met { "met" } else { "missed" };
        let _ = writeln!(text, "| {what} | {bound} {wanted} | {found:.2} | {verdict} |");
        if !met {
            let by = if *at_least { wanted / found } else { found / wanted };
            let _ = writeln!(missed, "\n**{what}** is missed {by:.2}-fold. {why}");
        }
    }
    text + &missed + "\n"
}

fn one(figures: &[Value]) -> String {
    let mut text = "## One subscriber at a time, in memory\n\n| what | figures |\n| --- | --- |\n".to_owned();
    for figure in figures.iter().filter_map(Value::as_object) {
        let what = figure.get("what").and_then(Value::as_str).unwrap_or_default().replace('_', " ");
        let rest = figure.iter().filter(|(name, _)| *name != "what");
        let rest: Vec<String> =
            rest.map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
        let _ = writeln!(text, "| {what} | {} |", rest.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_or_missed_with_a_reason() {
        let target = |at_least, found| Target { what: "it".into(), wanted: 2.0, at_least, found, why: "So." };
        let text =
            judged(&[target(true, 3.0), target(true, 1.0), target(false, 1.0), target(false, f64::NAN)]);
        let verdicts: Vec<bool> = text
            .lines()
            .filter(|line| line.starts_with("| it"))
            .map(|line| line.ends_with("| met |"))
            .collect();
        assert_eq!(verdicts, [true, false, true, false]);
        assert!(text.contains("missed 2.00-fold. So."));
    }
}
