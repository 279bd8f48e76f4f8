//! The world's numbering plans as tables, and the library built over the same ones.
//!
//! The library's patterns say `\d` and mean the digits of every script, though it asks them about
//! ASCII digits alone; compiling those took longer than reading a hundred thousand numbers. Here the
//! same plans are compiled for ASCII, each pattern when it is first asked.

#![allow(deprecated)] // The library keeps these fields for whoever builds it over plans of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use prost::Message;
use regex::{Regex, RegexBuilder};
use rlibphonenumber::{
    PHONE_NUMBER_UTIL, PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc, PhoneNumberUtil, Region,
};

/// The plans of libphonenumber, as rlibphonenumber 2.2.15 carries them in `metadata.bin` (Apache-2.0);
/// exchanged together with it. A test compares what they say with what the library says, region by region.
const BYTES: &[u8] = include_bytes!("../../data/numbering_plans.bin");

static PLANS: LazyLock<Plans> = LazyLock::new(|| Plans::from_bytes(BYTES));

/// All plans.
#[derive(Default)]
pub(super) struct Plans {
    all: Vec<Plan>,
    by_region: BTreeMap<Region, usize>,
    /// Those that share a country code, the main one first.
    by_code: BTreeMap<u16, Vec<usize>>,
    library: Option<PhoneNumberUtil>,
}

/// One region's plan, or that of a code that belongs to no region.
pub(super) struct Plan {
    pub(super) country_code: u16,
    code_text: String,
    general: Sort,
    /// The lengths of local numbers, which nobody can dial from elsewhere.
    local_lengths: u32,
    /// Premium rate to voice mail, which are never mobile.
    others: Vec<Sort>,
    /// Fits whatever one of them fits: most numbers are none of these, and are asked once.
    any_other: Pattern,
    fixed: Sort,
    mobile: Sort,
    fixed_is_mobile: bool,
    leading: Pattern,
    international: Pattern,
    trunk: Pattern,
    /// The trunk prefix where it is digits and nothing else, as in most countries.
    trunk_digits: Option<String>,
    transform: String,
}

/// One sort of number within a plan.
#[derive(Default)]
struct Sort {
    pattern: Pattern,
    /// A bit a length; none stands for any.
    lengths: Option<u32>,
}

/// A pattern that is compiled when it is first asked; without a text it fits nothing.
#[derive(Default)]
struct Pattern {
    text: Option<String>,
    compiled: OnceLock<Option<Regex>>,
}

/// How the length of a number fits a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// A number may be so long.
    Possible,
    /// Only without its area code.
    Local,
    /// Shorter than all, or between two lengths.
    TooShort,
    /// Longer than all.
    TooLong,
}

/// The library over ASCII patterns; should the plans be unreadable, as it comes.
pub(super) fn library() -> &'static PhoneNumberUtil {
    PLANS.library.as_ref().unwrap_or(&PHONE_NUMBER_UTIL)
}

/// The plan that a region dials by.
pub(super) fn of_region(region: Region) -> Option<&'static Plan> {
    PLANS.by_region.get(&region).and_then(|at| PLANS.all.get(*at))
}

/// The plans of a country code, the main one first.
pub(super) fn of_code(code: u16) -> impl Iterator<Item = &'static Plan> {
    PLANS.by_code.get(&code).into_iter().flatten().filter_map(|at| PLANS.all.get(*at))
}

impl Plans {
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut plans = Self::default();
        let Ok(mut collection) = PhoneMetadataCollection::decode(bytes) else { return plans };
        for data in &mut collection.metadata {
            write_ascii(data);
            plans.add(data);
        }
        plans.library = PhoneNumberUtil::new_for_metadata(collection).ok();
        plans
    }

    fn add(&mut self, data: &PhoneMetadata) {
        let Some(code) = data.country_code.and_then(|code| u16::try_from(code).ok()) else { return };
        let Ok(region) = Region::from_code(&data.id) else { return };
        let at = self.all.len();
        self.all.push(Plan::new(data, code));
        if region != Region::World {
            self.by_region.insert(region, at);
        }
        let sharing = self.by_code.entry(code).or_default();
        sharing.insert(if data.main_country_for_code() { 0 } else { sharing.len() }, at);
    }
}

/// Every pattern of a plan that reading asks, for ASCII digits.
fn write_ascii(data: &mut PhoneMetadata) {
    let sorts = [
        &mut data.general_desc,
        &mut data.fixed_line,
        &mut data.mobile,
        &mut data.toll_free,
        &mut data.premium_rate,
        &mut data.shared_cost,
        &mut data.personal_number,
        &mut data.voip,
        &mut data.pager,
        &mut data.uan,
        &mut data.voicemail,
    ];
    let patterns = sorts.into_iter().flatten().map(|sort| &mut sort.national_number_pattern);
    let prefixes =
        [&mut data.leading_digits, &mut data.international_prefix, &mut data.national_prefix_for_parsing];
    for text in patterns.chain(prefixes).flatten() {
        *text = text.replace(r"\d", "[0-9]");
    }
}

impl Plan {
    fn new(data: &PhoneMetadata, country_code: u16) -> Self {
        let others = [
            &data.premium_rate,
            &data.toll_free,
            &data.shared_cost,
            &data.voip,
            &data.personal_number,
            &data.pager,
            &data.uan,
            &data.voicemail,
        ];
        let others: Vec<Sort> = others.into_iter().flatten().map(|sort| Sort::new(Some(sort))).collect();
        let local = data.general_desc.as_ref().map_or(0, |sort| bits(&sort.possible_length_local_only));
        Self {
            country_code,
            code_text: country_code.to_string(),
            general: Sort::new(data.general_desc.as_ref()),
            local_lengths: local,
            any_other: Pattern::any(&others),
            others,
            fixed: Sort::new(data.fixed_line.as_ref()),
            mobile: Sort::new(data.mobile.as_ref()),
            fixed_is_mobile: data.same_mobile_and_fixed_line_pattern(),
            leading: Pattern::start(data.leading_digits.as_ref()),
            international: Pattern::start(data.international_prefix.as_ref()),
            trunk: Pattern::start(data.national_prefix_for_parsing.as_ref()),
            trunk_digits: data.national_prefix_for_parsing.as_deref().and_then(only_digits),
            transform: data.national_prefix_transform_rule().to_owned(),
        }
    }

    /// Whether digits look like a number of this plan at all.
    pub(super) fn is_general(&self, digits: &str) -> bool {
        self.general.pattern.fits(digits)
    }

    /// What stands behind the region's own country code, written without a plus.
    pub(super) fn strip_own_code<'a>(&self, digits: &'a str) -> Option<&'a str> {
        digits.strip_prefix(self.code_text.as_str())
    }

    /// What stands behind the prefix for calls abroad; no country code begins with 0.
    pub(super) fn strip_international<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let end = self.international.compiled()?.find(digits)?.end();
        digits.get(end..).filter(|rest| !rest.starts_with('0'))
    }

    /// The digits without the prefix for calls within the country, where what remains is no worse.
    pub(super) fn strip_trunk<'a>(&self, digits: &'a str) -> Cow<'a, str> {
        let whole = Cow::Borrowed(digits);
        if self.trunk_digits.as_ref().is_some_and(|trunk| !digits.starts_with(trunk.as_str())) {
            return whole;
        }
        let Some(pattern) = self.trunk.compiled().filter(|_| !digits.is_empty()) else { return whole };
        let Some(found) = pattern.captures(digits) else { return whole };
        let (first, second) = (found.get(1), found.get(2));
        let captured = match (first, second) {
            (Some(_), Some(second)) => !second.is_empty(),
            (Some(first), None) => !first.is_empty(),
            (None, _) => false,
        };
        let stripped = if captured && !self.transform.is_empty() {
            pattern.replace(digits, self.transform.as_str())
        } else {
            let end = found.get(0).map_or(0, |whole| whole.end());
            Cow::Borrowed(digits.get(end..).unwrap_or_default())
        };
        if self.is_general(digits) && !self.is_general(&stripped) { whole } else { stripped }
    }

    /// How the length of a number fits.
    pub(super) fn length(&self, digits: &str) -> Length {
        let lengths = self.general.lengths.unwrap_or(0);
        let bit = bit(digits.len());
        if lengths == 0 {
            Length::TooShort
        } else if self.local_lengths & bit != 0 {
            Length::Local
        } else if lengths & bit != 0 {
            Length::Possible
        } else if lengths < bit {
            Length::TooLong
        } else {
            Length::TooShort
        }
    }

    /// Whether the digits are a number of this plan that is in use, and then whether it may be mobile.
    pub(super) fn find_mobile(&self, digits: &str) -> Option<bool> {
        if !self.general.fits(digits) {
            return None;
        }
        if self.any_other.fits(digits) && self.others.iter().any(|sort| sort.fits(digits)) {
            return Some(false);
        }
        if self.fixed.fits(digits) {
            return Some(self.fixed_is_mobile || self.mobile.fits(digits));
        }
        (!self.fixed_is_mobile && self.mobile.fits(digits)).then_some(true)
    }

    /// Whether the first digits alone say that a number belongs to this plan of several.
    pub(super) fn leads(&self, digits: &str) -> bool {
        self.leading.fits(digits)
    }
}

impl Sort {
    fn new(sort: Option<&PhoneNumberDesc>) -> Self {
        let Some(sort) = sort else { return Self::default() };
        let lengths = (!sort.possible_length.is_empty()).then(|| bits(&sort.possible_length));
        Self { pattern: Pattern::new(sort.national_number_pattern.clone()), lengths }
    }

    fn fits(&self, digits: &str) -> bool {
        self.lengths.is_none_or(|lengths| lengths & bit(digits.len()) != 0) && self.pattern.fits(digits)
    }
}

impl Pattern {
    fn new(text: Option<String>) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Of `^(?:…)$`, as the plans write every pattern, one that fits the beginning.
    fn start(text: Option<&String>) -> Self {
        Self::new(text.map(|text| text.strip_suffix('$').unwrap_or(text).to_owned()))
    }

    /// One that fits what any of several sorts fits, whatever its length.
    fn any(sorts: &[Sort]) -> Self {
        let texts: Vec<&str> = sorts.iter().filter_map(|sort| sort.pattern.text.as_deref()).collect();
        Self::new((!texts.is_empty()).then(|| texts.join("|")))
    }

    fn compiled(&self) -> Option<&Regex> {
        let compile = |text: &String| RegexBuilder::new(text).unicode(false).build().ok();
        self.compiled.get_or_init(|| self.text.as_ref().and_then(compile)).as_ref()
    }

    fn fits(&self, digits: &str) -> bool {
        self.compiled().is_some_and(|pattern| pattern.is_match(digits))
    }
}

/// The digits of a pattern that has no more than digits: `^(?:0)$`.
fn only_digits(text: &str) -> Option<String> {
    let inner = text.strip_prefix("^(?:")?.strip_suffix(")$")?;
    (!inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit())).then(|| inner.to_owned())
}

/// A bit a length; lengths that no number has, such as the -1 of a sort that does not exist, have none.
fn bits(lengths: &[i32]) -> u32 {
    lengths.iter().filter_map(|length| usize::try_from(*length).ok()).fold(0, |all, length| all | bit(length))
}

fn bit(length: usize) -> u32 {
    u32::try_from(length).ok().and_then(|length| 1_u32.checked_shl(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_can_be_read_and_every_pattern_compiled() {
        assert!(PLANS.library.is_some());
        assert_eq!(PLANS.by_region.len(), PHONE_NUMBER_UTIL.get_supported_regions().count());
        for plan in &PLANS.all {
            let sorts = [&plan.general, &plan.fixed, &plan.mobile].into_iter().chain(&plan.others);
            let prefixes = [&plan.leading, &plan.international, &plan.trunk, &plan.any_other];
            for pattern in sorts.map(|sort| &sort.pattern).chain(prefixes) {
                assert_eq!(pattern.text.is_some(), pattern.compiled().is_some(), "{:?}", pattern.text);
            }
        }
    }
}
