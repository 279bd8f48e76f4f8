//! Providers that start and stop their services when told: answers that never come, and one effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use domain::catalogue::ProviderId;
use domain::limits::PROVISIONING_S_MAX;
use domain::order::Reason;
use domain::provisioning::ProvisioningAction::{self, Activate, Stop};
use domain::world::{SeededDice, SetClock, World};
use http::Request;
use platform::charging::simulator::{Faults, Simulator, listen};
use platform::provisioning::{ProvisioningMessage, Webhook};
use serde_json::{Value, json};
use store::StoreError;
use tmf::{HttpSettings, OverHttp, Transport};

use crate::house::*;

const AWAY: Faults = Faults { error: 1000, ..NONE };
const NONE: Faults = Faults {
    lost_answer: 0,
    lost_request: 0,
    silence: 0,
    error: 0,
    error_after: 0,
    duplicate: 0,
    garbage: 0,
    proxy_page: 0,
    slow: 0,
    refused: 0,
};

fn xx() -> ProviderId {
    ProviderId::parse("xx").unwrap()
}

/// A platform whose provider xx is told of orders.
async fn told_over(transport: Arc<dyn Transport>) -> House {
    House::with(move |config| {
        config.provisioning.insert(xx(), Arc::new(Webhook::new(transport.clone())));
    })
    .await
}

async fn told() -> (House, Simulator) {
    let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(5)));
    let provider = Simulator::new(world);
    (told_over(Arc::new(provider.clone())).await, provider)
}

/// What a provider did, by its own record: action, number and offering.
fn done(provider: &Simulator) -> Vec<(ProvisioningAction, String, String)> {
    let shown = |call: ProvisioningMessage| (call.action, call.number, call.offering.to_string());
    provider.provisioned().into_iter().map(shown).collect()
}

fn call(action: ProvisioningAction, number: &str, offering: &str) -> (ProvisioningAction, String, String) {
    (action, number.to_owned(), offering.to_owned())
}

impl House {
    /// Orders and answers rightly.
    async fn confirmed(&self, external_id: &str, number: &str, offering: &str) -> Value {
        let order = self.order(external_id, number, offering).await;
        let prompt = self.phones().await.into_iter().find(|text| text.to == number && text.suffix.len() == 2);
        let prompt = prompt.unwrap();
        self.reply(number, &prompt.suffix, &prompt.code()).await;
        order
    }

    /// So many seconds go by, and the jobs run as often as they want to.
    async fn goes_by(&self, seconds: i64) {
        let step = 600;
        for _ in 0..seconds / step {
            self.clock.advance_s(step);
            self.work().await;
        }
        self.clock.advance_s(seconds % step);
        self.work().await;
    }

    async fn rules_hold(&self) {
        let broken = self.platform.store.read::<_, StoreError, _>(|view| view.broken_rules()).await.unwrap();
        assert_eq!(broken, []);
    }
}

#[tokio::test]
async fn the_right_answer_has_the_provider_start_the_service_and_only_then_it_is_charged() {
    let (house, provider) = told().await;
    let order = house.confirmed("e1", ANNA, "crbt").await;
    assert_eq!(house.state(&order).await, ("completed".to_owned(), None));
    assert_eq!(done(&provider), [call(Activate, ANNA, "crbt")]);
    let told = provider.provisioned().remove(0);
    assert_eq!(told.id, format!("{}/1", order["id"].as_str().unwrap()), "the key is the order's item");
    assert_eq!(house.charges(ANNA).await, 1);
    assert!(house.phones().await[0].body.contains("已开通"));
}

#[tokio::test]
async fn while_the_provider_is_away_the_order_is_held_the_subscription_pending_and_nothing_charged() {
    let (house, provider) = told().await;
    let callback = json!({"callback": "http://ear.test/cb"});
    house.post("/tmf-api/productOrderingManagement/v4/hub", &callback).await;
    house.post("/tmf-api/productInventory/v4/hub", &callback).await;
    provider.set_faults(AWAY);
    let order = house.confirmed("e1", ANNA, "crbt").await;
    assert_eq!(house.state(&order).await, ("held".to_owned(), None));
    assert_eq!(house.products(ANNA).await, [("crbt".to_owned(), "pendingActive".to_owned())]);
    house.goes_by(86_400).await;
    assert_eq!(house.state(&order).await.0, "held");
    assert_eq!((house.charges(ANNA).await, house.phones().await.len()), (0, 0));
    house.rules_hold().await;
    // It cannot be had twice, nor ended before it began.
    let again = house.order("e2", ANNA, "crbt").await;
    assert_eq!(state_of(&again).1, Some(Reason::AlreadySubscribed));
    let (_, _, products) = house.get(PRODUCTS).await;
    let ended = house.unsubscribe("e3", ANNA, &products[0]["id"]).await;
    assert_eq!(state_of(&ended), ("rejected".to_owned(), Some(Reason::OrderOpen)));
    let blocking = ended["note"].as_array().unwrap().iter().find(|note| note["id"] == "openOrder").unwrap();
    assert_eq!(blocking["text"], order["id"]);

    provider.set_faults(Faults::default());
    house.goes_by(600).await;
    assert_eq!(house.state(&order).await, ("completed".to_owned(), None));
    assert_eq!(house.products(ANNA).await, [("crbt".to_owned(), "active".to_owned())]);
    assert_eq!((house.charges(ANNA).await, done(&provider)), (1, vec![call(Activate, ANNA, "crbt")]));
    let (_, _, products) = house.get(PRODUCTS).await;
    assert!(products[0]["startDate"].as_str().unwrap() > "2026-03-02", "it began when it was started");
    let states = |kind: &str, member: &str, id: &Value| -> Vec<String> {
        let told = house.ear.told.lock().unwrap();
        let of = told.iter().filter(|(address, _)| address.ends_with(kind));
        let of = of.map(|(_, event)| event["event"][member].clone()).filter(|one| one["id"] == *id);
        of.map(|one| one["state"].as_str().or(one["status"].as_str()).unwrap().to_owned()).collect()
    };
    let orders = states("/ProductOrderStateChangeEvent", "productOrder", &order["id"]);
    assert_eq!(orders, ["pending", "inProgress", "held", "inProgress", "completed"]);
    let product = states("/ProductStateChangeEvent", "product", &products[0]["id"]);
    assert_eq!(product, ["pendingActive", "active"]);
}

#[tokio::test]
async fn an_operator_ends_what_waits_for_its_provider_and_the_order_ends_with_it() {
    for (end, wanted) in [("cancelled", 200), ("aborted", 200), ("deleted", 204)] {
        let (house, provider) = told().await;
        provider.set_faults(Faults { lost_answer: 1000, ..NONE });
        let order = house.confirmed("e1", ANNA, "crbt").await;
        assert_eq!(house.state(&order).await.0, "held");
        let (_, _, products) = house.get(PRODUCTS).await;
        let path = format!("{PRODUCTS}/{}", products[0]["id"].as_str().unwrap());
        assert_eq!(house.patch(&path, &json!({"status": "active"})).await.0.as_u16(), 409);
        let answer = match end {
            "deleted" => house.delete(&path).await,
            status => house.patch(&path, &json!({"status": status})).await,
        };
        assert_eq!(answer.0.as_u16(), wanted, "{end}");
        assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::ActivationFailed)));
        provider.set_faults(NONE);
        house.goes_by(1_200).await;
        // It had acted and nobody heard: it is told to stop.
        assert_eq!(done(&provider), [call(Activate, ANNA, "crbt"), call(Stop, ANNA, "crbt")]);
        assert_eq!(house.charges(ANNA).await, 0);
        house.rules_hold().await;
        assert_eq!(house.order("e2", ANNA, "crbt").await["state"], "pending", "the claim is free");
    }
}

#[tokio::test]
async fn whatever_becomes_of_the_answer_the_provider_starts_it_once_by_its_own_record() {
    for fault in [
        Faults { lost_answer: 1000, ..NONE },
        Faults { lost_request: 1000, ..NONE },
        Faults { silence: 1000, ..NONE },
        Faults { error_after: 1000, ..NONE },
        Faults { duplicate: 1000, ..NONE },
        Faults { garbage: 1000, ..NONE },
        Faults { proxy_page: 1000, ..NONE },
        Faults { slow: 1000, ..NONE },
    ] {
        let (house, provider) = told().await;
        provider.set_faults(fault);
        let order = house.confirmed("e1", ANNA, "crbt").await;
        let now = house.state(&order).await.0;
        assert_eq!(now == "completed", fault.slow + fault.duplicate > 0, "{now} with {fault:?}");
        house.goes_by(3_600).await;
        provider.set_faults(Faults::default());
        house.goes_by(600).await;
        assert_eq!(house.state(&order).await.0, "completed", "{fault:?}");
        assert_eq!(done(&provider), [call(Activate, ANNA, "crbt")], "{fault:?}");
        assert_eq!((house.charges(ANNA).await, house.products(ANNA).await.len()), (1, 1), "{fault:?}");
        assert!(house.phones().await.len() == 1, "one receipt");
    }
}

#[tokio::test]
async fn after_72_hours_the_order_fails_nothing_is_charged_and_the_provider_is_told_to_undo() {
    let (house, provider) = told().await;
    // It acts, and nobody hears of it.
    provider.set_faults(Faults { silence: 1000, ..NONE });
    let order = house.confirmed("e1", ANNA, "crbt").await;
    house.goes_by(PROVISIONING_S_MAX - 700).await;
    assert_eq!(house.state(&order).await.0, "held");
    house.goes_by(1_400).await;
    assert_eq!(house.state(&order).await, ("failed".to_owned(), Some(Reason::ActivationFailed)));
    assert_eq!(house.products(ANNA).await, [("crbt".to_owned(), "aborted".to_owned())]);
    assert_eq!(house.charges(ANNA).await, 0);
    let told = house.phones().await;
    assert!(told.len() == 1 && told[0].body.contains("未订购，未扣费：提供商开通失败"), "{told:?}");
    house.rules_hold().await;

    provider.set_faults(Faults::default());
    house.goes_by(1_200).await;
    assert_eq!(done(&provider), [call(Activate, ANNA, "crbt"), call(Stop, ANNA, "crbt")]);
    let record = provider.provisioned();
    assert_eq!((&record[1].reverses, record[1].product), (&Some(record[0].id.clone()), record[0].product));
    // It can be had again.
    let order = house.confirmed("e2", ANNA, "crbt").await;
    assert_eq!(house.state(&order).await.0, "completed");
    assert_eq!(done(&provider).len(), 3);
}

#[tokio::test]
async fn a_clock_that_jumps_three_days_ahead_gives_the_provider_one_more_try() {
    let (house, provider) = told().await;
    provider.set_faults(AWAY);
    let order = house.confirmed("e1", ANNA, "crbt").await;
    provider.set_faults(Faults::default());
    house.clock.advance_s(PROVISIONING_S_MAX + 60);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "completed");
    assert_eq!((done(&provider).len(), house.charges(ANNA).await), (1, 1));
}

#[tokio::test]
async fn a_refusal_for_good_fails_the_order_at_once_and_undoes_only_what_may_have_begun() {
    let (house, provider) = told().await;
    provider.set_faults(Faults { refused: 1000, ..NONE });
    let order = house.confirmed("e1", ANNA, "crbt").await;
    assert_eq!(house.state(&order).await, ("failed".to_owned(), Some(Reason::ActivationFailed)));
    provider.set_faults(Faults::default());
    house.goes_by(86_400).await;
    assert_eq!((done(&provider), house.charges(ANNA).await), (vec![], 0));

    // Here a try went before of which nobody knows what it did.
    provider.set_faults(Faults { lost_answer: 1000, ..NONE });
    let order = house.confirmed("e2", BEN, "crbt").await;
    provider.set_faults(Faults { refused: 1000, ..NONE });
    house.goes_by(600).await;
    assert_eq!(house.state(&order).await.1, Some(Reason::ActivationFailed));
    provider.set_faults(Faults::default());
    house.goes_by(3_600).await;
    // The refused notice is not repeated; the operator has an error in the log.
    assert_eq!(done(&provider)[0], call(Activate, BEN, "crbt"));
    house.rules_hold().await;
}

#[tokio::test]
async fn unsubscribing_ends_at_once_and_the_provider_is_told_until_it_answers_in_order() {
    let (house, provider) = told().await;
    house.confirmed("e1", ANNA, "crbt").await;
    house.phones().await;
    let (_, _, products) = house.get(PRODUCTS).await;
    provider.set_faults(AWAY);
    let end = house.unsubscribe("e2", ANNA, &products[0]["id"]).await;
    assert_eq!(end["state"], "completed");
    assert_eq!(house.products(ANNA).await, [("crbt".to_owned(), "terminated".to_owned())]);
    house.goes_by(86_400).await;
    assert_eq!(done(&provider).len(), 1);
    // Ordered again meanwhile: the start waits for the stop, or the stop would end the new one.
    let again = house.confirmed("e3", ANNA, "crbt").await;
    assert_eq!(house.state(&again).await.0, "inProgress");
    provider.set_faults(Faults::default());
    house.goes_by(1_200).await;
    let record = done(&provider);
    assert_eq!(
        record,
        [call(Activate, ANNA, "crbt"), call(Stop, ANNA, "crbt"), call(Activate, ANNA, "crbt")]
    );
    assert_eq!(provider.provisioned()[1].id, format!("{}/1", end["id"].as_str().unwrap()));
    assert_eq!(house.state(&again).await.0, "completed");
}

#[tokio::test]
async fn own_services_and_providers_without_an_address_start_as_ever() {
    let (house, provider) = told().await;
    provider.set_faults(AWAY);
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "completed");
    let (_, _, products) = house.get(PRODUCTS).await;
    assert_eq!(house.unsubscribe("e2", ANNA, &products[0]["id"]).await["state"], "completed");
    let seed = json!({"providers": [{"id": "yy", "name": {"en": "YY"}, "kind": "designated"}],
        "offerings": [{"id": "quiet", "provider": "yy", "name": {"zh-CN": "静"},
            "price": {"amount": "1.00", "currency": "CNY", "period": "month"}}]});
    house.seed(&seed).await;
    house.phones().await;
    let order = house.confirmed("e3", ANNA, "quiet").await;
    assert_eq!((house.state(&order).await.0.as_str(), provider.counts().deliveries), ("completed", 0));
}

#[tokio::test]
async fn what_waits_for_its_provider_counts_against_the_cap() {
    let (house, provider) = told().await;
    house
        .seed(&json!({"payers": [{"number": ANNA, "monthly_cap": {"amount": "10.00", "currency": "CNY"}}]}))
        .await;
    provider.set_faults(AWAY);
    house.confirmed("e1", ANNA, "game").await;
    assert_eq!(state_of(&house.order("e2", ANNA, "news").await).1, Some(Reason::PayerCheckFailed));
}

#[tokio::test]
async fn of_somebody_who_has_left_the_provider_is_told_to_stop_with_the_number_which_is_then_forgotten() {
    let (house, provider) = told().await;
    house.confirmed("e1", ANNA, "crbt").await;
    house.phones().await;
    provider.set_faults(Faults { silence: 1000, ..NONE });
    let held = house.confirmed("e2", ANNA, "game").await;
    let path = format!("/tmf-api/party/v4/individual/{}", ANNA.replace('+', "%2B"));
    let request = Request::delete(path).header("authorization", format!("Bearer {TOKEN}"));
    house.clock.advance_s(1);
    assert_eq!(house.call(request.body(Body::empty()).unwrap()).await.0.as_u16(), 204);
    assert_eq!(house.state(&held).await, ("cancelled".to_owned(), Some(Reason::UserCancelled)));
    house.rules_hold().await;
    assert!(house.products(ANNA).await.is_empty());
    house.goes_by(3_600).await;
    provider.set_faults(Faults::default());
    house.goes_by(1_200).await;
    let count = |action, offering: &str| {
        done(&provider).iter().filter(|one| **one == call(action, ANNA, offering)).count()
    };
    assert_eq!((count(Activate, "crbt"), count(Stop, "crbt")), (1, 1));
    assert_eq!((count(Activate, "game"), count(Stop, "game")), (1, 1));
    let waiting =
        house.platform.store.read::<_, StoreError, _>(|view| view.platform().list_waiting_providers());
    assert_eq!(waiting.await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_real_socket_every_fault_is_survived_and_each_order_ends_as_the_provider_did() {
    let provider = charging_system();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(listen(provider.clone(), listener));
    let settings = HttpSettings { base: Some(base), answer_s_max: 1, ..HttpSettings::default() };
    let house = told_over(Arc::new(OverHttp::new(&settings).unwrap())).await;
    let number = |n: usize| format!("+86138001390{n:02}");
    // No silence here: each would cost its whole wait.
    let faults = Faults { silence: 0, slow: 0, refused: 60, ..Faults::mixed(700) };
    let mut orders = Vec::new();
    for n in 0..40 {
        let order = house.order(&format!("e{n}"), &number(n), "crbt").await;
        orders.push((order, number(n)));
    }
    let prompts = house.phones().await;
    provider.set_faults(faults);
    for prompt in prompts {
        house.reply(&prompt.to, &prompt.suffix, &prompt.code()).await;
    }
    for _ in 0..60 {
        house.clock.advance_s(600);
        house.work().await;
    }
    provider.set_faults(Faults::default());
    house.goes_by(1_200).await;
    let mut record: BTreeMap<String, Vec<ProvisioningAction>> = BTreeMap::new();
    for call in provider.provisioned() {
        record.entry(call.number).or_default().push(call.action);
    }
    let mut ends = BTreeMap::new();
    for (order, number) in &orders {
        let (state, _) = house.state(order).await;
        let did = record.get(number).cloned().unwrap_or_default();
        let (fitting, charges) = match state.as_str() {
            "completed" => (did == [Activate], 1),
            // Refused: not begun, undone, or undone without having begun; a refused notice leaves it begun.
            "failed" => (did.iter().filter(|one| **one == Activate).count() <= 1, 0),
            _ => (false, 0),
        };
        assert!(fitting, "{state} {did:?}");
        assert_eq!(house.charges(number).await, charges);
        *ends.entry(state).or_insert(0) += 1;
    }
    assert!(ends["completed"] > 0 && ends["failed"] > 0, "{ends:?}");
    assert!(provider.counts().faulty > 40 && provider.counts().repeats > 0);
    house.rules_hold().await;
    server.abort();
}
