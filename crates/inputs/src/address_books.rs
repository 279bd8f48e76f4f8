//! Address-book files: vCard and tables, in any encoding.

use domain::Region;
use terminal::read::{CARDS_MAX, read_book};

/// Cards inside cards and rows of a table never make more of a file than is in it.
const GROWTH_MAX: usize = 8;

pub(crate) fn check(bytes: &[u8]) {
    let Ok(book) = read_book(bytes) else { return };
    assert_eq!(Ok(&book), read_book(bytes).as_ref(), "the same file reads the same");
    assert!(book.cards <= CARDS_MAX + 1 && book.entries.len() <= book.cards + 1, "{} cards", book.cards);
    // UTF-16 has two bytes a line end, and everything else at least one.
    let lines = bytes.len() + 1;
    let mut raw_bytes = 0;
    for entry in &book.entries {
        assert!((1..=lines).contains(&entry.line));
        for telephone in &entry.telephones {
            assert!((1..=lines).contains(&telephone.line));
            raw_bytes += telephone.raw.len();
            crate::numbers::check_reading(&telephone.raw, Region::CN);
        }
    }
    assert!(raw_bytes <= GROWTH_MAX * bytes.len(), "{raw_bytes} bytes of telephones from {}", bytes.len());
    assert!(book.refused.iter().all(|refused| (1..=lines).contains(&refused.line)));
}
