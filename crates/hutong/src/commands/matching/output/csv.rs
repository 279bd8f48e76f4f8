//! Pairs as CSV: both numbers of a pair a line, the smaller one first.

use std::io::Write;

use super::{Broken, Sorted};

/// Written at once, so that system calls do not matter.
const BLOCK_BYTES: usize = 1 << 20;

/// A pair as text at its longest: two numbers of 20 digits, a comma, a line feed.
const PAIR_BYTES_MAX: usize = 42;

/// Writes all pairs, a line each, without a header.
///
/// # Errors
/// Those of the file and of the pairs.
pub(super) fn write(output: &mut impl Write, mut pairs: Sorted) -> Result<(), Broken> {
    let mut block = Vec::with_capacity(BLOCK_BYTES + PAIR_BYTES_MAX);
    while let Some((a, b)) = pairs.next()? {
        push_number(&mut block, a);
        block.push(b',');
        push_number(&mut block, b);
        block.push(b'\n');
        if block.len() >= BLOCK_BYTES {
            output.write_all(&block)?;
            block.clear();
        }
    }
    output.write_all(&block)?;
    Ok(())
}

/// Appends a number in digits, several times as fast as `write!` does.
fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] += (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::matching::pairs::{Pair, Pairs};
    use matching::bulk::PairSink;

    fn sorted(pairs: &[Pair]) -> Sorted {
        let gathered = Pairs::in_memory();
        gathered.accept(pairs);
        gathered.sorted().unwrap()
    }

    #[test]
    fn pairs_are_written_as_the_formatter_writes_them() {
        let pairs = [(0, 7), (9, 10), (99, 100), (1_234_567_890, u64::MAX)];
        let mut written = Vec::new();
        write(&mut written, sorted(&pairs)).unwrap();
        let expected: String = pairs.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn many_blocks_of_pairs_are_all_written() {
        let pairs = vec![(u64::MAX, u64::MAX); 60_000];
        let mut written = Vec::new();
        write(&mut written, sorted(&pairs)).unwrap();
        assert_eq!(written.len(), pairs.len() * PAIR_BYTES_MAX);
    }
}
