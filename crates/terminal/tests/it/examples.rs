use std::path::Path;

use domain::{Msisdn, Region};
use terminal::scan::Scan;

const ZHANG: &str = "+8613800138001";
const LI: &str = "+8613900139002";
const JOHN: &str = "+8613700137003";

fn scan(file: &str) -> Scan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    let mut scan = Scan::default();
    scan.add(file, &std::fs::read(path).unwrap(), Region::CN);
    scan
}

/// Checks one example: its cards, what it gives to upload, what it refuses.
fn check(file: &str, cards: usize, matchable: usize, reasons: &[&str]) -> Scan {
    let scan = scan(file);
    let found = scan.files.first().unwrap();
    assert_eq!(found.error, None);
    assert_eq!(found.cards, cards);
    assert_eq!(scan.matchable_numbers().len(), matchable);
    assert_eq!(found.refused.iter().map(|refused| refused.reason).collect::<Vec<_>>(), reasons);
    scan
}

fn lists(scan: &Scan, number: &str) -> bool {
    scan.matchable_numbers().contains(&Msisdn::parse_e164(number).unwrap())
}

const ZHANGS_REFUSALS: [&str; 5] =
    ["service-number", "service-number", "group-short-number", "no-area-code", "not-a-number"];

#[test]
fn zhang_weis_book_lists_li_and_john() {
    let scan = check("zhang_wei.vcf", 15, 11, &ZHANGS_REFUSALS);
    assert!(lists(&scan, LI) && lists(&scan, JOHN) && !lists(&scan, ZHANG));
    assert!(scan.files[0].numbers.contains(&"+864006550100".to_owned()));
}

#[test]
fn zhang_weis_later_book_no_longer_lists_li() {
    let scan = check("zhang_wei_without_li.vcf", 14, 10, &ZHANGS_REFUSALS);
    assert!(!lists(&scan, LI) && lists(&scan, JOHN));
}

#[test]
fn li_nas_book_lists_zhang_but_not_john() {
    let reasons = ["missing-plus", "short-code", "service-number", "service-number", "lost-digits"];
    let scan = check("li_na.vcf", 15, 9, &reasons);
    assert!(lists(&scan, ZHANG) && !lists(&scan, JOHN) && !lists(&scan, LI));
}

#[test]
fn john_smiths_book_lists_zhang_and_li() {
    let reasons = ["short-code", "service-number", "not-a-number", "no-area-code"];
    let scan = check("john_smith_v40.vcf", 15, 7, &reasons);
    assert!(lists(&scan, ZHANG) && lists(&scan, LI) && !lists(&scan, JOHN));
}

#[test]
fn the_table_of_google_is_read() {
    let scan = check("google_2024.csv", 8, 5, &["service-number", "lost-digits"]);
    assert!(lists(&scan, ZHANG) && lists(&scan, LI));
}
