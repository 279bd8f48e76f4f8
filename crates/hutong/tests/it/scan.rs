//! `hutong terminal scan --dry-run`.

use serde_json::Value;

use crate::binary::{run, run_in};

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_dry_run_prints_what_is_in_every_file_without_a_server() {
    let files = [example("zhang_wei.vcf"), example("google_2024.csv")];
    let ended = run(&["terminal", "scan", "--dry-run", "--json", &files[0], &files[1]], b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let scan: Value = serde_json::from_str(&ended.stdout).unwrap();
    for (file, scanned) in files.iter().zip(scan["files"].as_array().unwrap()) {
        assert_eq!(scanned["file"], file.as_str());
        assert!(scanned["cards"].as_u64().unwrap() > 0);
        assert!(!scanned["telephones"].as_array().unwrap().is_empty());
        assert!(scanned["numbers"].as_array().unwrap().iter().all(|n| n.as_str().unwrap().starts_with('+')));
        assert!(scanned["refused"].is_array());
    }
}

#[test]
fn a_dry_run_with_an_unreadable_file_prints_its_json_and_ends_with_1() {
    let fine = example("li_na.vcf");
    let ended = run(&["terminal", "scan", "--dry-run", "--json", "no-such.vcf", &fine], b"");
    assert_eq!(ended.code, Some(1));
    let scan: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(scan["files"].as_array().unwrap().len(), 2);
    assert!(scan["files"][1]["cards"].as_u64().unwrap() > 0);
}

#[test]
fn a_file_of_100_megabytes_and_a_packed_one_are_refused_with_a_sentence_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (large, packed, fine) = (at("large.vcf"), at("packed.vcf"), example("li_na.vcf"));
    std::fs::File::create(&large).unwrap().set_len(100 << 20).unwrap();
    // Whatever it would unpack to, nothing here unpacks it.
    std::fs::write(&packed, b"PK\x03\x04\x14\0\0\0\x08\0").unwrap();
    let ended = run(&["terminal", "scan", "--dry-run", "--json", &large, &packed, &fine], b"");
    assert_eq!(ended.code, Some(1));
    let scan: Value = serde_json::from_str(&ended.stdout).unwrap();
    let error = |at: usize| scan["files"][at]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error(0).contains("larger than 33554432 bytes; export"), "{}", error(0));
    assert!(error(1).contains("packed; unpack it"), "{}", error(1));
    assert!(scan["files"][2]["cards"].as_u64().unwrap() > 0);
}

#[test]
fn a_password_for_carddav_goes_neither_onto_the_command_line_nor_over_http() {
    let directory = tempfile::tempdir().unwrap();
    let scan = |words: &[&str]| {
        run_in(&[&["terminal", "scan", "--dry-run", "--json"], words].concat(), b"", directory.path())
    };
    for (address, said) in [
        ("https://anna:the-secret@dav.example/", "holds a password"),
        ("http://anna@dav.example/", "https"),
        ("http://anna@127.0.0.1.example/", "https"),
        ("dav.example", "no address"),
        ("ftp://127.0.0.1/", "no address"),
    ] {
        let ended = scan(&["--carddav", address]);
        assert!(ended.code == Some(1) && ended.stderr.contains(said), "{address}: {}", ended.stderr);
        assert!(!ended.stderr.contains("the-secret"));
    }
    let both = scan(&["--carddav", "https://dav.example/", "contacts.vcf"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    let nobody = scan(&["--carddav", "http://127.0.0.1:1/", "--carddav-user", "anna"]);
    assert_eq!(nobody.code, Some(70), "{}", nobody.stderr);
}
