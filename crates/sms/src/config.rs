//! How to reach the centres, and under which addresses.

use std::time::Duration;

use domain::Region;
use smpp::{BindConfig, BindKind, DefaultAlphabet, MessageIdForm, Tls, Version};

/// Which centres there are, and which addresses are ours there. It holds passwords and has no `Debug`.
#[derive(Clone)]
pub struct SmsConfig {
    /// The centres; a text goes over whichever has room first, and each is kept bound for itself.
    pub centres: Vec<CentreConfig>,
    /// The common sender, digits; what a text appends to it is part of our addresses too.
    pub sender: String,
    /// Further addresses whose inbound texts are ours, each as it stands.
    pub also_ours: Vec<String>,
    /// By whose dialling habits the number of a phone in national form is read.
    pub region: Region,
}

/// How to reach one centre.
#[derive(Clone)]
pub struct CentreConfig {
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
    /// What the bind says that we speak.
    pub version: Version,
    /// TLS, where the centre wants it.
    pub tls: Option<Tls>,
    /// The binds that are held there, at least one: each has a window and a rate of its own.
    pub binds: Vec<BindKind>,
    /// Submits of one bind that may wait for their answers at once, and texts in hand at once; at least 1.
    pub window: usize,
    /// The agreed rate of one bind in submits a second; 0 is unlimited.
    pub rate_per_s: u32,
    /// The longest wait for the answer to a submit.
    pub response_timeout: Duration,
    /// Silence after which the link is tested.
    pub enquire_link: Duration,
    /// How the centre writes message ids in its answers.
    pub answer_ids: MessageIdForm,
    /// How it writes them in its receipts.
    pub receipt_ids: MessageIdForm,
    /// What it means by data_coding 0 in what it delivers.
    pub default_alphabet: DefaultAlphabet,
}

impl SmsConfig {
    /// Makes a configuration of one centre with the usual values and numbers read as in mainland China.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: u16,
        system_id: impl Into<String>,
        password: impl Into<String>,
        sender: impl Into<String>,
    ) -> Self {
        Self {
            centres: vec![CentreConfig::new(host, port, system_id, password)],
            sender: sender.into(),
            also_ours: Vec::new(),
            region: Region::CN,
        }
    }
}

impl CentreConfig {
    /// Makes a centre with the usual values: one transceiver, window 10, no rate limit, 10 s for an answer,
    /// message ids as text.
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
            version: Version::V3_4,
            tls: None,
            binds: vec![BindKind::Transceiver],
            window: 10,
            rate_per_s: 0,
            response_timeout: Duration::from_secs(10),
            enquire_link: Duration::from_secs(30),
            answer_ids: MessageIdForm::Text,
            receipt_ids: MessageIdForm::Text,
            default_alphabet: DefaultAlphabet::Gsm,
        }
    }

    /// The connection's name at rest: message ids mean something only beside it.
    pub(crate) fn account(&self) -> String {
        format!("{}@{}", self.system_id, self.address())
    }

    /// The centre's name in logs and metrics.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// How one of its binds is made.
    #[must_use]
    pub fn bind(&self, kind: BindKind, rate_per_s: u32) -> BindConfig {
        let mut bind = BindConfig::new(&self.host, self.port, &self.system_id, &self.password);
        bind.system_type.clone_from(&self.system_type);
        bind.kind = kind;
        bind.version = self.version;
        bind.tls.clone_from(&self.tls);
        bind.window = self.window;
        bind.rate_per_s = rate_per_s;
        bind.response_timeout = self.response_timeout;
        bind.enquire_link = self.enquire_link;
        bind.default_alphabet = self.default_alphabet;
        bind
    }
}
