//! TMF681: the texts sent and their delivery, and texts that an operator has sent.

use http::StatusCode;
use serde_json::{Value, json};
use store::texts::TextState;

use crate::house::*;

const MESSAGES: &str = "/tmf-api/communicationManagement/v4/communicationMessage";

fn message(content: &str, receiver: Value) -> Value {
    json!({"content": content, "receiver": receiver, "sender": {"name": "the operator"}, "messageType": "SMS"})
}

async fn list(house: &House, query: &str) -> Vec<Value> {
    let (status, headers, items) = house.get(&format!("{MESSAGES}?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{items}");
    let items = items.as_array().unwrap().clone();
    assert_eq!(headers["x-result-count"].to_str().unwrap(), items.len().to_string());
    items
}

#[tokio::test]
async fn a_confirmations_code_is_masked_until_its_order_has_ended() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let shown = list(&house, "").await;
    let content = shown[0]["content"].as_str().unwrap();
    assert!(content.contains("****") && content.contains("彩铃包月"), "{content}");
    assert_eq!(shown[0]["receiver"], json!([{"phoneNumber": ANNA}]));
    assert_eq!(shown[0]["state"], "initial");
    let (_, _, one) = house.get(&format!("{MESSAGES}/{}", shown[0]["id"].as_str().unwrap())).await;
    assert_eq!(one, shown[0]);
    // Nobody takes back what an order waits for.
    let path = format!("{MESSAGES}/{}", one["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.0, StatusCode::CONFLICT);
    let text = house.phones().await.remove(0);
    let masked = content.replace("****", &text.code());
    assert_eq!(masked, text.body);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "completed");
    // What the centre has taken is wiped here; its delivery is still told.
    let (_, _, one) = house.get(&path).await;
    assert_eq!((&one["content"], &one["state"]), (&Value::Null, &json!("inProgress")));
    assert!(one["sendTimeComplete"].is_string());
}

#[tokio::test]
async fn an_operators_text_goes_out_by_the_outbox_and_its_delivery_is_told() {
    let house = House::new().await;
    let receivers = json!([{"phoneNumber": ANNA}, {"id": BEN}]);
    let (status, headers, sent) = house.post(MESSAGES, &message("Back at noon", receivers.clone())).await;
    assert_eq!((status, &sent["state"]), (StatusCode::CREATED, &json!("initial")), "{sent}");
    assert_eq!((&sent["receiver"], &sent["content"]), (&receivers, &json!("Back at noon")));
    let path = headers["location"].to_str().unwrap();
    let shown = house.phones_where(TextState::Accepted).await;
    let told: Vec<_> = shown.iter().map(|text| (text.to.as_str(), text.body.as_str())).collect();
    assert_eq!(told, [(ANNA, "Back at noon"), (BEN, "Back at noon")]);
    let (_, _, sent) = house.get(path).await;
    assert_eq!((&sent["state"], &sent["content"]), (&json!("inProgress"), &json!("Back at noon")));
    let receipts = house.platform.store.write(|tx| {
        for text in tx.texts().list_communications(0, 1)?.0 {
            for text in tx.texts().list_texts_of(text.id)? {
                tx.texts().receive_receipt("link", &text.id.to_string(), true)?;
            }
        }
        Ok::<_, store::StoreError>(())
    });
    receipts.await.unwrap();
    assert_eq!(house.get(path).await.2["state"], "completed");
    assert_eq!(list(&house, "state=completed").await.len(), 1);
    assert_eq!(list(&house, "receiver.phoneNumber=%2B8613800138001").await.len(), 1);
    assert_eq!(list(&house, "receiver.phoneNumber=%2B8613800138009").await.len(), 0);
    assert!(house.audit().await.contains(&("operator/all".to_owned(), "message_sent".to_owned())));
}

#[tokio::test]
async fn a_listener_is_told_of_a_message_that_was_taken() {
    let house = House::new().await;
    let hub = MESSAGES.replace("/communicationMessage", "/hub");
    let (status, headers, _) = house.post(&hub, &json!({"callback": "http://ear.test/crm"})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, _, sent) = house.post(MESSAGES, &message("Back at noon", json!([{}]))).await;
    house.work().await;
    let told = house.ear.told.lock().unwrap().clone();
    let [(address, event)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(address, "http://ear.test/crm/listener/CommunicationMessageCreateEvent");
    assert_eq!(event["event"]["communicationMessage"], sent);
    assert_eq!(house.delete(headers["location"].to_str().unwrap()).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_listener_is_told_each_state_of_a_message_once() {
    let house = House::new().await;
    let hub = MESSAGES.replace("/communicationMessage", "/hub");
    let query = "eventType=CommunicationMessageStateChangeEvent";
    house.post(&hub, &json!({"callback": "http://ear.test/crm", "query": query})).await;
    let two = json!([{"phoneNumber": ANNA}, {"phoneNumber": "+8613800138002"}]);
    let (_, headers, sent) = house.post(MESSAGES, &message("Back at noon", two)).await;
    assert_eq!(sent["state"], "initial");
    house.phones().await;
    for delivered in [true, false] {
        let write = house.platform.store.write(move |tx| {
            for text in tx.texts().list_communications(0, 1)?.0 {
                let texts = tx.texts().list_texts_of(text.id)?;
                let text = if delivered { &texts[0] } else { &texts[1] };
                tx.texts().receive_receipt("link", &text.id.to_string(), delivered)?;
                let payload = json!({"reference": text.reference, "state": "settled"});
                let now = "1970-01-01T00:00:00Z".parse().unwrap();
                tx.jobs().enqueue(store::jobs::JobKind::TextSettled, &payload, now)?;
            }
            Ok::<_, store::StoreError>(())
        });
        write.await.unwrap();
        house.work().await;
    }
    let told = house.ear.told.lock().unwrap().clone();
    let states: Vec<_> =
        told.iter().map(|(_, event)| event["event"]["communicationMessage"]["state"].clone()).collect();
    // Two texts accepted, one delivered, one not: the message changes its state twice.
    assert_eq!(states, ["inProgress", "failed"]);
    assert_eq!(house.get(headers["location"].to_str().unwrap()).await.2["state"], "failed");
}

#[tokio::test]
async fn a_message_to_nobody_is_taken_and_has_failed() {
    let house = House::new().await;
    let mut email = message("Hello", json!([{"phoneNumber": ANNA}]));
    email["messageType"] = json!("Email");
    for body in [message("Hello", json!([{}])), message("Hello", json!([{"phoneNumber": "0"}])), email] {
        let (status, headers, sent) = house.post(MESSAGES, &body).await;
        assert_eq!((status, &sent["state"]), (StatusCode::CREATED, &json!("failed")), "{sent}");
        let path = headers["location"].to_str().unwrap();
        assert_eq!(house.get(path).await.2, sent);
        assert_eq!(house.delete(path).await.0, StatusCode::NO_CONTENT);
        assert_eq!(house.get(path).await.0, StatusCode::NOT_FOUND);
    }
    assert!(house.phones().await.is_empty());
    // One receiver that is none fails the whole once the others have ended.
    let (_, headers, sent) =
        house.post(MESSAGES, &message("Hello", json!([{"phoneNumber": ANNA}, {}]))).await;
    assert_eq!(sent["state"], "inProgress");
    house.phones_where(TextState::Rejected).await;
    assert_eq!(house.get(headers["location"].to_str().unwrap()).await.2["state"], "failed");
}

#[tokio::test]
async fn a_message_deleted_before_it_was_sent_is_not_sent() {
    let house = House::new().await;
    let (_, headers, _) = house.post(MESSAGES, &message("Too early", json!([{"phoneNumber": ANNA}]))).await;
    let path = headers["location"].to_str().unwrap();
    let (status, _, changed) = house.patch(path, &json!({"description": "noon", "priority": "1"})).await;
    assert_eq!((status, &changed["description"]), (StatusCode::OK, &json!("noon")));
    assert_eq!(house.get(path).await.2, changed);
    for (change, status) in [
        (json!({"content": "other"}), 400),
        (json!({"receiver": []}), 400),
        (json!({"state": "completed"}), 400),
        (json!({"logFlag": "yes"}), 400),
    ] {
        assert_eq!(house.patch(path, &change).await.0.as_u16(), status, "{change}");
    }
    assert_eq!(house.delete(path).await.0, StatusCode::NO_CONTENT);
    assert!(house.phones().await.is_empty());
    assert_eq!(house.delete(path).await.0, StatusCode::NOT_FOUND);
    assert!(list(&house, "").await.is_empty());
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_a_reader_of_orders_reads_no_texts() {
    let house = House::new().await;
    let long = "x".repeat(1_001);
    for body in [
        json!({}),
        json!({"content": "x", "receiver": [], "sender": {}, "messageType": "SMS"}),
        json!({"content": 7, "receiver": [{}], "sender": {}, "messageType": "SMS"}),
        message(&long, json!([{}])),
        message("x", Value::Array(vec![json!({}); 101])),
    ] {
        let (status, _, error) = house.post(MESSAGES, &body).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalidBody")));
    }
    let request = http::Request::get(MESSAGES).header("authorization", format!("Bearer {READER}"));
    let (status, ..) = house.call(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn of_a_message_to_somebody_erased_nothing_is_left_but_that_it_was() {
    let house = House::new().await;
    let (_, headers, _) = house.post(MESSAGES, &message("Hello Anna", json!([{"phoneNumber": ANNA}]))).await;
    house.phones().await;
    let individual = format!("/tmf-api/party/v4/individual/{ANNA}");
    assert_eq!(house.delete(&individual).await.0, StatusCode::NO_CONTENT);
    let (status, _, left) = house.get(headers["location"].to_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&left["content"], &left["receiver"]), (&Value::Null, &json!([])));
}
