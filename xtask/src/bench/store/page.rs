//! The page `docs/benchmarks/store.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Extent;
use crate::run::{self, Failed};

/// What the 99th in a hundred is to stay below, in milliseconds.
const P99_MS_MAX: f64 = 10.0;

/// What is compared: what it is, ours, theirs, and how many times as fast ours is wanted.
const COMPARED: [(&str, &str, &str, Option<f64>); 4] = [
    ("upload of a book, theirs written anew", "ours_upload", "rows_upload", Some(10.0)),
    ("upload of a book, theirs only what changed", "ours_upload", "rows_changes", None),
    ("feed", "ours_feed", "rows_feed", Some(4.0)),
    ("whether two match", "ours_pair", "rows_pair", Some(1.0)),
];

/// Writes the page.
pub(super) fn write(root: &Path, figures: &[Value], extent: Extent, load: &str) -> Result<(), Failed> {
    let said = |program: &str, arguments: &[&str]| {
        run::program(program, arguments).inside(root).read().unwrap_or_default().trim().to_owned()
    };
    let (date, commit) = (said("date", &["-u", "+%Y-%m-%d"]), said("git", &["rev-parse", "--short", "HEAD"]));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let when = format!("{date}, commit {commit}, {threads} cores, load {load} before");
    let file = root.join("docs").join("benchmarks").join("store.md");
    fs::write(&file, page(figures, extent, &when))
        .map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    println!("{}", file.display());
    Ok(())
}

fn page(figures: &[Value], extent: Extent, when: &str) -> String {
    let Extent { subscribers, clients, seconds, rounds } = extent;
    let mut page =
        String::from("# The store on PostgreSQL\n\n`cargo xtask bench store` writes this page.\n\n");
    let _ = writeln!(
        page,
        "{when}. A private server, every commit durable; {subscribers} subscribers with books of 200 contacts, three shares \
         each.\n{rounds} rounds of {seconds} s with {clients} clients, ours and theirs in turns, in one process on the same \
         cores as the server; medians of the\nrounds. Where other programs wanted to run, only ratios mean something.\n\n\
         Theirs is a row per edge, asked by prepared statements on a connection a client. An upload there is one \
         statement: it writes\nevery edge anew, as the table that everyone tries first does, or only what changed. Ours keeps \
         the matches of both sides in step\nand serializable in the same commit; theirs joins edges whenever a feed is read. Our \
         feed also tells what was seen before, and gives\neach item as the house uses it.\n\n\
         | what | ours a second | theirs a second | times as fast | wanted | | p99 ours, ms | p99 theirs, ms | below {P99_MS_MAX:.0} |\n\
         | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- |"
    );
    for (what, ours, theirs, wanted) in COMPARED {
        let [rate, their_rate] = [ours, theirs].map(|word| median(figures, word, "a_second"));
        let [p99, their_p99] = [ours, theirs].map(|word| median(figures, word, "p99_ms"));
        let ratio = rate / their_rate;
        let verdict = |met: bool| if met { "met" } else { "missed" };
        let met = wanted.map_or("", |wanted| verdict(ratio >= wanted));
        let wanted = wanted.map_or("-".to_owned(), |wanted| format!("{wanted:.0}"));
        let below = verdict(p99 < P99_MS_MAX);
        let _ = writeln!(
            page,
            "| {what} | {rate:.0} | {their_rate:.0} | {ratio:.2} | {wanted} | {met} | {p99:.1} | {their_p99:.1} | {below} |"
        );
    }
    let _ = writeln!(
        page,
        "\n## What it takes at rest\n\n| table | rows | bytes | bytes a row |\n| --- | ---: | ---: | ---: |"
    );
    for figure in figures {
        let (Some(what), Some(bytes)) = (figure["what"].as_str(), figure["bytes"].as_f64()) else { continue };
        let what = what.replace("_size", "");
        match figure["rows"].as_f64().filter(|rows| *rows > 0.0) {
            Some(rows) => {
                let _ = writeln!(page, "| {what} | {rows:.0} | {bytes:.0} | {:.0} |", bytes / rows);
            }
            None => {
                let _ = writeln!(page, "| {what}, all of it | | {bytes:.0} | |");
            }
        }
    }
    let _ = writeln!(
        page,
        "\nFilling it took {:.0} s with all matches (ours) and {:.0} s (theirs).",
        median(figures, "ours_filled", "seconds"),
        median(figures, "rows_filled", "seconds")
    );
    page
}

fn median(figures: &[Value], what: &str, name: &str) -> f64 {
    let of = figures.iter().filter(|figure| figure["what"] == what);
    let mut sorted: Vec<f64> = of.filter_map(|figure| figure[name].as_f64()).collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_holds_medians_ratios_and_what_is_missed() {
        let of = |what: &str, rate: f64, p99: f64| json!({ "what": what, "a_second": rate, "p99_ms": p99 });
        let figures = [
            of("ours_upload", 900.0, 9.0),
            of("ours_upload", 1_000.0, 11.0),
            of("ours_upload", 1_100.0, 12.0),
            of("rows_upload", 50.0, 30.0),
            of("ours_feed", 300.0, 2.0),
            of("rows_feed", 100.0, 3.0),
            json!({ "what": "ours_size book", "bytes": 1_000, "rows": 10 }),
        ];
        let page = page(&figures, Extent { subscribers: 1, clients: 1, seconds: 1, rounds: 3 }, "today");
        assert!(page.contains("| 1000 | 50 | 20.00 | 10 | met | 11.0 | 30.0 | missed |"), "{page}");
        assert!(page.contains("| feed | 300 | 100 | 3.00 | 4 | missed | 2.0 | 3.0 | met |"), "{page}");
        assert!(page.contains("| ours book | 10 | 1000 | 100 |"), "{page}");
    }
}
