//! How many uploads a second the embedded store takes: `cargo run --release -p store --example writes [directory]`.
//!
//! Subscribers register, upload a book of 200 numbers, and then send what changed, as terminals do; 256 wait
//! at once, so that commits are shared. On a disk the sync dominates; in memory (`/dev/shm`) what is left is
//! the processor's work, in which a cost of the store's own bookkeeping shows; the processor's time is the same
//! on a busy machine.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement may end so, talks to whoever started it, and measures real time"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use domain::Msisdn;
use domain::ids::{SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::Locale;
use domain::world::{SeededDice, SetClock, World};
use futures::StreamExt;
use store::contacts::NewSession;
use store::{MasterKey, Store, StoreError, Tx};

const PEOPLE: u64 = 4_000;
const BOOK: u64 = 200;
const AT_ONCE: usize = 256;
const CHANGES: u64 = 5;

fn number(n: u64) -> Msisdn {
    Msisdn::parse_e164(&format!("+861380{n:07}")).unwrap()
}

#[tokio::main]
async fn main() {
    let under = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let directory = tempfile::tempdir_in(under).unwrap();
    let world = World::new(Arc::new(SetClock::at_ms(1_795_348_800_000)), Arc::new(SeededDice::new(1)));
    let store =
        Store::open_embedded(directory.path(), &MasterKey::from_secret([7; 32]), world.clone()).unwrap();
    let keys: Arc<Vec<ContactKey>> =
        Arc::new((0..2 * PEOPLE).map(|n| store.keys().contact_key(number(n))).collect());
    let dice = world.clone();
    measure("sign-ins", &store, move |person| {
        let (subscriber, id) = (SubscriberId(dice.uuid()), SessionId(dice.uuid()));
        move |tx: &mut Tx<'_>| {
            let session = NewSession { id, token: format!("token-{person}"), device: None };
            tx.contacts().sign_in(number(person), Locale::English, subscriber, &session).map(drop)
        }
    })
    .await;
    let book = Arc::clone(&keys);
    measure("uploads", &store, move |person| {
        let numbers: BTreeSet<ContactKey> = listed(person).map(|n| book[n as usize]).collect();
        let owner = book[person as usize];
        move |tx: &mut Tx<'_>| tx.contacts().replace_book(owner, &numbers).map(drop)
    })
    .await;
    for round in 1..=CHANGES {
        let all = Arc::clone(&keys);
        let what = format!("changes, round {round}");
        measure(&what, &store, move |person| {
            let more = all[((person * 31 + round * 977) % PEOPLE + PEOPLE) as usize];
            let owner = all[person as usize];
            move |tx: &mut Tx<'_>| {
                tx.contacts().amend_book(owner, &BTreeSet::from([more]), &BTreeSet::new()).map(drop)
            }
        })
        .await;
    }
    store.close().await;
}

/// Whom somebody lists: a few neighbours, who list them too, and many who do not.
fn listed(person: u64) -> impl Iterator<Item = u64> {
    let near = (1..=5).flat_map(move |step| [(person + step) % PEOPLE, (person + PEOPLE - step) % PEOPLE]);
    near.chain((0..BOOK - 10).map(move |n| PEOPLE + (person * 7 + n * 13) % PEOPLE))
}

/// One write of each person, and what all of them took.
async fn measure<W>(what: &str, store: &Store, write: impl Fn(u64) -> W)
where
    W: FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
{
    let (began, processor) = (Instant::now(), processor_ms());
    let writes = futures::stream::iter(0..PEOPLE).map(|person| store.write(write(person)));
    let done: Vec<Result<(), StoreError>> = writes.buffer_unordered(AT_ONCE).collect().await;
    assert!(done.iter().all(Result::is_ok));
    let seconds = began.elapsed().as_secs_f64();
    let processor = (processor_ms() - processor) * 1e3 / PEOPLE as f64;
    println!(
        "{what}: {:.0} a second, {processor:.0} microseconds of a processor each",
        PEOPLE as f64 / seconds
    );
}

/// The processor's time that this process has used, in milliseconds; 0 where the system does not say so.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses; utime and stime are the 14th and 15th of proc(5), in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}
