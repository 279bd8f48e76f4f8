//! Where the parts of a blob lie, from its header.

use super::{BookDamaged, HOME_KEYS_END, Universe, checksum::crc32};

/// First byte of every blob of this format.
pub(super) const FORMAT: u8 = 1;

const CHECKSUM_BYTES: usize = 4;

/// A `u64` takes at most ten groups of seven bits.
const VARINT_BYTES_MAX: usize = 10;

pub(super) struct Layout {
    pub(super) home: Universe,
    pub(super) far: Universe,
    header_bytes: usize,
}

impl Layout {
    pub(super) fn for_keys(home_count: usize, far: &[u64]) -> Self {
        let (first, last) = (far.first().copied().unwrap_or(0), far.last().copied().unwrap_or(0));
        let mut layout = Self {
            home: home_universe(home_count),
            far: Universe { count: far.len(), first, span: last - first },
            header_bytes: 0,
        };
        let mut header = Vec::with_capacity(1 + 4 * VARINT_BYTES_MAX);
        layout.write_header(&mut header);
        layout.header_bytes = header.len();
        layout
    }

    pub(super) fn write_header(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        push_varint(out, self.home.count as u64);
        push_varint(out, self.far.count as u64);
        if self.far.count > 0 {
            push_varint(out, self.far.first);
            push_varint(out, self.far.span);
        }
    }

    pub(super) fn total_bytes(&self) -> usize {
        self.header_bytes + self.home.bytes() + self.far.bytes() + CHECKSUM_BYTES
    }

    /// Reads the header and checks it against the blob's length, so that counts are believed only when the
    /// bytes for them are there.
    pub(super) fn read(blob: &[u8]) -> Result<Self, BookDamaged> {
        let (&format, mut rest) = blob.split_first().ok_or(BookDamaged::Format)?;
        if format != FORMAT {
            return Err(BookDamaged::Format);
        }
        let home_count = take_count(&mut rest, blob.len())?;
        let far_count = take_count(&mut rest, blob.len())?;
        let (mut first, mut span) = (0, 0);
        if far_count > 0 {
            first = take_varint(&mut rest)?;
            span = take_varint(&mut rest)?;
            if first < HOME_KEYS_END || first.checked_add(span).is_none() {
                return Err(BookDamaged::Content);
            }
        }
        let layout = Self {
            home: home_universe(home_count),
            far: Universe { count: far_count, first, span },
            header_bytes: blob.len() - rest.len(),
        };
        if layout.total_bytes() == blob.len() { Ok(layout) } else { Err(BookDamaged::Length) }
    }

    pub(super) fn verify_checksum(&self, blob: &[u8]) -> Result<(), BookDamaged> {
        match blob.split_last_chunk::<CHECKSUM_BYTES>() {
            Some((before, sum)) if crc32(before) == u32::from_le_bytes(*sum) => Ok(()),
            _ => Err(BookDamaged::Checksum),
        }
    }

    /// The bytes from the home run on. They run on into what follows, so that words near the end of a run
    /// can be read whole.
    pub(super) fn home_run<'a>(&self, blob: &'a [u8]) -> &'a [u8] {
        &blob[self.header_bytes..]
    }

    /// The bytes from the far run on.
    pub(super) fn far_run<'a>(&self, blob: &'a [u8]) -> &'a [u8] {
        &blob[self.header_bytes + self.home.bytes()..]
    }
}

fn home_universe(count: usize) -> Universe {
    Universe { count, first: 0, span: HOME_KEYS_END - 1 }
}

/// A key takes at least one bit, so a count beyond eight times the blob is a lie; the limit keeps all later
/// sums far from overflow.
fn take_count(rest: &mut &[u8], blob_bytes: usize) -> Result<usize, BookDamaged> {
    let count = take_varint(rest)?;
    match usize::try_from(count) {
        Ok(count) if count / 8 <= blob_bytes => Ok(count),
        _ => Err(BookDamaged::Length),
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, BookDamaged> {
    let mut value = 0;
    for group in 0..VARINT_BYTES_MAX {
        let (&byte, after) = rest.split_first().ok_or(BookDamaged::Length)?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        // The tenth group holds the one bit that is left of 64.
        if group + 1 == VARINT_BYTES_MAX && bits > 1 {
            return Err(BookDamaged::Content);
        }
        value |= bits << (7 * group);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(BookDamaged::Content)
}
