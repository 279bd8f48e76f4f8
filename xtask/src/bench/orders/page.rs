//! The page `docs/benchmarks/orders.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::{Figure, KINDS};
use crate::run::{self, Failed};

/// What the 99th in a hundred answers to a tap is to stay below, in milliseconds.
const P99_MS_MAX: f64 = 20.0;

/// Writes the page.
pub(super) fn write(
    root: &Path,
    figures: &[Figure],
    (rounds, people): (u64, u64),
    load: &str,
) -> Result<(), Failed> {
    let said = |program: &str, arguments: &[&str]| {
        run::program(program, arguments).inside(root).read().unwrap_or_default().trim().to_owned()
    };
    let (date, commit) = (said("date", &["-u", "+%Y-%m-%d"]), said("git", &["rev-parse", "--short", "HEAD"]));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let when = format!(
        "{date}, commit {commit}, {threads} cores, load {load} before; {rounds} rounds of {people} people with ten \
         orders each; medians"
    );
    let file = root.join("docs").join("benchmarks").join("orders.md");
    fs::write(&file, page(figures, &when))
        .map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    println!("{}", file.display());
    Ok(())
}

fn page(figures: &[Figure], when: &str) -> String {
    let mut page = String::from("# Orders\n\n`cargo xtask bench orders` writes this page.\n\n");
    let _ = writeln!(
        page,
        "{when}.\n\nAll roles in one process of the real binary, embedded store on the machine's disk. A second process, on \
         the same\ncores, holds the simulated SMS centre, the phones, which answer each confirmation at once with its code, and 64\n\
         terminals over HTTP. An order is complete when the one who tapped sees it completed: tap, gate, exchange, platform,\n\
         decision, texts through the outbox and the centre, reply, subscription, charge event, receipt accepted by the\n\
         centre, and the events back. The seconds count from the first tap until nothing is left to do.\n\n\
         | orders | a second | wanted | of the target |\n| --- | ---: | ---: | ---: |"
    );
    for (kind, figure) in KINDS.iter().zip(figures) {
        let rate = median(figure.rates.iter().copied());
        let _ =
            writeln!(page, "| {} | {rate:.0} | {:.0} | {:.2} |", kind.what, kind.wanted, rate / kind.wanted);
    }
    let _ = writeln!(
        page,
        "\n## The tap\n\nMilliseconds until `POST /v1/orders` is answered, which is once the order is durable, at half the wanted load;\n\
         each counts from when its tap was due. The 99th in a hundred is to stay below {P99_MS_MAX:.0} ms.\n\n\
         | orders | taps a second | median | 99th in 100 | longest |\n| --- | ---: | ---: | ---: | ---: |"
    );
    for (kind, figure) in KINDS.iter().zip(figures) {
        let [half, ninety_nine, longest] =
            [0, 1, 2].map(|place| median(figure.taps.iter().map(|taps| taps[place])));
        let rate = kind.wanted / 2.0;
        let _ = writeln!(page, "| {} | {rate:.0} | {half:.1} | {ninety_nine:.1} | {longest:.1} |", kind.what);
    }
    page
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_the_medians_and_the_share_of_the_target() {
        let figure =
            |rates: &[f64]| Figure { rates: rates.to_vec(), taps: vec![[1.0, 2.0, 9.0], [3.0, 4.0, 11.0]] };
        let page = page(&[figure(&[1_000.0, 3_000.0, 2_500.0]), figure(&[500.0])], "today");
        assert!(page.contains("started at once | 2500 | 2000 | 1.25 |"), "{page}");
        assert!(page.contains("confirmed by text | 500 | 1000 | 0.50 |"), "{page}");
        assert!(page.contains("| 1000 | 2.0 | 3.0 | 10.0 |"), "{page}");
    }
}
