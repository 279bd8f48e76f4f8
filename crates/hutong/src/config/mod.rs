//! The configuration: defaults, then `hutong.toml`, then the environment, then flags.
//!
//! Every key has a default that serves a first run. Unknown keys are refused by name. Secrets do not
//! print.

mod checks;
mod keys;
mod providers;
mod sms;
mod sources;
#[cfg(test)]
mod tests;
mod tokens;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use contacts::SignInLimits;
use domain::Region;
use domain::quota::Quota;
use figment::Figment;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use store::upkeep::Retention;

use crate::failure::Failure;
pub(crate) use keys::ConfigArgs;
pub(crate) use providers::ProviderAddress;
pub(crate) use sms::Sms;

/// All of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "each role reads its part")]
pub(crate) struct Config {
    /// Where the subscriber and TM Forum interfaces are served; port 0 picks a free one.
    pub(crate) listen: SocketAddr,
    /// Where `/metrics`, `/livez` and `/readyz` are served.
    pub(crate) metrics: SocketAddr,
    /// The directory of the embedded store.
    pub(crate) data: PathBuf,
    /// PostgreSQL instead of the embedded store; the address may hold a password.
    pub(crate) database: Option<SecretString>,
    /// What this process does; never empty, each once.
    pub(crate) roles: Vec<Role>,
    /// By whose dialling habits a number without `+` is read.
    #[serde(deserialize_with = "region")]
    pub(crate) default_region: Region,
    /// Proxies in front of `listen` whose word on where a request comes from is believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Who may register.
    pub(crate) registration: Registration,
    /// Address books.
    pub(crate) book: Book,
    /// The SMS centre.
    pub(crate) sms: Sms,
    /// The platform.
    pub(crate) platform: Platform,
    /// The operator's people.
    pub(crate) operator: tokens::Operator,
    /// The secret keys.
    pub(crate) keys: Keys,
    /// The second confirmation.
    pub(crate) confirmation: Confirmation,
    /// How long things are kept.
    pub(crate) retention: Kept,
    /// The operator's charging system.
    pub(crate) charging: Charging,
    /// The providers that are told of orders.
    pub(crate) provisioning: providers::Provisioning,
    /// What the operator's network says of a number.
    pub(crate) numbers: Numbers,
    /// Where the roles that do not run here are.
    pub(crate) peers: Peers,
}

/// The addresses of processes with other roles: a call of `/v1` that is theirs is passed on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Peers {
    /// Where the role contacts is.
    pub(crate) contacts: Option<String>,
    /// Where the role exchange is.
    pub(crate) exchange: Option<String>,
}

/// A part of Hutong that can run in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Registration, address books, matching.
    Contacts,
    /// Subscriptions, shares, orders.
    Exchange,
    /// Catalogue and decisions.
    Platform,
    /// The link to the SMS centre.
    Sms,
    /// Pages.
    Web,
}

/// Who may register.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "each role reads its part")]
pub(crate) struct Registration {
    /// Prefixes of the numbers that this operator serves, each `+` and digits.
    pub(crate) prefixes: Vec<String>,
    /// A sign-in code's life.
    pub(crate) code_life_s: i64,
    /// Wrong codes before a new one is needed.
    pub(crate) tries_per_code: i64,
    /// Sign-in texts to one number in a minute.
    pub(crate) texts_per_number_minute: i64,
    /// Sign-in texts to one number in an hour.
    pub(crate) texts_per_number_hour: i64,
    /// Sign-in texts to one number in 24 hours.
    pub(crate) texts_per_number_day: i64,
    /// Sign-in texts that one address asks for in an hour.
    pub(crate) texts_per_address_hour: i64,
    /// Sign-in texts in an hour in all.
    pub(crate) texts_per_hour: i64,
    /// Wrong codes for one number in 24 hours.
    pub(crate) wrong_codes_per_number_day: i64,
    /// Wrong codes from one address in an hour.
    pub(crate) wrong_codes_per_address_hour: i64,
    /// Wrong codes in an hour in all.
    pub(crate) wrong_codes_per_hour: i64,
    /// Whether this very machine is free of the limits that count by address.
    pub(crate) exempt_loopback: bool,
}

/// One address, or a block of them such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(Self).map_err(|_| serde::de::Error::custom("this is no address and no block of addresses"))
    }
}

/// The platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Platform {
    /// An operator's own platform; absent, the built-in one decides.
    pub(crate) url: Option<String>,
    /// The bearer token it wants.
    pub(crate) token: Option<SecretString>,
    /// The longest wait for its answer.
    pub(crate) timeout_s: u64,
    /// A file of certificates: its own comes from one of them, and from nobody else.
    pub(crate) ca_file: Option<PathBuf>,
    /// A file with our certificate and its private key, for a platform that wants to see one.
    pub(crate) identity_file: Option<PathBuf>,
    /// The address under which it reaches this server, where that is not `listen`.
    pub(crate) callback_url: Option<String>,
    /// Whether the platform at `url` is told to erase whoever had a number before its new owner.
    pub(crate) erases_former_owners: bool,
    /// Bearer tokens accepted at `/tmf-api` and the console.
    pub(crate) operator_tokens: Vec<SecretString>,
    /// Whether `/tmf-api` needs no token when bound to loopback.
    pub(crate) open_on_loopback: bool,
    /// Whether listeners at the hubs may have addresses that are not public.
    pub(crate) private_callbacks: bool,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            url: None,
            token: None,
            timeout_s: 10,
            ca_file: None,
            identity_file: None,
            callback_url: None,
            erases_former_owners: false,
            operator_tokens: Vec::new(),
            open_on_loopback: false,
            private_callbacks: false,
        }
    }
}

/// The secret keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keys {
    /// Their file; absent, it stands beside the data directory.
    pub(crate) file: Option<PathBuf>,
}

/// The second confirmation.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "each role reads its part")]
pub(crate) struct Confirmation {
    /// Seconds to answer in.
    pub(crate) time_limit_s: i64,
    /// Wrong answers that end the order.
    pub(crate) attempts: u32,
}

/// What of an address book one subscriber may deliver.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Book {
    /// Numbers that are new to it, at once.
    pub(crate) new_numbers_at_once: i64,
    /// And an hour from then on.
    pub(crate) new_numbers_per_hour: i64,
}

impl Default for Book {
    fn default() -> Self {
        let Quota { at_once, per_hour } = Quota::default();
        Self { new_numbers_at_once: at_once, new_numbers_per_hour: per_hour }
    }
}

impl Book {
    /// In the domain's words.
    pub(crate) fn quota(&self) -> Quota {
        Quota { at_once: self.new_numbers_at_once, per_hour: self.new_numbers_per_hour }
    }
}

/// How long what an operator may want to look at again is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kept {
    /// Texts, once they are final and wiped.
    pub(crate) texts_days: i64,
    /// Steps from a share to a subscription.
    pub(crate) funnel_days: i64,
    /// Events that a listener at the hub has not been told.
    pub(crate) hub_events_days: i64,
}

impl Default for Kept {
    fn default() -> Self {
        let Retention { texts_days, funnel_days, hub_events_days } = Retention::default();
        Self { texts_days, funnel_days, hub_events_days }
    }
}

impl Kept {
    /// In the store's words.
    pub(crate) fn kept(&self) -> Retention {
        let Self { texts_days, funnel_days, hub_events_days } = *self;
        Retention { texts_days, funnel_days, hub_events_days }
    }
}

/// The operator's charging system.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "the platform reads it")]
pub(crate) struct Charging {
    /// How charge events reach it.
    pub(crate) port: ChargingPort,
    /// Its address, for the webhook.
    pub(crate) url: Option<String>,
    /// The bearer token that it wants.
    pub(crate) token: Option<SecretString>,
    /// Where the files are written.
    pub(crate) directory: Option<PathBuf>,
}

/// What the operator's network says of a number: whether it got a new owner, whether its SIM was swapped.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Numbers {
    /// Where it is asked; absent: not at all.
    pub(crate) url: Option<String>,
    /// The bearer token that it wants.
    pub(crate) token: Option<SecretString>,
    /// The longest wait for its answer.
    pub(crate) timeout_s: i64,
    /// How old a SIM must be to order what costs.
    pub(crate) sim_swap_hours: i64,
}

impl Default for Numbers {
    fn default() -> Self {
        let (timeout_s, sim_swap_hours) =
            (domain::limits::NUMBER_CHECK_S_MAX, domain::limits::SIM_SWAP_HOURS);
        Self { url: None, token: None, timeout_s, sim_swap_hours }
    }
}

/// How charge events reach the charging system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChargingPort {
    /// Not at all: they wait in the store, their numbers sealed.
    #[default]
    None,
    /// As lines in files, readable numbers included.
    File,
    /// By HTTP.
    Webhook,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 9090)),
            data: PathBuf::from("./hutong-data"),
            database: None,
            roles: vec![Role::Contacts, Role::Exchange, Role::Platform, Role::Sms, Role::Web],
            default_region: Region::CN,
            trusted_proxies: Vec::new(),
            registration: Registration::default(),
            book: Book::default(),
            sms: Sms::default(),
            platform: Platform::default(),
            operator: tokens::Operator::default(),
            keys: Keys::default(),
            confirmation: Confirmation::default(),
            retention: Kept::default(),
            charging: Charging::default(),
            provisioning: providers::Provisioning::default(),
            numbers: Numbers::default(),
            peers: Peers::default(),
        }
    }
}

impl Default for Registration {
    fn default() -> Self {
        let SignInLimits {
            code_life_s,
            tries_per_code,
            texts_per_number_minute,
            texts_per_number_hour,
            texts_per_number_day,
            texts_per_address_hour,
            texts_per_hour,
            wrong_codes_per_number_day,
            wrong_codes_per_address_hour,
            wrong_codes_per_hour,
            exempt_loopback,
        } = SignInLimits::default();
        Self {
            prefixes: vec!["+86".to_owned()],
            code_life_s,
            tries_per_code,
            texts_per_number_minute,
            texts_per_number_hour,
            texts_per_number_day,
            texts_per_address_hour,
            texts_per_hour,
            wrong_codes_per_number_day,
            wrong_codes_per_address_hour,
            wrong_codes_per_hour,
            exempt_loopback,
        }
    }
}

impl Registration {
    /// How often codes are texted and tried.
    pub(crate) fn limits(&self) -> SignInLimits {
        SignInLimits {
            code_life_s: self.code_life_s,
            tries_per_code: self.tries_per_code,
            texts_per_number_minute: self.texts_per_number_minute,
            texts_per_number_hour: self.texts_per_number_hour,
            texts_per_number_day: self.texts_per_number_day,
            texts_per_address_hour: self.texts_per_address_hour,
            texts_per_hour: self.texts_per_hour,
            wrong_codes_per_number_day: self.wrong_codes_per_number_day,
            wrong_codes_per_address_hour: self.wrong_codes_per_address_hour,
            wrong_codes_per_hour: self.wrong_codes_per_hour,
            exempt_loopback: self.exempt_loopback,
        }
    }
}

impl Default for Confirmation {
    fn default() -> Self {
        Self { time_limit_s: domain::limits::CONFIRMATION_S_DEFAULT, attempts: 1 }
    }
}

impl Config {
    /// Reads the configuration that the arguments and the environment of this process describe.
    ///
    /// # Errors
    /// A [`Failure`] that names the key, the place it stands in, and what to write.
    pub(crate) fn load(args: &ConfigArgs) -> Result<Self, Failure> {
        // A variable that is not text cannot be meant for Hutong.
        let variables = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        Self::from_figment(&sources::gather(args, variables)?)
    }

    fn from_figment(figment: &Figment) -> Result<Self, Failure> {
        let mut config = figment.extract::<Self>().map_err(|error| sources::explain(&error))?;
        checks::check(&config).map_err(|(path, cause)| {
            let place = figment.find_metadata(path).map(sources::name_of).unwrap_or_default();
            sources::refuse(path, &place, cause)
        })?;
        let mut once = Vec::with_capacity(config.roles.len());
        config.roles.retain(|role| {
            !once.contains(role) && {
                once.push(*role);
                true
            }
        });
        Ok(config)
    }

    /// Whether this process has the role.
    #[allow(dead_code, reason = "the roles are put together from it")]
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The file in which the heads of the audit log are kept: beside the key file, as `hutong-data.audit`.
    pub(crate) fn audit_head_file(&self) -> PathBuf {
        self.key_file().with_extension("audit")
    }

    /// The journal of erasures: beside the key file, as `hutong-data.erased`. It is kept when the data is put
    /// back from a backup, and then says whom to erase again.
    pub(crate) fn erasure_file(&self) -> PathBuf {
        self.key_file().with_extension("erased")
    }

    /// The file of the secret keys: the one configured, or `hutong-data.key` beside `hutong-data`.
    pub(crate) fn key_file(&self) -> PathBuf {
        if let Some(file) = &self.keys.file {
            return file.clone();
        }
        // `.` has no name of its own until it is written out.
        let data = std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone());
        match data.file_name() {
            Some(name) => {
                let mut beside = name.to_os_string();
                beside.push(".key");
                data.with_file_name(beside)
            }
            None => data.join("hutong.key"),
        }
    }
}

fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Region, D::Error> {
    let text = String::deserialize(deserializer)?;
    Region::parse(&text).map_err(serde::de::Error::custom)
}
