//! The forms in which a secret could be written down, and a search for all of them at once.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones occur by chance.
const FORM_BYTES_MIN: usize = 5;

/// A secret: what it is, and its text. A telephone number is one of digits alone, with its country code.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) what: &'static str,
    pub(super) text: String,
}

impl Secret {
    pub(super) fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.trim_start_matches('+').to_owned() }
    }

    fn forms(&self) -> BTreeSet<Vec<u8>> {
        let mut forms = BTreeSet::new();
        let is_number = self.text.len() > 9 && self.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            let home = self.text.trim_start_matches("86");
            for text in [self.text.as_str(), home] {
                forms.extend(number_forms(text));
            }
            // In groups, as people write it.
            for with in [" ", "-", ".", "\u{a0}", "%20"] {
                let grouped = [&home[..3], &home[3..7], &home[7..]].join(with);
                forms.extend(text_forms(grouped.as_bytes()));
            }
        } else {
            forms.extend(text_forms(self.text.as_bytes()));
        }
        forms.retain(|form| form.len() >= FORM_BYTES_MIN);
        forms
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The characters that bytes become in base64, wherever they begin in what is encoded.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for shift in 0..3_usize {
        let padded = [vec![0; shift], bytes.to_vec()].concat();
        // Those that none of the neighbours' bits are in.
        let (first, last) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(text.as_bytes()[first..last].to_vec());
        }
    }
    forms
}

fn text_forms(text: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![text.to_vec(), hex(text).into_bytes(), hex(text).to_uppercase().into_bytes()];
    forms.push(text.iter().flat_map(|byte| [0, *byte]).collect());
    forms.push(text.iter().flat_map(|byte| [*byte, 0]).collect());
    forms.push(text.iter().rev().copied().collect());
    forms.extend(base64_forms(text));
    forms
}

/// The bytes of an integer, without those that are zero in front.
fn big_endian(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// Seven bits a byte, the lowest first.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number_forms(digits: &str) -> Vec<Vec<u8>> {
    let mut forms = text_forms(digits.as_bytes());
    let number: u64 = digits.parse().unwrap();
    let big = big_endian(number);
    let little: Vec<u8> = big.iter().rev().copied().collect();
    // Two digits a byte; one without a partner has the filler that telephony uses.
    let filler = (digits.len() % 2 == 1).then_some(0xF);
    let nibbles: Vec<u8> = digits.bytes().map(|digit| digit - b'0').chain(filler).collect();
    let packed = |high: usize, low: usize| -> Vec<u8> {
        nibbles.chunks_exact(2).map(|pair| pair[high] << 4 | pair[low]).collect()
    };
    for bytes in [big, little, varint(number), packed(0, 1), packed(1, 0)] {
        forms.push(hex(&bytes).into_bytes());
        forms.push(hex(&bytes).to_uppercase().into_bytes());
        forms.extend(base64_forms(&bytes).into_iter().filter(|form| form.len() > 6));
        forms.push(bytes);
    }
    forms
}

/// All forms of all secrets, by their first four bytes.
pub(super) struct Wanted {
    begins: Vec<bool>,
    forms: HashMap<[u8; 4], Vec<(Vec<u8>, &'static str)>>,
}

impl Wanted {
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let mut wanted = Self { begins: vec![false; 1 << 16], forms: HashMap::new() };
        for secret in secrets {
            for form in secret.forms() {
                let first: [u8; 4] = form[..4].try_into().unwrap();
                wanted.begins[usize::from(first[0]) << 8 | usize::from(first[1])] = true;
                wanted.forms.entry(first).or_default().push((form, secret.what));
            }
        }
        wanted
    }

    /// What is found first, without telling more of it.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<String> {
        for (place, window) in bytes.windows(4).enumerate() {
            if !self.begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            let first: [u8; 4] = window.try_into().unwrap();
            for (form, what) in self.forms.get(&first).into_iter().flatten() {
                if bytes[place..].starts_with(form) {
                    return Some(format!("{what} in {} bytes at {place}", form.len()));
                }
            }
        }
        None
    }
}

/// Each run of digits in a text, but for those of times, ids and sealed values.
pub(super) fn digit_runs(text: &str) -> BTreeSet<&str> {
    let mut runs = BTreeSet::new();
    // A word is what could be an id or a time: letters, digits, and what joins them there.
    let joined = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '_' | '\\' | '/');
    for word in text.split(|c: char| !joined(c)) {
        let digits_only = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if !digits_only.is_empty() && digits_only.bytes().all(|byte| byte.is_ascii_digit()) {
            runs.insert(digits_only);
        }
    }
    runs
}

#[test]
fn each_form_of_a_planted_secret_is_found_and_nothing_else_is() {
    let number = Secret::new("a number", "+8613912345678");
    let token = Secret::new("a token", "an-opaque-token_with-everything");
    let wanted = Wanted::new(&[number.clone(), token.clone()]);
    for secret in [&number, &token] {
        assert!(secret.forms().len() >= 9);
        for form in secret.forms() {
            let planted = [&b"before"[..], &form, b"after"].concat();
            assert!(wanted.find(&planted).is_some(), "{form:?}");
        }
    }
    for text in ["139 1234 5678", "+86 139-1234-5678", "tel:13912345678", "x=%2B8613912345678"] {
        assert!(wanted.find(text.as_bytes()).is_some(), "{text}");
    }
    let json = STANDARD_NO_PAD.encode("{\"to\":\"+8613912345678\"}");
    assert!(wanted.find(json.as_bytes()).is_some(), "in the midst of something encoded");
    assert!(wanted.find(&13_912_345_678_u64.to_be_bytes()).is_some());
    assert!(wanted.find(&8_613_912_345_678_i64.to_le_bytes()).is_some());
    assert!(wanted.find(b"8613912345679 and 139 1234 5677, an-opaque-token with-everything").is_none());
    assert!(digit_runs("your code: 4827, \"483920\"").is_superset(&["4827", "483920"].into()));
    assert!(digit_runs("2026-11-23T03:52:11.123456Z \\x12ab3456 order/4827").is_empty());
}
