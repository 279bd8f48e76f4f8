//! One line of an edge list.

use matching::bulk::Edge;

use super::faults::Fault;

/// What a line holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// An owner and a contact.
    Edge(Edge),
    /// The words `owner` and `contact`.
    Header,
    /// Blanks, a comment, or nothing at all.
    Nothing,
    /// Something else.
    Malformed(Fault),
}

/// So many digits fit a `u64` whatever they are.
const DIGITS_THAT_FIT: usize = 19;

/// Reads the row at the beginning if it is two numbers, one separator and a line feed, as nearly all are;
/// gives its length too. Anything else is for [`read`].
#[inline]
pub(super) fn read_plain(bytes: &[u8]) -> Option<(Edge, usize)> {
    let (owner, at) = digits(bytes, 0)?;
    if !matches!(bytes.get(at), Some(b' ' | b'\t' | b',')) {
        return None;
    }
    let (contact, at) = digits(bytes, at + 1)?;
    let at = at + usize::from(bytes.get(at) == Some(&b'\r'));
    (bytes.get(at) == Some(&b'\n')).then_some((Edge { owner, contact }, at + 1))
}

/// Reads the digits at a place, eight at a time, if there are eight bytes to look at wherever it looks; gives
/// where they end.
#[inline(always)]
fn digits(bytes: &[u8], from: usize) -> Option<(u64, usize)> {
    let (mut value, mut at) = (0u64, from);
    loop {
        let word = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        // A byte is at most nine now if it is a digit, and adding 0x76 then leaves its top bit clear. What is carried
        // over from a byte that is none spoils only those behind it.
        let values = word ^ 0x3030_3030_3030_3030;
        let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
        let count = (others.trailing_zeros() / 8) as usize;
        if count == 0 {
            break;
        }
        // Those behind the last digit are pushed out, and what comes in before the first stands for zeros.
        let eight = eight_digits(values << (64 - 8 * count));
        value = value.wrapping_mul(POWERS_OF_TEN[count]).wrapping_add(eight);
        at += count;
        if count < 8 {
            break;
        }
    }
    // Whatever wrapped has more digits than fit, and is not given back.
    (at > from && at - from <= DIGITS_THAT_FIT).then_some((value, at))
}

const POWERS_OF_TEN: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that eight digits write, the first in the lowest byte: pairs are joined, then pairs of pairs.
#[inline(always)]
fn eight_digits(digits: u64) -> u64 {
    let two = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let four = two.wrapping_mul(100).wrapping_add(two >> 16) & 0x0000_ffff_0000_ffff;
    four.wrapping_mul(10_000).wrapping_add(four >> 32) & 0xffff_ffff
}

/// Reads any line, with or without its end.
pub(super) fn read(line: &[u8]) -> Row {
    let line = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
    if line.is_empty() {
        return Row::Nothing;
    }
    let mut columns = line.split(|&byte| byte == b',').flat_map(words);
    let (Some(owner), Some(contact)) = (columns.next(), columns.next()) else {
        return Row::Malformed(Fault::OneColumn);
    };
    if columns.next().is_some() {
        return Row::Malformed(Fault::MoreColumns);
    }
    if owner.eq_ignore_ascii_case(b"owner") && contact.eq_ignore_ascii_case(b"contact") {
        return Row::Header;
    }
    match (number(owner), number(contact)) {
        (Ok(owner), Ok(contact)) => Row::Edge(Edge { owner, contact }),
        (Err(fault), _) | (_, Err(fault)) => Row::Malformed(fault),
    }
}

/// The words between two commas; where there are none, one that is empty, since a column stands there.
fn words(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    let part = part.trim_ascii();
    part.split(|byte| matches!(byte, b' ' | b'\t')).filter(move |word| part.is_empty() || !word.is_empty())
}

/// Reads a word of digits, and of nothing else.
pub(super) fn number(word: &[u8]) -> Result<u64, Fault> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return Err(Fault::NotANumber);
    }
    let add = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    word.iter().try_fold(0, add).ok_or(Fault::TooGreat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(owner: u64, contact: u64) -> Row {
        Row::Edge(Edge { owner, contact })
    }

    #[test]
    fn a_row_is_two_numbers_with_one_separator_and_any_blanks() {
        for line in ["7 8", "7\t8", "7,8", " 7 ,\t8 \r\n", "7   8", "007 8 # a friend", "7,8#"] {
            assert_eq!(read(line.as_bytes()), edge(7, 8), "{line:?}");
        }
        assert_eq!(read(b"0 18446744073709551615"), edge(0, u64::MAX));
        assert_eq!(read(b"00000000000000000000000001 2"), edge(1, 2));
    }

    #[test]
    fn blanks_and_comments_are_nothing_and_the_header_is_known() {
        for line in ["", "\n", " \t\r\n", "# 1 2", "  #"] {
            assert_eq!(read(line.as_bytes()), Row::Nothing, "{line:?}");
        }
        assert_eq!(read(b"owner,contact\r\n"), Row::Header);
        assert_eq!(read(b"Owner\tContact"), Row::Header);
    }

    #[test]
    fn every_other_row_is_malformed_and_the_fault_says_how() {
        for (line, fault) in [
            ("7", Fault::OneColumn),
            ("7;8", Fault::OneColumn),
            ("7 8 9", Fault::MoreColumns),
            ("7,,8", Fault::MoreColumns),
            ("7,8,", Fault::MoreColumns),
            ("7,", Fault::NotANumber),
            (",7", Fault::NotANumber),
            ("-7 8", Fault::NotANumber),
            ("7 8.0", Fault::NotANumber),
            ("seven 8", Fault::NotANumber),
            ("contact,owner", Fault::NotANumber),
            ("7 18446744073709551616", Fault::TooGreat),
        ] {
            assert_eq!(read(line.as_bytes()), Row::Malformed(fault), "{line:?}");
        }
    }

    /// As a line within a block, with others behind it.
    fn read_within(line: &str) -> Option<(Edge, usize)> {
        read_plain(format!("{line}7 8\n7 8\n7 8\n7 8\n").as_bytes())
    }

    #[test]
    fn the_fast_path_reads_what_the_slow_one_reads_or_nothing() {
        for line in ["7 8\n", "7,8\r\n", "0\t9999999999999999999\n", "9999999999999999999 1\n"] {
            let (edge, length) = read_within(line).unwrap();
            assert_eq!((Row::Edge(edge), length), (read(line.as_bytes()), line.len()), "{line:?}");
        }
        for line in ["7  8\n", "\n7 8\n", " 7 8\n", "7 8 9\n", "18446744073709551616 1\n", "7 8", "7 x\n"] {
            assert_eq!(read_within(line), None, "{line:?}");
        }
        // At the end of a block there may be too little to look at.
        assert_eq!(read_plain(b"7 8"), None);
        assert_eq!(read_plain(b""), None);
    }

    #[test]
    fn numbers_of_every_length_are_read_alike_by_both() {
        for length in 1..=20 {
            let number = "18446744073709551615".split_at(length).0;
            let line = format!("{number},{number}\n");
            let fast = read_within(&line);
            assert_eq!(fast.is_some(), length <= 19, "{line:?}");
            if let Some((edge, _)) = fast {
                assert_eq!(Row::Edge(edge), read(line.as_bytes()));
            }
        }
    }
}
