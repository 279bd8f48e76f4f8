//! A customer who is none any more: what ends, what stays as evidence, for how long, and what is still owed.

use axum::body::Body;
use domain::charging::ChargeKind::Activation;
use domain::limits;
use http::{Request, StatusCode};
use platform::charging::simulator::Faults;
use serde_json::Value;
use store::StoreError;
use store::upkeep::{Retention, Upkeep};

use crate::house::*;

const PEOPLE: &str = "/tmf-api/party/v4/individual";

impl House {
    async fn erase(&self, number: &str, query: &str) -> StatusCode {
        let request = Request::delete(format!("{PEOPLE}/{}{query}", number.replace('+', "%2B")));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        self.call(request.body(Body::empty()).unwrap()).await.0
    }

    /// All orders that there are, whosever they are.
    async fn all_orders(&self) -> Vec<Value> {
        self.get(ORDERS).await.2.as_array().unwrap().clone()
    }

    async fn orders_of(&self, number: &str) -> usize {
        let path = format!("{ORDERS}?relatedParty.id={}", number.replace('+', "%2B"));
        self.get(&path).await.2.as_array().unwrap().len()
    }

    /// Forgets what is past its time; the rules between rows hold after every portion.
    async fn upkeep(&self) {
        let upkeep =
            Upkeep::new(self.platform.store.clone(), self.platform.world.clone(), Retention::default());
        loop {
            let more = upkeep.portion().await.unwrap();
            let broken =
                self.platform.store.read::<_, StoreError, _>(|view| view.broken_rules()).await.unwrap();
            assert_eq!(broken, []);
            if !more {
                return;
            }
        }
    }

    /// What waits to be handed over, and for how many of all charges their payer's number is known.
    async fn owed(&self) -> (i64, usize) {
        let read = self.platform.store.read::<_, StoreError, _>(|view| {
            let waiting = view.platform().count_open_charges()?.0;
            Ok((waiting, view.platform().list_all_charges(uuid::Uuid::nil(), 100)?.len()))
        });
        read.await.unwrap()
    }
}

#[tokio::test]
async fn an_erased_customer_has_nothing_any_more_and_the_evidence_names_nobody() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.order("e2", ANNA, "crbt").await;
    house.order("e3", BEN, "news").await;
    let code = house.phones().await.into_iter().find(|text| text.body.contains("彩铃")).unwrap();
    assert_eq!(house.erase(ANNA, "").await, StatusCode::NO_CONTENT);
    assert_eq!((house.products(ANNA).await.len(), house.orders_of(ANNA).await), (0, 0));
    let all = house.all_orders().await;
    assert_eq!(all.len(), 3);
    assert!(!serde_json::to_string(&all).unwrap().contains("13800138001"), "a number in what stays");
    assert_eq!(house.products(BEN).await, [("news".to_owned(), "active".to_owned())]);
    // The code of before is worth nothing, and no text tells of the end.
    house.reply(ANNA, &code.suffix, &code.code()).await;
    assert_eq!(house.products(ANNA).await.len(), 0);
    // The same person can have the same again.
    assert_eq!(house.order("e4", ANNA, "news").await["state"], "completed");
    assert_eq!(house.erase("+8613900000000", "").await, StatusCode::NO_CONTENT, "nobody is erased already");
    assert_eq!(house.erase("nobody", "").await, StatusCode::NOT_FOUND);
    assert_eq!(house.erase(ANNA, "?until=now").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_erasure_spares_what_came_after_it_however_often_it_is_repeated() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.order("e2", ANNA, "crbt").await;
    house.clock.advance_s(60);
    let before = house.platform.world.now();
    let query = format!("?erasure={}&before={before}", house.platform.world.uuid());
    // They came back before the platform heard of it.
    house.clock.advance_s(60);
    house.order("e3", ANNA, "rival").await;
    let conflict = ("rejected".to_owned(), Some(domain::order::Reason::ConflictingService));
    assert_eq!(state_of(&house.order("e4", ANNA, "rival").await), conflict, "the old service still stands");
    for _ in 0..3 {
        assert_eq!(house.erase(ANNA, &query).await, StatusCode::NO_CONTENT);
        assert_eq!(
            (house.products(ANNA).await.len(), house.orders_of(ANNA).await),
            (0, 2),
            "two are of later"
        );
    }
    assert_eq!(house.order("e5", ANNA, "rival").await["state"], "completed");
    for _ in 0..2 {
        assert_eq!(house.erase(ANNA, &query).await, StatusCode::NO_CONTENT);
        assert_eq!(house.products(ANNA).await, [("rival".to_owned(), "active".to_owned())]);
    }
    house.upkeep().await;
}

#[tokio::test]
async fn evidence_of_a_former_customer_is_kept_for_its_time_and_then_goes_whole() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.order("e2", ANNA, "crbt").await;
    house.order("e3", BEN, "news").await;
    house.erase(ANNA, "").await;
    house.clock.advance_s(limits::EVIDENCE_KEEP_DAYS * 86_400 - 1);
    house.upkeep().await;
    assert_eq!(house.all_orders().await.len(), 3);
    house.clock.advance_s(2);
    house.upkeep().await;
    let left = house.all_orders().await;
    assert!(left.len() == 1 && left[0]["externalId"] == "e3", "{left:?}");
    let (_, _, products) = house.get(PRODUCTS).await;
    assert_eq!(products.as_array().unwrap().len(), 1, "of somebody who is still there");
}

#[tokio::test]
async fn what_a_former_customer_owes_is_handed_over_with_the_number_which_is_forgotten_then() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    charging.set_faults(Faults { error: 1000, ..Faults::default() });
    house.work().await;
    house.erase(ANNA, "").await;
    house.upkeep().await;
    assert_eq!(house.owed().await, (1, 1), "it waits, and the number with it");
    charging.set_faults(Faults::default());
    house.clock.advance_s(600);
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0)]);
    house.upkeep().await;
    assert_eq!(house.owed().await, (0, 0), "handed over, and nobody's any more");
    // Nothing is charged for what has ended.
    house.days(40).await;
    assert_eq!(charging.record().len(), 1);
}
