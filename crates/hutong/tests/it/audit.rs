//! `hutong audit`, beside a running server and without one.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::house::House;

/// Runs `hutong audit …` on a data directory; answers its exit code and what it printed.
fn audit(args: &[&str], data: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hutong"))
        .arg("audit")
        .args(args)
        .arg("--data")
        .arg(data)
        .current_dir(data.parent().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

fn actions(lines: &str) -> Vec<String> {
    let read =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["action"].as_str().unwrap().to_owned();
    lines.lines().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_of_a_story_stands_in_a_log_that_verifies_and_forgets_who_was_erased() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    let (order, from, code) = zhang.prompted("crbt", "k1").await;
    zhang.reply(&from, &code).await;
    zhang.wait(&order, domain::order::Progress::Completed).await;
    let data = house.data();

    let (exit, lines) = audit(&["list", "--number", zhang.number], &data);
    assert_eq!(exit, 0, "{lines}");
    let said = actions(&lines);
    for action in [
        "signed_in",
        "consent_given",
        "order_accepted",
        "order_asked",
        "order_confirmed",
        "product_activated",
    ] {
        assert!(said.iter().any(|one| one == action), "{action}: {said:?}");
    }
    for personal in [zhang.number.trim_start_matches("+86"), &code, &zhang.token()] {
        assert!(!lines.contains(personal), "something personal in the log");
    }
    let (exit, of_order) = audit(&["list", "--order", &order.id.to_string()], &data);
    assert_eq!(exit, 0);
    let decided =
        ["order_accepted", "order_asked", "order_confirmed", "product_activated", "order_completed"];
    assert_eq!(actions(&of_order), decided);

    let (exit, newest) = audit(&["list", "--newest", "5"], &data);
    assert_eq!((exit, newest.lines().count()), (0, 5), "{newest}");
    let whole = audit(&["list"], &data).1;
    assert!(whole.ends_with(&newest) && whole.lines().count() > 5);
    assert_eq!(actions(&newest).last().map(String::as_str), Some("order_completed"));
    assert_eq!(audit(&["list", "--newest", "0"], &data).0, 2);
    assert_eq!(audit(&["list", "--newest", "5", "--order", "x"], &data).0, 2);

    zhang.client.forget_me().await.unwrap();
    let (exit, lines) = audit(&["list", "--number", zhang.number], &data);
    assert_eq!((exit, lines.as_str()), (0, ""));
    assert_eq!(audit(&["list", "--order", &order.id.to_string()], &data), (0, String::new()));
    let (exit, said) = audit(&["verify"], &data);
    assert_eq!(exit, 0, "{said}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_put_back_to_an_earlier_state_is_found_by_its_own_heads_and_by_those_kept_elsewhere() {
    let mut house = House::start().await;
    let data = house.data();
    house.terminate();
    let (earlier, later) = (data.with_file_name("earlier"), data.with_file_name("later"));
    copy(&data, &earlier);
    house.restart().await;
    house.person("+8613800138001").await;
    house.terminate();
    let (exit, heads) = audit(&["head"], &data);
    assert_eq!(exit, 0, "{heads}");
    std::fs::write(data.with_file_name("heads.txt"), &heads).unwrap();
    let kept = ["verify", "--head", "heads.txt"];
    assert_eq!(audit(&kept, &data).0, 0);

    copy(&data, &later);
    std::fs::remove_dir_all(&data).unwrap();
    copy(&earlier, &data);
    let (exit, said) = audit(&["verify"], &data);
    assert!(exit == 1 && said.contains("cut off"), "{said}");
    // Whoever cuts the log may take its heads away as well, but not those that are elsewhere.
    let own = data.with_extension("audit");
    let before = std::fs::read_to_string(&own).unwrap();
    std::fs::remove_file(&own).unwrap();
    assert_eq!(audit(&["verify"], &data).0, 1);
    let (exit, said) = audit(&kept, &data);
    assert!(exit == 1 && said.contains("cut off"), "{said}");
    // A start on the shortened log does not cover it up.
    std::fs::write(&own, before).unwrap();
    house.restart().await;
    house.terminate();
    assert_eq!(audit(&["verify"], &data).0, 1);

    std::fs::remove_dir_all(&data).unwrap();
    copy(&later, &data);
    assert_eq!(audit(&kept, &data).0, 0);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}
