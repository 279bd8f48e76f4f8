//! The page `docs/benchmarks/sms.md`.

use std::fmt::Write;
use std::path::Path;

use super::{Figure, OURS, OUTBOX, WINDOWS};
use crate::bench::report::{self, Moment, median, said};
use crate::interop;
use crate::run::Failed;

/// Texts a second that the durable outbox is to come to.
const TARGET: f64 = 5_000.0;

/// Writes the page.
pub(super) fn write(
    root: &Path,
    figures: &[Figure],
    rounds: u64,
    texts: u64,
    moment: &Moment,
) -> Result<(), Failed> {
    let versions = format!(
        "the crates smpp34 1.5.1 and rusmppc 0.4.0, smpp34 {} (PyPI, the same core) on {}, {} (npm) on node {}",
        interop::SMPP34,
        said(root, "python3", &["--version"]),
        interop::NPM.replace('@', " "),
        said(root, "node", &["--version"]),
    );
    let when = format!("{}; {rounds} rounds of {texts} texts; medians", moment.line());
    report::keep(root, "sms.md", &page(figures, &when, &versions))
}

fn page(figures: &[Figure], when: &str, versions: &str) -> String {
    let mut page = String::from("# The SMS link\n\n`cargo xtask bench sms` writes this page.\n\n");
    let _ = writeln!(page, "{when}.\n");
    let _ = writeln!(
        page,
        "## The session layer\n\nsubmit_sm a second over one session, each client against the same centre (a program of ours that accepts\n\
         everything at once), interleaved in the same run; every program has one thread. Peers: {versions}.\n\n\
         | window | {OURS} | fastest peer | ratio | all peers |\n| ---: | ---: | ---: | ---: | --- |"
    );
    for window in WINDOWS {
        let _ = writeln!(page, "{}", row(figures, window));
    }
    let _ = writeln!(
        page,
        "\n## The durable outbox\n\nTexts a second from a full queue to a durable outcome, embedded store, one bind, same centre. Each text is\n\
         marked sent in a durable commit before its first byte leaves, and its answer is written down in another. At least\n\
         {TARGET:.0} are wanted.\n\n| window | texts a second | of the target |\n| ---: | ---: | ---: |"
    );
    for figure in figures.iter().filter(|figure| figure.name == OUTBOX) {
        let rate = median(figure.rates.iter().copied());
        let _ = writeln!(page, "| {} | {rate:.0} | {:.2} |", figure.window, rate / TARGET);
    }
    page
}

/// One window: ours, the fastest peer, and all of them.
fn row(figures: &[Figure], window: u64) -> String {
    let of_window = || figures.iter().filter(|figure| figure.window == window && figure.name != OUTBOX);
    let ours = of_window()
        .find(|figure| figure.name == OURS)
        .map_or(0.0, |figure| median(figure.rates.iter().copied()));
    let peers: Vec<_> = of_window()
        .filter(|figure| figure.name != OURS)
        .map(|figure| (figure.name, median(figure.rates.iter().copied())))
        .collect();
    let fastest = peers.iter().map(|(_, rate)| *rate).fold(f64::MIN_POSITIVE, f64::max);
    let all: Vec<_> = peers.iter().map(|(name, rate)| format!("{name} {rate:.0}")).collect();
    format!("| {window} | {ours:.0} | {fastest:.0} | {:.2} | {} |", ours / fastest, all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_medians_and_the_ratio_to_the_fastest_peer() {
        let figure = |name, rates: &[f64]| Figure { name, window: 10, rates: rates.to_vec() };
        let figures =
            [figure(OURS, &[300.0, 100.0, 200.0]), figure("a", &[90.0, 110.0]), figure("b", &[50.0])];
        assert_eq!(row(&figures, 10), "| 10 | 200 | 100 | 2.00 | a 100, b 50 |");
    }
}
