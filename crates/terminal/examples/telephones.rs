//! What the terminal reads as telephone values: `telephones FILE…`; one JSON list a file.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that is measured may stop at once, and talks"
)]

use terminal::read::read_book;

fn main() {
    for path in std::env::args().skip(1) {
        let entries = read_book(&std::fs::read(path).unwrap()).map(|book| book.entries).unwrap_or_default();
        let telephones: Vec<_> = entries
            .iter()
            .flat_map(|entry| entry.telephones.iter().map(|telephone| telephone.raw.as_str()))
            .collect();
        println!("{}", serde_json::to_string(&telephones).unwrap());
    }
}
