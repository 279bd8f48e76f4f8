//! The embedded store's one writer: what waits for it, and what shares a commit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use domain::key::ContactKey;
use domain::limits;
use store::{Kind, Store, StoreError, Tx};
use tokio::task::{JoinHandle, JoinSet};

use crate::backends::Bench;

/// Why a write is refused in these tests.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    OnPurpose,
    Store(Kind),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error.kind())
    }
}

/// Holds the writer up inside a write until it is released.
struct Held {
    blocker: JoinHandle<Result<(), StoreError>>,
    release: mpsc::Sender<()>,
}

impl Held {
    async fn hold(store: &Store) -> Self {
        let (running, runs) = mpsc::channel::<()>();
        let (release, released) = mpsc::channel::<()>();
        let (store, released) = (store.clone(), Mutex::new(released));
        let blocker = tokio::spawn(async move {
            let write = move |_: &mut Tx<'_>| {
                running.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
                Ok::<_, StoreError>(())
            };
            store.write(write).await
        });
        tokio::task::spawn_blocking(move || runs.recv().unwrap()).await.unwrap();
        Self { blocker, release }
    }

    async fn release(self) {
        self.release.send(()).unwrap();
        self.blocker.await.unwrap().unwrap();
    }
}

/// Begins a write, which waits: a single-threaded runtime polls each task before it looks at this one again.
async fn waits<T: Send + 'static>(tasks: &mut JoinSet<T>, write: impl Future<Output = T> + Send + 'static) {
    tasks.spawn(write);
    tokio::task::yield_now().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_beyond_a_full_queue_is_refused_at_once_and_may_come_again() {
    let bench = Bench::embedded();
    let held = Held::hold(&bench.store).await;
    let mut writes = JoinSet::new();
    for _ in 0..=limits::count(limits::WRITE_QUEUE_MAX) {
        let store = bench.store.clone();
        writes.spawn(async move { store.write::<_, StoreError, _>(|_| Ok(())).await });
    }
    // One too many: it is answered while all others wait.
    let refused = writes.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!((refused.kind(), refused.is_retryable()), (Kind::Unavailable, true));
    held.release().await;
    while let Some(write) = writes.join_next().await {
        write.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_waits_at_a_screen_goes_before_all_that_jobs_write() {
    let bench = Bench::embedded();
    let held = Held::hold(&bench.store).await;
    let (order, mut writes) = (Arc::new(Mutex::new(Vec::new())), JoinSet::new());
    for place in 0..40 {
        let (store, order, urgent) = (bench.store.clone(), Arc::clone(&order), place >= 38);
        let write = async move {
            let write = store.write::<_, StoreError, _>(move |_| {
                order.lock().unwrap().push(place);
                Ok(())
            });
            if urgent { store::urgently(write).await } else { write.await }
        };
        waits(&mut writes, write).await;
    }
    held.release().await;
    writes.join_all().await.into_iter().for_each(Result::unwrap);
    let order = Arc::into_inner(order).unwrap().into_inner().unwrap();
    assert_eq!(order, [38, 39].into_iter().chain(0..38).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_refused_after_it_has_written_leaves_nothing_and_takes_no_other_with_it() {
    let bench = Bench::embedded();
    let held = Held::hold(&bench.store).await;
    let (runs, mut writes) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for place in 1_u64..=12 {
        let (store, runs) = (bench.store.clone(), Arc::clone(&runs));
        let write = async move {
            let write = move |tx: &mut Tx<'_>| {
                runs.fetch_add(1, Ordering::SeqCst);
                let refused = place % 3 == 0;
                // One in two of those that are refused has written nothing.
                if !refused || place % 2 == 0 {
                    let contact = ContactKey::from_value(100 + place);
                    tx.contacts().replace_book(ContactKey::from_value(place), &[contact].into())?;
                }
                if refused { Err(Refused::OnPurpose) } else { Ok(place) }
            };
            store.write(write).await
        };
        waits(&mut writes, write).await;
    }
    held.release().await;
    let mut outcomes = writes.join_all().await;
    outcomes.sort_by_key(|outcome| outcome.as_ref().ok().copied());
    let kept: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok().copied()).collect();
    assert_eq!(kept, [1, 2, 4, 5, 7, 8, 10, 11]);
    assert!(outcomes.iter().all(|outcome| *outcome != Err(Refused::Store(Kind::Unavailable))));
    let sizes = move |view: &mut store::View<'_>| {
        let size = |place| Ok(view.contacts().find_book(ContactKey::from_value(place))?.size);
        (1..=12).map(size).collect::<Result<Vec<_>, StoreError>>()
    };
    let found = bench.store.read(sizes).await.unwrap();
    assert_eq!(found, [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0]);
    assert!(runs.load(Ordering::SeqCst) > 12, "the others were to share one commit with those refused");
    // The ledger and memory went back with the rows.
    let checked = bench.store.read(|view| view.check_integrity()).await;
    checked.unwrap();
}

#[tokio::test]
async fn a_refusal_that_has_written_nothing_runs_once() {
    let bench = Bench::embedded();
    let held = Held::hold(&bench.store).await;
    let (runs, mut writes) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for place in 0..8 {
        let (store, runs) = (bench.store.clone(), Arc::clone(&runs));
        let write = async move {
            let write = move |_: &mut Tx<'_>| {
                runs.fetch_add(1, Ordering::SeqCst);
                if place == 3 { Err(Refused::OnPurpose) } else { Ok(()) }
            };
            store.write(write).await
        };
        waits(&mut writes, write).await;
    }
    held.release().await;
    writes.join_all().await;
    assert_eq!(runs.load(Ordering::SeqCst), 8);
}
