//! What waits for the writer. Whoever waits at a screen goes before what the house does by itself: a tap is answered
//! in milliseconds also while thousands of jobs are behind.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use domain::limits;
use tokio::sync::oneshot;

use crate::backend::WriteUnit;
use crate::error::{Kind, StoreError};

/// Why a write is refused at the end.
pub(super) const CLOSING: &str = "the store is closing";
/// Why a write is refused while too many wait: whoever waits in so long a queue is better told to come again.
const FULL: &str = "the write queue is full";

/// Jobs' writes in one commit while somebody waits at a screen: few enough to be done in a few milliseconds.
const LATER_BESIDE_URGENT: usize = 16;
/// So many commits after the last urgent write nobody is taken to wait at a screen any more.
const CALM_COMMITS: u32 = 16;

/// Asked to overwrite what is left of earlier commits; says whether it could.
pub(super) type Fold = oneshot::Sender<Result<bool, StoreError>>;

/// What the writer does next.
#[derive(Default)]
pub(super) struct Batch {
    /// Shares one commit.
    pub(super) units: Vec<Box<dyn WriteUnit>>,
    /// Comes after it.
    pub(super) folds: Vec<Fold>,
    /// Comes last.
    pub(super) close: Option<oneshot::Sender<()>>,
}

#[derive(Default)]
struct Waiting {
    urgent: VecDeque<Box<dyn WriteUnit>>,
    later: VecDeque<Box<dyn WriteUnit>>,
    folds: Vec<Fold>,
    close: Option<oneshot::Sender<()>>,
    /// Nothing more is taken in.
    closed: bool,
    /// Commits since the last one with an urgent write.
    calm: u32,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.later.is_empty() && self.folds.is_empty() && self.close.is_none()
    }

    fn next(&mut self) -> Batch {
        let most = limits::count(limits::WRITE_BATCH_MAX);
        let urgent = self.urgent.len().min(most);
        self.calm = if urgent > 0 { 0 } else { self.calm.saturating_add(1) };
        let later = if self.calm < CALM_COMMITS { LATER_BESIDE_URGENT } else { most };
        let later = self.later.len().min(later);
        let units = self.urgent.drain(..urgent).chain(self.later.drain(..later)).collect();
        // Whatever came before the end is written before it.
        let drained = self.urgent.is_empty() && self.later.is_empty();
        let close = if drained { self.close.take() } else { None };
        Batch { units, folds: std::mem::take(&mut self.folds), close }
    }
}

/// The queue's end for those who write.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<(Mutex<Waiting>, Condvar)>);

impl Queue {
    /// A queue that nobody works on: whatever is written is refused.
    pub(super) fn closed() -> Self {
        let queue = Self::default();
        queue.shut();
        queue
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a write in, or refuses it.
    pub(super) fn push(&self, unit: Box<dyn WriteUnit>, urgent: bool) {
        let mut waiting = self.lock();
        let closed = waiting.closed;
        let queue = if urgent { &mut waiting.urgent } else { &mut waiting.later };
        let why = match closed {
            true => CLOSING,
            false if queue.len() >= limits::count(limits::WRITE_QUEUE_MAX) => FULL,
            false => {
                queue.push_back(unit);
                drop(waiting);
                return self.0.1.notify_one();
            }
        };
        drop(waiting);
        refuse(unit, why);
    }

    /// Asks for a fold; the answer's sender is dropped where nobody works any more.
    pub(super) fn fold(&self, done: Fold) {
        self.ask(|waiting| waiting.folds.push(done));
    }

    /// Takes nothing more in, and asks the writer to end after what waits.
    pub(super) fn close(&self, done: oneshot::Sender<()>) {
        self.ask(|waiting| {
            waiting.closed = true;
            waiting.close = Some(done);
        });
    }

    /// The last one who could write has gone: what waits is written still.
    pub(super) fn end(&self) {
        self.ask(|waiting| waiting.closed = true);
    }

    fn ask(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if !waiting.closed {
            change(&mut waiting);
        }
        drop(waiting);
        self.0.1.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for something to do; `None` when nothing ever comes again.
    pub(super) fn take(&self) -> Option<Batch> {
        let idle = |waiting: &mut Waiting| waiting.is_empty() && !waiting.closed;
        let waited = self.0.1.wait_while(self.lock(), idle);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() { None } else { Some(waiting.next()) }
    }

    /// Nobody works on it from here on: what waits is refused, as is what comes.
    pub(super) fn shut(&self) {
        let mut waiting = self.lock();
        let left = std::mem::take(&mut *waiting);
        waiting.closed = true;
        drop(waiting);
        left.urgent.into_iter().chain(left.later).for_each(|unit| refuse(unit, CLOSING));
    }
}

fn refuse(unit: Box<dyn WriteUnit>, why: &'static str) {
    unit.finish(Err(StoreError::new(Kind::Unavailable, why)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tx;

    /// A unit that says its name when it is refused.
    struct Named(&'static str, std::sync::mpsc::Sender<&'static str>);

    impl WriteUnit for Named {
        fn run(&mut self, _: &mut Tx<'_>) -> bool {
            true
        }

        fn finish(self: Box<Self>, done: Result<(), StoreError>) {
            if done.is_err() {
                self.1.send(self.0).unwrap();
            }
        }
    }

    fn units(queue: &Queue, name: &'static str, count: usize) -> std::sync::mpsc::Receiver<&'static str> {
        let (told, tell) = std::sync::mpsc::channel();
        for _ in 0..count {
            queue.push(Box::new(Named(name, told.clone())), name == "urgent");
        }
        tell
    }

    fn sizes(queue: &Queue) -> usize {
        queue.take().unwrap().units.len()
    }

    #[test]
    fn jobs_share_large_commits_while_nobody_waits_at_a_screen_and_small_ones_while_somebody_does() {
        let queue = Queue::default();
        let most = limits::count(limits::WRITE_BATCH_MAX);
        for _ in 0..CALM_COMMITS {
            let _ = units(&queue, "later", 1);
            assert_eq!(sizes(&queue), 1);
        }
        let _ = units(&queue, "later", 8 * most);
        assert_eq!(sizes(&queue), most);
        let _ = units(&queue, "urgent", 3);
        assert_eq!(sizes(&queue), 3 + LATER_BESIDE_URGENT);
        assert_eq!(sizes(&queue), LATER_BESIDE_URGENT, "the next may come at any moment");
        for _ in 2..CALM_COMMITS {
            assert_eq!(sizes(&queue), LATER_BESIDE_URGENT);
        }
        assert_eq!(sizes(&queue), most);
        let _ = units(&queue, "urgent", 3 * most);
        assert_eq!(sizes(&queue), most + LATER_BESIDE_URGENT, "jobs are not starved either");
    }

    #[test]
    fn what_waits_at_the_end_is_written_and_what_comes_later_refused() {
        let queue = Queue::default();
        let (done, _closed) = oneshot::channel();
        let waits = units(&queue, "later", 20);
        queue.close(done);
        let late = units(&queue, "urgent", 1);
        assert_eq!(late.try_recv(), Ok("urgent"));
        let (first, last) = (queue.take().unwrap(), queue.take().unwrap());
        assert_eq!((first.units.len(), first.close.is_none()), (LATER_BESIDE_URGENT, true));
        assert_eq!((last.units.len(), last.close.is_some()), (20 - LATER_BESIDE_URGENT, true));
        assert!(queue.take().is_none() && waits.try_recv().is_err());
    }

    #[test]
    fn whoever_waits_when_the_writer_dies_is_told() {
        let queue = Queue::default();
        let waits = units(&queue, "later", 2);
        queue.shut();
        assert_eq!((waits.try_recv(), waits.try_recv()), (Ok("later"), Ok("later")));
        assert!(queue.is_closed());
    }
}
