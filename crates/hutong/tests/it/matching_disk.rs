//! `hutong match` where memory, disk or files run out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::binary::{Ended, command, run_in};
use crate::matching::{assert_failed, dice, directory};

/// 300,000 edges, which one megabyte does not hold.
fn many() -> String {
    let mut dice = dice(0x5eed_0004);
    (0..300_000).map(|_| format!("{} {}\n", dice(700), dice(700))).collect()
}

/// Runs it where no file may grow beyond so many bytes, as on a full disk.
fn run_limited(arguments: &[&str], bytes: u64, directory: &Path) -> Ended {
    let program = command(&[], directory).get_program().to_owned();
    // The signal that the limit sends is ignored, so that the write is an error, as a full disk's is.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program).args(arguments).current_dir(directory).stdin(Stdio::null());
    Ended::from(shell.output().unwrap())
}

#[test]
fn match_fails_on_a_disk_that_is_full_while_edges_are_partitioned() {
    let directory = directory(&[("edges", many().as_bytes())]);
    let arguments = ["match", "edges", "--memory", "1M", "--output", "pairs.csv"];
    let ended = run_limited(&arguments, 1 << 20, directory.path());
    let words = [
        "Error: what does not fit in memory",
        "the temporary file in . cannot be written at byte ",
        "Hint: ",
    ];
    assert_failed(&ended, directory.path(), &words);
}

#[test]
fn match_fails_on_a_disk_that_is_full_while_pairs_are_written() {
    let directory = directory(&[("edges", many().as_bytes())]);
    for output in ["pairs.csv", "pairs.parquet"] {
        let ended = run_limited(&["match", "edges", "--output", output], 16 << 10, directory.path());
        assert_failed(
            &ended,
            directory.path(),
            &[&format!("Error: {output} cannot be written"), "Caused by: "],
        );
    }
    // With room it works, so that it was the disk.
    let ended = run_in(&["match", "edges", "--output", "pairs.csv"], b"", directory.path());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn match_names_a_temporary_directory_that_is_not_there() {
    let directory = directory(&[("edges", b"1 2\n")]);
    let ended = run_in(&["match", "edges", "--memory", "1M", "--temp", "nowhere"], b"", directory.path());
    assert_failed(&ended, directory.path(), &["no temporary file can be made in nowhere"]);
    for wrong in [&["match", "edges", "--memory", "9"][..], &["match", "edges", "--temp", "."]] {
        assert_eq!(run_in(wrong, b"", directory.path()).code, Some(2), "{wrong:?}");
    }
}

#[cfg(unix)]
#[test]
fn match_fails_on_files_that_vanish_or_shrink_before_their_turn() {
    for (name, change) in [
        ("vanished", (|file| fs::remove_file(file)) as fn(&Path) -> std::io::Result<()>),
        ("shrunk", |file| fs::write(file, "1 2\n")),
    ] {
        let directory = directory(&[(name, b"1 2\n2 1\n")]);
        let first = directory.path().join("first");
        assert!(Command::new("mkfifo").arg(&first).status().unwrap().success());
        let mut child = command(&["match", "first", name, "--output", "pairs.csv"], directory.path());
        let child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It opens the first file when it has seen the length of the second, and waits there.
        let mut fifo = fs::OpenOptions::new().write(true).open(&first).unwrap();
        change(&directory.path().join(name)).unwrap();
        fifo.write_all(b"3 4\n").unwrap();
        drop(fifo);
        let ended = Ended::from(child.wait_with_output().unwrap());
        let words =
            if name == "shrunk" { "the file became shorter before it was read" } else { "No such file" };
        assert_failed(&ended, directory.path(), &[&format!("Error: {name} cannot be read"), words]);
    }
}

#[cfg(unix)]
#[test]
fn match_draws_a_bar_on_a_terminal_and_nothing_in_a_pipe() {
    let directory = directory(&[("edges", many().as_bytes())]);
    let ended = run_in(&["match", "edges"], b"", directory.path());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let program = command(&[], directory.path()).get_program().to_string_lossy().into_owned();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &format!("'{program}' match edges"), "typescript"]);
    script.current_dir(directory.path()).env("TERM", "xterm").stdin(Stdio::null());
    // It belongs to every Linux; elsewhere it is another program.
    let Ok(output) = thread::spawn(move || script.output()).join().unwrap() else { return };
    if output.status.success() {
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("reading") && shown.contains("mutual pairs"), "{shown:?}");
    }
}
