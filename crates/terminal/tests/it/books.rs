use std::path::{Path, PathBuf};

use domain::Region;
use proptest::prelude::*;
use serde_json::Value;
use terminal::read::{Format, ReadError, read_book};
use terminal::scan::Scan;

/// Address books in the layouts of several phones, written for this project.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/books")
}

/// The shared data beside the workspace, which also holds books that are not ours to copy.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/vcards")
}

fn strings(row: &Value, key: &str) -> Vec<String> {
    row[key].as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Compares one file with what the other parsers agreed on.
fn check(folder: &Path, row: &Value) {
    let file = row["file"].as_str().unwrap();
    let bytes = std::fs::read(folder.join(file)).unwrap();
    let mut scan = Scan::default();
    scan.add(file, &bytes, Region::CN);
    let scanned = scan.files.first().unwrap();
    let key = if row["tels_no_uri"].is_array() { "tels_no_uri" } else { "tels" };
    assert_eq!(scanned.telephones, strings(row, key), "{file}");
    if let Some(cards) = row["cards"].as_u64() {
        assert_eq!(scanned.cards as u64, cards, "{file}");
    }
    assert_eq!(scanned.error, None, "{file}");
}

fn expected(folder: &Path) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected_tels.json")).unwrap()).unwrap()
}

#[test]
fn every_book_written_for_this_project_is_read_as_expected() {
    let rows = expected(&fixtures());
    let ours: Vec<_> =
        rows.iter().filter(|row| fixtures().join(row["file"].as_str().unwrap()).exists()).collect();
    assert_eq!(ours.len(), 5);
    for row in ours {
        check(&fixtures(), row);
    }
}

#[test]
fn every_shared_book_is_read_as_expected() {
    if !shared().exists() {
        assert!(std::env::var_os("CI").is_none(), "the shared data is missing");
        eprintln!("skipped: the shared data is not beside the workspace");
        return;
    }
    for row in expected(&shared()) {
        check(&shared(), &row);
    }
}

/// How many telephone values of one list stand in another, each as often as it stands in both.
fn in_both(one: &[String], other: &[String]) -> usize {
    let mut left = other.to_vec();
    let mut taken = |value: &String| left.iter().position(|it| it == value).map(|at| left.swap_remove(at));
    one.iter().filter(|value| taken(value).is_some()).count()
}

#[test]
fn of_the_telephones_of_all_books_at_hand_at_least_995_in_1000_are_found_and_as_many_of_the_found_are_right()
{
    assert!(shared().exists() || std::env::var_os("CI").is_none(), "the shared data is missing");
    let (mut wanted, mut found, mut right) = (0, 0, 0);
    for folder in [fixtures(), shared()].into_iter().filter(|folder| folder.exists()) {
        for row in expected(&folder) {
            let Ok(bytes) = std::fs::read(folder.join(row["file"].as_str().unwrap())) else { continue };
            let key = if row["tels_no_uri"].is_array() { "tels_no_uri" } else { "tels" };
            let truth = strings(&row, key);
            // As it stands, and as other programs pass it on: other ends of lines, other encodings, cut in two
            // and joined again with what belongs to nobody.
            let text = String::from_utf8(bytes.clone()).ok();
            let utf16 = text.iter().map(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect());
            let marked = utf16.map(|text: Vec<u8>| [b"\xfe\xff".to_vec(), text].concat());
            let bare = text.iter().map(|text| text.replace("\r\n", "\n").into_bytes());
            let forms: Vec<Vec<u8>> = [bytes.clone()].into_iter().chain(marked).chain(bare).collect();
            for form in forms {
                let mut scan = Scan::default();
                scan.add("book", &form, Region::CN);
                let telephones = &scan.files[0].telephones;
                wanted += truth.len();
                found += telephones.len();
                right += in_both(telephones, &truth);
            }
        }
    }
    let share = |of: usize| right as f64 / of as f64;
    println!("{wanted} telephones, recall {:.4}, precision {:.4}", share(wanted), share(found));
    assert!(wanted >= 60, "{wanted} telephones are too few to tell");
    assert!(share(wanted) >= 0.995 && share(found) >= 0.995, "{right} right of {wanted}, {found} found");
}

#[test]
fn a_scan_prints_numbers_and_refusals_with_their_lines() {
    let bytes = std::fs::read(fixtures().join("huawei_emui_v21.vcf")).unwrap();
    let mut scan = Scan::default();
    scan.add("huawei.vcf", &bytes, Region::CN);
    scan.add("packed.vcf", b"PK\x03\x04", Region::CN);
    let json = serde_json::to_value(&scan).unwrap();
    let file = &json["files"][0];
    assert_eq!(
        file["numbers"],
        serde_json::json!([
            "+8613900000000",
            "+861065550100",
            "+8613811111111",
            "+8613800138000",
            "+8675526550100"
        ])
    );
    assert_eq!(
        file["refused"],
        serde_json::json!([
            {"line": 27, "value": "10086", "reason": "service-number"},
            {"line": 37, "value": "661234", "reason": "group-short-number"}
        ])
    );
    assert!(json["files"][1]["error"].as_str().unwrap().contains("unpack it"));
    assert!(scan.has_error());
    // The landlines stay out of what is uploaded.
    assert_eq!(scan.matchable_numbers().len(), 3);
    assert!(!format!("{scan:?}").contains("138"));
}

#[test]
fn every_encoding_of_a_book_gives_the_same_telephones() {
    let wanted = ["139 0000 0000", "+86 (20) 3870 0100", "10086"];
    let text = std::fs::read_to_string(fixtures().join("ios_icloud_v30.vcf")).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let chinese = encoding_rs::GB18030.encode(&text).0.into_owned();
    for bytes in [text.clone().into_bytes(), utf16, chinese, text.replace('\n', "\r\n").into_bytes()] {
        let book = read_book(&bytes).unwrap();
        let raws: Vec<_> =
            book.entries[0].telephones.iter().map(|telephone| telephone.raw.as_str()).collect();
        assert_eq!(raws[..3], wanted);
        assert_eq!(book.entries[0].name.as_deref(), Some("张三"));
    }
}

#[test]
fn old_google_and_outlook_tables_are_read_in_their_encodings() {
    let google =
        "Name,Given Name,Phone 1 - Type,Phone 1 - Value\n张三,三,Mobile,139 0000 0000 ::: 138 1111 1111\n";
    let marked = format!("\u{feff}{google}");
    let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let book = read_book(&utf16).unwrap();
    assert_eq!((book.format, book.entries[0].telephones.len()), (Format::Csv, 2));

    let outlook = "姓,名,商务电话,住宅电话,移动电话\r\n赵,六,0755-26550102,,=\"13700000001\"\r\n";
    let book = read_book(&encoding_rs::GBK.encode(outlook).0).unwrap();
    let raws: Vec<_> = book.entries[0].telephones.iter().map(|telephone| telephone.raw.as_str()).collect();
    assert_eq!(raws, ["0755-26550102", "13700000001"]);
    assert_eq!(book.entries[0].name.as_deref(), Some("赵 六"));
}

#[test]
fn what_is_no_address_book_is_refused_with_what_to_do() {
    let large = vec![b' '; terminal::read::FILE_BYTES_MAX + 1];
    for (bytes, error) in [
        (&b""[..], ReadError::Empty),
        (b"\xef\xbb\xbf \r\n", ReadError::Empty),
        (b"PK\x03\x04\x14\0", ReadError::Packed),
        (b"\x89PNG\r\n", ReadError::NotText),
        (b"hello", ReadError::Unrecognised),
        (&large, ReadError::TooLarge { limit_bytes: terminal::read::FILE_BYTES_MAX }),
    ] {
        assert_eq!(read_book(bytes).map(|book| book.cards), Err(error));
        assert!(error.to_string().contains("; "), "{error}");
    }
}

/// Every fixture and example, to be damaged.
fn seeds() -> Vec<Vec<u8>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seeds = Vec::new();
    for folder in [fixtures(), examples] {
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.extension().is_some_and(|end| end == "vcf" || end == "csv") {
                seeds.push(std::fs::read(path).unwrap());
            }
        }
    }
    seeds
}

#[test]
fn a_file_cut_off_at_any_line_keeps_every_telephone_in_front_of_the_cut() {
    let telephones = |bytes: &[u8]| -> Vec<(usize, String)> {
        let Ok(book) = read_book(bytes) else { return Vec::new() };
        let all = book.entries.iter().flat_map(|entry| &entry.telephones);
        all.map(|telephone| (telephone.line, telephone.raw.clone())).collect()
    };
    let mut compared = 0;
    for bytes in seeds() {
        let whole = telephones(&bytes);
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        for (lines, end) in ends.enumerate().map(|(line, end)| (line + 1, end)) {
            let kept = telephones(&bytes[..end]);
            // A value may go on over two more lines; with those it is whole.
            for telephone in whole.iter().filter(|telephone| telephone.0 + 2 <= lines) {
                assert!(kept.contains(telephone), "line {} of a file cut behind {lines}", telephone.0);
                compared += 1;
            }
        }
    }
    assert!(compared > 3_000, "{compared}");
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(u16, u8),
    Cut(u16),
    Insert(u16, Vec<u8>),
    Copy(u16, u16, u16),
}

fn damage() -> impl Strategy<Value = Damage> {
    let piece = prop::sample::select(vec![
        &b"BEGIN:VCARD\n"[..],
        b"END:VCARD\r\n",
        b"AGENT:\n",
        b"\n ",
        b"=\n",
        b"\\",
        b"\"",
        b";ENCODING=QUOTED-PRINTABLE:",
        b";ENCODING=b:",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"TEL:",
        b"TEL;VALUE=uri:data:;base64,",
        b",",
        b"\xb0\xa1",
        b" ::: ",
    ]);
    prop_oneof![
        (any::<u16>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        any::<u16>().prop_map(Damage::Cut),
        (any::<u16>(), piece).prop_map(|(at, piece)| Damage::Insert(at, piece.to_vec())),
        (any::<u16>(), any::<u16>(), any::<u16>())
            .prop_map(|(from, to, length)| Damage::Copy(from, to, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: Damage) {
    let place = |at: u16, len: usize| usize::from(at) % (len + 1);
    match damage {
        Damage::Flip(at, byte) => {
            let at = place(at, bytes.len());
            if let Some(old) = bytes.get_mut(at) {
                *old ^= byte;
            }
        }
        Damage::Cut(at) => bytes.truncate(place(at, bytes.len())),
        Damage::Insert(at, piece) => {
            let at = place(at, bytes.len());
            bytes.splice(at..at, piece);
        }
        Damage::Copy(from, to, length) => {
            let from = place(from, bytes.len());
            let end = (from + usize::from(length) % 256).min(bytes.len());
            let piece = bytes[from..end].to_vec();
            let to = place(to, bytes.len());
            bytes.splice(to..to, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_reading_panic(
        seed in prop::sample::select(seeds()),
        damages in prop::collection::vec(damage(), 1..12),
    ) {
        let mut bytes = seed;
        for damage in damages {
            apply(&mut bytes, damage);
        }
        let mut scan = Scan::default();
        scan.add("damaged", &bytes, Region::CN);
        let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        if let Ok(book) = read_book(&bytes) {
            for telephone in book.entries.iter().flat_map(|entry| &entry.telephones) {
                prop_assert!(telephone.line >= 1 && telephone.line <= lines);
                prop_assert!(!telephone.raw.is_empty());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_book(&bytes);
    }
}
