//! What was acknowledged, and what turned out otherwise.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One run's journal, shared by all who act in it.
#[derive(Default)]
pub(crate) struct Journal {
    counts: Mutex<BTreeMap<&'static str, u64>>,
    violations: Mutex<Vec<String>>,
    /// Nobody begins another life.
    pub(crate) closing: AtomicBool,
    next_number: AtomicUsize,
}

impl Journal {
    /// Counts something acknowledged, or something that befell.
    pub(crate) fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Writes a violation down.
    pub(crate) fn violation(&self, what: impl Into<String>) {
        let what = what.into();
        self.violations.lock().unwrap().push(what);
    }

    /// A violation unless it is so.
    pub(crate) fn must(&self, so: bool, what: impl FnOnce() -> String) {
        if !so {
            self.violation(what());
        }
    }

    /// An answer, or a violation.
    pub(crate) fn take<T>(&self, what: &str, answer: Result<T, String>) -> Option<T> {
        answer.map_err(|error| self.violation(format!("{what}: {error}"))).ok()
    }

    /// A number that nobody has had yet.
    pub(crate) fn next_number(&self) -> usize {
        self.next_number.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap().clone()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }
}
