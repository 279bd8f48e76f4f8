//! How the servers end.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::binary::command;

#[test]
fn a_signal_to_end_during_the_start_closes_the_store_like_any_other() {
    for _ in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let mut server = command(&["serve", "--listen", "127.0.0.1:0"], directory.path())
            .args(["--metrics", "127.0.0.1:0", "--data", "data", "--sms-port", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        // The lock comes first of all that is opened.
        while !directory.path().join("data/lock").exists() {
            assert!(Instant::now() < patience, "the servers never opened their store");
            std::thread::sleep(Duration::from_micros(200));
        }
        let pid = server.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(server.wait().unwrap().success(), "the signal killed instead of closing");
        assert!(!directory.path().join("data/hutong.sqlite-wal").exists(), "the log was not folded in");
    }
}
