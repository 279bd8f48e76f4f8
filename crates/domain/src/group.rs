//! Short-number groups (短号集群网): who has the same service in the same group calls each other by short numbers.

use std::collections::BTreeSet;
use std::fmt;

use crate::limits;
use crate::world::World;

/// A number within a group: 3 to 6 digits, of which the first is 6, as no emergency and no service number begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortNumber(String);

/// The first digit of each.
const FIRST: char = '6';

/// How many digits a short number can have.
pub const DIGITS: std::ops::RangeInclusive<i64> = 3..=6;

impl ShortNumber {
    /// Reads one; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let good = digits && text.starts_with(FIRST) && DIGITS.contains(&i64::try_from(text.len()).ok()?);
        good.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the groups of an offering are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupRules {
    digits: i64,
    members_max: i64,
}

/// Why groups cannot be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "short numbers have 3 to 6 digits, and a group 2 to {} members, at most one for every second number",
    limits::GROUP_MEMBERS_MAX
)]
pub struct NotGroupRules;

impl GroupRules {
    /// Groups of at most so many members, with short numbers of so many digits. Half of the numbers stay free, so
    /// that one that was just freed is rarely somebody else's at once.
    ///
    /// # Errors
    /// [`NotGroupRules`] when the numbers are too short, too long or too few.
    pub fn new(digits: i64, members_max: i64) -> Result<Self, NotGroupRules> {
        let rules = Self { digits, members_max };
        let most = limits::GROUP_MEMBERS_MAX.min(rules.numbers() / 2);
        if DIGITS.contains(&digits) && (2..=most).contains(&members_max) {
            Ok(rules)
        } else {
            Err(NotGroupRules)
        }
    }

    /// The digits of a short number.
    pub fn digits(&self) -> i64 {
        self.digits
    }

    /// The most members of a group.
    pub fn members_max(&self) -> i64 {
        self.members_max
    }

    /// How many numbers there are with the first digit given.
    fn numbers(&self) -> i64 {
        10_i64.saturating_pow(u32::try_from(self.digits - 1).unwrap_or(0))
    }

    /// Whether a short number is one of these groups.
    pub fn fits(&self, number: &ShortNumber) -> bool {
        i64::try_from(number.0.len()) == Ok(self.digits)
    }

    /// Throws a short number that nobody in the group has; `None` when the group is full.
    pub fn throw(&self, world: &World, taken: &BTreeSet<ShortNumber>) -> Option<ShortNumber> {
        if i64::try_from(taken.len()).is_ok_and(|taken| taken >= self.members_max) {
            return None;
        }
        let count = u32::try_from(self.numbers()).ok()?;
        let first = world.below(count);
        let width = usize::try_from(self.digits - 1).ok()?;
        let all = (0..count).map(|step| (first + step) % count);
        all.map(|rest| ShortNumber(format!("{FIRST}{rest:0width$}"))).find(|number| !taken.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::{SeededDice, SetClock};

    #[test]
    fn a_short_number_is_three_to_six_digits_and_begins_with_6() {
        for good in ["600", "6123", "666666"] {
            assert_eq!(ShortNumber::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "60", "6000000", "110", "911", "6a0", "６００", "-60", " 600"] {
            assert_eq!(ShortNumber::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn half_of_a_groups_numbers_stay_free() {
        assert!(GroupRules::new(3, 50).is_ok());
        for (digits, members) in
            [(3, 51), (2, 2), (7, 2), (4, 1), (6, limits::GROUP_MEMBERS_MAX + 1), (4, -3)]
        {
            assert_eq!(GroupRules::new(digits, members), Err(NotGroupRules), "{digits} {members}");
        }
    }

    #[test]
    fn every_member_gets_a_number_that_nobody_has_until_the_group_is_full() {
        let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(1)));
        let rules = GroupRules::new(3, 50).unwrap();
        let mut taken = BTreeSet::new();
        for _ in 0..50 {
            let number = rules.throw(&world, &taken).unwrap();
            assert!(rules.fits(&number) && ShortNumber::parse(number.as_str()).is_some());
            assert!(taken.insert(number));
        }
        assert_eq!(rules.throw(&world, &taken), None);
    }

    #[test]
    fn a_number_just_freed_is_rarely_somebody_elses_at_once() {
        let world = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(2)));
        let rules = GroupRules::new(4, 10).unwrap();
        let freed = ShortNumber::parse("6000").unwrap();
        let again = (0..200).filter(|_| rules.throw(&world, &BTreeSet::new()) == Some(freed.clone())).count();
        assert!(again <= 2, "{again}");
    }
}
