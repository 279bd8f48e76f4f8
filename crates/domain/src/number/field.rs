//! One cleaned field: one number, several, or a reason.

use super::clean::{is_address, is_scientific};
use super::dialled::{count_digits, digits, stretches, strip_caller_id_code};
use super::plan::{Found, find, has_possible_length};
use super::{NUMBERS_A_FIELD_MAX, Refusal, Region, mainland};

/// The fewest digits that a number among several has, so that extensions are not taken for numbers.
const NUMBER_DIGITS_MIN: usize = 7;

/// The most digits of a tail such as the 1 in `65550100/1`.
const TAIL_DIGITS_MAX: usize = 4;

/// Reads the numbers of a cleaned field; never an empty list.
pub(super) fn find_all(text: &str, region: Region) -> Result<Vec<Found>, Refusal> {
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    if is_scientific(text) {
        return Err(Refusal::LostDigits);
    }
    if is_address(text) {
        return Err(Refusal::Address);
    }
    let text = strip_caller_id_code(text);
    if text.starts_with(['*', '#']) {
        let dialled = count_digits(text) > 0;
        return Err(if dialled { Refusal::ServiceNumber } else { Refusal::NotANumber });
    }
    let several = find_several(text, region);
    if several.len() > 1 {
        return Ok(several);
    }
    if let Some(one) = find_one(text, region) {
        return Ok(vec![one]);
    }
    let split = find_split(text, region);
    if split.is_empty() { Err(refuse(text, region)) } else { Ok(split) }
}

/// One number, as the library reads it or with what is written around it taken off.
fn find_one(text: &str, region: Region) -> Option<Found> {
    find(text, region).or_else(|| {
        if mainland::applies(text, region) {
            return mainland::find_dressed(text, region);
        }
        // `+49 30 123328 转 801`: an extension in a word that the library does not know.
        let parts = stretches(text);
        let first = *parts.first()?;
        if first.len() == text.len() { None } else { find(first, region) }
    })
}

/// The numbers of a field whose parts stand apart by letters or separators, `138…;139…`.
fn find_several(text: &str, region: Region) -> Vec<Found> {
    // Two commas are a pause before what is dialled later; a context belongs to one number.
    let text = text.split(",,").next().unwrap_or_default();
    if text.contains("phone-context") {
        return Vec::new();
    }
    let parts = stretches(text);
    let long = parts.iter().filter(|part| count_digits(part) >= NUMBER_DIGITS_MIN);
    if long.clone().count() < 2 {
        return Vec::new();
    }
    find_each(long.copied(), region)
}

fn find_each<'a>(parts: impl Iterator<Item = &'a str>, region: Region) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for part in parts {
        let found =
            find_one(part, region).or_else(|| all.last().and_then(|before| find_in_same_area(part, *before)));
        if let Some(found) = found {
            all.push(found);
        }
        if all.len() == NUMBERS_A_FIELD_MAX {
            break;
        }
    }
    all
}

/// `010-65550100、65550101`: the second number shares the area code of the first.
fn find_in_same_area(part: &str, before: Found) -> Option<Found> {
    let e164 = before.msisdn.e164();
    let national = e164.strip_prefix("+86").filter(|_| !before.mobile)?;
    // Beijing is 10 and the 2x areas have two digits, all others three. Source: MIIT numbering plan.
    let area_length = if national.starts_with("10") || national.starts_with('2') { 2 } else { 3 };
    let (area, local) = national.split_at_checked(area_length)?;
    let part = digits(part);
    if part.len() != local.len() {
        return None;
    }
    find(&format!("0{area}{part}"), Region::CN)
}

/// Numbers that are told apart only by a slash, a space or nothing; tried when the whole is no number.
fn find_split(text: &str, region: Region) -> Vec<Found> {
    let slashed = text.split(['/', ':']);
    let usable = |part: &str| {
        let count = count_digits(part);
        count <= TAIL_DIGITS_MAX || find_one(part, region).is_some() || is_local(part)
    };
    if slashed.clone().count() > 1 && slashed.clone().all(usable) {
        let found = find_each(slashed.filter(|part| count_digits(part) > TAIL_DIGITS_MAX), region);
        if !found.is_empty() {
            return found;
        }
    }
    let spaced = text.split_whitespace();
    let clear = |part: &str| {
        // A bare group of digits may belong to its neighbour; then nothing is certain.
        part.chars().any(char::is_alphabetic) || count_digits(part) == 0 || find_one(part, region).is_some()
    };
    if spaced.clone().count() > 1 && spaced.clone().all(clear) {
        let found = find_each(spaced.filter(|part| count_digits(part) >= NUMBER_DIGITS_MIN), region);
        if !found.is_empty() {
            return found;
        }
    }
    let late: Vec<&str> =
        stretches(text).into_iter().filter(|part| count_digits(part) >= NUMBER_DIGITS_MIN).collect();
    if text.chars().any(char::is_alphabetic) && !late.is_empty() {
        let found = find_each(late.into_iter(), region);
        if !found.is_empty() {
            return found;
        }
    }
    if mainland::applies(text, region) { mainland::find_run(text) } else { Vec::new() }
}

/// Seven or eight digits, which an area code in front of a neighbour may complete.
fn is_local(part: &str) -> bool {
    (7..=8).contains(&count_digits(part)) && part.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-')
}

/// Why a field without any number is refused.
fn refuse(text: &str, region: Region) -> Refusal {
    let parts = stretches(text);
    let Some(first) = parts.first() else { return Refusal::NotANumber };
    // `138****8000` and `3号楼110室` are not short numbers because their first digits are few.
    if text.contains('*') || (parts.len() > 1 && count_digits(first) < 3) {
        return Refusal::NotANumber;
    }
    let all = digits(first);
    let plus = first.trim_start_matches(['(', ' ']).starts_with('+');
    if mainland::applies(first, region) {
        let national =
            all.trim_start_matches("00").strip_prefix("86").filter(|_| plus || all.starts_with("00"));
        if let Some(refusal) = mainland::find_short(national.unwrap_or(&all))
            && (!plus || national.is_some() || refusal == Refusal::ServiceNumber)
        {
            return refusal;
        }
        if let Some(national) = national {
            return mainland::refuse(national);
        }
        if !plus {
            let refusal = mainland::refuse(&all);
            let mobile_like = all.len() == 11 && all.starts_with('1');
            let sure = mobile_like || refusal == Refusal::NoAreaCode;
            return if !sure && lacks_plus(&all, region) { Refusal::MissingPlus } else { refusal };
        }
    } else if !plus && (3..=6).contains(&all.len()) {
        return Refusal::ShortCode;
    }
    if !plus && lacks_plus(&all, region) {
        return Refusal::MissingPlus;
    }
    if has_possible_length(first, region) { Refusal::NotValid } else { Refusal::WrongLength }
}

/// Whether the digits would be a valid number if a `+` stood before them.
fn lacks_plus(all: &str, region: Region) -> bool {
    !all.starts_with('0') && find(&format!("+{all}"), region).is_some()
}
