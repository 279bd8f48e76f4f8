//! `hutong import`, and what a server finds afterwards.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::house::House;

fn hutong(args: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hutong")).args(args).current_dir(directory).output().unwrap()
}

/// Runs an import that succeeds; answers what was counted, and what was said beside it.
fn import(args: &[&str], directory: &Path) -> (Value, String) {
    let output = hutong(&[&["import", "--json"], args].concat(), directory);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

fn check(directory: &Path) -> String {
    let output = hutong(&["check"], directory);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

const BOOKS: &str = concat!(
    "{\"number\": \"138 0013 8001\", \"numbers\": [\"139-0013-9002\", \"10086\", \"+86 137 0013 7003\"]}\n",
    "\n",
    "{\"number\": \"13900139002\", \"numbers\": [\"13800138001\", \"13800138001\"]}\n",
    "{\"number\": \"13900139003\"}\n",
    "not JSON\n",
    "{\"number\": \"+1 212 555 0123\", \"numbers\": []}\n",
);

#[test]
fn books_as_json_are_read_whatever_stands_between_and_the_same_again_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("books.jsonl"), BOOKS).unwrap();
    let (counted, said) = import(&["books.jsonl"], directory.path());
    let expected = json!({
        "owners": 2, "contacts": 3, "refused_owners": 1, "refused_contacts": 1, "registered": 2, "changed": 2,
        "without_consent": 0, "matched": 1, "parted": 0, "seconds": counted["seconds"],
    });
    assert_eq!(counted, expected);
    assert!(said.contains("books.jsonl, line 4: skipped") && said.contains("line 5: skipped"), "{said}");
    assert!(said.contains("2 malformed lines were skipped"), "{said}");
    for number in ["13800138001", "138 0013 8001", "13900139003"] {
        assert!(!said.contains(number), "a number is repeated: {said}");
    }
    let (again, _) = import(&["books.jsonl"], directory.path());
    assert_eq!(
        (&again["registered"], &again["changed"], &again["matched"]),
        (&json!(0), &json!(0), &json!(0))
    );
    check(directory.path());
}

#[test]
fn an_edge_list_in_gzip_brings_the_same_and_a_shorter_one_takes_away() {
    let directory = tempfile::tempdir().unwrap();
    let edges = "owner,contact\n13800138001,8613900139002\n13900139002,13800138001\n13800138001,10086\n13800138001,x\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(edges.as_bytes()).unwrap();
    std::fs::write(directory.path().join("edges.csv.gz"), packed.finish().unwrap()).unwrap();
    let (counted, said) = import(&["edges.csv.gz"], directory.path());
    assert_eq!((&counted["owners"], &counted["matched"]), (&json!(2), &json!(1)), "{counted}");
    assert_eq!(counted["refused_contacts"], 1);
    assert!(said.contains("edges.csv.gz, line 5: skipped"), "{said}");
    std::fs::write(directory.path().join("less"), "13800138001 13700137003\n").unwrap();
    let (counted, _) = import(&["less"], directory.path());
    assert_eq!((&counted["changed"], &counted["parted"]), (&json!(1), &json!(1)));
    check(directory.path());
}

#[test]
fn a_file_with_a_fault_that_counts_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("good.jsonl"), BOOKS).unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(BOOKS.repeat(100).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    std::fs::write(directory.path().join("cut.gz"), &packed[..packed.len() / 2]).unwrap();
    for (args, told) in [
        (&["good.jsonl", "cut.gz"][..], "cut.gz cannot be read further than line"),
        (&["good.jsonl", "absent"], "absent"),
        (&["--strict", "good.jsonl"], "good.jsonl, line 4"),
        (&["good.jsonl", "."], "."),
    ] {
        let output = hutong(&[&["import"], args].concat(), directory.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(told), "{told}: {said}");
        assert!(!directory.path().join("hutong-data").exists(), "{said}");
    }
    let output = hutong(&["import", "--consent", &"v".repeat(65), "good.jsonl"], directory.path());
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_beside_a_running_server_is_refused_and_one_before_it_is_found_by_it() {
    let mut house = House::start().await;
    let data = house.data();
    let directory = data.parent().unwrap();
    std::fs::write(directory.join("books.jsonl"), BOOKS).unwrap();
    let args = ["--data", data.to_str().unwrap(), "books.jsonl"];
    let output = hutong(&[&["import"][..], &args].concat(), directory);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("in use by another hutong"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    house.terminate();
    import(&args, directory);
    house.restart().await;
    let zhang = house.person("+8613800138001").await;
    let matches = zhang.client.matches(None).await.unwrap();
    assert_eq!(matches.items.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), ["+8613900139002"]);
    house.end().await;
}

#[test]
fn an_import_killed_anywhere_is_finished_by_the_same_import() {
    use std::fmt::Write as _;
    let directory = tempfile::tempdir().unwrap();
    let mut edges = String::new();
    // Everybody lists the 20 before and the 20 behind them, in a circle.
    let people = 2_000_u64;
    for owner in 0..people {
        for step in (1..=20).flat_map(|step| [step, people - step]) {
            writeln!(edges, "{} {}", 13_800_000_000 + owner, 13_800_000_000 + (owner + step) % people)
                .unwrap();
        }
    }
    std::fs::write(directory.path().join("edges"), edges).unwrap();
    let mut killed = 0;
    for after_ms in [150, 300, 450, 600, 900] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hutong"))
            .args(["import", "edges"])
            .current_dir(directory.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(after_ms));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
    }
    assert!(killed > 0, "every import was through before it was killed");
    let (counted, _) = import(&["edges"], directory.path());
    assert_eq!((&counted["owners"], &counted["contacts"]), (&json!(people), &json!(people * 40)));
    let said = check(directory.path());
    assert!(said.contains("ok"), "{said}");
    let (again, _) = import(&["edges"], directory.path());
    assert_eq!((&again["changed"], &again["matched"]), (&json!(0), &json!(0)));
}
