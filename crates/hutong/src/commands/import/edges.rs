//! Edge lists: an owner's and a contact's digits a row, in the kinds of file that `hutong match` reads.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use domain::{Msisdn, Region, number};

use super::books::Books;
use crate::commands::matching::edges::Edges;
use crate::commands::matching::input;
use crate::commands::matching::progress::Progress;
use crate::failure::Failure;

/// Reads all edge lists into `books`; says on stderr what was skipped.
///
/// # Errors
/// A [`Failure`] that names the file and the place, as of [`input::read_all`].
pub(super) fn read_all(
    files: &[(PathBuf, u64)],
    strict: bool,
    books: &mut Books,
    progress: &Progress,
) -> Result<(), Failure> {
    let (names, lengths): (Vec<_>, Vec<_>) = files.iter().cloned().unzip();
    let edges = Edges::whole();
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    input::read_all(&names, &lengths, strict, threads, &edges, progress)?;
    progress.turn_to("reading numbers");
    let mut known = HashMap::new();
    let region = books.region;
    let mut read = move |digits: u64| *known.entry(digits).or_insert_with(|| read_digits(digits, region));
    for edge in edges.into_parts().into_iter().flatten() {
        let Some(owner) = read(edge.owner).filter(|owner| books.serves(*owner)) else {
            books.refused_owners += 1;
            continue;
        };
        let contact = read(edge.contact);
        books.refused_contacts += u64::from(contact.is_none());
        books.add(owner, contact);
    }
    Ok(())
}

/// Digits as they are dialled in the region, and as E.164 without its `+` where that is nobody's number: eleven
/// digits that begin with 1 could be a mainland mobile or a North American number, and are taken for the former in
/// China.
fn read_digits(digits: u64, region: Region) -> Option<Msisdn> {
    number::read_own(&digits.to_string(), region)
        .or_else(|_| number::read_own(&format!("+{digits}"), region))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_dialled_and_as_e164() {
        let read = |digits| read_digits(digits, Region::CN).map(Msisdn::e164);
        for (digits, e164) in [
            (13_800_138_000, Some("+8613800138000")),
            (8_613_800_138_000, Some("+8613800138000")),
            (85_291_234_567, Some("+85291234567")),
            (15_301_234_567, Some("+8615301234567")),
            (10_086, None),
            (0, None),
            (u64::MAX, None),
        ] {
            assert_eq!(read(digits).as_deref(), e164, "{digits}");
        }
    }
}
