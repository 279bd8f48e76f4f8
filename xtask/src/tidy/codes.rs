//! Every error code has a page, and every page a code.

use std::collections::BTreeSet;

use super::Violation;
use crate::tree::Source;

/// Where the codes are declared, as `Variant = "word", 404, "title";`.
const DECLARED: &str = "crates/api/src/problem.rs";

/// Where their pages are.
const PAGES: &str = "docs/errors/";

/// Rule: codes and pages are the same set.
pub(super) fn check(sources: &[Source]) -> Vec<Violation> {
    let codes = codes(super::find(sources, DECLARED).unwrap_or_default());
    if codes.is_empty() {
        return vec![Violation::new(DECLARED, "no error code is found in it")];
    }
    let pages = sources.iter().filter_map(|source| source.path.strip_prefix(PAGES)?.strip_suffix(".md"));
    let pages: BTreeSet<String> = pages.filter(|page| *page != "README").map(str::to_owned).collect();
    let missing = codes
        .difference(&pages)
        .map(|page| Violation::new(format!("{PAGES}{page}.md"), "this page of an error code is missing"));
    let stray = pages
        .difference(&codes)
        .map(|page| Violation::new(format!("{PAGES}{page}.md"), "no error code leads to this page"));
    missing.chain(stray).collect()
}

/// The names of the pages that the declared codes lead to.
fn codes(text: &str) -> BTreeSet<String> {
    let declared = text.lines().filter_map(|line| {
        let (variant, rest) = line.trim().split_once(" = \"")?;
        let (word, rest) = rest.split_once("\", ")?;
        let is_variant = variant.chars().all(char::is_alphanumeric);
        let has_status = rest.get(..3)?.parse::<u16>().is_ok();
        (is_variant && has_status).then(|| word.replace('/', "-"))
    });
    declared.collect()
}
