//! How to bind to one centre.

use std::time::Duration;

use crate::tls::Tls;

/// How to bind to one centre. `Debug` shows no password.
#[derive(Clone)]
pub struct BindConfig {
    /// Host name or address.
    pub host: String,
    /// Port; centres listen on 2775 as a rule.
    pub port: u16,
    /// Account, up to 15 characters.
    pub system_id: String,
    /// Up to 8 characters.
    pub password: String,
    /// Up to 12 characters; most centres want none.
    pub system_type: String,
    /// What the session is for.
    pub kind: BindKind,
    /// Which SMPP the bind says that we speak.
    pub version: Version,
    /// TLS, where the centre wants it; plain otherwise.
    pub tls: Option<Tls>,
    /// Submits that may wait for their answers at once; at least 1.
    pub window: usize,
    /// Submits a second; 0 is unlimited.
    pub rate_per_s: u32,
    /// Silence after which the link is tested.
    pub enquire_link: Duration,
    /// The longest wait for the answer to a submit or an enquire_link.
    pub response_timeout: Duration,
    /// The longest wait for connection and bind together, and for the answer to an unbind.
    pub bind_timeout: Duration,
    /// What data_coding 0 means in what this centre delivers.
    pub default_alphabet: DefaultAlphabet,
}

/// What a session is for (SMPP 3.4 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BindKind {
    /// Sends and receives.
    #[default]
    Transceiver,
    /// Sends alone; receipts and texts come over a receiver.
    Transmitter,
    /// Receives alone; every submit is answered as not sent.
    Receiver,
}

impl BindKind {
    /// Whether texts can be sent over it.
    #[must_use]
    pub fn sends(self) -> bool {
        self != Self::Receiver
    }
}

/// The version of SMPP that a bind names (interface_version). What differs on the wire between the two is read
/// either way: TLVs of 5.0 that are not known are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// SMPP 3.4, which every centre speaks.
    #[default]
    V3_4,
    /// SMPP 5.0.
    V5_0,
}

/// What a centre means by data_coding 0, which SMPP 3.4 section 5.2.19 leaves to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet.
    #[default]
    Gsm,
    /// ISO 8859-1, and so ASCII too.
    Latin1,
}

impl BindConfig {
    /// Makes a configuration with the usual limits: window 10, no rate limit, enquire_link after 30 s of
    /// silence, 10 s for an answer, 5 s for the bind.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: u16,
        system_id: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            system_id: system_id.into(),
            password: password.into(),
            system_type: String::new(),
            kind: BindKind::Transceiver,
            version: Version::V3_4,
            tls: None,
            window: 10,
            rate_per_s: 0,
            enquire_link: Duration::from_secs(30),
            response_timeout: Duration::from_secs(10),
            bind_timeout: Duration::from_secs(5),
            default_alphabet: DefaultAlphabet::Gsm,
        }
    }
}

impl std::fmt::Debug for BindConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BindConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("system_id", &self.system_id)
            .field("kind", &self.kind)
            .field("tls", &self.tls.is_some())
            .field("window", &self.window)
            .field("rate_per_s", &self.rate_per_s)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", BindConfig::new("h", 2775, "id", "hunter2")).contains("hunter2"));
    }
}
