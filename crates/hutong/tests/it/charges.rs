//! `hutong charges` and `hutong charging-simulator`, as they are typed: beside a running server and without one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::binary::{command, run_in};
use crate::house::{House, OPERATOR_TOKEN, elsewhere, eventually, http};

/// A simulated charging system; it ends with its test.
struct Charging(Child, String);

impl Charging {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&["charging-simulator", "--listen", "127.0.0.1:0"], directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("charging ").unwrap().trim().to_owned();
        Self(child, address)
    }

    async fn put(&self, path: &str, body: Value) {
        let put = http().put(format!("{}/{path}", self.1)).header("content-type", "application/json");
        let answer = put.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204);
    }

    /// Its own record, and the events in it.
    async fn record(&self) -> (String, Vec<Value>) {
        let text = http().get(format!("{}/record", self.1)).send().await.unwrap().text().await.unwrap();
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (text, events)
    }
}

impl Drop for Charging {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A house that charges, and a place for records.
struct Desk {
    house: House,
    charging: Charging,
    records: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Self {
        let charging = Charging::start();
        let house = House::start_with(&["--charging-port", "webhook", "--charging-url", &charging.1]).await;
        Self { house, charging, records: tempfile::tempdir().unwrap() }
    }

    /// Runs `hutong charges`: its exit code, what it prints, and what it says about a failure.
    fn charges(&self, words: &[&str]) -> (i32, Value, String) {
        let listen = self.house.api.trim_start_matches("http://");
        let data = self.house.data();
        let settings = ["--listen", listen, "--data", data.to_str().unwrap()];
        let settings = [&settings[..], &["--platform-operator-tokens", OPERATOR_TOKEN]].concat();
        let ended = run_in(&[&["charges"], words, &settings].concat(), b"", self.records.path());
        (ended.code.unwrap(), serde_json::from_str(&ended.stdout).unwrap_or_default(), ended.stderr)
    }

    fn kept(&self, name: &str, text: &str) -> PathBuf {
        let file = self.records.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn reconcile(&self, record: &Path, more: &[&str]) -> (i32, Value, String) {
        self.charges(&[&["reconcile", "--record", record.to_str().unwrap()], more].concat())
    }

    /// Somebody gets a service of the operator's own, which is charged at once.
    async fn order(&self, number: &str) {
        let order = elsewhere(number, "add", "data10", None);
        let answer = self.house.post("/tmf-api/productOrderingManagement/v4/productOrder", order).await;
        let order: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(order["state"], "completed", "{order}");
    }

    /// Waits until so many events wait, so many of them refused.
    async fn waits(&self, waiting: i64, refused: i64) -> Value {
        eventually("the charge events to be handed over, or refused", async || {
            let (code, said, _) = self.charges(&["waiting"]);
            let there = code == 0 && said["waiting"] == waiting && said["refused"] == refused;
            there.then_some(said)
        })
        .await
    }
}

const ANNA: &str = "+8613800138001";
const BEN: &str = "+8613800138002";

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_reconciled_whole_or_by_days_beside_the_server_and_without_it() {
    let mut desk = Desk::open().await;
    desk.order(ANNA).await;
    desk.order(BEN).await;
    desk.waits(0, 0).await;
    let (text, _) = desk.charging.record().await;
    let (whole, doubled) = (desk.kept("whole", &text), desk.kept("doubled", &text.repeat(2)));
    let (unreadable, empty) = (desk.kept("unreadable", "no event\n"), desk.kept("empty", ""));
    for server in [true, false] {
        if !server {
            assert!(desk.house.terminate());
        }
        let (code, report, _) = desk.reconcile(&whole, &[]);
        assert_eq!((code, &report["events"], &report["lines"]), (0, &json!(2), &json!(2)));
        let (code, report, said) = desk.reconcile(&doubled, &[]);
        assert_eq!((code, &report["differences_total"]), (1, &json!(2)));
        assert!(report.to_string().contains("doubled") && said.contains("differs in 2 places"), "{said}");
        assert_eq!(desk.reconcile(&unreadable, &[]).1["differences_total"], 3);
        assert_eq!(desk.reconcile(&empty, &[]).0, 1, "two are missing");
        // Days that nothing happened on, and days that hold it all.
        let (code, report, _) = desk.reconcile(&empty, &["--from", "2001-01-01", "--until", "2001-01-01"]);
        assert_eq!((code, &report["events"]), (0, &json!(0)));
        let (code, report, _) = desk.reconcile(&whole, &["--until", "2001-01-01"]);
        assert_eq!((code, &report["events"], &report["lines"]), (0, &json!(0), &json!(0)));
        let (code, report, _) = desk.reconcile(&whole, &["--from", "2001-01-01"]);
        assert_eq!((code, &report["events"]), (0, &json!(2)));
        let (code, _, said) = desk.reconcile(&whole, &["--from", "2001-01-02", "--until", "2001-01-01"]);
        assert!(code == 1 && said.contains("until not before from"), "{said}");
        assert!(!report.to_string().contains("1380013800"), "a number in a report");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_charge_is_a_dead_letter_until_it_is_retried_and_a_charge_is_given_back_once() {
    let desk = Desk::open().await;
    desk.charging.put("faults", json!({ "refused": 1000 })).await;
    desk.order(ANNA).await;
    let waiting = desk.waits(1, 1).await;
    let id = waiting["refused_events"][0]["id"].as_str().unwrap().to_owned();
    let letters = http().get(format!("{}/operator/v1/dead-letters", desk.house.api));
    let letters = letters.bearer_auth(OPERATOR_TOKEN).send().await.unwrap().text().await.unwrap();
    let letters: Value = serde_json::from_str(&letters).unwrap();
    let charge = &letters["charges"][0];
    assert_eq!(
        (&charge["id"], &charge["kind"], &charge["offering"]),
        (&json!(id), &json!("activation"), &json!("data10"))
    );
    assert!(!letters.to_string().contains("13800138001"), "a number in an answer");
    // Nothing is given up as long as nobody says so, and a retry brings it in once.
    desk.charging.put("faults", json!({})).await;
    assert_eq!(desk.charging.record().await.1, Vec::<Value>::new());
    assert_eq!(desk.charges(&["retry", &id]).0, 0);
    desk.waits(0, 0).await;
    let (code, _, said) = desk.charges(&["retry", &id]);
    assert!(code == 1 && said.contains("Only a refused event is tried again"), "{said}");
    for _ in 0..2 {
        assert_eq!(desk.charges(&["reverse", &id]).0, 0);
    }
    eventually("the reversal", async || {
        let (_, record) = desk.charging.record().await;
        let kinds: Vec<&Value> = record.iter().map(|event| &event["kind"]).collect();
        (kinds == ["activation", "reversal"]).then_some(())
    })
    .await;
    let (text, record) = desk.charging.record().await;
    assert_eq!(record[1]["reverses"], id.as_str());
    let reversal = record[1]["id"].as_str().unwrap();
    assert_eq!(desk.charges(&["reverse", reversal]).0, 1, "a reversal is not given back");
    desk.waits(0, 0).await;
    assert_eq!(desk.reconcile(&desk.kept("record", &text), &[]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_the_exit_code_for_it() {
    let desk = Desk::open().await;
    let nothing = "00000000-0000-7000-8000-000000000000";
    for verb in ["retry", "reverse"] {
        let (code, _, said) = desk.charges(&[verb, nothing]);
        assert!(code == 1 && said.contains("no such charge event"), "{said}");
        assert_eq!(desk.charges(&[verb, "no-id"]).0, 2);
        assert_eq!(desk.charges(&[verb]).0, 2);
    }
    let (code, _, said) = desk.reconcile(Path::new("nowhere"), &[]);
    assert!(code == 1 && said.starts_with("Error: nowhere cannot be read"), "{said}");
    for day in ["yesterday", "2026-02-30", ""] {
        assert_eq!(desk.reconcile(Path::new("nowhere"), &["--from", day]).0, 2, "{day}");
    }
    assert_eq!(desk.charges(&["reconcile"]).0, 2);
    // A token that is none, and a store that is none.
    let listen = desk.house.api.trim_start_matches("http://");
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger =
        ["charges", "waiting", "--listen", listen, "--platform-operator-tokens", "not-the-right-one-at-all"];
    let refused = run_in(&stranger, b"", elsewhere.path());
    assert!(refused.code == Some(1) && refused.stderr.contains("401"), "{}", refused.stderr);
    let nowhere =
        run_in(&["charges", "waiting", "--listen", "127.0.0.1:9", "--data", "none"], b"", elsewhere.path());
    assert_eq!(nowhere.code, Some(1), "{}", nowhere.stderr);
    assert!(!elsewhere.path().join("none").exists(), "looking makes nothing");
}

#[test]
fn the_simulated_charging_system_says_why_it_cannot_listen() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let ended = run_in(&["charging-simulator", "--listen", &address], b"", directory.path());
    assert!(
        ended.code == Some(1) && ended.stderr.contains("Hint: ") && ended.stderr.contains("--listen"),
        "{}",
        ended.stderr
    );
    let ended = run_in(&["charging-simulator", "--listen", "nowhere"], b"", directory.path());
    assert_eq!(ended.code, Some(2));
}
