//! How much may be used of what comes back with time: a bucket that is kept as one moment.

use jiff::{SignedDuration, Timestamp};

use crate::limits;

const HOUR_MS: i64 = 3_600_000;

/// So many at once, and then so many an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What a full bucket holds.
    pub at_once: i64,
    /// What flows back in an hour; at least 1.
    pub per_hour: i64,
}

impl Default for Quota {
    /// Of numbers that are new to a book. Source: what contact discovery services allow.
    fn default() -> Self {
        Self { at_once: limits::BOOK_NEW_NUMBERS_MAX, per_hour: limits::BOOK_NEW_NUMBERS_HOUR }
    }
}

impl Quota {
    /// Takes `count` out of a bucket that is full again at `full_at`; answers when it is full after that.
    ///
    /// That one moment says all there is to keep, and a bucket that is full needs nothing kept at all: the
    /// generic cell rate algorithm (ITU-T I.371, annex A), counted in units of any size. A clock that was set
    /// back leaves a bucket empty at most.
    ///
    /// # Errors
    /// The moment from which on there is enough; nothing is taken. What is more than a full bucket holds is
    /// never there, and the moment then that of a full bucket.
    pub fn take(
        &self,
        full_at: Option<Timestamp>,
        count: i64,
        now: Timestamp,
    ) -> Result<Timestamp, Timestamp> {
        let each_ms = HOUR_MS / self.per_hour.clamp(1, HOUR_MS);
        let empty_ms = self.at_once.saturating_mul(each_ms);
        let owed_ms = full_at.map_or(0, |full| after_ms(now, full)).clamp(0, empty_ms);
        let owing_ms = owed_ms.saturating_add(count.max(0).saturating_mul(each_ms));
        if owing_ms <= empty_ms {
            return Ok(plus_ms(now, owing_ms));
        }
        Err(plus_ms(now, (owing_ms - empty_ms).min(owed_ms)))
    }
}

fn after_ms(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond().saturating_sub(from.as_millisecond())
}

fn plus_ms(from: Timestamp, ms: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUOTA: Quota = Quota { at_once: 10, per_hour: 6 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn a_full_bucket_gives_all_at_once_and_then_one_every_ten_minutes() {
        let full = QUOTA.take(None, 10, at(0)).unwrap();
        assert_eq!(full, at(6_000));
        assert_eq!(QUOTA.take(Some(full), 1, at(0)), Err(at(600)));
        assert_eq!(QUOTA.take(Some(full), 2, at(0)), Err(at(1_200)));
        let full = QUOTA.take(Some(full), 1, at(600)).unwrap();
        assert_eq!(QUOTA.take(Some(full), 1, at(600)), Err(at(1_200)));
        assert_eq!(QUOTA.take(Some(full), 0, at(600)), Ok(full));
        assert_eq!(QUOTA.take(None, 11, at(0)), Err(at(0)), "more than there ever is");
    }

    proptest! {
        /// However one asks, no window gives more than a full bucket and what flows back in it; and whoever waits
        /// as told gets what they asked for.
        #[test]
        fn no_window_gives_more_than_a_bucket_and_what_flows_back(
            asks in proptest::collection::vec((0_i64..4_000, 0_i64..12), 1..60),
        ) {
            let (mut now, mut full, mut taken) = (0, None, Vec::new());
            for (pause, count) in asks {
                now += pause;
                match QUOTA.take(full, count, at(now)) {
                    Ok(until) => {
                        full = Some(until);
                        taken.push((now, count));
                    }
                    Err(until) if count <= QUOTA.at_once => {
                        prop_assert!(until > at(now));
                        prop_assert!(QUOTA.take(full, count, until).is_ok());
                    }
                    Err(_) => {}
                }
            }
            for (first, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (to, count) in &taken[first..] {
                    sum += count;
                    prop_assert!(sum * 600 <= QUOTA.at_once * 600 + (to - from));
                }
            }
        }

        #[test]
        fn a_clock_that_was_set_back_costs_a_full_bucket_at_most(back in 0_i64..10_000_000, count in 1_i64..=10) {
            let full = QUOTA.take(None, 10, at(0)).unwrap();
            let now = at(-back);
            let wait = QUOTA.take(Some(full), count, now).unwrap_err();
            prop_assert!(wait.duration_since(now).as_secs() <= 600 * count);
        }
    }
}
