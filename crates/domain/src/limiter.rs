//! How often something may happen: windows that slide, counted from what is written down.

use jiff::{SignedDuration, Timestamp};

/// At most so often within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub max: i64,
    /// Within how long; the window slides, it does not begin anew on the hour.
    pub window_s: i64,
}

/// What happened at, or from, one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hits {
    /// When.
    pub at: Timestamp,
    /// How often.
    pub count: i64,
}

/// How long hits that are written down together lie apart at most; the rarest counts take none.
pub const GRAIN_NONE: SignedDuration = SignedDuration::ZERO;

/// When the next one is allowed; `None` when it is allowed now.
///
/// The hits come newest first. Those written down together happened within `grain` after their moment,
/// and count as if each had happened last of all: a limiter errs towards refusing.
pub fn free_at(hits: &[Hits], rules: &[Rule], grain: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    rules.iter().filter_map(|rule| frees(hits, *rule, grain)).filter(|free| *free > now).max()
}

/// When the hit leaves the window that is the oldest of as many as are allowed.
fn frees(hits: &[Hits], rule: Rule, grain: SignedDuration) -> Option<Timestamp> {
    let mut count = 0;
    let filling = hits.iter().find(|hits| {
        count += hits.count;
        count >= rule.max
    })?;
    let stay = SignedDuration::from_secs(rule.window_s).saturating_add(grain);
    Some(filling.at.checked_add(stay).unwrap_or(Timestamp::MAX))
}

/// The whole seconds from now to a moment, at least one: what stands in `Retry-After`.
pub fn wait_s(now: Timestamp, until: Timestamp) -> u64 {
    let wait = until.duration_since(now).as_millis().max(1);
    u64::try_from((wait + 999) / 1_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: [Rule; 2] = [Rule { max: 1, window_s: 60 }, Rule { max: 5, window_s: 3_600 }];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn hits(seconds: &[i64]) -> Vec<Hits> {
        seconds.iter().rev().map(|second| Hits { at: at(*second), count: 1 }).collect()
    }

    #[test]
    fn the_next_is_allowed_when_the_oldest_that_counts_leaves_its_window() {
        let free = |seconds: &[i64], now| free_at(&hits(seconds), &RULES, GRAIN_NONE, at(now));
        assert_eq!(free(&[], 0), None);
        assert_eq!(free(&[0], 59), Some(at(60)));
        assert_eq!(free(&[0], 60), None);
        assert_eq!(free(&[0, 60, 120, 180, 240], 300), Some(at(3_600)));
        assert_eq!(free(&[0, 60, 120, 180, 240], 3_600), None);
        assert_eq!(free(&[0, 60, 120, 180, 3_590], 3_600), Some(at(3_650)));
    }

    #[test]
    fn hits_written_down_together_count_as_long_as_the_last_of_them_could() {
        let rule = [Rule { max: 3, window_s: 3_600 }];
        let grain = SignedDuration::from_secs(60);
        let hits = [Hits { at: at(60), count: 1 }, Hits { at: at(0), count: 2 }];
        assert_eq!(free_at(&hits, &rule, grain, at(100)), Some(at(3_660)));
        assert_eq!(free_at(&hits[1..], &rule, grain, at(100)), None);
    }

    #[test]
    fn a_wait_is_never_told_too_short() {
        assert_eq!(wait_s(at(0), at(60)), 60);
        assert_eq!(wait_s(at(0), at(0)), 1);
        let late = Timestamp::from_millisecond(at(1).as_millisecond() + 1).unwrap();
        assert_eq!(wait_s(at(0), late), 2);
    }

    proptest! {
        #[test]
        fn whoever_comes_as_soon_as_allowed_stays_within_every_window(pauses in prop::collection::vec(0_i64..900, 1..60)) {
            let (mut now, mut seen) = (0, Vec::new());
            for pause in pauses {
                now += pause;
                if let Some(free) = free_at(&hits(&seen), &RULES, GRAIN_NONE, at(now)) {
                    now = free.as_second() - 1_000_000;
                    prop_assert_eq!(free_at(&hits(&seen), &RULES, GRAIN_NONE, at(now)), None);
                }
                seen.push(now);
            }
            for rule in RULES {
                for (index, first) in seen.iter().enumerate() {
                    let within = seen[index..].iter().take_while(|second| **second < first + rule.window_s).count();
                    prop_assert!(within as i64 <= rule.max);
                }
            }
        }
    }
}
