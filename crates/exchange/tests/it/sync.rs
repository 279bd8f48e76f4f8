//! Subscriptions in step with the platform: first by paging, then by events, and by comparing what an event missed.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::consent::Audience;
use domain::key::ContactKey;
use domain::limits;
use domain::order::ProductState;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use store::friends::FeedFilter;
use store::jobs::JobKind;
use tmf::{Event, EventBody, OfferingRef, PartyRef, Product, Transport, TransportError};

use crate::house::{House, card, number, world};

/// A platform that lists the products of one customer, honestly or not.
#[derive(Clone, Default)]
struct Inventory(Arc<Mutex<Listing>>);

#[derive(Default)]
struct Listing {
    products: Vec<Product>,
    says_total: bool,
    ignores_offset: bool,
    asked: usize,
}

impl Transport for Inventory {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let mut listing = self.0.lock().unwrap();
        listing.asked += 1;
        let query = request.uri().query().unwrap_or("");
        let number = |key: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(key));
            pair.map_or(0, |text| text.parse::<usize>().unwrap())
        };
        let is_of_products = request.uri().path().ends_with("/product");
        let all = if is_of_products { listing.products.as_slice() } else { &[] };
        let offset = if listing.ignores_offset { 0 } else { number("offset=") };
        let page: Vec<&Product> = all.iter().skip(offset).take(number("limit=")).collect();
        let mut answer = Response::builder();
        if listing.says_total {
            answer = answer.header("X-Total-Count", all.len());
        }
        let answer = answer.body(Bytes::from(json!(page).to_string())).unwrap();
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Inventory {
    fn end(&self, id: &str) -> Product {
        let mut listing = self.0.lock().unwrap();
        let product = listing.products.iter_mut().find(|product| product.id == id).unwrap();
        product.status = ProductState::Terminated.word().to_owned();
        product.clone()
    }
}

fn product(id: &str, offering: &str) -> Product {
    Product {
        id: id.to_owned(),
        status: ProductState::Active.word().to_owned(),
        product_offering: Some(OfferingRef { id: offering.to_owned(), ..OfferingRef::default() }),
        related_party: vec![PartyRef::customer(number(1))],
        ..Product::default()
    }
}

/// Somebody whose two services the exchange has just asked for, and a friend who sees both shared.
async fn sharing(inventory: &Inventory) -> (House, ContactKey, ContactKey) {
    let (clock, world) = world();
    let house = House::new(clock, world, Arc::new(inventory.clone())).await;
    house.put_card(card()).await;
    let (owner, friend) = (house.person(1).await, house.person(2).await);
    house
        .write(move |tx| {
            tx.contacts().replace_book(owner, &[friend].into())?;
            tx.contacts().replace_book(friend, &[owner].into()).map(drop)
        })
        .await;
    ask(&house, owner).await;
    house.work().await;
    house
        .write(move |tx| {
            for held in tx.exchange().list_subscriptions(owner)? {
                tx.exchange().share(owner, held.id, &Audience::Matches)?;
            }
            Ok(())
        })
        .await;
    (house, owner, friend)
}

async fn ask(house: &House, owner: ContactKey) {
    let now = house.world.now();
    house
        .write(move |tx| {
            let (topic, about) = (owner.value().to_string(), json!({ "key": owner.value() }));
            tx.jobs().enqueue_topic(JobKind::SyncSubscriptions, &topic, &about, now)
        })
        .await;
}

async fn count_held(house: &House, owner: ContactKey) -> usize {
    house.write(move |tx| Ok(tx.exchange().list_subscriptions(owner)?.len())).await
}

async fn count_seen(house: &House, viewer: ContactKey) -> usize {
    house.write(move |tx| Ok(tx.friends().list_feed(viewer, &FeedFilter::default(), 9)?.len())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_takes_every_page_whether_or_not_the_total_is_said() {
    for says_total in [true, false] {
        let inventory = Inventory::default();
        {
            let mut listing = inventory.0.lock().unwrap();
            listing.says_total = says_total;
            listing.products = (0..250).map(|n| product(&format!("p{n}"), &format!("o{n}"))).collect();
        }
        let (house, owner, _) = sharing(&inventory).await;
        assert_eq!(count_held(&house, owner).await, 250, "{says_total}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_gives_the_same_page_for_ever_is_not_asked_for_ever() {
    let inventory = Inventory::default();
    {
        let mut listing = inventory.0.lock().unwrap();
        listing.ignores_offset = true;
        listing.products = (0..100).map(|n| product(&format!("p{n}"), &format!("o{n}"))).collect();
    }
    let (house, owner, _) = sharing(&inventory).await;
    assert_eq!(count_held(&house, owner).await, 0);
    let asked = inventory.0.lock().unwrap().asked;
    assert!(asked <= limits::count(limits::SYNC_PRODUCTS_MAX) / 100 + 2, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_ended_elsewhere_leaves_friends_feeds_with_its_event_or_with_the_next_comparison()
{
    let inventory = Inventory::default();
    inventory.0.lock().unwrap().products = vec![product("told", "crbt"), product("untold", "crbt")];
    let (house, owner, friend) = sharing(&inventory).await;
    assert_eq!((count_held(&house, owner).await, count_seen(&house, friend).await), (2, 2));
    let ended = inventory.end("told");
    let event = Event {
        event_id: "1".to_owned(),
        event_time: house.world.now() + jiff::SignedDuration::from_secs(1),
        event_type: "ProductStateChangeEvent".to_owned(),
        event: EventBody { product: Some(ended), ..EventBody::default() },
    };
    house.hear(vec![event]).await;
    assert_eq!(count_seen(&house, friend).await, 1, "with the event it is gone");
    inventory.end("untold");
    house.clock.advance_s(limits::COMPARE_SUBSCRIBERS_S - limits::COMPARE_EVERY_S);
    house.work().await;
    assert_eq!(count_seen(&house, friend).await, 1, "nobody has said so yet");
    house.clock.advance_s(2 * limits::COMPARE_EVERY_S);
    house.work().await;
    assert_eq!(count_seen(&house, friend).await, 0, "asking tells what no event told");
}
