//! The page `docs/benchmarks/orders.md`.

use std::fmt::Write;
use std::path::Path;

use super::{Figure, KINDS};
use crate::bench::report::{self, Moment, median};
use crate::run::Failed;

/// What the 99th in a hundred answers to a tap is to stay below, in milliseconds.
const P99_MS_MAX: f64 = 20.0;

/// Writes the page.
pub(super) fn write(
    root: &Path,
    figures: &[Figure],
    (rounds, people): (u64, u64),
    moment: &Moment,
) -> Result<(), Failed> {
    let when = format!("{}; {rounds} rounds of {people} people with ten orders each; medians", moment.line());
    report::keep(root, "orders.md", &page(figures, &when))
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
