//! Numbers written with digits and plain marks alone, read by the tables of [`super::plans`].
//!
//! Most of what stands in address books is written so, and most of the library's time goes into
//! looking for what is not: letters, extensions, parameters, digits of other scripts. The steps are the
//! library's own, one by one; a test writes numbers of every region in every such way and compares.

use std::borrow::Cow;

use super::Region;
use super::plan::{Found, write_digits};
use super::plans::{self, Length, Plan};
use crate::Msisdn;

/// The most digits that are looked at: a country code behind a prefix and the 17 of the longest number.
const DIGITS_MAX: usize = 24;

/// The fewest and the most digits of a number within its country, as the library bounds them.
const NATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 2..=17;

/// What digits and plain marks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    /// A valid number.
    Number(Found),
    /// The library would find none either.
    Nothing,
    /// More than digits and plain marks: the library has to be asked.
    Unsure,
}

/// Reads a text the way the library does, where that can be told by its digits.
pub(super) fn read(text: &str, region: Region) -> Plain {
    let mut digits = Digits::default();
    match digits.collect(text) {
        Collected::Plain => {}
        Collected::Foreign => return Plain::Nothing,
        Collected::Other => return Plain::Unsure,
    }
    let Some(home) = plans::of_region(region.inner()) else { return Plain::Unsure };
    let all = digits.text();
    if digits.plus {
        return match split_code(all) {
            Some((plan, national)) => find(plan, national),
            // The library then tries once more without the plus.
            None => Plain::Unsure,
        };
    }
    if let Some(abroad) = home.strip_international(all) {
        return split_code(abroad).map_or(Plain::Nothing, |(plan, national)| find(plan, national));
    }
    match strip_own_code(home, all) {
        Some(national) => {
            plans::of_code(home.country_code).next().map_or(Plain::Unsure, |main| find(main, &national))
        }
        None => find(home, all),
    }
}

/// `8613800138000` without a plus: the country's own code comes off where only that makes a number.
fn strip_own_code<'a>(home: &Plan, all: &'a str) -> Option<Cow<'a, str>> {
    let national = home.strip_trunk(home.strip_own_code(all)?);
    let better = !home.is_general(all) && home.is_general(&national);
    (better || home.length(all) == Length::TooLong).then_some(national)
}

/// The main plan of the country code in front, and what stands behind it; codes have one to three digits.
fn split_code(all: &str) -> Option<(&'static Plan, &str)> {
    if all.starts_with('0') || all.len() <= *NATIONAL_DIGITS.start() {
        return None;
    }
    (1..=3).find_map(|length| {
        let (code, national) = all.split_at_checked(length)?;
        plans::of_code(code.parse().ok()?).next().map(|plan| (plan, national))
    })
}

/// The number that digits behind a country code are.
fn find(plan: &Plan, national: &str) -> Plain {
    if national.len() < *NATIONAL_DIGITS.start() {
        return Plain::Nothing;
    }
    let stripped = plan.strip_trunk(national);
    let national = match plan.length(&stripped) {
        Length::Possible | Length::TooLong => stripped,
        Length::Local | Length::TooShort => Cow::Borrowed(national),
    };
    if !NATIONAL_DIGITS.contains(&national.len()) {
        return Plain::Nothing;
    }
    let mobile = find_mobile(plan.country_code, &national);
    let found =
        mobile.and_then(|mobile| Some(Found { msisdn: to_msisdn(plan.country_code, &national)?, mobile }));
    found.map_or(Plain::Nothing, Plain::Number)
}

/// Whether a number is in use in the region that it belongs to, and then whether it may be mobile.
fn find_mobile(code: u16, national: &str) -> Option<bool> {
    let mut sharing = plans::of_code(code);
    let main = sharing.next()?;
    if plans::of_code(code).nth(1).is_none() {
        return main.find_mobile(national);
    }
    for plan in std::iter::once(main).chain(sharing) {
        let mobile = plan.find_mobile(national);
        if mobile.is_some() || plan.leads(national) {
            return mobile;
        }
    }
    None
}

fn to_msisdn(code: u16, national: &str) -> Option<Msisdn> {
    let shift = 10_u64.checked_pow(u32::try_from(national.len()).ok()?)?;
    let all = u64::from(code).checked_mul(shift)?.checked_add(national.parse().ok()?)?;
    Msisdn::parse_digits(write_digits(all, &mut [0; 20])).ok()
}

/// What a text is made of.
enum Collected {
    /// Digits and plain marks.
    Plain,
    /// Chinese characters behind digits, with which the library takes nothing for a number.
    Foreign,
    /// Anything else.
    Other,
}

/// The digits of a text.
#[derive(Default)]
struct Digits {
    buffer: [u8; DIGITS_MAX],
    count: usize,
    plus: bool,
}

impl Digits {
    fn text(&self) -> &str {
        self.buffer.get(..self.count).and_then(|all| std::str::from_utf8(all).ok()).unwrap_or_default()
    }

    /// Collects the digits. In front of the first digit or plus the library passes over anything; a
    /// semicolon may begin a parameter.
    fn collect(&mut self, text: &str) -> Collected {
        for c in text.chars() {
            let begun = self.plus || self.count > 0;
            match c {
                '0'..='9' => match self.buffer.get_mut(self.count) {
                    Some(place) => {
                        *place = c as u8;
                        self.count += 1;
                    }
                    None => return Collected::Other,
                },
                '+' if !begun => self.plus = true,
                ' ' | '-' | '.' | '(' | ')' | '[' | ']' | '/' => {}
                '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' => {}
                'a'..='z' | 'A'..='Z' | ':' | '\u{4E00}'..='\u{9FFF}' if !begun => {}
                '\u{4E00}'..='\u{9FFF}' if self.count > 2 && !text.contains(';') => {
                    return Collected::Foreign;
                }
                _ => return Collected::Other,
            }
        }
        // Two digits are a case of their own to the library.
        if self.count > 2 { Collected::Plain } else { Collected::Other }
    }
}
