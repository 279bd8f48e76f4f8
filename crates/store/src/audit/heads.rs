//! The heads of all chains, as text to be kept elsewhere.

use std::fmt::Write;

use super::chain::{CHAINS, Head};

/// The heads of the chains, one each. As text it is one line for each chain: chain, count, hash,
/// generation and keyed hash, the hashes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads(Vec<Head>);

/// Why a text is no record of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no whole record of the audit log's heads")]
pub struct HeadFault;

/// The first line of the text.
const TITLE: &str = "hutong audit heads 1";

impl Heads {
    /// These heads.
    pub fn new(heads: Vec<Head>) -> Self {
        Self(heads)
    }

    /// All of them.
    pub fn all(&self) -> &[Head] {
        &self.0
    }

    /// How many rows they stand for.
    pub fn rows(&self) -> i64 {
        self.0.iter().fold(0, |sum, head| sum.saturating_add(head.count))
    }

    /// Whether there is exactly one for each chain.
    pub fn is_whole(&self) -> bool {
        let mut chains: Vec<i64> = self.0.iter().map(|head| head.chain).collect();
        chains.sort_unstable();
        chains.into_iter().eq(0..CHAINS)
    }

    /// Takes a head over unless a further one of its chain is known: two commits may be told in any order.
    pub(super) fn take(&mut self, head: Head) {
        match self.0.iter_mut().find(|known| known.chain == head.chain) {
            Some(known) if (known.count, known.generation) < (head.count, head.generation) => *known = head,
            Some(_) => {}
            None => self.0.push(head),
        }
    }

    /// Writes them as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        for head in &self.0 {
            let Head { chain, count, generation, .. } = head;
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{chain} {count} {} {generation} {}", hex(&head.hash), hex(&head.mac));
        }
        text
    }

    /// Reads them back.
    ///
    /// # Errors
    /// [`HeadFault`] for anything else than a whole record.
    pub fn parse(text: &str) -> Result<Self, HeadFault> {
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err(HeadFault);
        }
        let heads = Self(lines.map(parse_line).collect::<Option<_>>().ok_or(HeadFault)?);
        // One record has one text: whatever else reads the same was not written here.
        if heads.is_whole() && heads.to_text() == text { Ok(heads) } else { Err(HeadFault) }
    }
}

fn parse_line(line: &str) -> Option<Head> {
    let mut words = line.split(' ');
    let head = Head {
        chain: words.next()?.parse().ok()?,
        count: words.next()?.parse().ok().filter(|count| *count >= 0)?,
        hash: bytes(words.next()?)?,
        generation: words.next()?.parse().ok()?,
        mac: bytes(words.next()?)?,
    };
    words.next().is_none().then_some(head)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    // Signs and the like are refused: what was written is lower-case digits alone.
    if digits.len() != 64 || !digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
