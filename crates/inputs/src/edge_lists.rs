//! Rows of an edge list.

/// Why a row is malformed, of the shape that the reader expects beside it.
mod faults {
    #[allow(dead_code, reason = "some are found by others than the reader of one row")]
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Fault {
        OneColumn,
        MoreColumns,
        NotANumber,
        TooGreat,
        TooLong,
        Missing,
        Negative,
    }
}

// The reader is part of the binary, which no crate can import; it is one file without other ties.
#[allow(dead_code, unreachable_pub, reason = "what is tried here is not all of the file")]
#[path = "../../hutong/src/commands/matching/input/row.rs"]
mod row;

use row::{Row, read, read_plain};

pub(crate) fn check(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, next) = rest.split_at(end);
        if let Some((edge, length)) = read_plain(rest) {
            assert_eq!(length, end, "the fast way ends where the line does");
            assert_eq!(Row::Edge(edge), read(line), "both ways read the same");
        }
        if let Row::Edge(edge) = read(line) {
            let written = format!("{} {}\n", edge.owner, edge.contact);
            assert_eq!(read(written.as_bytes()), Row::Edge(edge), "an edge that was read can be written");
        }
        rest = next;
    }
}
