//! An address book on its way in: what is read of it, and what is not.

use std::collections::BTreeSet;

use crate::Msisdn;
use crate::number::{self, Refusal, Region};

/// The numbers of an upload, read; the faulty entries by their place, none of which stops the rest.
#[derive(Debug, Clone, Default)]
pub struct ParsedBook {
    /// Every number that may enter matching, each once.
    pub numbers: BTreeSet<Msisdn>,
    /// The place (from 0) of each entry that gave none, and why.
    pub refused: Vec<(usize, Refusal)>,
}

impl ParsedBook {
    /// Reads the raw entries of an upload for a region.
    pub fn parse<'a>(raw: impl IntoIterator<Item = &'a str>, region: Region) -> Self {
        let mut book = Self::default();
        for (index, raw) in raw.into_iter().enumerate() {
            let reading = number::read(raw, region);
            if reading.matchable.is_empty() {
                book.refused.push((index, reading.reason.unwrap_or(Refusal::NotMobile)));
            }
            book.numbers.extend(reading.matchable);
        }
        book
    }
}

/// Whether a snapshot loses more than half of the book it replaces: then somebody must say that this
/// is meant, because it looks like a sync gone wrong.
pub fn needs_shrink_confirmation(size_before: usize, size_after: usize) -> bool {
    size_after * 2 < size_before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_read_whole_and_its_faults_are_reported_by_place() {
        let raw = ["138 0013 8001", "10086", "+86-138-0013-8001", "010-65550100", "nonsense"];
        let book = ParsedBook::parse(raw, Region::CN);
        assert_eq!(book.numbers.len(), 1);
        let places: Vec<usize> = book.refused.iter().map(|(index, _)| *index).collect();
        assert_eq!(places, [1, 3, 4]);
    }

    #[test]
    fn losing_more_than_half_needs_a_word() {
        assert!(!needs_shrink_confirmation(10, 5));
        assert!(needs_shrink_confirmation(10, 4));
        assert!(!needs_shrink_confirmation(0, 0));
        assert!(needs_shrink_confirmation(1, 0));
    }
}
