//! `hutong terminal scan --dry-run`.

use serde_json::Value;

use crate::binary::run;

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
