//! `hutong number-simulator`, and the servers that ask it over HTTP.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;

use domain::Msisdn;
use domain::order::{Progress, Reason};
use serde_json::{Value, json};
use tmf::camara::{Camara, NumberChecks, Unanswered};
use tmf::{HttpSettings, OverHttp};

use crate::binary::command;
use crate::house::{House, http};

/// A simulated network; it ends with its test.
struct Network(Child, String);

impl Network {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&["number-simulator", "--listen", "127.0.0.1:0"], directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("numbers ").unwrap().trim().to_owned();
        Self(child, address)
    }

    async fn put(&self, path: &str, body: Value) {
        let put = http().put(format!("{}/{path}", self.1)).header("content-type", "application/json");
        assert_eq!(put.body(body.to_string()).send().await.unwrap().status().as_u16(), 204);
    }

    async fn fault(&self, fault: &str) {
        self.put("fault", json!({ "fault": fault })).await;
    }

    fn client(&self) -> Camara {
        let base = Some(self.1.clone());
        let settings = HttpSettings { base, answer_s_max: 1, ..HttpSettings::default() };
        Camara::new(Arc::new(OverHttp::new(&settings).unwrap()))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ANNA: &str = "+8613800138001";
/// Whenever this runs, no hour back reaches beyond it.
const JUST_NOW: &str = "2999-01-01T00:00:00Z";

#[tokio::test]
async fn the_simulated_network_says_what_it_was_told_and_has_faults() {
    let network = Network::start();
    let (client, anna) = (network.client(), Msisdn::parse_e164(ANNA).unwrap());
    let day = |text: &str| text.parse().unwrap();
    assert_eq!(client.has_new_owner(anna, day("2020-01-01")).await, Ok(false));
    assert_eq!(client.has_new_sim(anna, 2_400).await, Ok(false));
    let known = json!({ "recycled_on": "2024-09-21", "swapped_at": JUST_NOW });
    network.put(&format!("numbers/{ANNA}"), known).await;
    assert_eq!(client.has_new_owner(anna, day("2024-09-20")).await, Ok(true));
    // After a day, not on it: the day of one's own contract is no change.
    assert_eq!(client.has_new_owner(anna, day("2024-09-21")).await, Ok(false));
    assert_eq!(client.has_new_owner(anna, day("2999-01-01")).await, Err(Unanswered::Neither(400)));
    assert_eq!(client.has_new_sim(anna, 1).await, Ok(true));
    for (fault, error) in [
        ("error", Unanswered::Neither(500)),
        ("proxy_page", Unanswered::Neither(200)),
        ("silence", Unanswered::Away),
    ] {
        network.fault(fault).await;
        assert_eq!(client.has_new_sim(anna, 1).await, Err(error), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_ask_the_configured_network_before_what_costs_is_ordered() {
    let network = Network::start();
    let settings =
        ["--numbers-url", &network.1, "--numbers-timeout-s", "1", "--numbers-sim-swap-hours", "48"];
    let house = House::start_with(&settings).await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    let known = json!({ "swapped_at": JUST_NOW });
    network.put(&format!("numbers/{}", zhang.number), known).await;
    let order = zhang.tap("data10", "one").await;
    zhang.ends(&order, Progress::Rejected, Reason::SimSwapped).await;
    assert_eq!(house.active_products(zhang.number, "data10").await, 0);

    network.fault("silence").await;
    network.put(&format!("numbers/{}", zhang.number), json!({ "swapped_at": "2020-01-01T00:00:00Z" })).await;
    let order = zhang.tap("data10", "two").await;
    crate::house::eventually("a question without an answer", async || {
        (house.metric("sim_checks_total{outcome=\"unknown\"}").await > 0.0).then_some(())
    })
    .await;
    assert_eq!(zhang.client.order(order.id, 0).await.unwrap().state, Progress::Queued);
    network.fault("none").await;
    zhang.wait(&order, Progress::Completed).await;
    house.end().await;
}
