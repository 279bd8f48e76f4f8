//! What an upload changes: two sorted sets compared in one pass.

/// What must be added to and removed from an old book to make it the new one; both strictly ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Keys of the new book that the old one did not hold.
    pub added: Vec<u64>,
    /// Keys of the old book that the new one no longer holds.
    pub removed: Vec<u64>,
}

impl Diff {
    /// Tells whether old and new are the same set.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Compares two sorted sets of keys in O(old + new).
///
/// Both must be ascending; repeats count once.
pub fn diff(old: &[u64], new: &[u64]) -> Diff {
    let mut changes = Diff::default();
    let (mut olds, mut news) = (old.iter().copied().peekable(), new.iter().copied().peekable());
    loop {
        let next = match (olds.peek(), news.peek()) {
            (None, None) => return changes,
            (Some(&key), None) | (None, Some(&key)) => key,
            (Some(&a), Some(&b)) => a.min(b),
        };
        // Repeats are skipped on both sides, so that a list that is merely sorted gives the same answer.
        let (mut was, mut is) = (false, false);
        while olds.next_if_eq(&next).is_some() {
            was = true;
        }
        while news.next_if_eq(&next).is_some() {
            is = true;
        }
        match (was, is) {
            (true, false) => changes.removed.push(next),
            (false, true) => changes.added.push(next),
            _ => {}
        }
    }
}
