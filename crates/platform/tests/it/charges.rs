//! What is charged, who is checked before, and how it reaches the charging system.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::charging::ChargeKind::{Activation, Renewal, Reversal};
use domain::order::Reason;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use platform::charging::simulator::{Account, Faults, Simulator, listen};
use platform::charging::{ChargeMessage, Webhook, reconcile, record};
use serde_json::json;
use tmf::{HttpSettings, OverHttp, Transport, TransportError};

use crate::house::*;

const NOTHING: Faults = Faults {
    lost_answer: 0,
    lost_request: 0,
    silence: 0,
    error: 1000,
    error_after: 0,
    duplicate: 0,
    garbage: 0,
    proxy_page: 0,
    slow: 0,
    refused: 0,
};

#[tokio::test]
async fn what_is_charged_is_handed_over_with_the_payers_number_and_its_own_key() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    house.order("e2", ANNA, "daily").await;
    house.work().await;
    let record = charging.record();
    let told: Vec<_> = record
        .iter()
        .map(|e| (e.number.as_str(), e.payer_no, e.offering.as_str(), e.amount.amount()))
        .collect();
    assert_eq!(told, [(ANNA, 1, "news", "3.00".to_owned()), (ANNA, 2, "daily", "0.50".to_owned())]);
    assert_eq!(charging.counts().checks, 2);
    assert_eq!(platform::charging::waiting(&house.platform.store).await.unwrap(), (0, 0));
}

#[tokio::test]
async fn a_payer_the_charging_system_refuses_is_refused_before_anything_is_claimed() {
    let (house, charging) = House::with_charging().await;
    charging.set_account(ANNA, Account { balance: Some(299), barred: false });
    let refused = house.order("e1", ANNA, "news").await;
    assert_eq!(state_of(&refused), ("rejected".to_owned(), Some(Reason::PayerCheckFailed)));
    charging.set_account(ANNA, Account { balance: Some(300), barred: false });
    assert_eq!(house.order("e2", ANNA, "news").await["state"], "completed");
    house.work().await;
    let refused = house.order("e3", ANNA, "daily").await;
    assert_eq!(state_of(&refused).1, Some(Reason::PayerCheckFailed), "the balance was used up");
    charging.set_account(BEN, Account { balance: None, barred: true });
    assert_eq!(state_of(&house.order("e4", BEN, "news").await).1, Some(Reason::PayerCheckFailed));
}

#[tokio::test]
async fn while_a_payer_cannot_be_checked_nothing_is_decided_and_the_same_order_can_come_again() {
    let (house, charging) = House::with_charging().await;
    charging.set_faults(NOTHING);
    let (status, _, _) = house.post(ORDERS, &add("e1", ANNA, "news")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let (_, _, orders) = house.get(ORDERS).await;
    assert_eq!((orders, house.charges(ANNA).await), (json!([]), 0));
    // What costs nothing new needs no word of the charging system.
    assert_eq!(house.order("e2", ANNA, "nothing").await["state"], "rejected");
    charging.set_faults(Faults::default());
    assert_eq!(house.order("e1", ANNA, "news").await["state"], "completed");
}

#[tokio::test]
async fn a_right_answer_waits_for_the_payers_check_and_charges_nobody_who_cannot_pay() {
    let (house, charging) = House::with_charging().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let prompt = house.phones().await.remove(0);
    charging.set_faults(NOTHING);
    house.reply(ANNA, &prompt.suffix, &prompt.code()).await;
    assert_eq!(house.state(&order).await.0, "pending", "not decided unchecked");
    charging.set_faults(Faults::default());
    house.clock.advance_s(10);
    house.work().await;
    assert_eq!(house.state(&order).await.0, "completed");
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0)]);

    let order = house.order("e2", BEN, "crbt").await;
    let prompt = house.phones().await.into_iter().find(|text| text.to == BEN).unwrap();
    charging.set_account(BEN, Account { balance: Some(0), barred: false });
    house.reply(BEN, &prompt.suffix, &prompt.code()).await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::PayerCheckFailed)));
    assert_eq!(house.charges(BEN).await, 0);
}

#[tokio::test]
async fn a_reply_whose_payer_cannot_be_checked_for_long_orders_nothing_and_says_so() {
    let (house, charging) = House::with_charging().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let prompt = house.phones().await.remove(0);
    charging.set_faults(NOTHING);
    house.reply(ANNA, &prompt.suffix, &prompt.code()).await;
    house.clock.advance_s(domain::limits::PAYER_ASK_S_MAX + 1);
    house.work().await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::PayerCheckFailed)));
    assert_eq!(house.charges(ANNA).await, 0);
    assert!(house.phones().await[0].body.contains("未扣费"));
}

#[tokio::test]
async fn the_cap_counts_what_was_charged_this_month_and_what_open_confirmations_would() {
    let house = House::new().await;
    house.seed(&periods()).await;
    house
        .seed(&json!({"payers": [{"number": ANNA, "monthly_cap": {"amount": "10.00", "currency": "CNY"}}]}))
        .await;
    let open = house.order("e1", ANNA, "game").await;
    let prompt = house.phones().await.remove(0);
    let reason = async |id, offering| state_of(&house.order(id, ANNA, offering).await).1;
    assert_eq!(reason("e2", "news").await, Some(Reason::PayerCheckFailed), "8 open and 3 are too much");
    assert_eq!(reason("e3", "daily").await, None);
    house.reply(ANNA, &prompt.suffix, &prompt.code()).await;
    assert_eq!(house.state(&open).await.0, "completed", "its own confirmation is not counted twice");
    assert_eq!(reason("e4", "news").await, Some(Reason::PayerCheckFailed));
    // The next calendar month has its own sum: the daily's renewals, and nothing of this month.
    house.clock.advance_s(31 * 86_400);
    assert_eq!(reason("e5", "news").await, None);
}

#[tokio::test]
async fn qx_undoes_the_last_own_service_once_within_a_day_and_gives_the_charge_back() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    house.clock.advance_s(60);
    house.order("e2", ANNA, "daily").await;
    assert!(house.phones().await.iter().all(|text| text.body.contains("QX")));
    house.reply(ANNA, "", "qx").await;
    house.reply(ANNA, "", "QX。").await;
    let live = [("news".to_owned(), "active".to_owned()), ("daily".to_owned(), "terminated".to_owned())];
    assert_eq!(house.products(ANNA).await, live, "only the last, however often");
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Activation, 0), (Reversal, 0)]);
    let record = charging.record();
    assert_eq!(record[2].reverses, Some(record[1].id));
    assert!(house.phones().await.iter().any(|text| text.body.contains("费用退回")));
    // It can be had again, and is charged again: another subscription.
    assert_eq!(house.order("e3", ANNA, "daily").await["state"], "completed");
    house.clock.advance_s(86_400 + 1);
    house.reply(ANNA, "", "QX").await;
    assert_eq!(house.products(ANNA).await.iter().filter(|(_, state)| state == "active").count(), 2);
}

#[tokio::test]
async fn a_charge_is_given_back_once_however_often_an_operator_asks() {
    let (house, charging) = House::with_charging().await;
    house.order("e1", ANNA, "news").await;
    house.work().await;
    let id = charging.record()[0].id;
    let path = format!("/operator/v1/charges/{id}/reversal");
    for _ in 0..3 {
        assert_eq!(house.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    }
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Reversal, 0)]);
    let reversal = charging.record()[1].id;
    let path = format!("/operator/v1/charges/{reversal}/reversal");
    assert_eq!(house.post(&path, &json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _, _) = house.post("/operator/v1/charges/nothing/reversal", &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// Passes on what a simulator does, but for one payer, whose events it will not have or cannot take.
struct Picky {
    simulator: Simulator,
    payer: &'static str,
    status: Mutex<Option<u16>>,
}

impl Transport for Picky {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let event = serde_json::from_slice::<ChargeMessage>(request.body());
        let status = *self.status.lock().unwrap();
        match (event, status) {
            (Ok(event), Some(status)) if event.number == self.payer => {
                let answer = Response::builder().status(status).body(Bytes::new()).unwrap();
                Box::pin(async move { Ok(answer) })
            }
            _ => self.simulator.call(request),
        }
    }
}

async fn picky() -> (House, Simulator, Arc<Picky>) {
    let simulator = charging_system();
    let picky = Arc::new(Picky { simulator: simulator.clone(), payer: ANNA, status: Mutex::new(Some(422)) });
    let transport = picky.clone();
    let house =
        House::with(move |config| config.charging = Some(Arc::new(Webhook::new(transport.clone())))).await;
    house.seed(&periods()).await;
    (house, simulator, picky)
}

#[tokio::test]
async fn a_refused_event_holds_its_payer_and_nobody_else_until_the_operator_retries_it() {
    let (house, charging, picky) = picky().await;
    for (id, number, offering) in
        [("e1", ANNA, "news"), ("e2", ANNA, "daily"), ("e3", BEN, "news"), ("e4", BEN, "daily")]
    {
        house.order(id, number, offering).await;
    }
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), []);
    assert_eq!(House::charged(&charging, BEN).len(), 2);
    let (_, _, waiting) = house.get("/operator/v1/charges/waiting").await;
    assert_eq!((&waiting["waiting"], &waiting["refused"]), (&json!(2), &json!(1)));
    assert!(!waiting.to_string().contains("138001380"), "no number in it");
    *picky.status.lock().unwrap() = None;
    house.clock.advance_s(3_600);
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [], "only the operator's word goes on");
    let id = waiting["refused_events"][0]["id"].as_str().unwrap();
    let path = format!("/operator/v1/charges/{id}/retry");
    assert_eq!(house.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    house.work().await;
    let record = charging.record();
    let annas: Vec<_> = record.iter().filter(|e| e.number == ANNA).map(|e| e.offering.as_str()).collect();
    assert_eq!(annas, ["news", "daily"]);
    assert_eq!(house.post(&path, &json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_outage_of_days_loses_no_event_and_holds_no_other_payer() {
    let (house, charging, picky) = picky().await;
    *picky.status.lock().unwrap() = Some(401);
    house.order("e1", ANNA, "news").await;
    for _ in 0..300 {
        house.clock.advance_s(600);
        house.work().await;
    }
    house.order("e2", BEN, "news").await;
    house.work().await;
    assert_eq!((House::charged(&charging, ANNA).len(), House::charged(&charging, BEN).len()), (0, 1));
    *picky.status.lock().unwrap() = None;
    house.clock.advance_s(600);
    house.work().await;
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0)]);
}

#[tokio::test]
async fn what_was_charged_before_there_was_a_port_is_handed_over_once_there_is_one() {
    let house = House::new().await;
    house.seed(&periods()).await;
    house.order("e1", ANNA, "daily").await;
    house.days(1).await;
    assert_eq!(house.charges(ANNA).await, 2);
    let charging = charging_system();
    let mut config = (*house.platform.config).clone();
    config.charging = Some(Arc::new(Webhook::new(Arc::new(charging.clone()))));
    let platform = platform::Platform { config: Arc::new(config), ..house.platform.clone() };
    for _ in 0..2 {
        platform::charging::begin(&platform).await.unwrap();
        let (store, world) = (platform.store.clone(), platform.world.clone());
        store::jobs::Worker::new(store, world, platform::jobs(platform.clone())).drain().await.unwrap();
    }
    assert_eq!(House::charged(&charging, ANNA), [(Activation, 0), (Renewal, 1)]);
    assert_eq!(charging.counts().deliveries, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_real_socket_every_fault_is_survived_and_the_record_is_ours() {
    let charging = charging_system();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(listen(charging.clone(), listener));
    let settings = HttpSettings { base: Some(base.clone()), answer_s_max: 1, ..HttpSettings::default() };
    let transport = Arc::new(OverHttp::new(&settings).unwrap());
    let house =
        House::with(move |config| config.charging = Some(Arc::new(Webhook::new(transport.clone())))).await;
    for number in 0..12 {
        house.order(&format!("e{number}"), &format!("+86138001390{number:02}"), "news").await;
    }
    // No silence here: each would cost its whole wait.
    charging.set_faults(Faults { silence: 0, slow: 0, ..Faults::mixed(700) });
    for _ in 0..40 {
        house.work().await;
        house.clock.advance_s(300);
    }
    let client = OverHttp::new(&settings).unwrap();
    let answer = client.call(Request::get("/record").body(Bytes::new()).unwrap()).await.unwrap();
    let report = reconcile(&house.platform.store, record(answer.body()), None).await.unwrap();
    assert_eq!((report.events, report.lines, report.waiting, report.differences_total), (12, 12, 0, 0));
    assert!(charging.counts().faulty > 0);
    server.abort();
}
