//! The configuration: defaults, then `hutong.toml`, then the environment, then flags.
//!
//! Every key has a default that serves a first run. Unknown keys are refused by name. Secrets do not
//! print.

mod checks;
mod keys;
mod sources;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use domain::Region;
use figment::Figment;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::failure::Failure;
pub(crate) use keys::ConfigArgs;

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
    /// Who may register.
    pub(crate) registration: Registration,
    /// The SMS centre.
    pub(crate) sms: Sms,
    /// The platform.
    pub(crate) platform: Platform,
    /// The secret keys.
    pub(crate) keys: Keys,
    /// The second confirmation.
    pub(crate) confirmation: Confirmation,
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
}

/// The SMS centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "each role reads its part")]
pub(crate) struct Sms {
    /// Host name or address.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// Account.
    pub(crate) system_id: String,
    /// Its password.
    pub(crate) password: SecretString,
    /// The sending number; suffix digits are appended for confirmations.
    pub(crate) sender: String,
}

/// The platform.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code, reason = "each role reads its part")]
pub(crate) struct Platform {
    /// An operator's own platform; absent, the built-in one decides.
    pub(crate) url: Option<String>,
    /// Bearer tokens accepted at `/tmf-api` and the console.
    pub(crate) operator_tokens: Vec<SecretString>,
    /// Whether `/tmf-api` needs no token when bound to loopback.
    pub(crate) open_on_loopback: bool,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 9090)),
            data: PathBuf::from("./hutong-data"),
            database: None,
            roles: vec![Role::Contacts, Role::Exchange, Role::Platform, Role::Sms, Role::Web],
            default_region: Region::CN,
            registration: Registration::default(),
            sms: Sms::default(),
            platform: Platform::default(),
            keys: Keys::default(),
            confirmation: Confirmation::default(),
        }
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self { prefixes: vec!["+86".to_owned()] }
    }
}

impl Default for Sms {
    fn default() -> Self {
        // The account of the simulated centre, so that a first run needs no configuration.
        Self {
            host: "127.0.0.1".to_owned(),
            port: 2775,
            system_id: "test".to_owned(),
            password: SecretString::from("test"),
            sender: "10690001".to_owned(),
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
