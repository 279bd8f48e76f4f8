//! How many statements a verb sends to a database server: each is a journey there and back.

use std::collections::BTreeSet;

use domain::catalogue::OfferingId;
use domain::consent::Audience;
use domain::ids::OrderId;
use domain::key::ContactKey;
use domain::order::OrderAction;
use serde_json::json;
use store::exchange::NewOrder;
use store::friends::{FeedFilter, FriendsView};
use store::jobs::JobKind;
use store::{StoreError, Tx};

use crate::backends::{Bench, number};
use crate::share_laws::{share, three};

/// With the beginning and the end of its transaction.
async fn of_write(
    bench: &Bench,
    mut verb: impl FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) -> u64 {
    let before = bench.store.statements();
    bench.store.write::<_, StoreError, _>(move |tx| verb(tx)).await.unwrap();
    bench.store.statements() - before
}

async fn of_read(
    bench: &Bench,
    mut read: impl FnMut(&mut FriendsView<'_>) -> Result<usize, StoreError> + Send + 'static,
) -> (usize, u64) {
    let before = bench.store.statements();
    let said = bench.store.read_friends::<_, StoreError, _>(move |friends| read(friends)).await.unwrap();
    (said, bench.store.statements() - before)
}

fn book(bench: &Bench, from: u64, size: u64) -> BTreeSet<ContactKey> {
    (from..from + size).map(|one| bench.store.keys().contact_key(number(one))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_sends_does_not_grow_with_books_and_feeds() {
    let Some(bench) = Bench::postgres("statements").await else { return };
    let subscription = three(&bench).await;
    share(&bench, subscription, Audience::Matches).await;
    let (owner, viewer) = (book(&bench, 1, 1).pop_first().unwrap(), book(&bench, 2, 1).pop_first().unwrap());
    // The book as it was, the book, whose matches end, who lists the owner, who hides, and new matches in both
    // directions, or none any more in either.
    for (contacts, sent) in
        [(book(&bench, 1_000, 20), 9), (book(&bench, 1, 200), 8), (book(&bench, 3, 200), 9)]
    {
        let upload =
            of_write(&bench, move |tx| tx.contacts().replace_book(viewer, &contacts).map(drop)).await;
        assert!(upload <= sent, "an upload sent {upload} statements, at most {sent} before");
    }
    let again = book(&bench, 1, 200);
    of_write(&bench, move |tx| tx.contacts().replace_book(viewer, &again).map(drop)).await;

    // One statement each, and no transaction around it.
    let feed =
        of_read(&bench, move |friends| Ok(friends.list_feed(viewer, &FeedFilter::default(), 50)?.len()));
    assert_eq!(feed.await, (1, 1));
    let pair = of_read(&bench, move |friends| Ok(friends.find_match(viewer, owner)?.iter().len())).await;
    assert_eq!(pair, (1, 1));
    let all = of_read(&bench, move |friends| Ok(friends.list_matches(viewer, None, 500)?.len())).await;
    assert_eq!(all, (1, 1));
    // Who asks a second thing gets a transaction, so that both answers are of one moment.
    let both = of_read(&bench, move |friends| {
        let pair = friends.find_match(viewer, owner)?.iter().len();
        Ok(pair + friends.list_feed(viewer, &FeedFilter::default(), 50)?.len())
    });
    assert_eq!(both.await, (2, 5));

    let id = OrderId(bench.world.uuid());
    let order = of_write(&bench, move |tx| place(tx, viewer, id)).await;
    assert!(order <= 16, "placing an order sent {order} statements, at most 16 before");
}

/// What placing an order does in the store, without the funnel's step.
fn place(tx: &mut Tx<'_>, viewer: ContactKey, id: OrderId) -> Result<(), StoreError> {
    let now = jiff::Timestamp::UNIX_EPOCH;
    tx.exchange().find_first_answer(viewer, "key", b"share", now)?;
    let share = tx.friends().list_feed(viewer, &FeedFilter::default(), 1)?[0].share;
    let offering = OfferingId::parse("crbt").unwrap();
    assert!(!tx.exchange().has_open_order(viewer, &offering)?);
    tx.exchange().count_open_orders(viewer)?;
    let (orderer, action) = (viewer, OrderAction::Add);
    let new = NewOrder { id, orderer, action, offering, version: Some(1), product: None, share: Some(share) };
    tx.exchange().insert_order(&new)?;
    tx.jobs().enqueue(JobKind::ForwardOrder, &json!({ "order": id }), now)?;
    tx.exchange().keep_first_answer(viewer, "key", b"share", "answer")
}
