//! What people in mainland China write in front of and behind a number, which the world's numbering
//! plans do not know: carrier prefixes, service numbers, extensions.

use super::dialled::{count_digits, cut_tail, digits, stretches};
use super::plan::{Found, Written, find, find_mainland_mobile, read_written};
use super::{Refusal, Region};

/// How many prefixes may stand in front of one number: `0`, a carrier's, `00` and `86`.
const PREFIXES_MAX: usize = 4;

/// Whether the rules of this module apply: a Chinese book, or a number written with China's code.
pub(super) fn applies(text: &str, region: Region) -> bool {
    if region == Region::CN {
        return true;
    }
    let plus = text.trim_start_matches(['(', ' ']).starts_with('+');
    let all = digits(text);
    (plus && all.starts_with("86")) || all.starts_with("0086")
}

/// Reads a number out of the first thing that could be dialled in a text.
pub(super) fn find_dressed(text: &str, region: Region) -> Option<Found> {
    let parts = stretches(text);
    let first = *parts.first()?;
    // `17911,138…` and `17951p138…`: the carrier's prefix, a pause, the number.
    if is_only_prefixes(&digits(first)) {
        let second = *parts.get(1)?;
        return find_behind_prefix(second, region);
    }
    if let Some((before, after)) = split_inner_plus(first)
        && is_only_prefixes(&digits(before))
    {
        return find_behind_prefix(after, region);
    }
    find_plain(first, region).or_else(|| cut_tail(first).and_then(|front| find_plain(front, region)))
}

fn find_behind_prefix(text: &str, region: Region) -> Option<Found> {
    find_plain(text, region).or_else(|| cut_tail(text).and_then(|front| find_plain(front, region)))
}

fn find_plain(text: &str, region: Region) -> Option<Found> {
    match read_written(text, region) {
        Written::Mobile(found) => Some(found),
        Written::NoSuchMobile => None,
        Written::Other => find(text, region).or_else(|| peel_dialled(text)),
    }
}

fn peel_dialled(text: &str) -> Option<Found> {
    let all = digits(text);
    let foreign = text.trim_start_matches(['(', ' ']).starts_with('+') && !all.starts_with("86");
    if foreign { None } else { peel(&all, PREFIXES_MAX) }
}

/// `17951+86138…`: what stands before and from a plus sign inside.
fn split_inner_plus(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind('+')?;
    let (before, after) = text.split_at(at);
    (count_digits(before) > 0).then_some((before, after))
}

/// Whether digits are a prefix that is dialled before a number and nothing more.
pub(super) fn is_only_prefixes(text: &str) -> bool {
    matches!(text, "0" | "00") || carrier_lengths(text).contains(&Some(text.len()))
}

/// Takes prefixes off the front until a mainland number remains, or a foreign one behind `00`.
fn peel(text: &str, left: usize) -> Option<Found> {
    if let Some(found) = find_mainland_mobile(text) {
        return Some(found);
    }
    // A landline keeps its 0 behind a carrier's prefix: 10 to 12 digits with it, a foreign number
    // behind 00 has more. Without any prefix it has been read before.
    if left < PREFIXES_MAX && text.starts_with('0') && (10..=17).contains(&text.len()) {
        let landline = find(text, Region::CN);
        if landline.is_some() {
            return landline;
        }
    }
    let left = left.checked_sub(1)?;
    // Behind 00 only China's own code makes a mainland number; any other is foreign.
    let trunk = text.strip_prefix('0').filter(|rest| rest.starts_with(['1', '8']));
    let country = text.strip_prefix("0086").or_else(|| text.strip_prefix("86"));
    let carriers = carrier_lengths(text).into_iter().flatten().map(|length| text.get(length..));
    [trunk, country].into_iter().chain(carriers).flatten().find_map(|rest| peel(rest, left))
}

/// How long a carrier's prefix at the front may be, the likelier first.
///
/// 179xx and 179: the internet-telephony prefixes of all operators; 12593, 12520, 12580, 12590:
/// China Mobile's; 12583 with the digit of a secondary number; 10193, 11808: China Unicom's.
/// Source: MIIT numbering plan, and the prefixes that the sample address books hold.
fn carrier_lengths(text: &str) -> [Option<usize>; 2] {
    if text.starts_with("12583") {
        // Behind 12583 a single digit chooses one of the secondary numbers; not everybody writes it.
        return [Some(5), Some(6)];
    }
    if text.starts_with("179") {
        return [Some(5), Some(3)];
    }
    let five = ["12593", "12520", "12580", "12590", "10193", "11808"];
    [five.iter().any(|prefix| text.starts_with(prefix)).then_some(5), None]
}

/// The several mobile numbers that somebody wrote one after the other without a mark between.
pub(super) fn find_run(text: &str) -> Vec<Found> {
    let all = digits(text);
    let mut rest = all.as_str();
    let mut found = Vec::new();
    if rest.len() < 22 {
        return found;
    }
    while !rest.is_empty() {
        let bare = if rest.len().is_multiple_of(11) { rest } else { rest.strip_prefix("86").unwrap_or(rest) };
        let Some(number) = bare.get(..11).and_then(find_mainland_mobile) else { return Vec::new() };
        found.push(number);
        rest = bare.get(11..).unwrap_or_default();
    }
    found
}

/// Which kind of short or service number the national digits are, if any.
///
/// Sources: MIIT numbering plan (1xx emergency and special, 10xxx operators, 12xxx public services,
/// 95xxx and 96xxx companies, 106 messages); a group's short numbers are the other three to six digits.
pub(super) fn find_short(national: &str) -> Option<Refusal> {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| national.starts_with(prefix));
    match national.len() {
        3 if starts(&["1", "999"]) => Some(Refusal::ShortCode),
        3 | 4 => Some(Refusal::GroupShortNumber),
        5 | 6 if starts(&["1", "95", "96"]) => Some(Refusal::ServiceNumber),
        5 | 6 => Some(Refusal::GroupShortNumber),
        // Local landlines begin with 2 to 8, truncated mobile numbers with 13 and above.
        7 | 8 if starts(&["10", "11", "12"]) => Some(Refusal::ServiceNumber),
        // Message senders: 106 and up to 17 more, 20 being what SMPP addresses hold.
        9..=20 if starts(&["106"]) => Some(Refusal::ServiceNumber),
        // 950xx numbers with the company's own digits behind them.
        9..=14 if starts(&["950"]) => Some(Refusal::ServiceNumber),
        _ => None,
    }
}

/// Why national digits that are no valid and no short number are refused.
pub(super) fn refuse(national: &str) -> Refusal {
    match national.len() {
        // A mainland mobile number has 11 digits; one that begins like it has lost some.
        7 | 8 if !national.starts_with(['0', '1']) => Refusal::NoAreaCode,
        11 if national.starts_with('1') => Refusal::NotValid,
        10..=12 if !national.starts_with('1') => Refusal::NotValid,
        _ => Refusal::WrongLength,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_off_in_any_order_people_write_them() {
        for raw in [
            "1795113800138000",
            "17951 13800138000",
            "17951+8613800138000",
            "17911,13800138000",
            "17951p13800138000",
            "1259313800138000",
            "12583113800138000",
            "12583 13800138000",
            "1019313800138000",
            "0+8613800138000",
            "+8617951 13800138000",
            "17913800138000",
            "00861795113800138000",
            "13800138000-801",
        ] {
            let found = find_dressed(raw, Region::CN).map(|found| found.msisdn.e164());
            assert_eq!(found.as_deref(), Some("+8613800138000"), "{raw}");
        }
    }

    #[test]
    fn a_landline_keeps_its_zero_behind_a_carrier() {
        let found = find_dressed("17951021-68888888", Region::CN).map(|found| found.msisdn.e164());
        assert_eq!(found.as_deref(), Some("+862168888888"));
        let foreign = find_dressed("17951 00852 9123 4567", Region::CN).map(|found| found.msisdn.e164());
        assert_eq!(foreign.as_deref(), Some("+85291234567"));
    }

    #[test]
    fn short_numbers_are_told_by_length_and_first_digits() {
        for (national, kind) in [
            ("110", Some(Refusal::ShortCode)),
            ("10086", Some(Refusal::ServiceNumber)),
            ("95588", Some(Refusal::ServiceNumber)),
            ("1008611", Some(Refusal::ServiceNumber)),
            ("10690001", Some(Refusal::ServiceNumber)),
            ("1069012345678", Some(Refusal::ServiceNumber)),
            ("66123", Some(Refusal::GroupShortNumber)),
            ("661234", Some(Refusal::GroupShortNumber)),
            ("65550100", None),
            ("13800138000", None),
        ] {
            assert_eq!(find_short(national), kind, "{national}");
        }
    }
}
