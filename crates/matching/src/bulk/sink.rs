//! Where matched pairs go.

/// Takes matched pairs, a batch at a time, from several threads at once.
///
/// `K` is what the input names people by: keys, or ids. Of each pair the smaller one stands first; each pair
/// comes once; the order of pairs is not determined. Any `Fn(&[(K, K)]) + Sync` is one.
pub trait PairSink<K>: Sync {
    /// Takes some pairs.
    fn accept(&self, pairs: &[(K, K)]);

    /// Tells whether pairs are wanted at all; without, they are only counted, which saves writing them down.
    fn wants_pairs(&self) -> bool {
        true
    }
}

impl<K, F: Fn(&[(K, K)]) + Sync + ?Sized> PairSink<K> for F {
    fn accept(&self, pairs: &[(K, K)]) {
        self(pairs);
    }
}

/// A sink that wants no pairs: the statistics are enough.
#[derive(Debug, Clone, Copy)]
pub struct CountOnly;

impl<K> PairSink<K> for CountOnly {
    fn accept(&self, _: &[(K, K)]) {}

    fn wants_pairs(&self) -> bool {
        false
    }
}

/// Pairs handed over at once: 64 KB of keys, so that a sink behind a lock is entered seldom.
const BATCH: usize = 4096;

/// Gathers one thread's pairs for a sink.
pub(super) struct Outbox<'a, K, S: PairSink<K> + ?Sized> {
    sink: &'a S,
    wanted: bool,
    batch: Vec<(K, K)>,
    pub(super) count: u64,
}

impl<'a, K: Ord, S: PairSink<K> + ?Sized> Outbox<'a, K, S> {
    pub(super) fn new(sink: &'a S) -> Self {
        Self { sink, wanted: sink.wants_pairs(), batch: Vec::new(), count: 0 }
    }

    /// Takes a pair for each of some things; they are only counted where no pairs are wanted.
    #[inline]
    pub(super) fn put_all<T>(&mut self, things: &[T], pair: impl Fn(&T) -> (K, K)) {
        self.count += things.len() as u64;
        if self.wanted {
            for (a, b) in things.iter().map(pair) {
                self.batch.push(if a < b { (a, b) } else { (b, a) });
                if self.batch.len() == BATCH {
                    self.hand_over();
                }
            }
        }
    }

    /// Hands over what is left and tells how many pairs there were.
    pub(super) fn finish(mut self) -> u64 {
        self.hand_over();
        self.count
    }

    fn hand_over(&mut self) {
        if !self.batch.is_empty() {
            self.sink.accept(&self.batch);
            self.batch.clear();
        }
    }
}
