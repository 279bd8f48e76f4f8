//! `hutong limits`.

use serde_json::Value;

use crate::binary::run;

#[test]
fn limits_prints_the_same_table_for_people_and_for_programs() {
    let table = run(&["limits"], b"");
    let json = run(&["limits", "--json"], b"");
    assert_eq!((table.code, json.code), (Some(0), Some(0)));
    let rows: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rows.len(), table.stdout.lines().count());
    for (row, line) in rows.iter().zip(table.stdout.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((row["name"].as_str().unwrap(), row["value"].to_string().as_str()), (words[0], words[1]));
        assert!(row["why"].as_str().unwrap().ends_with('.'));
    }
    assert!(rows.iter().any(|row| row["name"] == "book_numbers_max"));
}
