//! How many raw number fields are read in a second, by us and by the library alone; `cargo xtask bench numbers` runs it.
#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

use domain::Region;
use domain::number;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// How often the fields are read again once everything is in memory.
const ROUNDS: u32 = 20;

fn ours(raw: &str, region: Region) -> usize {
    number::read(raw, region).numbers.len()
}

/// What a program does that has the library and nothing else.
fn library(raw: &str, region: &str) -> usize {
    let Ok(region) = rlibphonenumber::Region::from_code(region) else { return 0 };
    let Ok(number) = PHONE_NUMBER_UTIL.parse(raw, Some(region)) else { return 0 };
    if PHONE_NUMBER_UTIL.is_valid_number(&number) {
        PHONE_NUMBER_UTIL.get_number_type(&number);
        PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).len().min(1)
    } else {
        0
    }
}

fn measure(who: &str, rows: usize, mut read: impl FnMut() -> usize) {
    let begun = Instant::now();
    let numbers = black_box(read());
    let first = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        black_box(read());
    }
    let rate = (rows * ROUNDS as usize) as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{{\"who\":\"{who}\",\"fields\":{rows},\"numbers\":{numbers},\"first_seconds\":{first:.4},\"a_second\":{rate:.0}}}"
    );
}

/// Reads lines of a region, a tab and a field from stdin.
fn main() {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    let rows: Vec<(Region, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(region, raw)| Some((Region::parse(region).ok()?, raw)))
        .collect();
    assert!(read.is_ok() && !rows.is_empty(), "give lines of a region, a tab and a field");
    if std::env::args().any(|argument| argument == "library") {
        let rows: Vec<(String, &str)> = rows.iter().map(|(region, raw)| (region.code(), *raw)).collect();
        measure("library", rows.len(), || rows.iter().map(|(region, raw)| library(raw, region)).sum());
    } else {
        measure("ours", rows.len(), || rows.iter().map(|(region, raw)| ours(raw, *region)).sum());
    }
}
