//! How a faulty configuration is refused.

use crate::binary::{command, run, run_in};

#[test]
fn an_unknown_key_in_the_file_is_refused_by_name_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("hutong.toml"), "[sms]\nprot = 2775\n").unwrap();
    let ended = run_in(&["serve"], b"", directory.path());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.starts_with("Error: the key `sms.prot` in hutong.toml"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Hint: ") && ended.stderr.contains("sms.port"), "{}", ended.stderr);
}

#[test]
fn an_unknown_variable_of_the_environment_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let output = command(&["serve"], directory.path()).env("HUTONG_LISTENS", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("HUTONG_LISTENS is no setting"), "{stderr}");
}

#[test]
fn a_bad_value_of_a_flag_is_refused_with_what_to_write() {
    let ended = run(&["serve", "--sms-port", "many"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("`sms.port` from flag --sms-port"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Hint: Write the SMS centre's port, such as 2775."), "{}", ended.stderr);
}

#[test]
fn a_password_is_never_part_of_a_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let toml = "listen = \"nowhere\"\n[sms]\npassword = \"swordfish\"\n";
    std::fs::write(directory.path().join("other.toml"), toml).unwrap();
    let ended = run_in(&["serve", "--config", "other.toml"], b"", directory.path());
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("`listen` in other.toml"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("swordfish"), "{}", ended.stderr);
}
