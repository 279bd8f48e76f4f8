//! What is charged and when: charge events (M19) and the ends of paid periods.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Msisdn;
use crate::catalogue::OfferingId;
use crate::ids::ProductId;
use crate::money::{Money, Period};

/// Why something is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChargeKind {
    /// A subscription began.
    Activation,
    /// A subscription went on into its next period.
    Renewal,
    /// An earlier charge is given back.
    Reversal,
}

impl ChargeKind {
    /// The word used outside and at rest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Renewal => "renewal",
            Self::Reversal => "reversal",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Activation, Self::Renewal, Self::Reversal].into_iter().find(|kind| kind.word() == word)
    }
}

/// One charge event, as the operator's charging system is handed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeEvent {
    /// The id, which is its idempotency key.
    pub id: Uuid,
    /// Who pays.
    pub number: Msisdn,
    /// Its place among this payer's events: 1, 2, 3 without a gap.
    pub payer_no: i64,
    /// Why.
    pub kind: ChargeKind,
    /// For which subscription.
    pub product: ProductId,
    /// To what.
    pub offering: OfferingId,
    /// For which period of the subscription; 0 is the first.
    pub period_no: i64,
    /// How much; for a reversal what is given back.
    pub money: Money,
    /// When it was caused.
    pub at: Timestamp,
    /// The event that a reversal gives back.
    pub reverses: Option<Uuid>,
}

/// The moment `count` periods after `anchor` by the calendar of `zone`: a month after 31 January is the
/// last day of February, two months after it 31 March. `None` for a price due once, and past the end
/// of the calendar.
pub fn period_end(anchor: Timestamp, count: i64, period: Period, zone: &TimeZone) -> Option<Timestamp> {
    let span = match period {
        Period::Once => return None,
        Period::Day => Span::new().try_days(count),
        Period::Week => Span::new().try_weeks(count),
        Period::Month => Span::new().try_months(count),
        Period::Year => Span::new().try_years(count),
    };
    let end = anchor.to_zoned(zone.clone()).checked_add(span.ok()?).ok()?.timestamp();
    // To the millisecond, as it is stored.
    Timestamp::from_millisecond(end.as_millisecond()).ok()
}

/// The number of the period since `anchor` that `now` falls into, and when it ends.
pub fn period_at(
    anchor: Timestamp,
    now: Timestamp,
    period: Period,
    zone: &TimeZone,
) -> Option<(i64, Timestamp)> {
    // No period is longer than this, with an hour for a change of the zone's offset: so many lie behind.
    let longest_s = match period {
        Period::Once => return None,
        Period::Day => 86_400,
        Period::Week => 7 * 86_400,
        Period::Month => 31 * 86_400,
        Period::Year => 366 * 86_400,
    } + 3_600;
    let mut number = (now.duration_since(anchor).as_secs() / longest_s).max(0);
    loop {
        let end = period_end(anchor, number + 1, period, zone)?;
        if end > now {
            return Some((number, end));
        }
        number += 1;
    }
}

/// The beginning of the calendar month that a moment falls into.
pub fn month_start(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let start = now.to_zoned(zone.clone()).first_of_month().and_then(|day| day.start_of_day());
    start.map_or(now, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shanghai() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(8))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_subscription_of_the_31st_renews_on_the_last_day_of_a_short_month() {
        let days: Vec<_> = (1..=5)
            .map(|n| {
                period_end(at("2026-01-31T10:00:00+08:00"), n, Period::Month, &shanghai())
                    .unwrap()
                    .to_zoned(shanghai())
                    .strftime("%m-%d %H:%M")
                    .to_string()
            })
            .collect();
        assert_eq!(days, ["02-28 10:00", "03-31 10:00", "04-30 10:00", "05-31 10:00", "06-30 10:00"]);
        let leap = period_end(at("2028-02-29T01:00:00Z"), 1, Period::Year, &shanghai()).unwrap();
        assert_eq!(leap, at("2029-02-28T01:00:00Z"));
        assert_eq!(period_end(at("2026-01-31T10:00:00Z"), 1, Period::Once, &shanghai()), None);
    }

    #[test]
    fn a_day_is_the_calendars_day_where_the_clocks_change() {
        let rules = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let noon = at("2026-03-28T12:00:00+01:00");
        assert_eq!(period_end(noon, 1, Period::Day, &rules), Some(at("2026-03-29T12:00:00+02:00")));
    }

    #[test]
    fn the_month_begins_at_the_operators_midnight() {
        assert_eq!(month_start(at("2026-02-28T17:00:00Z"), &shanghai()), at("2026-02-28T16:00:00Z"));
        assert_eq!(month_start(at("2026-02-28T15:00:00Z"), &shanghai()), at("2026-01-31T16:00:00Z"));
    }

    fn a_period() -> impl Strategy<Value = Period> {
        prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month), Just(Period::Year)]
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_without_a_gap_and_each_moment_lies_in_one(
            anchor_s in 0_i64..4_000_000_000, ahead_s in 0_i64..400_000_000, period in a_period(),
        ) {
            let anchor = Timestamp::from_second(anchor_s).unwrap();
            let now = Timestamp::from_second(anchor_s + ahead_s).unwrap();
            let (number, end) = period_at(anchor, now, period, &shanghai()).unwrap();
            let begin = period_end(anchor, number, period, &shanghai()).unwrap();
            prop_assert!(begin <= now && now < end);
            prop_assert_eq!(period_end(anchor, number + 1, period, &shanghai()), Some(end));
        }

        #[test]
        fn a_month_ends_on_the_day_it_began_or_on_the_last_of_its_month(
            anchor_s in 0_i64..4_000_000_000, count in 1_i64..600,
        ) {
            let anchor = Timestamp::from_second(anchor_s).unwrap().to_zoned(shanghai());
            let end = period_end(anchor.timestamp(), count, Period::Month, &shanghai()).unwrap();
            let end = end.to_zoned(shanghai());
            prop_assert_eq!(end.day(), anchor.day().min(end.days_in_month()));
            prop_assert_eq!(end.time(), anchor.time());
            let months = |z: &jiff::Zoned| i64::from(z.year()) * 12 + i64::from(z.month());
            prop_assert_eq!(months(&end) - months(&anchor), count);
        }
    }
}
