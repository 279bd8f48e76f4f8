//! Laws of registering, uploading and matching.

use std::collections::BTreeSet;

use domain::ids::{RegistrationId, SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::Locale;
use store::contacts::{CodeTried, NewRegistration, NewSession};
use store::{Store, StoreError};

use crate::backends::{Bench, laws, number};

laws! {
    a_right_code_works_once
    five_wrong_codes_use_an_attempt_up
    a_code_expires
    a_newer_attempt_voids_the_older
    a_token_finds_its_person_until_signed_out
    two_people_match_when_each_has_the_other_and_no_longer
    uploading_the_same_book_again_changes_nothing
    parallel_uploads_of_both_sides_always_match
    an_amended_book_is_the_old_one_with_the_changes
    hiding_hides_both_ways_and_can_be_taken_back
    erasing_a_person_leaves_no_match_and_no_session
    a_refused_write_leaves_nothing
    a_forgotten_book_ends_its_matches_and_its_version_goes_on
    whoever_is_hidden_stays_hidden_after_leaving_and_coming_back
    what_was_acknowledged_is_there_after_reopening
}

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

fn keys(bench: &Bench, ns: &[u64]) -> BTreeSet<ContactKey> {
    ns.iter().map(|n| key(bench, *n)).collect()
}

async fn begin(bench: &Bench, n: u64, code: &str) -> RegistrationId {
    let id = RegistrationId(bench.world.uuid());
    let expires = domain::world::after_seconds(bench.world.now(), 300);
    let new =
        NewRegistration { id, number: number(n), locale: Locale::Chinese, code: code.to_owned(), expires };
    let write = move |tx: &mut store::Tx<'_>| tx.contacts().begin_registration(&new);
    bench.store.write::<_, StoreError, _>(write).await.unwrap();
    id
}

async fn attempt(bench: &Bench, id: RegistrationId, code: &'static str) -> CodeTried {
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().try_code(id, code, 5)).await.unwrap()
}

async fn sign_in(bench: &Bench, n: u64, token: &str) -> SessionId {
    let (subscriber, id) = (SubscriberId(bench.world.uuid()), SessionId(bench.world.uuid()));
    let session = NewSession { id, token: token.to_owned(), device: None };
    bench
        .store
        .write::<_, StoreError, _>(move |tx| {
            tx.contacts().sign_in(number(n), Locale::English, subscriber, &session)
        })
        .await
        .unwrap();
    id
}

async fn upload(store: &Store, owner: ContactKey, book: BTreeSet<ContactKey>) -> store::contacts::BookChange {
    store.write::<_, StoreError, _>(move |tx| tx.contacts().replace_book(owner, &book)).await.unwrap()
}

async fn friends(bench: &Bench, n: u64) -> Vec<u64> {
    let owner = key(bench, n);
    let matches =
        bench.store.read::<_, StoreError, _>(move |view| view.friends().list_matches(owner, None, 100));
    let mut friends: Vec<u64> = matches.await.unwrap().iter().map(|m| m.number.digits() % 10_000).collect();
    friends.sort_unstable();
    friends
}

async fn people(bench: &Bench, ns: &[u64]) {
    for n in ns {
        sign_in(bench, *n, &format!("token-{n}")).await;
    }
}

async fn a_right_code_works_once(bench: Bench) {
    let id = begin(&bench, 1, "123456").await;
    assert_eq!(attempt(&bench, id, "123456").await, CodeTried::Right(number(1), Locale::Chinese));
    assert_eq!(attempt(&bench, id, "123456").await, CodeTried::Unknown);
}

async fn five_wrong_codes_use_an_attempt_up(bench: Bench) {
    let id = begin(&bench, 1, "123456").await;
    for _ in 0..4 {
        assert_eq!(attempt(&bench, id, "000000").await, CodeTried::Wrong { last: false });
    }
    assert_eq!(attempt(&bench, id, "000000").await, CodeTried::Wrong { last: true });
    assert_eq!(attempt(&bench, id, "123456").await, CodeTried::TooManyTries);
}

async fn a_code_expires(bench: Bench) {
    let id = begin(&bench, 1, "123456").await;
    bench.clock.advance_s(300);
    assert_eq!(attempt(&bench, id, "123456").await, CodeTried::Expired);
}

async fn a_newer_attempt_voids_the_older(bench: Bench) {
    let older = begin(&bench, 1, "123456").await;
    let newer = begin(&bench, 1, "654321").await;
    assert_eq!(attempt(&bench, older, "123456").await, CodeTried::Unknown);
    assert_eq!(attempt(&bench, newer, "654321").await, CodeTried::Right(number(1), Locale::Chinese));
}

async fn a_token_finds_its_person_until_signed_out(bench: Bench) {
    let session = sign_in(&bench, 1, "a token").await;
    let find = || bench.store.read::<_, StoreError, _>(|view| view.contacts().find_session("a token"));
    let (_, found, ..) = find().await.unwrap().unwrap();
    assert_eq!(found, key(&bench, 1));
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().end_session(found, session)).await.unwrap();
    assert!(find().await.unwrap().is_none());
}

async fn two_people_match_when_each_has_the_other_and_no_longer(bench: Bench) {
    people(&bench, &[1, 2, 3]).await;
    assert!(upload(&bench.store, key(&bench, 1), keys(&bench, &[2, 3, 9])).await.new_matches.is_empty());
    let change = upload(&bench.store, key(&bench, 2), keys(&bench, &[1, 2, 8])).await;
    assert_eq!(change.new_matches, [key(&bench, 1)]);
    assert_eq!(change.book.size, 2, "one's own number is no contact");
    assert_eq!((friends(&bench, 1).await, friends(&bench, 2).await), (vec![2], vec![1]));
    assert!(friends(&bench, 3).await.is_empty(), "being listed is not enough");
    let change = upload(&bench.store, key(&bench, 1), keys(&bench, &[3])).await;
    assert_eq!(change.ended_matches, [key(&bench, 2)]);
    assert!(friends(&bench, 1).await.is_empty() && friends(&bench, 2).await.is_empty());
}

async fn uploading_the_same_book_again_changes_nothing(bench: Bench) {
    people(&bench, &[1]).await;
    let first = upload(&bench.store, key(&bench, 1), keys(&bench, &[2, 3])).await;
    let again = upload(&bench.store, key(&bench, 1), keys(&bench, &[3, 2])).await;
    assert_eq!((first.book, first.added), (again.book, 2));
    assert_eq!((again.added, again.removed), (0, 0));
}

async fn parallel_uploads_of_both_sides_always_match(bench: Bench) {
    let pairs: Vec<(u64, u64)> = (0..24).map(|n| (2 * n + 1, 2 * n + 2)).collect();
    for (a, b) in &pairs {
        people(&bench, &[*a, *b]).await;
    }
    let mut uploads = tokio::task::JoinSet::new();
    for (a, b) in pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]) {
        let (store, owner, book) = (bench.store.clone(), key(&bench, a), keys(&bench, &[b, 9_999]));
        uploads.spawn(async move { upload(&store, owner, book).await });
    }
    while let Some(done) = uploads.join_next().await {
        done.unwrap();
    }
    for (a, b) in pairs {
        assert_eq!((friends(&bench, a).await, friends(&bench, b).await), (vec![b], vec![a]));
    }
    let wrong = bench.store.read::<_, StoreError, _>(|view| view.friends().check_matches()).await.unwrap();
    assert_eq!(wrong, (0, 0));
}

async fn an_amended_book_is_the_old_one_with_the_changes(bench: Bench) {
    people(&bench, &[1, 2, 3]).await;
    upload(&bench.store, key(&bench, 1), keys(&bench, &[2])).await;
    upload(&bench.store, key(&bench, 2), keys(&bench, &[1])).await;
    upload(&bench.store, key(&bench, 3), keys(&bench, &[1])).await;
    let (owner, add, remove) = (key(&bench, 1), keys(&bench, &[3, 4]), keys(&bench, &[2, 7]));
    let change = bench
        .store
        .write::<_, StoreError, _>(move |tx| tx.contacts().amend_book(owner, &add, &remove))
        .await
        .unwrap();
    assert_eq!((change.added, change.removed, change.book.size, change.book.version), (2, 1, 2, 2));
    assert_eq!(friends(&bench, 1).await, [3]);
}

async fn hiding_hides_both_ways_and_can_be_taken_back(bench: Bench) {
    people(&bench, &[1, 2]).await;
    upload(&bench.store, key(&bench, 1), keys(&bench, &[2])).await;
    upload(&bench.store, key(&bench, 2), keys(&bench, &[1])).await;
    let (one, two) = (key(&bench, 1), key(&bench, 2));
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().hide(one, two)).await.unwrap();
    assert!(friends(&bench, 1).await.is_empty() && friends(&bench, 2).await.is_empty());
    let found =
        bench.store.read::<_, StoreError, _>(move |view| view.friends().find_match(two, one)).await.unwrap();
    assert_eq!(found, None);
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().show(one, two)).await.unwrap();
    assert_eq!(friends(&bench, 2).await, [1]);
}

async fn erasing_a_person_leaves_no_match_and_no_session(bench: Bench) {
    people(&bench, &[1, 2]).await;
    upload(&bench.store, key(&bench, 1), keys(&bench, &[2])).await;
    upload(&bench.store, key(&bench, 2), keys(&bench, &[1])).await;
    let one = key(&bench, 1);
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().erase_subscriber(one)).await.unwrap();
    assert!(friends(&bench, 2).await.is_empty());
    let session =
        bench.store.read::<_, StoreError, _>(|view| view.contacts().find_session("token-1")).await.unwrap();
    assert!(session.is_none());
}

async fn a_refused_write_leaves_nothing(bench: Bench) {
    #[derive(Debug)]
    enum Refused {
        OnPurpose,
        Store,
    }
    impl From<StoreError> for Refused {
        fn from(_: StoreError) -> Self {
            Self::Store
        }
    }
    let (owner, book) = (key(&bench, 1), keys(&bench, &[2]));
    let refused = bench
        .store
        .write::<(), _, _>(move |tx| {
            tx.contacts().replace_book(owner, &book)?;
            Err(Refused::OnPurpose)
        })
        .await;
    assert!(matches!(refused, Err(Refused::OnPurpose)));
    let book =
        bench.store.read::<_, StoreError, _>(move |view| view.contacts().find_book(owner)).await.unwrap();
    assert_eq!((book.version, book.size), (0, 0));
}

async fn what_was_acknowledged_is_there_after_reopening(bench: Bench) {
    people(&bench, &[1, 2]).await;
    upload(&bench.store, key(&bench, 1), keys(&bench, &[2])).await;
    upload(&bench.store, key(&bench, 2), keys(&bench, &[1])).await;
    let bench = bench.reopen().await;
    assert_eq!(friends(&bench, 1).await, [2]);
}

async fn a_forgotten_book_ends_its_matches_and_its_version_goes_on(bench: Bench) {
    people(&bench, &[1, 2]).await;
    upload(&bench.store, key(&bench, 1), keys(&bench, &[2])).await;
    upload(&bench.store, key(&bench, 2), keys(&bench, &[1])).await;
    let owner = key(&bench, 1);
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().forget_book(owner)).await.unwrap();
    let book =
        bench.store.read::<_, StoreError, _>(move |view| view.contacts().find_book(owner)).await.unwrap();
    assert_eq!((book.version, book.size), (2, 0));
    assert!(friends(&bench, 2).await.is_empty());
    assert_eq!(upload(&bench.store, owner, keys(&bench, &[2])).await.book.version, 3);
}

async fn whoever_is_hidden_stays_hidden_after_leaving_and_coming_back(bench: Bench) {
    people(&bench, &[1, 2]).await;
    let (one, two) = (key(&bench, 1), key(&bench, 2));
    upload(&bench.store, one, keys(&bench, &[2])).await;
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().hide(one, two)).await.unwrap();
    bench.store.write::<_, StoreError, _>(move |tx| tx.contacts().erase_subscriber(two)).await.unwrap();
    sign_in(&bench, 2, "another token").await;
    upload(&bench.store, two, keys(&bench, &[1])).await;
    assert!(friends(&bench, 1).await.is_empty() && friends(&bench, 2).await.is_empty());
}
