//! The embedded store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Msisdn;
use domain::catalogue::{Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::ids::SubscriberId;
use domain::key::ContactKey;
use domain::locale::{Locale, Localised};
use domain::money::{Money, Period, Price};
use domain::world::{Clock, SeededDice, SetClock, World};
use jiff::Timestamp;
use store::contacts::ImportedBook;
use store::exchange::Card;
use store::friends::FriendsView;
use store::{MasterKey, Store, StoreError, Tx};

use crate::load;
use crate::people::{BOOK, People, mixed};

/// Books that are brought in with one write.
const BOOKS_A_WRITE: u64 = 1_000;

/// Noon, 22 November 2026, UTC.
const NOON_MS: i64 = 1_795_348_800_000;

/// Keys of everybody who stands in a book: made before anything is measured.
pub(crate) struct Keys(Vec<ContactKey>);

impl Keys {
    pub(crate) fn make(store: &Store, people: People) -> Self {
        Self((0..4 * people.subscribers).map(|person| store.keys().contact_key(number(person))).collect())
    }

    pub(crate) fn of(&self, person: u64) -> ContactKey {
        self.0[person as usize]
    }
}

/// The clock of this machine: a server's transactions are timed by it.
pub(crate) struct Real;

impl Clock for Real {
    fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods, reason = "a measurement is made here and now")]
        Timestamp::now()
    }
}

/// An offering as a card shows it.
pub(crate) fn card(id: &str) -> Card {
    let provider = ProviderId::parse("xx").unwrap();
    let price = Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month };
    let words = |text: &str| Localised([("en".to_owned(), text.to_owned())].into());
    let offering = Offering {
        id: OfferingId::parse(id).unwrap(),
        provider: provider.clone(),
        name: words("Ring tones"),
        price,
        renews: true,
        sensitive: false,
        active: true,
        terms: words("Renews every month until cancelled."),
        how_to_cancel: words("text 0000 to 10086"),
        conflicts_with: Vec::new(),
        version: 1,
    };
    let provider = Provider {
        id: provider,
        name: words("XX Tech"),
        kind: ProviderKind::Designated,
        from: None,
        until: None,
    };
    Card { offering, provider }
}

/// A mobile number of the home plan.
fn number(person: u64) -> Msisdn {
    Msisdn::parse_e164(&format!("+86138{person:08}")).unwrap()
}

/// Somebody's phone: whose, their book, and how many uploads it has done.
pub(crate) struct Phone {
    owners: Vec<(u64, Vec<u64>)>,
    done: u64,
    number: u64,
}

pub(crate) async fn measure(people: People, clients: usize, time: Duration) {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(Arc::new(SetClock::at_ms(NOON_MS)), Arc::new(SeededDice::new(1)));
    let master = MasterKey::from_secret([7; 32]);
    let store = Store::open_embedded(directory.path(), &master, world.clone()).unwrap();
    let keys = Arc::new(Keys::make(&store, people));
    bring_up(&store, &world, &keys, people).await;

    let upload = {
        let (store, keys) = (store.clone(), Arc::clone(&keys));
        move |phone: Phone| upload(store.clone(), Arc::clone(&keys), people, phone)
    };
    // Each round has owners of its own, whose books stand as they were brought in.
    let rate = load::run("ours_upload", phones(people, clients, 0), time, None, upload.clone()).await;
    let half = Some(rate / 2.0);
    load::run("ours_upload_half_load", phones(people, clients, 1), time, half, upload).await;
    reads(&store, &keys, people, time).await;
    let bytes: u64 = std::fs::read_dir(directory.path())
        .unwrap()
        .filter_map(|file| file.ok()?.metadata().ok())
        .map(|file| file.len())
        .sum();
    println!(
        "{{\"what\":\"ours_at_rest\",\"bytes_a_contact\":{:.2}}}",
        bytes as f64 / (people.subscribers * BOOK) as f64
    );
    store.close().await;
    drop(store);
    reopen(directory.path(), &master, &world).await;
}

/// How long it takes until a store of this size is ready again.
async fn reopen(directory: &std::path::Path, master: &MasterKey, world: &World) {
    for _ in 0..100 {
        let begun = Instant::now();
        if let Ok(store) = Store::open_embedded(directory, master, world.clone()) {
            store.ping().await.unwrap();
            println!("{{\"what\":\"ours_reopened\",\"seconds\":{:.3}}}", begun.elapsed().as_secs_f64());
            store.close().await;
            return;
        }
        // The last of the clients may still let go of it.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everybody registered with their book.
pub(crate) async fn bring_up(store: &Store, world: &World, keys: &Arc<Keys>, people: People) {
    let begun = Instant::now();
    for first in (0..people.subscribers).step_by(BOOKS_A_WRITE as usize) {
        let owners = first..(first + BOOKS_A_WRITE).min(people.subscribers);
        let books: Vec<ImportedBook> = owners
            .map(|owner| ImportedBook {
                number: number(owner),
                fresh: SubscriberId(world.uuid()),
                contacts: people.book(owner).into_iter().map(|contact| keys.of(contact)).collect(),
            })
            .collect();
        let write = move |tx: &mut Tx<'_>| tx.contacts().import_books(&books, Locale::English, "1");
        store.write::<_, StoreError, _>(write).await.unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{{\"what\":\"ours_filled\",\"subscribers\":{},\"seconds\":{seconds:.1},\"contacts_a_second\":{:.0}}}",
        people.subscribers,
        (people.subscribers * BOOK) as f64 / seconds
    );
}

/// Phones that share some owners among them, drawn from all of them.
pub(crate) fn phones(people: People, count: usize, round: u64) -> Vec<Phone> {
    let owners_each = (people.subscribers / 2 / count as u64).clamp(1, 200);
    let stride = people.subscribers / (owners_each * count as u64 * 2);
    let phone = |phone: usize| {
        let owner =
            |at: u64| ((phone as u64 * owners_each + at) * 2 + round) * stride.max(1) % people.subscribers;
        let owners = (0..owners_each).map(|at| (owner(at), people.book(owner(at)))).collect();
        Phone { owners, done: 0, number: round << 16 | phone as u64 }
    };
    (0..count).map(phone).collect()
}

pub(crate) async fn upload(store: Store, keys: Arc<Keys>, people: People, mut phone: Phone) -> Phone {
    let place = (phone.done % phone.owners.len() as u64) as usize;
    let (owner, book) = &mut phone.owners[place];
    people.change(*owner, book, phone.number << 32 | phone.done);
    let key = keys.of(*owner);
    let contacts: BTreeSet<ContactKey> = book.iter().map(|contact| keys.of(*contact)).collect();
    let write = move |tx: &mut Tx<'_>| tx.contacts().replace_book(key, &contacts).map(drop);
    store.write::<_, StoreError, _>(write).await.unwrap();
    phone.done += 1;
    phone
}

/// All matches of somebody, and whether two match, with eight clients.
async fn reads(store: &Store, keys: &Arc<Keys>, people: People, time: Duration) {
    let clients: Vec<u64> = (0..8).map(|client| client << 32).collect();
    let (one, all) = (store.clone(), Arc::clone(keys));
    let matches = move |done: u64| {
        let (store, owner) = (one.clone(), all.of(mixed(done) % people.subscribers));
        async move {
            let read = move |friends: &mut FriendsView<'_>| friends.list_matches(owner, None, 1_000);
            std::hint::black_box(store.read_friends::<_, StoreError, _>(read).await.unwrap());
            done + 1
        }
    };
    load::run("ours_matches_of", clients.clone(), time, None, matches).await;
    let (one, all) = (store.clone(), Arc::clone(keys));
    let is_match = move |done: u64| {
        let owner = mixed(done) % people.subscribers;
        let other = people.book(owner)[(mixed(done ^ 1) % 150) as usize];
        let (store, owner, other) = (one.clone(), all.of(owner), all.of(other));
        async move {
            let read = move |friends: &mut FriendsView<'_>| friends.find_match(owner, other);
            std::hint::black_box(store.read_friends::<_, StoreError, _>(read).await.unwrap());
            done + 1
        }
    };
    load::run("ours_is_match", clients, time, None, is_match).await;
}
