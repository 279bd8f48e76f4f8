//! `hutong match`.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::binary::{Ended, run_in};

/// A directory with these files.
pub(crate) fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

/// Matches files into `pairs.csv`.
pub(crate) fn match_files(directory: &Path, arguments: &[&str]) -> Ended {
    let arguments = [&["match", "--json", "--output", "pairs.csv"], arguments].concat();
    run_in(&arguments, b"", directory)
}

/// Edges, owners and pairs that were counted, and the pairs' file.
pub(crate) fn answer(ended: &Ended, directory: &Path) -> ([u64; 3], String) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counted: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(counted.as_object().unwrap().len(), 4, "{counted}");
    assert!(counted["seconds"].as_f64().unwrap() >= 0.0);
    let counts = ["edges", "owners", "mutual_pairs"].map(|name| counted[name].as_u64().unwrap());
    (counts, fs::read_to_string(directory.join("pairs.csv")).unwrap())
}

/// The answer for one text, about which there is nothing to say.
fn answer_for(text: &[u8]) -> ([u64; 3], String) {
    let directory = directory(&[("edges", text)]);
    let ended = match_files(directory.path(), &["edges"]);
    assert_eq!(ended.stderr, "");
    answer(&ended, directory.path())
}

/// Asserts that a command failed with words, told nothing, and left no file but those it found.
pub(crate) fn assert_failed(ended: &Ended, directory: &Path, words: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is missing in {}", ended.stderr);
    }
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains(['.'])).collect();
    assert!(left.is_empty(), "{left:?}");
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn match_pairs_those_who_stand_in_one_anothers_books() {
    let expected = ([5, 3, 2], "1,2\n2,3\n".to_owned());
    // Nobody registered stands behind 4, and 3 does not list 1.
    assert_eq!(answer_for(b"2 1\n1 2\n3 2\n2 3\n1 4\n"), expected);
    assert_eq!(answer_for(b"owner,contact\r\n2,1\r\n1,2\r\n3,2\r\n2,3\r\n1,4\r\n"), expected);
    assert_eq!(
        answer_for(b"\xef\xbb\xbfowner,contact\n2\t1\n# a comment\n\n1 2 # too\n3 , 2\n2  3\n1 4"),
        expected
    );
}

#[test]
fn match_takes_zero_as_a_key_and_the_greatest_number_too() {
    let text = b"0 18446744073709551615\n18446744073709551615 0\n0 7\n7 0\n";
    assert_eq!(answer_for(text), ([4, 3, 2], "0,7\n0,18446744073709551615\n".to_owned()));
}

#[test]
fn match_counts_edges_to_oneself_and_repeats_but_pairs_them_never_and_once() {
    let text = b"5 5\n5 5\n1 2\n1 2\n2 1\n1 2\n2 1\n";
    assert_eq!(answer_for(text), ([7, 3, 1], "1,2\n".to_owned()));
    assert_eq!(answer_for(b"1 2\n1 2\n"), ([2, 1, 0], String::new()));
    assert_eq!(answer_for(b"# nothing but a comment\n"), ([0, 0, 0], String::new()));
}

#[test]
fn match_sorts_pairs_by_number_and_not_as_text() {
    let text = b"100 9\n9 100\n10 9\n9 10\n2 100\n100 2\n";
    assert_eq!(answer_for(text).1, "2,100\n9,10\n9,100\n");
}

#[test]
fn match_reads_several_files_as_one_list_and_packed_ones_as_plain_ones() {
    let whole: String = (0..5_000u64).map(|n| format!("{} {}\n", n % 71, n * n % 73)).collect();
    let (begin, end) = whole.split_at(whole.find("\n5 ").unwrap() + 1);
    let members = [gzip(begin.as_bytes()), gzip(end.as_bytes())].concat();
    let directory = directory(&[
        ("begin", begin.as_bytes()),
        ("end_of_it", &gzip(end.as_bytes())),
        ("members", &members),
    ]);
    let expected = answer_for(whole.as_bytes());
    assert!(expected.0[2] > 0);
    for files in [&["begin", "end_of_it"][..], &["members"], &["end_of_it", "begin"]] {
        assert_eq!(answer(&match_files(directory.path(), files), directory.path()), expected, "{files:?}");
    }
}

#[test]
fn match_skips_malformed_rows_and_names_their_lines() {
    let directory = directory(&[("edges", b"1 2\none two\n2 1\n3\n\n4 5 6\n7 18446744073709551616\n-1 2\n")]);
    let ended = match_files(directory.path(), &["edges"]);
    assert_eq!(answer(&ended, directory.path()), ([2, 2, 1], "1,2\n".to_owned()));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    for (told, number) in lines.iter().zip([2, 4, 6, 7, 8]) {
        assert!(told.starts_with(&format!("edges, line {number}: skipped: ")), "{told}");
    }
    assert_eq!((lines.len(), lines[5]), (6, "5 malformed rows were skipped"));
    // Rows hold people's numbers.
    assert!(!ended.stderr.contains("one two") && !ended.stderr.contains("-1"), "{}", ended.stderr);
}

#[test]
fn match_names_the_first_ten_malformed_rows_and_counts_all_of_them() {
    let bad = "x\n".repeat(7);
    let directory = directory(&[("one", bad.as_bytes()), ("two", format!("{bad}1 2\n2 1\n").as_bytes())]);
    let ended = match_files(directory.path(), &["one", "two"]);
    assert_eq!(answer(&ended, directory.path()).0, [2, 2, 1]);
    assert_eq!(ended.stderr.lines().count(), 11);
    assert!(ended.stderr.contains("two, line 3: "), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("14 malformed rows were skipped; the first 10 are named above\n"));
}

#[test]
fn match_skips_a_line_of_any_length_and_reads_those_around_it() {
    for length in [(1 << 20) - 5, 1 << 20, (5 << 20) + 1] {
        let text = [b"1 2\n", "9".repeat(length).as_bytes(), b"\n2 1\nx\n"].concat();
        let directory = directory(&[("edges", &text), ("packed", &gzip(&text))]);
        for file in ["edges", "packed"] {
            let ended = match_files(directory.path(), &[file]);
            assert_eq!(answer(&ended, directory.path()), ([2, 2, 1], "1,2\n".to_owned()));
            assert!(ended.stderr.contains(&format!("{file}, line 2: ")), "{}", ended.stderr);
            assert!(ended.stderr.contains(&format!("{file}, line 4: ")), "{}", ended.stderr);
        }
    }
    // Without an end, too.
    let directory =
        directory(&[("edges", [b"1 2\n2 1\n", "9".repeat(3 << 20).as_bytes()].concat().as_slice())]);
    let ended = match_files(directory.path(), &["edges"]);
    assert_eq!(answer(&ended, directory.path()).0, [2, 2, 1]);
    assert!(ended.stderr.contains("edges, line 3: "), "{}", ended.stderr);
}

#[test]
fn match_strict_stops_at_the_first_malformed_row() {
    let directory = directory(&[("edges", b"1 2\n2 1\n3 4 5\nx\n")]);
    let ended = match_files(directory.path(), &["--strict", "edges"]);
    assert_failed(&ended, directory.path(), &["Error: edges, line 3: more than two columns", "Hint: "]);
    fs::write(directory.path().join("edges"), b"owner,contact\n1,2\n\n# fine\n2,1\n").unwrap();
    let ended = match_files(directory.path(), &["--strict", "edges"]);
    assert_eq!(answer(&ended, directory.path()).0, [2, 2, 1]);
}

#[test]
fn match_fails_on_a_gzip_file_that_is_cut_short_anywhere_or_damaged() {
    let text: String = (0..40_000u64).map(|n| format!("{} {}\n", n % 997, n * 7919 % 1009)).collect();
    let whole = gzip(text.as_bytes());
    let directory = directory(&[]);
    for length in [2, 5, 11, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        fs::write(directory.path().join("cut"), &whole[..length]).unwrap();
        let ended = match_files(directory.path(), &["cut"]);
        let words = ["cut cannot be read beyond line ", "byte ", "the gzip file is cut short"];
        assert_failed(&ended, directory.path(), &words);
    }
    let mut damaged = whole;
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    fs::write(directory.path().join("damaged"), &damaged).unwrap();
    let ended = match_files(directory.path(), &["damaged"]);
    assert_failed(&ended, directory.path(), &["damaged cannot be read beyond line 40000", "is damaged"]);
}

#[test]
fn match_fails_on_files_that_are_missing_empty_or_directories() {
    let directory = directory(&[("edges", b"1 2\n2 1\n"), ("empty", b""), ("packed", &gzip(b""))]);
    fs::create_dir(directory.path().join("folder")).unwrap();
    for (file, words) in [
        ("missing", "missing cannot be read"),
        ("empty", "empty is empty"),
        ("packed", "packed is empty"),
        ("folder", "folder cannot be read"),
    ] {
        let ended = match_files(directory.path(), &["edges", file]);
        assert_failed(&ended, directory.path(), &[words]);
    }
}

#[test]
fn match_refuses_what_it_cannot_write_or_unpack_and_says_what_to_do() {
    let directory = directory(&[("edges", b"1 2\n"), ("packed", &gzip(b"PAR1 and more"))]);
    let ended = match_files(directory.path(), &["packed"]);
    assert_failed(&ended, directory.path(), &["packed once more", "Hint: Unpack it"]);
    let ended = run_in(&["match", "edges", "--output", "pairs.gz"], b"", directory.path());
    assert_failed(&ended, directory.path(), &["plain CSV or as Parquet"]);
}

#[test]
fn match_replaces_its_output_only_when_it_succeeds() {
    let directory = directory(&[("good", b"1 2\n2 1\n"), ("bad", b""), ("pairs", b"old\n")]);
    let matched = |file| run_in(&["match", file, "--output", "pairs"], b"", directory.path());
    let pairs = || fs::read_to_string(directory.path().join("pairs")).unwrap();
    assert_failed(&matched("bad"), directory.path(), &["bad is empty"]);
    assert_eq!(pairs(), "old\n");
    assert_eq!(matched("good").code, Some(0));
    assert_eq!(pairs(), "1,2\n");
    fs::create_dir(directory.path().join("folder")).unwrap();
    for (output, words) in [("folder", "is no ordinary file"), ("nowhere/pairs", "cannot be written")] {
        let ended = run_in(&["match", "good", "--output", output], b"", directory.path());
        assert_failed(&ended, directory.path(), &[words]);
    }
}

#[test]
fn match_without_json_says_one_line_and_without_output_writes_no_file() {
    let directory = directory(&[("edges", b"1 2\n2 1\n1 3\n")]);
    let ended = run_in(&["match", "edges", "--threads", "2"], b"", directory.path());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("3 edges of 2 owners: 1 mutual pairs, in "), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    for wrong in [&["match"][..], &["match", "edges", "--threads", "0"]] {
        assert_eq!(run_in(wrong, b"", directory.path()).code, Some(2), "{wrong:?}");
    }
}

/// Numbers that look thrown: Marsaglia's xorshift, seeded.
pub(crate) fn dice(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

#[test]
fn match_finds_what_a_naive_matcher_finds_at_any_number_of_threads_and_in_any_memory() {
    let mut dice = dice(0x5eed_0042);
    // Several parts and blocks: 2.4 MB of text, 200,000 edges.
    let edges: Vec<(u64, u64)> = (0..200_000).map(|_| (dice(900), dice(1_100))).collect();
    let set: HashSet<(u64, u64)> = edges.iter().copied().collect();
    let owners: HashSet<u64> = edges.iter().map(|edge| edge.0).collect();
    let mut pairs: Vec<_> = set.iter().filter(|(a, b)| a < b && set.contains(&(*b, *a))).collect();
    pairs.sort_unstable();
    let expected: String = pairs.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
    let counts = [edges.len(), owners.len(), pairs.len()].map(|count| count as u64);

    let separators = [" ", "\t", ",", " , ", "  "];
    let ends = ["\n", "\r\n", " \n", "\n\n", "\n# 1 2\n"];
    let mut write = |edges: &[(u64, u64)]| -> String {
        let row =
            |(a, b): &(u64, u64)| format!("{a}{}{b}{}", separators[dice(5) as usize], ends[dice(5) as usize]);
        edges.iter().map(row).collect()
    };
    let (first, second) = edges.split_at(130_000);
    let directory =
        directory(&[("first", write(first).as_bytes()), ("second", &gzip(write(second).as_bytes()))]);
    let memory = ["--memory", "1M"];
    for (threads, memory) in [("1", &[][..]), ("2", &memory), ("7", &[]), ("3", &["--memory", "2G"])] {
        let arguments = [&["--threads", threads], memory, &["first", "second"]].concat();
        let ended = match_files(directory.path(), &arguments);
        assert_eq!(ended.stderr, "");
        assert!(answer(&ended, directory.path()) == (counts, expected.clone()), "{arguments:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "something is left over");
    }
}
