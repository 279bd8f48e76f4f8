//! Laws of bringing many books at once.

use std::collections::BTreeSet;

use domain::consent::Consent;
use domain::ids::SubscriberId;
use domain::key::ContactKey;
use domain::locale::Locale;
use store::StoreError;
use store::contacts::{Imported, ImportedBook};

use crate::backends::{Bench, laws, number};

laws! {
    imported_books_match_as_the_same_books_uploaded_one_by_one_would
    the_same_import_again_changes_nothing_and_a_changed_book_moves_its_version_on
    whoever_took_the_consent_back_is_left_alone
}

const PEOPLE: u64 = 24;

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

fn book(bench: &Bench, owner: u64, contacts: &BTreeSet<u64>) -> ImportedBook {
    let contacts = contacts.iter().map(|n| key(bench, *n)).collect();
    ImportedBook { number: number(owner), fresh: SubscriberId(bench.world.uuid()), contacts }
}

async fn import(bench: &Bench, books: Vec<ImportedBook>) -> Imported {
    let write = move |tx: &mut store::Tx<'_>| tx.contacts().import_books(&books, Locale::Chinese, "2026-11");
    bench.store.write::<_, StoreError, _>(write).await.unwrap()
}

async fn matches(bench: &Bench, n: u64) -> BTreeSet<ContactKey> {
    let key = key(bench, n);
    let read = move |view: &mut store::View<'_>| view.friends().list_matches(key, None, 1_000);
    let found = bench.store.read::<_, StoreError, _>(read).await.unwrap();
    found.into_iter().map(|one| one.friend).collect()
}

async fn imported_books_match_as_the_same_books_uploaded_one_by_one_would(bench: Bench) {
    let world = bench.world.clone();
    let one_of = |count: u64| u64::from(world.below(u32::try_from(count).unwrap()));
    let mut books: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); PEOPLE as usize];
    let mut hidden = BTreeSet::new();
    for round in 0..12 {
        // Some books are new or others now, in no order; the owner's own number may be among them.
        let mut batch = BTreeSet::new();
        for _ in 0..one_of(PEOPLE) {
            batch.insert(one_of(PEOPLE));
        }
        let mut brought = Vec::new();
        for owner in &batch {
            let contacts: BTreeSet<u64> = (0..one_of(20)).map(|_| one_of(PEOPLE + 6)).collect();
            brought.push(book(&bench, *owner, &contacts));
            books[*owner as usize] = contacts;
        }
        import(&bench, brought).await;
        let (one, other) = (one_of(PEOPLE), one_of(PEOPLE));
        hidden.insert((one, other));
        let (one, other) = (key(&bench, one), key(&bench, other));
        bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().hide(one, other)).await.unwrap();

        let lists = |one: u64, other: u64| books.get(one as usize).is_some_and(|book| book.contains(&other));
        let hides = |one: u64, other: u64| hidden.contains(&(one, other));
        for one in 0..PEOPLE {
            let wanted: BTreeSet<ContactKey> = (0..PEOPLE)
                .filter(|other| *other != one && lists(one, *other) && lists(*other, one))
                .filter(|other| !hides(one, *other) && !hides(*other, one))
                .map(|other| key(&bench, other))
                .collect();
            assert_eq!(matches(&bench, one).await, wanted, "round {round}, person {one}");
        }
        let checked = bench.store.read::<_, StoreError, _>(|view| view.friends().check_matches()).await;
        assert_eq!(checked.unwrap(), (0, 0));
    }
}

async fn the_same_import_again_changes_nothing_and_a_changed_book_moves_its_version_on(bench: Bench) {
    let books = |bench: &Bench, of_two: &[u64]| {
        vec![book(bench, 1, &BTreeSet::from([2, 3])), book(bench, 2, &of_two.iter().copied().collect())]
    };
    let first = import(&bench, books(&bench, &[1])).await;
    assert_eq!(first, Imported { registered: 2, changed: 2, matched: 1, ..Imported::default() });
    assert_eq!(import(&bench, books(&bench, &[1])).await, Imported::default());
    let third = import(&bench, books(&bench, &[4])).await;
    assert_eq!(third, Imported { changed: 1, parted: 1, ..Imported::default() });
    let (one, two) = (key(&bench, 1), key(&bench, 2));
    let versions = move |view: &mut store::View<'_>| {
        let mut contacts = view.contacts();
        Ok((contacts.find_book(one)?.version, contacts.find_book(two)?.version))
    };
    assert_eq!(bench.store.read::<_, StoreError, _>(versions).await.unwrap(), (1, 2));
}

async fn whoever_took_the_consent_back_is_left_alone(bench: Bench) {
    let books =
        |bench: &Bench| vec![book(bench, 1, &BTreeSet::from([2])), book(bench, 2, &BTreeSet::from([1]))];
    import(&bench, books(&bench)).await;
    let one = key(&bench, 1);
    let take_back = move |tx: &mut store::Tx<'_>| {
        tx.contacts().take_back_consent(one, Consent::Upload)?;
        tx.contacts().forget_book(one)
    };
    bench.store.write::<_, StoreError, _>(take_back).await.unwrap();
    let again = import(&bench, books(&bench)).await;
    assert_eq!(again, Imported { without_consent: 1, ..Imported::default() });
    assert_eq!(matches(&bench, 2).await, BTreeSet::new());
}
