//! `[[provisioning.providers]]`: providers that start and stop their services when told.

use domain::catalogue::ProviderId;
use domain::limits;
use secrecy::SecretString;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Providers that are told of orders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Provisioning {
    /// Each once.
    pub(crate) providers: Vec<ProviderAddress>,
}

/// One of them: in the file a table with `provider`, `url`, `token` and `timeout_s`; in a flag or a variable
/// `provider=token=url`, the token empty where none is needed.
#[derive(Debug, Clone)]
pub(crate) struct ProviderAddress {
    /// Its id in the catalogue.
    pub(crate) provider: ProviderId,
    /// Where it is called.
    pub(crate) url: String,
    /// The bearer token that it wants.
    pub(crate) token: Option<SecretString>,
    /// The longest wait for its answer.
    pub(crate) timeout_s: i64,
}

/// What most providers keep to.
const TIMEOUT_S_DEFAULT: i64 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    provider: String,
    url: String,
    token: Option<SecretString>,
    timeout_s: Option<i64>,
}

impl<'de> Deserialize<'de> for ProviderAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ProviderAddress;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("provider and url")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ProviderAddress, A::Error> {
                read(Table::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ProviderAddress, E> {
                // What does not fit is not repeated: a token stands in it.
                let mut parts = text.splitn(3, '=');
                let (Some(provider), Some(token), Some(url)) = (parts.next(), parts.next(), parts.next())
                else {
                    return Err(E::custom("one is not provider=token=url"));
                };
                let token = (!token.is_empty()).then(|| SecretString::from(token));
                let (provider, url) = (provider.to_owned(), url.to_owned());
                read(Table { provider, url, token, timeout_s: None }).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

fn read(table: Table) -> Result<ProviderAddress, String> {
    let Table { provider, url, token, timeout_s } = table;
    let provider = ProviderId::parse(&provider).map_err(|error| error.to_string())?;
    let timeout_s = timeout_s.unwrap_or(TIMEOUT_S_DEFAULT);
    let most = limits::PROVISIONING_ANSWER_S_MAX;
    if !(1..=most).contains(&timeout_s) {
        return Err(format!("the timeout of {provider} is not between 1 and {most} seconds"));
    }
    Ok(ProviderAddress { provider, url, token, timeout_s })
}
