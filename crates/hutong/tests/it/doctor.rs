//! `hutong doctor`: each thing wrong has its finding, beside a running server and without one.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::house::House;

/// What the doctor says: its exit code, and the checks that found something to mend.
fn doctor(house: &House, more: &[&str]) -> (i32, Vec<String>) {
    let (code, report) = report(house, more);
    let findings = report["findings"].as_array().unwrap().iter();
    let wrong = findings.filter(|finding| finding["weight"] == "wrong").map(|finding| {
        // What must be mended says why and how.
        assert!(
            !finding["why"].as_str().unwrap().is_empty() && !finding["mend"].as_str().unwrap().is_empty()
        );
        finding["check"].as_str().unwrap().to_owned()
    });
    (code, wrong.collect())
}

fn report(house: &House, more: &[&str]) -> (i32, Value) {
    let bare = |url: &str| url.trim_start_matches("http://").to_owned();
    let port = house.centre.smpp_addr().port().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
    command.args(["doctor", "--json", "--data"]).arg(house.data());
    for (flag, value) in
        [("--listen", bare(&house.api)), ("--metrics", bare(&house.metrics)), ("--sms-port", port)]
    {
        if !more.contains(&flag) {
            command.args([flag, &value]);
        }
    }
    let output = command.args(more).current_dir(house.data().parent().unwrap()).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_installation_is_fine_beside_its_server_and_without_it() {
    let mut house = House::start().await;
    assert_eq!(doctor(&house, &[]), (0, vec![]));
    house.terminate();
    assert_eq!(doctor(&house, &[]), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_wrong_with_files_and_settings_is_found_by_name() {
    let mut house = House::start().await;
    house.terminate();
    let (data, key) = (house.data(), house.data().with_extension("key"));
    let found = |more: &[&str]| doctor(&house, more);

    mode(&key, 0o644);
    assert_eq!(found(&[]), (1, vec!["key-file".to_owned()]));
    mode(&key, 0o600);
    mode(&data, 0o755);
    assert_eq!(found(&[]), (1, vec!["data-directory".to_owned()]));
    mode(&data, 0o700);
    let inside = data.join("inside.key");
    std::fs::copy(&key, &inside).unwrap();
    let (code, wrong) = found(&["--keys-file", inside.to_str().unwrap()]);
    assert!(code == 1 && wrong.contains(&"key-file-place".to_owned()), "{wrong:?}");
    std::fs::remove_file(&inside).unwrap();
    let elsewhere = key.with_extension("away");
    std::fs::rename(&key, &elsewhere).unwrap();
    assert_eq!(found(&[]), (1, vec!["key-file".to_owned()]));
    std::fs::rename(&elsewhere, &key).unwrap();

    let open = ["--listen", "0.0.0.0:0", "--platform-open-on-loopback=true"];
    assert_eq!(found(&open), (1, vec!["open-on-loopback".to_owned()]));
    assert_eq!(found(&["--sms-password", "wrong"]), (1, vec!["sms-centre".to_owned()]));
    let (code, wrong) = found(&["--sms-host", "centre.invalid"]);
    assert_eq!((code, wrong), (1, vec!["sms-password".to_owned(), "sms-centre".to_owned()]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(found(&["--metrics", &address]), (1, vec!["metrics".to_owned()]));
    assert_eq!(found(&["--platform-url", "http://127.0.0.1:9"]), (1, vec!["platform-url".to_owned()]));
    let apart = ["--roles", "contacts,platform,sms", "--peers-exchange", "http://127.0.0.1:9"];
    assert_eq!(found(&apart), (1, vec!["peers-exchange".to_owned()]));
    let (code, report) = report(&house, &["--sms-sender", "not a number"]);
    assert_eq!((code, &report["findings"][0]["check"]), (1, &Value::from("configuration")));
    assert!(report["findings"][0]["what"].as_str().unwrap().contains("sms.sender"));

    // Somebody has taken the heads of the audit log away.
    let heads = data.with_extension("audit");
    let text = std::fs::read(&heads).unwrap();
    std::fs::remove_file(&heads).unwrap();
    assert_eq!(found(&[]), (1, vec!["audit-log".to_owned()]));
    std::fs::write(&heads, text).unwrap();

    // Pages in the middle of the database are overwritten.
    let file = data.join("hutong.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 8192].fill(0xA5);
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(found(&[]).0, 1);
    std::fs::write(&file, b"no database at all").unwrap();
    assert_eq!(found(&[]), (1, vec!["database".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_scope_or_a_token_twice_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let said = |toml: &str| {
        std::fs::write(directory.path().join("hutong.toml"), toml).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_hutong"))
            .args(["doctor", "--json"])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = report["findings"][0].to_string();
        assert!(!first.contains("sixteen-visible"), "a token in an error");
        first
    };
    let token = |name: &str, scopes: &str| {
        format!(
            "[[operator.tokens]]\nname = \"{name}\"\ntoken = \"sixteen-visible-characters-and-more\"\nscopes = [{scopes}]\n"
        )
    };
    assert!(said(&token("billing", "\"orders:read\", \"everything\"")).contains("everything"));
    assert!(said(&token("billing", "")).contains("no scope"));
    assert!(said(&(token("a", "\"orders:read\"") + &token("a", "\"bars:read\""))).contains("same name"));
    assert!(said(&token("billing", "\"orders:read\", \"bars:write\"")).contains("it can be read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_charging_system_is_tried() {
    let house = House::start().await;
    let said = |more: &[&str]| {
        let (code, report) = report(&house, more);
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["check"] == "charging").unwrap();
        assert!(!found.to_string().contains("a-secret-of-charging"), "a token in a finding");
        (code, found["weight"].as_str().unwrap().to_owned())
    };
    assert_eq!(said(&[]), (0, "advice".to_owned()));
    let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", there.local_addr().unwrap());
    let webhook =
        ["--charging-port", "webhook", "--charging-token", "a-secret-of-charging", "--charging-url", &url];
    assert_eq!(said(&webhook), (0, "fine".to_owned()));
    drop(there);
    assert_eq!(said(&webhook), (1, "wrong".to_owned()));
    let directory = tempfile::tempdir().unwrap();
    let file = |directory: &Path| {
        let directory = directory.to_str().unwrap().to_owned();
        said(&["--charging-port", "file", "--charging-directory", &directory])
    };
    assert_eq!(file(directory.path()), (0, "fine".to_owned()));
    // A file is where the directory should be.
    let taken = directory.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    assert_eq!(file(&taken), (1, "wrong".to_owned()));
    assert_eq!(file(&directory.path().join("nowhere")), (1, "wrong".to_owned()));
}
