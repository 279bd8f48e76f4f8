//! An exchange over a store of its own, with a set clock, beside a platform that is played.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use domain::Msisdn;
use domain::Region;
use domain::catalogue::{Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::consent::Consent;
use domain::ids::{OrderId, SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::{Locale, Localised};
use domain::money::{Money, Period, Price};
use domain::order::OrderAction;
use domain::world::{SeededDice, SetClock, World};
use exchange::Exchange;
use futures::StreamExt;
use http::Request;
use serde_json::json;
use store::contacts::NewSession;
use store::exchange::{Card, NewOrder, Order};
use store::jobs::{JobKind, Worker};
use store::{MasterKey, Store, StoreError, Tx};
use tmf::{Event, Transport};
use tower::ServiceExt;

/// Workers side by side: many jobs share one commit.
const WORKERS: usize = 16;
const DELIVERIES: usize = 64;

pub(crate) struct House {
    pub(crate) clock: Arc<SetClock>,
    pub(crate) world: World,
    pub(crate) store: Store,
    exchange: Exchange,
    listener: Router,
    worker: Worker,
    _directory: tempfile::TempDir,
}

pub(crate) fn number(n: u64) -> Msisdn {
    Msisdn::parse_e164(&format!("+86138{n:08}")).unwrap()
}

pub(crate) fn world() -> (Arc<SetClock>, World) {
    let start: jiff::Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let clock = Arc::new(SetClock::at_ms(start.as_millisecond()));
    (Arc::clone(&clock), World::new(clock, Arc::new(SeededDice::new(7))))
}

impl House {
    pub(crate) async fn new(clock: Arc<SetClock>, world: World, platform: Arc<dyn Transport>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let keys = MasterKey::from_secret([3; 32]);
        let store = Store::open_embedded(directory.path(), &keys, world.clone()).unwrap();
        let exchange = Exchange::new(store.clone(), world.clone(), tmf::Client::new(platform), Region::CN);
        let worker = Worker::new(store.clone(), world.clone(), exchange::jobs(&exchange));
        let listener = exchange::listener::routes(exchange.clone());
        exchange.begin_comparing().await.unwrap();
        Self { clock, world, store, exchange, listener, worker, _directory: directory }
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        verb: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write::<_, StoreError, _>(verb).await.unwrap()
    }

    /// Registers somebody who allows the exchange to see their subscriptions.
    pub(crate) async fn person(&self, n: u64) -> ContactKey {
        let key = self.store.keys().contact_key(number(n));
        let (subscriber, id) = (SubscriberId(self.world.uuid()), SessionId(self.world.uuid()));
        let session = NewSession { id, token: format!("token-{n}"), device: None };
        self.write(move |tx| {
            tx.contacts().sign_in(number(n), Locale::English, subscriber, &session)?;
            tx.contacts().give_consent(key, Consent::Subscriptions, "1")
        })
        .await;
        key
    }

    pub(crate) async fn put_card(&self, card: Card) {
        self.write(move |tx| tx.exchange().put_card(&card)).await;
    }

    /// Places orders as taps do.
    pub(crate) async fn place(&self, orderer: ContactKey, count: usize) -> Vec<OrderId> {
        let ids: Vec<_> = (0..count).map(|_| OrderId(self.world.uuid())).collect();
        let (placed, now) = (ids.clone(), self.world.now());
        self.write(move |tx| {
            for id in &placed {
                let new = NewOrder {
                    id: *id,
                    orderer,
                    action: OrderAction::Add,
                    offering: OfferingId::parse("crbt").unwrap(),
                    version: Some(1),
                    product: None,
                    share: None,
                };
                tx.exchange().insert_order(&new)?;
                tx.jobs().enqueue(JobKind::ForwardOrder, &json!({ "order": id }), now)?;
            }
            Ok(())
        })
        .await;
        ids
    }

    pub(crate) async fn order(&self, id: OrderId) -> Order {
        self.write(move |tx| tx.exchange().find_any_order(id)).await.unwrap()
    }

    /// Runs what is due.
    pub(crate) async fn work(&self) {
        let workers = (0..WORKERS).map(|_| self.worker.drain());
        for runs in futures::future::join_all(workers).await {
            runs.unwrap();
        }
    }

    /// Tells events as a hub does; every one is taken.
    pub(crate) async fn hear(&self, events: Vec<Event>) {
        let path = exchange::listener::callback_path(&self.exchange);
        let told = futures::stream::iter(events).map(|event| {
            let (listener, path) = (self.listener.clone(), path.clone());
            async move {
                let address = format!("{path}/listener/{}", event.event_type);
                let body = Body::from(serde_json::to_vec(&event).unwrap());
                let answer = listener.oneshot(Request::post(address).body(body).unwrap()).await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.status());
            }
        });
        told.buffer_unordered(DELIVERIES).collect::<Vec<_>>().await;
    }
}

pub(crate) fn card() -> Card {
    let (id, provider) = (OfferingId::parse("crbt").unwrap(), ProviderId::parse("xx").unwrap());
    let price = Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month };
    Card {
        offering: Offering {
            id,
            provider: provider.clone(),
            name: Localised::default(),
            price,
            renews: true,
            sensitive: false,
            active: true,
            terms: Localised::default(),
            how_to_cancel: Localised::default(),
            conflicts_with: Vec::new(),
            version: 1,
        },
        provider: Provider {
            id: provider,
            name: Localised::default(),
            kind: ProviderKind::Own,
            from: None,
            until: None,
        },
    }
}
