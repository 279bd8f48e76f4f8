//! How to reach the centres, and under which addresses.

use domain::Region;
use smpp::{BindConfig, BindKind, MessageIdForm};

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
    /// How each bind is made, but for its kind.
    pub bind: BindConfig,
    /// The binds that are held there, at least one: each has a window and a rate of its own.
    pub binds: Vec<BindKind>,
    /// How the centre writes message ids in its answers.
    pub answer_ids: MessageIdForm,
    /// How it writes them in its receipts.
    pub receipt_ids: MessageIdForm,
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
            centres: vec![BindConfig::new(host, port, system_id, password).into()],
            sender: sender.into(),
            also_ours: Vec::new(),
            region: Region::CN,
        }
    }
}

impl From<BindConfig> for CentreConfig {
    /// Makes a centre with the usual values: one transceiver, message ids as text.
    fn from(bind: BindConfig) -> Self {
        let (answer_ids, receipt_ids) = (MessageIdForm::Text, MessageIdForm::Text);
        Self { bind, binds: vec![BindKind::Transceiver], answer_ids, receipt_ids }
    }
}

impl CentreConfig {
    /// The connection's name at rest: message ids mean something only beside it.
    pub(crate) fn account(&self) -> String {
        format!("{}@{}", self.bind.system_id, self.address())
    }

    /// The centre's name in logs and metrics.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.bind.host, self.bind.port)
    }

    /// How a bind of that kind is made.
    #[must_use]
    pub fn bind_as(&self, kind: BindKind) -> BindConfig {
        BindConfig { kind, ..self.bind.clone() }
    }
}
