//! How a wrong use is answered.

use crate::binary::run;

#[test]
fn a_wrong_use_ends_with_2_and_says_so_on_stderr() {
    for arguments in [
        &[][..],
        &["dance"],
        &["numbers", "--region"],
        &["numbers", "--region", "ZZ"],
        &["limits", "--yaml"],
        &["serve", "--sms-prt", "1"],
        &["smsc", "--listen", "2775"],
        &["terminal"],
        &["terminal", "scan"],
        &["store", "migrate", "--grant", "sms"],
        &["store", "migrate", "--grant", "nobody=somebody"],
        &["store", "migrate", "--grant", "contacts=a,sms="],
    ] {
        let ended = run(arguments, b"");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn rights_are_given_to_users_of_postgresql_alone_and_nothing_is_made_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data").display().to_string();
    let ended = run(&["store", "migrate", "--data", &data, "--grant", "sms=somebody"], b"");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("Hint: Leave --grant out"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn help_and_version_are_data_and_end_with_0() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["--version"]] {
        let ended = run(arguments, b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ended.stdout.contains("hutong"), "{arguments:?}");
    }
}

#[test]
fn the_help_of_serve_names_every_setting_as_a_flag() {
    let help = run(&["serve", "--help"], b"").stdout;
    for flag in ["--config", "--roles", "--data", "--listen", "--database", "--metrics", "--sms-system-id"] {
        assert!(help.contains(flag), "{flag}: {help}");
    }
}
