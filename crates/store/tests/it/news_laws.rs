//! Laws of what the platform says of an order.

use domain::ids::OrderId;
use domain::order::{OrderAction, Progress, Reason};
use domain::world::after_seconds;
use jiff::Timestamp;
use store::StoreError;
use store::exchange::{NewOrder, PlatformNews};

use crate::backends::{Bench, laws, number};

laws! {
    the_end_of_an_order_is_news_however_the_platforms_clock_was_set
    what_comes_after_the_end_of_an_order_changes_nothing
}

async fn place(bench: &Bench) -> OrderId {
    let id = OrderId(bench.world.uuid());
    let orderer = bench.store.keys().contact_key(number(1));
    let new = NewOrder {
        id,
        orderer,
        action: OrderAction::Add,
        offering: domain::catalogue::OfferingId::parse("crbt").unwrap(),
        version: Some(1),
        product: None,
        share: None,
    };
    bench.store.write::<_, StoreError, _>(move |tx| tx.exchange().insert_order(&new)).await.unwrap();
    id
}

async fn tell(bench: &Bench, id: OrderId, state: Progress, reason: Option<Reason>, at: Timestamp) {
    let news = PlatformNews { platform_order: "p".to_owned(), state, reason, at };
    bench.store.write::<_, StoreError, _>(move |tx| tx.exchange().apply_news(id, &news)).await.unwrap();
}

async fn state(bench: &Bench, id: OrderId) -> Progress {
    let read = move |view: &mut store::View<'_>| view.exchange().find_any_order(id);
    bench.store.read::<_, StoreError, _>(read).await.unwrap().unwrap().state
}

async fn the_end_of_an_order_is_news_however_the_platforms_clock_was_set(bench: Bench) {
    let (id, now) = (place(&bench).await, bench.world.now());
    tell(&bench, id, Progress::AwaitingConfirmation, None, now).await;
    tell(&bench, id, Progress::Forwarded, None, after_seconds(now, -1)).await;
    assert_eq!(state(&bench, id).await, Progress::AwaitingConfirmation, "old news changes nothing");
    tell(&bench, id, Progress::Completed, None, after_seconds(now, -3600)).await;
    assert_eq!(state(&bench, id).await, Progress::Completed);
}

async fn what_comes_after_the_end_of_an_order_changes_nothing(bench: Bench) {
    let (id, now) = (place(&bench).await, bench.world.now());
    tell(&bench, id, Progress::Completed, None, after_seconds(now, -3600)).await;
    tell(&bench, id, Progress::InProgress, None, now).await;
    tell(&bench, id, Progress::Cancelled, Some(Reason::UserCancelled), after_seconds(now, 60)).await;
    assert_eq!(state(&bench, id).await, Progress::Completed);
}
