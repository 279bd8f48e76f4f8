//! What the configuration says that is dangerous, though it can be read.

use std::net::IpAddr;

use secrecy::ExposeSecret;

use super::Finding;
use crate::config::{Config, Role};

/// A token of fewer characters may be found by trying, once somebody has a fast way to try.
const TOKEN_CHARS_GOOD: usize = 32;

pub(super) fn look(config: &Config) -> Vec<Finding> {
    vec![listener(config), open_door(config), metrics(config), centre_password(config), tokens(config)]
}

fn listener(config: &Config) -> Finding {
    if config.listen.ip().is_loopback() {
        return Finding::fine(
            "listen-public",
            format!("{} is reached from this machine alone", config.listen),
        );
    }
    Finding::advice(
        "listen-public",
        format!("{} is reached from other machines, without TLS", config.listen),
        "tokens and numbers cross the network as anybody on it can read them",
        "Listen on 127.0.0.1 behind a proxy that speaks TLS, or let only such a proxy reach this address.",
    )
}

fn open_door(config: &Config) -> Finding {
    let check = "open-on-loopback";
    match (config.platform.open_on_loopback, config.listen.ip().is_loopback()) {
        (false, _) => Finding::fine(check, "the operator's interfaces ask for a token"),
        (true, true) => Finding::advice(
            check,
            "the operator's interfaces ask nobody on this machine for a token",
            "every program here, and every proxy in front, may place orders and close accounts",
            "Set platform.open_on_loopback to false before anything but a trial runs here.",
        ),
        (true, false) => Finding::wrong(
            check,
            format!("platform.open_on_loopback is set, and {} is no loopback address", config.listen),
            "it has no effect there, and somebody believes it has",
            "Set platform.open_on_loopback to false, and give tokens under operator.tokens.",
        ),
    }
}

fn metrics(config: &Config) -> Finding {
    let check = "metrics-public";
    if config.metrics.ip().is_loopback() || is_private(config.metrics.ip()) {
        return Finding::fine(check, format!("{} is not reached from the internet", config.metrics));
    }
    Finding::advice(
        check,
        format!("{} may be reached from the internet", config.metrics),
        "figures of the business are there without a token",
        "Set metrics to a loopback or private address.",
    )
}

fn is_private(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_private())
}

fn centre_password(config: &Config) -> Finding {
    let check = "sms-password";
    if !config.has(Role::Sms) {
        return Finding::fine(check, "the role sms does not run here");
    }
    let local = config.sms.host == "localhost"
        || config.sms.host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    if local || config.sms.password.expose_secret() != "test" {
        return Finding::fine(check, "it is not the simulated centre's on a real one");
    }
    Finding::wrong(
        check,
        format!("the password for {} is that of the simulated centre", config.sms.host),
        "whoever tries it sends texts in the operator's name",
        "Let the SMS centre's operator set another, and write it to sms.password.",
    )
}

fn tokens(config: &Config) -> Finding {
    let check = "operator-tokens";
    let all = config.platform.operator_tokens.iter().map(|token| token.expose_secret().len());
    let named = config.operator.tokens.iter().map(|token| token.token.expose_secret().len());
    let short = all.chain(named).filter(|length| *length < TOKEN_CHARS_GOOD).count();
    if short == 0 {
        return Finding::fine(check, "none is short");
    }
    Finding::advice(
        check,
        format!("{short} of the operator's tokens have fewer than {TOKEN_CHARS_GOOD} characters"),
        "what a person has thought out is found by trying",
        "Make each with: head -c 32 /dev/urandom | base64",
    )
}
