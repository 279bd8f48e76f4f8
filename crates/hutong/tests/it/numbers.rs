//! `hutong numbers`.

use serde_json::Value;

use crate::binary::run;

const CASES: &str = include_str!("../../../domain/tests/fixtures/phones/cn_intent.jsonl");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn numbers_prints_the_reading_of_every_case() {
    let cases = lines(CASES);
    let input: String = cases.iter().map(|case| format!("{}\n", case["raw"].as_str().unwrap())).collect();
    let ended = run(&["numbers", "--region", "CN"], input.as_bytes());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let answers = lines(&ended.stdout);
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(answer["raw"], case["raw"]);
        assert_eq!((&answer["kind"], &answer["numbers"]), (&case["kind"], &case["expect"]), "{case}");
        assert_eq!(answer["valid"], !case["expect"].as_array().unwrap().is_empty(), "{case}");
        assert_eq!(answer["reason"].is_null(), answer["valid"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn numbers_answers_blank_lines_and_bytes_that_are_no_text() {
    let ended = run(&["numbers"], b"\n\xff\xfe\xd6\xd0\n\0\n   \n13800138000");
    assert_eq!(ended.code, Some(0));
    let answers = lines(&ended.stdout);
    assert_eq!(answers.len(), 5);
    assert!(answers[..4].iter().all(|answer| answer["kind"] == "reject"), "{}", ended.stdout);
    assert_eq!(answers[4]["numbers"][0], "+8613800138000");
}

#[test]
fn numbers_reads_by_the_region_it_is_told() {
    let ended = run(&["numbers", "--region", "gb"], b"07400 123456\n");
    assert_eq!(lines(&ended.stdout)[0]["numbers"][0], "+447400123456");
}

#[test]
fn numbers_of_no_input_are_no_lines() {
    let ended = run(&["numbers"], b"");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
}
