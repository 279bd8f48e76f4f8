//! How to reach the centre, and under which addresses.

use std::time::Duration;

use domain::Region;
use smpp::{BindConfig, DefaultAlphabet, MessageIdForm};

/// How to reach one centre and which addresses are ours there. It holds a password and has no `Debug`.
#[derive(Clone)]
pub struct SmsConfig {
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
    /// The common sender, digits; what a text appends to it is part of our addresses too.
    pub sender: String,
    /// Further addresses whose inbound texts are ours, each as it stands.
    pub also_ours: Vec<String>,
    /// By whose dialling habits the number of a phone in national form is read.
    pub region: Region,
    /// Submits that may wait for their answers at once, and texts in hand at once; at least 1.
    pub window: usize,
    /// The agreed rate in submits a second; 0 is unlimited.
    pub rate_per_s: u32,
    /// The longest wait for the answer to a submit.
    pub response_timeout: Duration,
    /// How the centre writes message ids in its answers.
    pub answer_ids: MessageIdForm,
    /// How it writes them in its receipts.
    pub receipt_ids: MessageIdForm,
    /// What it means by data_coding 0 in what it delivers.
    pub default_alphabet: DefaultAlphabet,
}

impl SmsConfig {
    /// Makes a configuration with the usual values: window 10, no rate limit, 10 s for an answer, numbers
    /// read as in mainland China, message ids as text.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: u16,
        system_id: impl Into<String>,
        password: impl Into<String>,
        sender: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            system_id: system_id.into(),
            password: password.into(),
            system_type: String::new(),
            sender: sender.into(),
            also_ours: Vec::new(),
            region: Region::CN,
            window: 10,
            rate_per_s: 0,
            response_timeout: Duration::from_secs(10),
            answer_ids: MessageIdForm::Text,
            receipt_ids: MessageIdForm::Text,
            default_alphabet: DefaultAlphabet::Gsm,
        }
    }

    /// The connection's name at rest: message ids mean something only beside it.
    pub(crate) fn account(&self) -> String {
        format!("{}@{}:{}", self.system_id, self.host, self.port)
    }

    pub(crate) fn bind(&self) -> BindConfig {
        let mut bind = BindConfig::new(&self.host, self.port, &self.system_id, &self.password);
        bind.system_type.clone_from(&self.system_type);
        bind.window = self.window;
        bind.rate_per_s = self.rate_per_s;
        bind.response_timeout = self.response_timeout;
        bind.default_alphabet = self.default_alphabet;
        bind
    }
}
