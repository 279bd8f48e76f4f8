//! What types cannot say about a setting.

use secrecy::{ExposeSecret, SecretString};

use super::providers::ProviderAddress;
use super::{Book, Charging, ChargingPort, Config, Kept, Numbers, Peers, Registration};

/// A path and what is wrong with it.
type Fault = (&'static str, &'static str);

/// A token shorter than this could be found by trying.
const TOKEN_CHARS_MIN: usize = 16;

/// Ten years.
const KEPT_DAYS_MAX: i64 = 3_650;

/// A limit above this is none.
const COUNT_MAX: i64 = 1_000_000_000;

/// A year: longer, and nobody remembers what they are asked.
const TIME_LIMIT_S_MAX: i64 = 365 * 86_400;

/// Checks the values, in the order of the file.
///
/// # Errors
/// The first fault.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    let Config { registration, sms, platform, confirmation, .. } = config;

    needed(!config.data.as_os_str().is_empty(), "data", "it is empty")?;
    needed(config.database.as_ref().is_none_or(is_database), "database", "it is no address of PostgreSQL")?;
    needed(!config.roles.is_empty(), "roles", "there is none, so there would be nothing to do")?;

    let prefixes = &registration.prefixes;
    needed(!prefixes.is_empty(), "registration.prefixes", "there is none, so nobody could register")?;
    needed(
        prefixes.iter().all(|prefix| is_prefix(prefix)),
        "registration.prefixes",
        "one is not + and digits",
    )?;

    check_sign_in(registration)?;

    sms.fault().map_or(Ok(()), Err)?;

    needed(
        platform.url.as_ref().is_none_or(|url| is_url(url)),
        "platform.url",
        "it is no http or https address",
    )?;
    needed((1..=20).contains(&platform.timeout_s), "platform.timeout_s", "it is not from 1 to 20")?;
    needed(
        platform.callback_url.as_ref().is_none_or(|url| is_url(url)),
        "platform.callback_url",
        "it is no http or https address",
    )?;
    needed(platform.operator_tokens.iter().all(is_token), "platform.operator_tokens", "one is too short")?;

    let named = &config.operator.tokens;
    needed(named.iter().all(|named| is_token(&named.token)), "operator.tokens", "a token is too short")?;
    let mut names: Vec<_> = named.iter().map(|token| &token.name).collect();
    names.sort_unstable();
    names.dedup();
    needed(names.len() == named.len(), "operator.tokens", "two have the same name")?;

    let time = confirmation.time_limit_s;
    needed((1..=TIME_LIMIT_S_MAX).contains(&time), "confirmation.time_limit_s", "it is out of range")?;
    needed((1..=10).contains(&confirmation.attempts), "confirmation.attempts", "it is out of range")?;
    check_retention(&config.retention)?;
    check_book(&config.book)?;
    check_charging(&config.charging)?;
    check_providers(&config.provisioning.providers)?;
    check_numbers(&config.numbers)?;
    check_peers(&config.peers)
}

fn check_peers(peers: &Peers) -> Result<(), Fault> {
    for (url, path) in [(&peers.contacts, "peers.contacts"), (&peers.exchange, "peers.exchange")] {
        needed(url.as_ref().is_none_or(|url| is_url(url)), path, "it is no http or https address")?;
    }
    Ok(())
}

fn check_numbers(numbers: &Numbers) -> Result<(), Fault> {
    needed(
        numbers.url.as_ref().is_none_or(|url| is_url(url)),
        "numbers.url",
        "it is no http or https address",
    )?;
    needed(numbers.token.as_ref().is_none_or(is_visible), "numbers.token", "it holds what no header may")?;
    let cause = "it is out of range";
    // Far below what a request may take.
    needed((1..=20).contains(&numbers.timeout_s), "numbers.timeout_s", cause)?;
    let hours = 1..=tmf::camara::SIM_SWAP_HOURS_MAX;
    needed(hours.contains(&numbers.sim_swap_hours), "numbers.sim_swap_hours", cause)
}

fn is_visible(token: &SecretString) -> bool {
    token.expose_secret().bytes().all(|b| b.is_ascii_graphic())
}

/// What the chosen port needs is there.
fn check_charging(charging: &Charging) -> Result<(), Fault> {
    let (webhook, file) = (charging.port == ChargingPort::Webhook, charging.port == ChargingPort::File);
    let url = charging.url.as_ref();
    needed(!webhook || url.is_some(), "charging.url", "it is missing, and charging.port is webhook")?;
    needed(url.is_none_or(|url| is_url(url)), "charging.url", "it is no http or https address")?;
    needed(charging.token.as_ref().is_none_or(is_visible), "charging.token", "it holds what no header may")?;
    let directory = charging.directory.as_ref();
    needed(!file || directory.is_some(), "charging.directory", "it is missing, and charging.port is file")
}

/// Each can be called, and is named once.
fn check_providers(providers: &[ProviderAddress]) -> Result<(), Fault> {
    let path = "provisioning.providers";
    needed(providers.iter().all(|one| is_url(&one.url)), path, "one has no http or https address")?;
    let fine = providers.iter().all(|one| one.token.as_ref().is_none_or(is_visible));
    needed(fine, path, "a token holds what no header may")?;
    let mut ids: Vec<_> = providers.iter().map(|one| &one.provider).collect();
    ids.sort_unstable();
    ids.dedup();
    needed(ids.len() == providers.len(), path, "two are for the same provider")
}

fn needed(fine: bool, path: &'static str, cause: &'static str) -> Result<(), Fault> {
    if fine { Ok(()) } else { Err((path, cause)) }
}

/// The limits of signing in: each is there, and none is loose enough to break what is promised.
fn check_sign_in(registration: &Registration) -> Result<(), Fault> {
    let cause = "it is out of range";
    let range =
        |value: i64, least: i64, most: i64, path| needed((least..=most).contains(&value), path, cause);
    let Registration { code_life_s, tries_per_code, wrong_codes_per_number_day, .. } = registration;
    range(*code_life_s, 60, 3_600, "registration.code_life_s")?;
    range(*tries_per_code, 1, 10, "registration.tries_per_code")?;
    let most = domain::limits::SIGN_IN_WRONG_NUMBER_DAY_MAX;
    range(*wrong_codes_per_number_day, 1, most, "registration.wrong_codes_per_number_day")?;
    for (value, path) in [
        (registration.texts_per_number_minute, "registration.texts_per_number_minute"),
        (registration.texts_per_number_hour, "registration.texts_per_number_hour"),
        (registration.texts_per_number_day, "registration.texts_per_number_day"),
        (registration.texts_per_address_hour, "registration.texts_per_address_hour"),
        (registration.texts_per_hour, "registration.texts_per_hour"),
        (registration.wrong_codes_per_address_hour, "registration.wrong_codes_per_address_hour"),
        (registration.wrong_codes_per_hour, "registration.wrong_codes_per_hour"),
    ] {
        range(value, 1, COUNT_MAX, path)?;
    }
    Ok(())
}

/// A whole book can always be delivered at once.
fn check_book(book: &Book) -> Result<(), Fault> {
    let whole = domain::limits::BOOK_NUMBERS_MAX;
    let cause = "it is out of range";
    needed((whole..=COUNT_MAX).contains(&book.new_numbers_at_once), "book.new_numbers_at_once", cause)?;
    needed((1..=COUNT_MAX).contains(&book.new_numbers_per_hour), "book.new_numbers_per_hour", cause)
}

fn check_retention(kept: &Kept) -> Result<(), Fault> {
    for (days, path) in [
        (kept.texts_days, "retention.texts_days"),
        (kept.funnel_days, "retention.funnel_days"),
        (kept.hub_events_days, "retention.hub_events_days"),
    ] {
        needed((1..=KEPT_DAYS_MAX).contains(&days), path, "it is out of range")?;
    }
    Ok(())
}

fn is_database(url: &SecretString) -> bool {
    let url = url.expose_secret();
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn is_prefix(prefix: &str) -> bool {
    prefix.strip_prefix('+').is_some_and(|digits| {
        // E.164 numbers have 15 digits at most.
        (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

pub(super) fn is_ascii_of(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn is_token(token: &SecretString) -> bool {
    let token = token.expose_secret();
    token.len() >= TOKEN_CHARS_MIN && token.bytes().all(|b| b.is_ascii_graphic())
}
