//! Pieces of work shared out among threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work` on so many threads, this one included, and gives back what each returned.
///
/// Each call gets an iterator over piece numbers; every number in [0, pieces) is given to exactly one of them,
/// when it is asked for, so that a slow thread holds nobody up.
pub(super) fn share<R: Send>(
    threads: NonZeroUsize,
    pieces: usize,
    work: impl Fn(&mut dyn Iterator<Item = usize>) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        work(&mut std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < pieces)))
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get().min(pieces)).map(|_| scope.spawn(run)).collect();
        let mut results = vec![run()];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                // A panic in a thread (of a caller's sink, say) is that caller's again.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}
