//! Ordering: one tap, one order, whatever is lost on the way.

use std::collections::BTreeMap;
use std::sync::Mutex;

use api::orders::Order;
use api::{Code, Page};
use domain::ids::OrderId;
use domain::order::Progress;
use terminal::ClientError;
use terminal::access;
use terminal::memory::Memory;
use terminal::server::{Answer, OrderServer};

use crate::syncing::{Notebook, refusal};

/// Keeps orders by key; fails each placing with the next error of the script, after or before keeping it.
#[derive(Default)]
struct Server {
    placed: Mutex<BTreeMap<String, Order>>,
    faults: Mutex<Vec<(bool, ClientError)>>,
    reads: Mutex<u32>,
}

fn order(n: usize, state: Progress) -> Order {
    serde_json::from_value(serde_json::json!({
        "id": format!("01890000-0000-7000-8000-{n:012}"), "state": state, "offering": "crbt", "name": "Ring tones",
        "action": "add", "created_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

impl OrderServer for Server {
    async fn place_order(&self, _: &str, key: &str) -> Answer<Order> {
        let fault = self.faults.lock().unwrap().pop();
        let (kept, error) = fault.map_or((true, None), |(kept, error)| (kept, Some(error)));
        let mut placed = self.placed.lock().unwrap();
        let n = placed.len();
        let order = if kept {
            placed.entry(key.to_owned()).or_insert_with(|| order(n, Progress::Queued)).clone()
        } else {
            order(n, Progress::Queued)
        };
        error.map_or(Ok(order), Err)
    }

    async fn order(&self, _: OrderId, _: u32) -> Answer<Order> {
        let mut reads = self.reads.lock().unwrap();
        *reads += 1;
        Ok(order(0, if *reads > 2 { Progress::Completed } else { Progress::Forwarded }))
    }

    async fn orders(&self, cursor: Option<&str>) -> Answer<Page<Order>> {
        // A broken server that never comes to an end.
        let _ = cursor;
        Ok(Page { items: vec![order(0, Progress::Queued)], next: Some("again".to_owned()) })
    }

    async fn cancel_order(&self, _: OrderId) -> Answer<Order> {
        Err(refusal(Code::OrderNotCancellable))
    }
}

#[tokio::test]
async fn a_tap_after_a_lost_answer_is_the_same_order() {
    let (server, memory) = (Server::default(), Notebook::default());
    server.faults.lock().unwrap().push((true, ClientError::Interrupted("cut".into())));
    access::tap(&server, &memory, "share", "first").await.unwrap_err();
    access::tap(&server, &memory, "share", "second").await.unwrap();
    assert_eq!(server.placed.lock().unwrap().keys().collect::<Vec<_>>(), ["first"]);
    assert!(memory.load().unwrap().taps.is_empty());
}

#[tokio::test]
async fn a_tap_after_an_answer_is_a_new_order() {
    let (server, memory) = (Server::default(), Notebook::default());
    access::tap(&server, &memory, "share", "first").await.unwrap();
    server.faults.lock().unwrap().push((false, refusal(Code::NotFound)));
    access::tap(&server, &memory, "share", "second").await.unwrap_err();
    access::tap(&server, &memory, "share", "third").await.unwrap();
    assert_eq!(server.placed.lock().unwrap().keys().collect::<Vec<_>>(), ["first", "third"]);
}

#[tokio::test]
async fn a_failure_of_the_server_leaves_the_tap_open() {
    for code in [Code::Internal, Code::StoreUnavailable, Code::IdempotencyRunning] {
        let (server, memory) = (Server::default(), Notebook::default());
        server.faults.lock().unwrap().push((false, refusal(code)));
        access::tap(&server, &memory, "share", "first").await.unwrap_err();
        assert_eq!(memory.load().unwrap().taps["share"], "first", "{code:?}");
    }
}

#[tokio::test]
async fn an_order_is_followed_to_its_end_or_for_so_many_rounds() {
    let server = Server::default();
    let id = order(0, Progress::Queued).id;
    assert_eq!(access::follow(&server, id, 1, 5).await.unwrap().state, Progress::Forwarded);
    assert_eq!(access::follow(&server, id, 9, 5).await.unwrap().state, Progress::Completed);
    assert_eq!(*server.reads.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    assert_eq!(access::orders(&Server::default()).await.unwrap().len(), 2);
}
