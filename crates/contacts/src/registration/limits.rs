//! How often codes are texted and tried: what bounds an attacker's luck, and what they can cost.
//!
//! A code is one of a million, so whoever may guess 20 times in any 24 hours finds a number's code with
//! a probability of 2 in 100,000 a day: that many wrong codes a number, over all its codes and whoever
//! sends them, shut the number's door until the first of them is a day old. One address alone can use up
//! but half of them, so that shutting out the owner takes more than one. Over all numbers, wrong codes in
//! an hour are bounded too. The whole arithmetic stands in `docs/sign-in.md`.

use std::sync::atomic::{AtomicI64, Ordering};

use api::Code;
use domain::key::ContactKey;
use domain::limiter::{self, Rule};
use domain::limits;
use edge::{Peer, Problem};
use jiff::Timestamp;
use store::contacts::Counted;
use store::{StoreError, Tx};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

/// How often codes are texted and tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInLimits {
    /// A code's life, in seconds.
    pub code_life_s: i64,
    /// Wrong codes before a new one is needed.
    pub tries_per_code: i64,
    /// Texts to one number in a minute.
    pub texts_per_number_minute: i64,
    /// Texts to one number in an hour.
    pub texts_per_number_hour: i64,
    /// Texts to one number in 24 hours.
    pub texts_per_number_day: i64,
    /// Texts that one address asks for in an hour.
    pub texts_per_address_hour: i64,
    /// Texts in an hour in all.
    pub texts_per_hour: i64,
    /// Wrong codes for one number in 24 hours.
    pub wrong_codes_per_number_day: i64,
    /// Wrong codes from one address in an hour.
    pub wrong_codes_per_address_hour: i64,
    /// Wrong codes in an hour in all.
    pub wrong_codes_per_hour: i64,
    /// Whether this very machine is free of the limits that count by address.
    pub exempt_loopback: bool,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            code_life_s: limits::SIGN_IN_CODE_S,
            tries_per_code: limits::SIGN_IN_TRIES_MAX,
            texts_per_number_minute: limits::SIGN_IN_TEXTS_NUMBER_MINUTE_MAX,
            texts_per_number_hour: limits::SIGN_IN_TEXTS_NUMBER_HOUR_MAX,
            texts_per_number_day: limits::SIGN_IN_TEXTS_NUMBER_DAY_MAX,
            texts_per_address_hour: limits::SIGN_IN_TEXTS_ADDRESS_HOUR_MAX,
            texts_per_hour: limits::SIGN_IN_TEXTS_ALL_HOUR_MAX,
            wrong_codes_per_number_day: limits::SIGN_IN_WRONG_NUMBER_DAY_MAX,
            wrong_codes_per_address_hour: limits::SIGN_IN_WRONG_ADDRESS_HOUR_MAX,
            wrong_codes_per_hour: limits::SIGN_IN_WRONG_ALL_HOUR_MAX,
            exempt_loopback: true,
        }
    }
}

/// Which limit stands in the way, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// Too many texts to the number.
    TextsTo(Timestamp),
    /// Too many texts asked for from the address.
    TextsFrom(Timestamp),
    /// Too many texts in all.
    Texts(Timestamp),
    /// Too many wrong codes.
    Wrong(Timestamp),
    /// Too many wrong codes in all.
    WrongAll(Timestamp),
}

/// The most that the limits allow in any 24 hours, whoever attacks whatever from however many addresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstDay {
    /// Texts that go out.
    pub texts: i64,
    /// Texts to one number.
    pub texts_to_one: i64,
    /// Wrong codes that are compared with a right one.
    pub wrong_codes: i64,
    /// The probability that one number is taken over.
    pub one_taken_over: f64,
    /// How many numbers of all are expected to be taken over.
    pub taken_over: f64,
}

/// A code is one of so many.
const CODES: f64 = 1_000_000.0;

/// One person's attempt, and from where it comes; `None` for an address that is not counted.
pub(crate) struct Attempt {
    number: ContactKey,
    place: Option<Vec<u8>>,
}

impl Attempt {
    /// One that is not counted by where it comes from.
    pub(crate) fn of(number: ContactKey) -> Self {
        Self { number, place: None }
    }
}

impl SignInLimits {
    /// What these limits come to. A day is 24 hours, and each window of an hour holds no more than its limit.
    /// Each code that is compared is the right one with a probability of one in a million; each text brings one
    /// code, of which so many may be wrong.
    pub fn worst_day(&self) -> WorstDay {
        let hours = DAY_S / HOUR_S;
        let texts = self.texts_per_hour.saturating_mul(hours);
        let wrong_codes =
            self.wrong_codes_per_hour.saturating_mul(hours).min(texts.saturating_mul(self.tries_per_code));
        WorstDay {
            texts,
            texts_to_one: self.texts_per_number_day.min(self.texts_per_number_hour.saturating_mul(hours)),
            wrong_codes,
            one_taken_over: self.wrong_codes_per_number_day as f64 / CODES,
            taken_over: wrong_codes as f64 / CODES,
        }
    }

    pub(super) fn attempt(&self, number: ContactKey, peer: &Peer) -> Attempt {
        let exempt = self.exempt_loopback && peer.is_local();
        Attempt { number, place: (!exempt).then(|| peer.place()) }
    }

    fn texts_to(&self) -> [Rule; 3] {
        [
            Rule { max: self.texts_per_number_minute, window_s: MINUTE_S },
            Rule { max: self.texts_per_number_hour, window_s: HOUR_S },
            Rule { max: self.texts_per_number_day, window_s: DAY_S },
        ]
    }

    /// What keeps a code from being texted now, if anything does.
    pub(crate) fn keep_from_text(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
    ) -> Result<Option<Limited>, StoreError> {
        // A code that could not be tried is not worth a text.
        if let Some(limited) = self.keep_from_try(tx, attempt)? {
            return Ok(Some(limited));
        }
        let mut contacts = tx.contacts();
        if let Some(until) = contacts.next_allowed(Counted::TextsTo(attempt.number), &self.texts_to())? {
            return Ok(Some(Limited::TextsTo(until)));
        }
        if let Some(place) = &attempt.place {
            let rule = Rule { max: self.texts_per_address_hour, window_s: HOUR_S };
            if let Some(until) = contacts.next_allowed(Counted::TextsFrom(place), &[rule])? {
                return Ok(Some(Limited::TextsFrom(until)));
            }
        }
        let rule = Rule { max: self.texts_per_hour, window_s: HOUR_S };
        Ok(contacts.next_allowed(Counted::Texts, &[rule])?.map(Limited::Texts))
    }

    /// Counts a text; answers when the next one to the number is allowed.
    pub(crate) fn count_text(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut contacts = tx.contacts();
        contacts.count_hit(Counted::TextsTo(attempt.number))?;
        contacts.count_hit(Counted::Texts)?;
        if let Some(place) = &attempt.place {
            contacts.count_hit(Counted::TextsFrom(place))?;
        }
        contacts.next_allowed(Counted::TextsTo(attempt.number), &self.texts_to())
    }

    /// What keeps a code from being tried now, if anything does.
    pub(crate) fn keep_from_try(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
    ) -> Result<Option<Limited>, StoreError> {
        let mut contacts = tx.contacts();
        let day = |max| [Rule { max, window_s: DAY_S }];
        let number = day(self.wrong_codes_per_number_day);
        let all = [Rule { max: self.wrong_codes_per_hour, window_s: HOUR_S }];
        if let Some(until) = contacts.next_allowed(Counted::Wrong, &all)? {
            return Ok(Some(Limited::WrongAll(until)));
        }
        let mut until = contacts.next_allowed(Counted::WrongFor(attempt.number), &number)?;
        if let Some(place) = &attempt.place {
            let half = day((self.wrong_codes_per_number_day / 2).max(1));
            let hour = [Rule { max: self.wrong_codes_per_address_hour, window_s: HOUR_S }];
            until = until
                .max(contacts.next_allowed(Counted::WrongForFrom(attempt.number, place), &half)?)
                .max(contacts.next_allowed(Counted::WrongFrom(place), &hour)?);
        }
        Ok(until.map(Limited::Wrong))
    }

    /// Counts a wrong code.
    pub(crate) fn count_wrong(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<(), StoreError> {
        let mut contacts = tx.contacts();
        contacts.count_hit(Counted::Wrong)?;
        contacts.count_hit(Counted::WrongFor(attempt.number))?;
        if let Some(place) = &attempt.place {
            contacts.count_hit(Counted::WrongForFrom(attempt.number, place))?;
            contacts.count_hit(Counted::WrongFrom(place))?;
        }
        Ok(())
    }
}

impl Limited {
    /// Whether it stands in everybody's way.
    pub(super) fn is_for_all(self) -> bool {
        matches!(self, Self::Texts(_) | Self::WrongAll(_))
    }

    /// The refusal, with the moment from which it no longer holds.
    pub(super) fn problem(self, now: Timestamp) -> Problem {
        let (code, what, until) = match self {
            Self::TextsTo(until) => (
                Code::RegistrationTooManyTexts,
                "This number was sent as many codes as it gets in that time.",
                until,
            ),
            Self::TextsFrom(until) => (
                Code::RegistrationTooManyTexts,
                "As many codes were asked for from your address as it gets in an hour.",
                until,
            ),
            Self::Texts(until) => (
                Code::RegistrationTextUnavailable,
                "No text can go out just now: too many codes are asked for everywhere.",
                until,
            ),
            Self::Wrong(until) => (
                Code::RegistrationTooManyTries,
                "Too many wrong codes were tried; no further one is looked at for a while.",
                until,
            ),
            Self::WrongAll(until) => (
                Code::RegistrationTooManyTries,
                "Too many wrong codes are tried everywhere; none is looked at for a while.",
                until,
            ),
        };
        let wait_s = limiter::wait_s(now, until);
        Problem::new(code, format!("{what} Try again in {wait_s} seconds.")).retry_after_s(wait_s)
    }
}

/// What is said once an hour, each by itself.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    pub(super) texts: Alarm,
    pub(super) wrong_codes: Alarm,
}

/// Says once an hour that somebody must act.
#[derive(Debug, Default)]
pub(super) struct Alarm(AtomicI64);

impl Alarm {
    /// Whether it is to be said now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let (now, last) = (now.as_second(), self.0.load(Ordering::Relaxed));
        let rests = (last..last.saturating_add(HOUR_S)).contains(&now);
        // Of two that come at once, one says it.
        !rests && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
