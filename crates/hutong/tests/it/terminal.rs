//! The terminal's commands as a newcomer types them, against the real servers.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::house::{House, digits, eventually};

struct Terminal<'a> {
    house: &'a House,
    state: std::path::PathBuf,
}

impl Terminal<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
        command
            .args(["terminal", "--server", &self.house.api, "--json", "--state"])
            .arg(&self.state)
            .args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command that must succeed, and reads its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn login(&self, number: &str, e164: &str) {
        let before = self.house.centre.texts(e164).await.len();
        let mut child = self.command(&["login", number]).stdin(Stdio::piped()).spawn().unwrap();
        let text =
            eventually("the code", async || self.house.centre.texts(e164).await.into_iter().nth(before))
                .await;
        let code = digits(&text.text, 6) + "\n";
        child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
    }
}

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_newcomers_follow_the_readme() {
    let house = House::start().await;
    let directory = tempfile::tempdir().unwrap();
    let terminal = |name: &str| Terminal { house: &house, state: directory.path().join(name) };
    let (zhang, li) = (terminal("zhang.json"), terminal("li.json"));
    let refused = zhang.run(&["friends"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("hutong terminal login"));
    zhang.login("138 0013 8001", "+8613800138001").await;
    li.login("13900139002", "+8613900139002").await;
    zhang.json(&["scan", &example("zhang_wei.vcf")]);
    let scanned = li.json(&["scan", &example("li_na.vcf")]);
    assert_eq!(scanned["new_matches"], serde_json::json!(["+8613800138001"]));
    assert_eq!(zhang.json(&["friends"])[0]["number"], "+8613900139002");
    let services = eventually("her services", async || {
        let services = li.json(&["services"]);
        let found = services
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["offering"] == "data10" && one["name"] != "data10");
        found.map(|one| one["id"].as_str().unwrap().to_owned())
    })
    .await;
    li.json(&["share", &services]);
    let feed = zhang.json(&["feed"]);
    let share = feed[0]["share_id"].as_str().unwrap();
    assert_eq!(feed[0]["offering"]["price"]["amount"], "10.00");
    let order = zhang.json(&["order", share]);
    assert_eq!(order["state"], "completed");
    assert_eq!(zhang.json(&["order", share])["reason"], "ALREADY_SUBSCRIBED");
    assert_eq!(zhang.json(&["orders"]).as_array().unwrap().len(), 2);
    li.json(&["unshare", &services]);
    assert_eq!(zhang.run(&["order", share]).status.code(), Some(1), "a share taken back orders nothing");
    assert_eq!(zhang.json(&["export"])["me"]["number"], "+8613800138001");
    zhang.json(&["forget-me"]);
    assert_eq!(li.json(&["friends"]).as_array().unwrap().len(), 0);
    li.json(&["logout"]);
    assert_eq!(li.run(&["status"]).status.code(), Some(1));
    house.end().await;
}

fn phrase_of(answer: &Value) -> String {
    answer["phrase"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_byte_for_byte_on_a_new_device_and_every_fault_has_its_own_name() {
    let house = House::start().await;
    let directory = tempfile::tempdir().unwrap();
    let device = |name: &str| Terminal { house: &house, state: directory.path().join(name) };
    let (old, new) = (device("old.json"), device("new.json"));
    old.login("13800138001", "+8613800138001").await;
    // A terminal that knows of no backup; a second code for one number would have to wait a minute.
    std::fs::copy(&old.state, &new.state).unwrap();
    let files = [example("zhang_wei.vcf"), example("li_na.vcf")];
    let phrase = phrase_of(&old.json(&["backup", &files[0], &files[1]]));
    let with = |device: &Terminal<'_>, phrase: &str, arguments: &[&str]| {
        device.command(arguments).env("HUTONG_TERMINAL_PHRASE", phrase).stdin(Stdio::null()).output().unwrap()
    };
    let refused = |output: Output, words: &str| {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    };
    // The phrase is asked for from the second time on, and another does not overwrite what is there.
    let other = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    refused(with(&old, other, &["backup", &files[0]]), "another recovery phrase");
    assert!(with(&old, &phrase, &["backup", &files[0], &files[1]]).status.success());
    let into = directory.path().join("restored");
    let into_text = into.to_str().unwrap();
    refused(with(&new, "twelve words", &["restore", "--into", into_text]), "not a recovery phrase");
    refused(with(&new, other, &["restore", "--into", into_text]), "another recovery phrase");
    assert!(with(&new, &phrase, &["restore", "--into", into_text]).status.success());
    for file in &files {
        let name = std::path::Path::new(file).file_name().unwrap();
        assert_eq!(std::fs::read(into.join(name)).unwrap(), std::fs::read(file).unwrap());
    }
    refused(with(&new, &phrase, &["restore", "--into", into_text]), "there already");
    // A new phrase begins anew, and only the terminal that saw a later number calls an earlier one old.
    let newest = phrase_of(&new.json(&["backup", "--new-phrase", &files[0]]));
    refused(with(&old, &phrase, &["backup", &files[0]]), "another recovery phrase");
    let state = std::fs::read_to_string(&old.state).unwrap();
    std::fs::write(&old.state, state.replace("\"backup\": 2", "\"backup\": 9")).unwrap();
    let elsewhere = directory.path().join("elsewhere");
    let restore = ["restore", "--into", elsewhere.to_str().unwrap()];
    refused(with(&old, &newest, &restore), "it is an old one");
    assert!(with(&old, &newest, &[&restore[..], &["--old-too"]].concat()).status.success());
    house.end().await;
}

fn vcard(numbers: &[&str]) -> String {
    let card = |number: &&str| format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nTEL:{number}\r\nEND:VCARD\r\n");
    numbers.iter().map(card).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_device_adds_to_the_book_and_an_ended_session_asks_for_a_new_login() {
    let house = House::start().await;
    let directory = tempfile::tempdir().unwrap();
    let device = |name: &str| Terminal { house: &house, state: directory.path().join(name) };
    let file = |name: &str, numbers: &[&str]| {
        let path = directory.path().join(name);
        std::fs::write(&path, vcard(numbers)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (phone, tablet) = (device("phone.json"), device("tablet.json"));
    phone.login("13800138001", "+8613800138001").await;
    std::fs::copy(&phone.state, &tablet.state).unwrap();
    let phones = file("phone.vcf", &["13900139001", "13900139002", "13900139003"]);
    let tablets = file("tablet.vcf", &["13900139008", "13900139009"]);
    assert_eq!(phone.json(&["scan", &phones])["size"], 3);
    // What would be sent is shown, and nothing is.
    let plan = tablet.json(&["scan", "--plan", &tablets]);
    assert_eq!(plan["plan"], "amend");
    assert_eq!(plan["add"], serde_json::json!(["+8613900139008", "+8613900139009"]));
    assert_eq!(tablet.json(&["scan", &tablets])["size"], 5);
    assert_eq!(phone.json(&["scan", &phones])["changed"], false, "what the tablet did stays");
    let fewer = file("fewer.vcf", &["13900139001", "13900139002"]);
    let changed = phone.json(&["scan", &fewer]);
    assert_eq!((&changed["removed"], &changed["size"]), (&1.into(), &4.into()));
    assert_eq!(tablet.json(&["scan", "--resync", &tablets])["size"], 2);
    // Both show the token of one session; once it has ended, nothing is forgotten but that.
    phone.json(&["logout"]);
    let before = std::fs::read(&tablet.state).unwrap();
    let ended = tablet.run(&["scan", &fewer]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Sign in again: hutong terminal login"));
    assert_eq!(std::fs::read(&tablet.state).unwrap(), before);
    house.end().await;
}
