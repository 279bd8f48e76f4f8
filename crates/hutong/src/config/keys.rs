//! Every setting once: its key, its shape, and what to write there. Flags, environment variables and
//! error hints all come from this table.

use clap::{Arg, ArgAction, ArgMatches};
use figment::value::Value;

/// How a setting's text from a flag or an environment variable becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Switch,
    List,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Key {
    /// Its path in `hutong.toml`, such as `sms.port`.
    pub(super) path: &'static str,
    /// Its flag without the dashes, such as `sms-port`.
    pub(super) flag: &'static str,
    pub(super) shape: Shape,
    /// Its name in usage texts.
    pub(super) value: &'static str,
    /// What to write, as the object of "write …".
    pub(super) want: &'static str,
    /// Whether its value must not be repeated in an error.
    pub(super) secret: bool,
}

const fn key(
    path: &'static str,
    flag: &'static str,
    shape: Shape,
    value: &'static str,
    want: &'static str,
) -> Key {
    Key { path, flag, shape, value, want, secret: false }
}

const fn secret(
    path: &'static str,
    flag: &'static str,
    shape: Shape,
    value: &'static str,
    want: &'static str,
) -> Key {
    Key { path, flag, shape, value, want, secret: true }
}

/// The table.
pub(super) const KEYS: &[Key] = &[
    key(
        "listen",
        "listen",
        Shape::Text,
        "ADDRESS",
        "where to serve, such as 127.0.0.1:8080; port 0 picks a free one",
    ),
    key(
        "metrics",
        "metrics",
        Shape::Text,
        "ADDRESS",
        "where /metrics, /livez and /readyz are, such as 127.0.0.1:9090",
    ),
    key("data", "data", Shape::Text, "DIR", "the directory of the embedded store, such as ./hutong-data"),
    secret(
        "database",
        "database",
        Shape::Text,
        "URL",
        "postgres://user@host/name, or leave it out for the embedded store",
    ),
    key("roles", "roles", Shape::List, "ROLES", "some of contacts, exchange, platform, sms, web"),
    key(
        "peers.contacts",
        "peers-contacts",
        Shape::Text,
        "URL",
        "http://… of the server with the role contacts, where it is another one",
    ),
    key(
        "peers.exchange",
        "peers-exchange",
        Shape::Text,
        "URL",
        "http://… of the server with the role exchange, where it is another one",
    ),
    key(
        "default_region",
        "default-region",
        Shape::Text,
        "REGION",
        "the two letters of a country, such as CN",
    ),
    key(
        "trusted_proxies",
        "trusted-proxies",
        Shape::List,
        "NETWORKS",
        "addresses of the proxies in front, such as 10.0.0.0/8",
    ),
    key(
        "registration.prefixes",
        "registration-prefixes",
        Shape::List,
        "PREFIXES",
        "the prefixes of the numbers served, such as +86",
    ),
    key(
        "registration.code_life_s",
        "registration-code-life-s",
        Shape::Number,
        "SECONDS",
        "the seconds that a sign-in code counts, 60 to 3600",
    ),
    key(
        "registration.tries_per_code",
        "registration-tries-per-code",
        Shape::Number,
        "COUNT",
        "the wrong codes after which a new one is needed, 1 to 10",
    ),
    key(
        "registration.texts_per_number_minute",
        "registration-texts-per-number-minute",
        Shape::Number,
        "COUNT",
        "the sign-in texts that one number gets in a minute",
    ),
    key(
        "registration.texts_per_number_hour",
        "registration-texts-per-number-hour",
        Shape::Number,
        "COUNT",
        "the sign-in texts that one number gets in an hour",
    ),
    key(
        "registration.texts_per_number_day",
        "registration-texts-per-number-day",
        Shape::Number,
        "COUNT",
        "the sign-in texts that one number gets in 24 hours",
    ),
    key(
        "registration.texts_per_address_hour",
        "registration-texts-per-address-hour",
        Shape::Number,
        "COUNT",
        "the sign-in texts that one address may ask for in an hour",
    ),
    key(
        "registration.texts_per_hour",
        "registration-texts-per-hour",
        Shape::Number,
        "COUNT",
        "the sign-in texts that go out in an hour in all",
    ),
    key(
        "registration.wrong_codes_per_number_day",
        "registration-wrong-codes-per-number-day",
        Shape::Number,
        "COUNT",
        "the wrong codes taken for one number in 24 hours, 1 to 20",
    ),
    key(
        "registration.wrong_codes_per_address_hour",
        "registration-wrong-codes-per-address-hour",
        Shape::Number,
        "COUNT",
        "the wrong codes taken from one address in an hour",
    ),
    key(
        "registration.wrong_codes_per_hour",
        "registration-wrong-codes-per-hour",
        Shape::Number,
        "COUNT",
        "the wrong codes taken in an hour in all; beyond them nobody signs in",
    ),
    key(
        "registration.exempt_loopback",
        "registration-exempt-loopback",
        Shape::Switch,
        "BOOL",
        "true or false: whether this machine is free of the limits by address",
    ),
    key("sms.host", "sms-host", Shape::Text, "HOST", "the SMS centre's host, such as 127.0.0.1"),
    key("sms.port", "sms-port", Shape::Number, "PORT", "the SMS centre's port, such as 2775"),
    key(
        "sms.system_id",
        "sms-system-id",
        Shape::Text,
        "ID",
        "the account at the SMS centre, 1 to 15 ASCII characters",
    ),
    secret(
        "sms.password",
        "sms-password",
        Shape::Text,
        "PASSWORD",
        "the account's password, up to 8 ASCII characters",
    ),
    key(
        "sms.sender",
        "sms-sender",
        Shape::Text,
        "DIGITS",
        "the sending number, 1 to 16 digits, such as 10690001",
    ),
    key("sms.system_type", "sms-system-type", Shape::Text, "TYPE", "up to 12 ASCII characters, or nothing"),
    key("sms.version", "sms-version", Shape::Text, "VERSION", "3.4 or 5.0, in quotation marks"),
    key("sms.tls", "sms-tls", Shape::Switch, "BOOL", "true or false: whether the SMS centre wants TLS"),
    key(
        "sms.tls_authority",
        "sms-tls-authority",
        Shape::Text,
        "FILE",
        "a PEM file of the certificates to trust instead of the operating system's",
    ),
    key(
        "sms.tls_name",
        "sms-tls-name",
        Shape::Text,
        "NAME",
        "the name in the SMS centre's certificate, where it is not its host",
    ),
    key(
        "sms.binds",
        "sms-binds",
        Shape::List,
        "KINDS",
        "1 to 32 of transceiver, transmitter and receiver, each as often as it is to be held",
    ),
    key(
        "sms.window",
        "sms-window",
        Shape::Number,
        "COUNT",
        "the submits of one bind without answers, 1 to 1000",
    ),
    key(
        "sms.rate_per_s",
        "sms-rate-per-s",
        Shape::Number,
        "COUNT",
        "the agreed rate of one bind in texts a second; 0 is unlimited",
    ),
    key(
        "sms.answer_s",
        "sms-answer-s",
        Shape::Number,
        "SECONDS",
        "the longest wait for an answer, 1 or more",
    ),
    key(
        "sms.answer_ids",
        "sms-answer-ids",
        Shape::Text,
        "FORM",
        "text, decimal or hex: how message ids are written in answers",
    ),
    key(
        "sms.receipt_ids",
        "sms-receipt-ids",
        Shape::Text,
        "FORM",
        "text, decimal or hex: how message ids are written in receipts",
    ),
    key(
        "sms.default_alphabet",
        "sms-default-alphabet",
        Shape::Text,
        "ALPHABET",
        "gsm or latin1: what data_coding 0 means in what is delivered",
    ),
    key(
        "sms.also_ours",
        "sms-also-ours",
        Shape::List,
        "ADDRESSES",
        "further addresses whose texts are ours, such as 10086 where the centre forwards it",
    ),
    // A secret to errors, for passwords stand in it.
    secret(
        "sms.centres",
        "sms-centres",
        Shape::List,
        "CENTRES",
        "tables of further centres, each with the settings of [sms] from host to default_alphabet; in the file only",
    ),
    key(
        "platform.url",
        "platform-url",
        Shape::Text,
        "URL",
        "https://… of the operator's own platform, or leave it out",
    ),
    secret(
        "platform.token",
        "platform-token",
        Shape::Text,
        "TOKEN",
        "the bearer token that the operator's own platform wants",
    ),
    key("platform.timeout_s", "platform-timeout-s", Shape::Number, "SECONDS", "a whole number from 1 to 20"),
    key(
        "platform.ca_file",
        "platform-ca-file",
        Shape::Text,
        "FILE",
        "certificates in PEM that the platform's own must come from",
    ),
    key(
        "platform.identity_file",
        "platform-identity-file",
        Shape::Text,
        "FILE",
        "our certificate and its private key in PEM, for a platform that wants to see one",
    ),
    key(
        "platform.callback_url",
        "platform-callback-url",
        Shape::Text,
        "URL",
        "https://… under which the platform reaches this server, where that is not `listen`",
    ),
    key(
        "platform.erases_former_owners",
        "platform-erases-former-owners",
        Shape::Switch,
        "BOOL",
        "true where the platform at platform.url is another hutong, which then erases a number's former owner; else false",
    ),
    secret(
        "platform.operator_tokens",
        "platform-operator-tokens",
        Shape::List,
        "TOKENS",
        "tokens of 16 or more visible characters",
    ),
    // No secret to errors: what is said of it never repeats a token, and must name an unknown scope.
    key(
        "operator.tokens",
        "operator-tokens",
        Shape::List,
        "TOKENS",
        "tables of name, token and scopes, or name=scope+scope=token with a token of 16 or more characters",
    ),
    key("platform.open_on_loopback", "platform-open-on-loopback", Shape::Switch, "BOOL", "true or false"),
    key("platform.private_callbacks", "platform-private-callbacks", Shape::Switch, "BOOL", "true or false"),
    key(
        "keys.file",
        "keys-file",
        Shape::Text,
        "FILE",
        "the file of the secret key, outside the data directory",
    ),
    key(
        "confirmation.time_limit_s",
        "confirmation-time-limit-s",
        Shape::Number,
        "SECONDS",
        "the seconds to answer, 1 to 31536000",
    ),
    key(
        "confirmation.attempts",
        "confirmation-attempts",
        Shape::Number,
        "COUNT",
        "the wrong answers that end an order, 1 to 10",
    ),
    key(
        "book.new_numbers_at_once",
        "book-new-numbers-at-once",
        Shape::Number,
        "COUNT",
        "the numbers new to a book that one subscriber may deliver at once, 5000 or more",
    ),
    key(
        "book.new_numbers_per_hour",
        "book-new-numbers-per-hour",
        Shape::Number,
        "COUNT",
        "the new numbers an hour once those are used up",
    ),
    key(
        "retention.texts_days",
        "retention-texts-days",
        Shape::Number,
        "DAYS",
        "the days that final texts are kept, 1 to 3650",
    ),
    key(
        "retention.funnel_days",
        "retention-funnel-days",
        Shape::Number,
        "DAYS",
        "the days that steps to a subscription are kept, 1 to 3650",
    ),
    key(
        "retention.hub_events_days",
        "retention-hub-events-days",
        Shape::Number,
        "DAYS",
        "the days that a listener may be away, 1 to 3650",
    ),
    key(
        "charging.port",
        "charging-port",
        Shape::Text,
        "PORT",
        "how charge events are handed over: none, file or webhook",
    ),
    key(
        "charging.url",
        "charging-url",
        Shape::Text,
        "URL",
        "https://… of the operator's charging system, for the webhook",
    ),
    secret(
        "charging.token",
        "charging-token",
        Shape::Text,
        "TOKEN",
        "the bearer token for the charging system, of visible characters",
    ),
    key(
        "charging.directory",
        "charging-directory",
        Shape::Text,
        "DIR",
        "the directory of the charge files, outside the data directory; they hold readable numbers",
    ),
    // No secret to errors, as with the operator's tokens.
    key(
        "provisioning.providers",
        "provisioning-providers",
        Shape::List,
        "PROVIDERS",
        "tables of provider, url, token and timeout_s, or provider=token=url with an https://… address",
    ),
    key(
        "numbers.url",
        "numbers-url",
        Shape::Text,
        "URL",
        "https://… of the operator's network (CAMARA number-recycling and sim-swap), up to the name of the interface",
    ),
    secret(
        "numbers.token",
        "numbers-token",
        Shape::Text,
        "TOKEN",
        "the bearer token for the operator's network, of visible characters",
    ),
    key(
        "numbers.timeout_s",
        "numbers-timeout-s",
        Shape::Number,
        "SECONDS",
        "the longest wait for its answer, 1 to 20 seconds",
    ),
    key(
        "numbers.sim_swap_hours",
        "numbers-sim-swap-hours",
        Shape::Number,
        "HOURS",
        "how old a SIM must be to order what costs, 1 to 2400 hours",
    ),
];

/// The setting at a path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

impl Key {
    /// `sms.system_id` is `HUTONG_SMS__SYSTEM_ID`.
    pub(super) fn variable(&self) -> String {
        format!("HUTONG_{}", self.path.replace('.', "__").to_ascii_uppercase())
    }

    /// A text as this setting's value; what does not fit stays a text and is refused later, by name.
    pub(super) fn value_of(&self, text: &str) -> Value {
        let as_text = || Value::from(text);
        match self.shape {
            // Left as it stands: a password such as 0123 is no number.
            Shape::Text => as_text(),
            Shape::Number => text.trim().parse::<u64>().map_or_else(|_| as_text(), Value::from),
            Shape::Switch => text.trim().parse::<bool>().map_or_else(|_| as_text(), Value::from),
            Shape::List => {
                // `["a", "b"]`, as the file has it, is understood too.
                let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
                let items = bare.split(',').map(|item| item.trim().trim_matches('"'));
                items.filter(|item| !item.is_empty()).map(Value::from).collect::<Vec<_>>().into()
            }
        }
    }
}

/// The settings given as flags, and the file to read first; every command that needs a
/// configuration takes them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// `--config`.
    pub(super) file: Option<String>,
    /// Path and text of each flag that was given.
    pub(super) given: Vec<(&'static str, String)>,
}

impl ConfigArgs {
    /// Gives a setting as its flag would.
    pub(crate) fn give(&mut self, path: &'static str, text: String) {
        self.given.retain(|(given, _)| *given != path);
        self.given.push((path, text));
    }

    /// Whether a setting was given as a flag.
    pub(crate) fn gives(&self, path: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == path)
    }
}

/// clap's name for `--config`, which is no setting itself.
const FILE: &str = "config";

impl clap::FromArgMatches for ConfigArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<String>(FILE).cloned();
        self.given = KEYS
            .iter()
            .filter_map(|key| matches.get_one::<String>(key.path).map(|text| (key.path, text.clone())))
            .collect();
        Ok(())
    }
}

impl clap::Args for ConfigArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("F")
            .env("HUTONG_CONFIG")
            .help("the configuration file [default: hutong.toml, when there is one]");
        KEYS.iter().fold(command.arg(file), |command, key| {
            let arg = Arg::new(key.path)
                .long(key.flag)
                .value_name(key.value)
                .action(ArgAction::Set)
                .help_heading("Settings")
                .help(key.want);
            command.arg(match key.shape {
                Shape::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
                _ => arg,
            })
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}
