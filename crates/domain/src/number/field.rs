//! One cleaned field: one number, several, or a reason.

use super::clean::{is_address, is_scientific};
use super::dialled::{count_digits, digits, stretches, strip_caller_id_code};
use super::plan::{Found, Written, find, has_possible_length, read_written};
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
    match read_written(text, region) {
        Written::Mobile(one) => return Ok(vec![one]),
        Written::NoSuchMobile => return Err(Refusal::NotValid),
        Written::Other => {}
    }
    // Numbers of China have seven digits or more; nobody needs to be asked about these.
    if region == Region::CN && text.len() < NUMBER_DIGITS_MIN && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refuse(text, region));
    }
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
    if count_digits(text) < 2 * NUMBER_DIGITS_MIN || text.contains("phone-context") {
        return Vec::new();
    }
    let mut long = stretches(text);
    long.retain(|part| count_digits(part) >= NUMBER_DIGITS_MIN);
    if long.len() < 2 { Vec::new() } else { find_each(long.into_iter(), region) }
}

fn find_each<'a>(parts: impl Iterator<Item = &'a str>, region: Region) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for part in parts.take(NUMBERS_A_FIELD_MAX) {
        let found =
            find_one(part, region).or_else(|| all.last().and_then(|before| find_in_same_area(part, *before)));
        all.extend(found);
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
    let lettered = text.chars().any(char::is_alphabetic);
    if text.contains(['/', ':']) {
        let usable = |part: &str| {
            count_digits(part) <= TAIL_DIGITS_MAX || is_local(part) || find_one(part, region).is_some()
        };
        let found = find_parts(text.split(['/', ':']), usable, region);
        if !found.is_empty() {
            return found;
        }
    }
    if !lettered && count_digits(text) < 2 * NUMBER_DIGITS_MIN {
        return Vec::new();
    }
    // A bare group of digits may belong to its neighbour; then nothing is certain.
    let clear = |part: &str| {
        part.chars().any(char::is_alphabetic) || count_digits(part) == 0 || find_one(part, region).is_some()
    };
    let mut found = find_parts(text.split_whitespace(), clear, region);
    if found.is_empty() && lettered {
        found = find_parts(stretches(text).into_iter(), |_| true, region);
    }
    if found.is_empty() && mainland::applies(text, region) {
        found = mainland::find_run(text);
    }
    found
}

/// Reads the parts long enough for a number, when there are several parts and each passes the test.
fn find_parts<'a>(
    parts: impl Iterator<Item = &'a str> + Clone,
    passes: impl Fn(&str) -> bool,
    region: Region,
) -> Vec<Found> {
    let count = parts.clone().take(NUMBERS_A_FIELD_MAX + 1).count();
    if !(2..=NUMBERS_A_FIELD_MAX).contains(&count) || !parts.clone().all(passes) {
        return Vec::new();
    }
    find_each(parts.filter(|part| count_digits(part) >= NUMBER_DIGITS_MIN), region)
}

/// Seven or eight digits, which an area code in front of a neighbour may complete.
fn is_local(part: &str) -> bool {
    (7..=8).contains(&count_digits(part)) && part.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-')
}

/// Why a field without any number is refused.
fn refuse(text: &str, region: Region) -> Refusal {
    let parts = stretches(text);
    let Some(mut first) = parts.first() else { return Refusal::NotANumber };
    if let Some(second) = parts.get(1).filter(|part| count_digits(part) >= NUMBER_DIGITS_MIN)
        && mainland::applies(text, region)
        && mainland::is_only_prefixes(&digits(first))
    {
        first = second;
    }
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
            // No mobile number begins with 12, so that one may be North American.
            let mobile_like = all.starts_with('1') && !all.starts_with("12");
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
    // What begins with the region's own code has been read with and without it.
    let own = all.starts_with('0') || all.starts_with(&region.country_code().to_string());
    !own && (8..=15).contains(&all.len()) && find(&format!("+{all}"), region).is_some()
}
