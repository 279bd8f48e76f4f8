//! `[sms]` and `[[sms.centres]]`: the SMS centres and our addresses there.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sms::{
    BindConfig, BindKind, CentreConfig, DefaultAlphabet, MessageIdForm, SmsConfig, Tls, TlsError, Version,
};

use super::checks::is_ascii_of;
use crate::failure::Failure;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $of:ident { $($word:literal $variant:ident = $value:ident),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $word)] $variant),* }

        impl From<$name> for $of {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$value),* }
            }
        }
    };
}

words! {
    /// What a bind is for.
    Bind => BindKind {
        "transceiver" Transceiver = Transceiver, "transmitter" Transmitter = Transmitter, "receiver" Receiver = Receiver
    }
}
words! {
    /// Which SMPP the bind says that we speak.
    Smpp => Version { "3.4" V3_4 = V3_4, "5.0" V5_0 = V5_0 }
}
words! {
    /// How message ids are written.
    Ids => MessageIdForm { "text" Text = Text, "decimal" Decimal = Decimal, "hex" Hex = Hex }
}
words! {
    /// What data_coding 0 means in what is delivered.
    Alphabet => DefaultAlphabet { "gsm" Gsm = Gsm, "latin1" Latin1 = Latin1 }
}

/// A table of the settings of one centre, and of what else stands in it.
macro_rules! centre_table {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $value:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name {
            /// Host name or address.
            pub(crate) host: String,
            /// Port.
            pub(crate) port: u16,
            /// Account.
            pub(crate) system_id: String,
            /// Its password.
            pub(crate) password: SecretString,
            /// What some centres want to be called by.
            pub(crate) system_type: String,
            /// Which SMPP the bind says that we speak.
            pub(crate) version: Smpp,
            /// Whether the centre wants TLS.
            pub(crate) tls: bool,
            /// Certificates to trust instead of the operating system's, as PEM.
            pub(crate) tls_authority: Option<PathBuf>,
            /// The name in the centre's certificate, where it is not the host.
            pub(crate) tls_name: Option<String>,
            /// The binds to hold.
            pub(crate) binds: Vec<Bind>,
            /// Submits of one bind without their answers.
            pub(crate) window: u16,
            /// The agreed rate of one bind; 0 is unlimited.
            pub(crate) rate_per_s: u32,
            /// The longest wait for an answer.
            pub(crate) answer_s: u16,
            /// How message ids are written in answers.
            pub(crate) answer_ids: Ids,
            /// How they are written in receipts.
            pub(crate) receipt_ids: Ids,
            /// What data_coding 0 means in what is delivered.
            pub(crate) default_alphabet: Alphabet,
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                // The account of the simulated centre, so that a first run needs no configuration.
                Self {
                    host: "127.0.0.1".to_owned(),
                    port: 2775,
                    system_id: "test".to_owned(),
                    password: SecretString::from("test"),
                    system_type: String::new(),
                    version: Smpp::V3_4,
                    tls: false,
                    tls_authority: None,
                    tls_name: None,
                    binds: vec![Bind::Transceiver],
                    window: 10,
                    rate_per_s: 0,
                    answer_s: 10,
                    answer_ids: Ids::Text,
                    receipt_ids: Ids::Text,
                    default_alphabet: Alphabet::Gsm,
                    $($field: $value,)*
                }
            }
        }

        impl $name {
            /// What is wrong with the centre, as a key and a sentence.
            fn centre_fault(&self) -> Option<(&'static str, &'static str)> {
                let password = self.password.expose_secret();
                let wrong = |is_wrong: bool, key, what| is_wrong.then_some((key, what));
                wrong(self.host.trim().is_empty(), "sms.host", "it is empty")
                    .or(wrong(self.port == 0, "sms.port", "port 0 is nowhere"))
                    .or(wrong(
                        !is_ascii_of(&self.system_id, 1, SYSTEM_ID_CHARS_MAX),
                        "sms.system_id",
                        "it is empty, too long or not ASCII",
                    ))
                    .or(wrong(
                        !is_ascii_of(password, 0, PASSWORD_CHARS_MAX),
                        "sms.password",
                        "it is too long or not ASCII",
                    ))
                    .or(wrong(
                        !is_ascii_of(&self.system_type, 0, SYSTEM_TYPE_CHARS_MAX),
                        "sms.system_type",
                        "it is too long or not ASCII",
                    ))
                    .or(wrong(
                        self.binds.is_empty() || self.binds.len() > BINDS_MAX,
                        "sms.binds",
                        "there is none, or more than 32",
                    ))
                    .or(wrong(
                        self.window == 0 || self.window > WINDOW_MAX,
                        "sms.window",
                        "it is not 1 to 1000",
                    ))
                    .or(wrong(self.answer_s == 0, "sms.answer_s", "no answer comes in no time"))
            }

            fn centre(&self) -> Result<CentreConfig, Failure> {
                let password = self.password.expose_secret();
                let mut bind = BindConfig::new(&self.host, self.port, &self.system_id, password);
                bind.system_type.clone_from(&self.system_type);
                bind.version = self.version.into();
                bind.window = self.window.into();
                bind.rate_per_s = self.rate_per_s;
                bind.response_timeout = Duration::from_secs(self.answer_s.into());
                bind.default_alphabet = self.default_alphabet.into();
                if self.tls {
                    let mut tls = tls(self.tls_authority.as_ref())?;
                    if let Some(name) = &self.tls_name {
                        tls = tls.named(name);
                    }
                    bind.tls = Some(tls);
                }
                let mut centre = CentreConfig::from(bind);
                centre.binds = self.binds.iter().map(|&bind| bind.into()).collect();
                centre.answer_ids = self.answer_ids.into();
                centre.receipt_ids = self.receipt_ids.into();
                Ok(centre)
            }
        }
    };
}

centre_table! {
    /// The SMS centre, and our addresses.
    Sms {
        /// The sending number; suffix digits are appended for confirmations.
        sender: String = "10690001".to_owned(),
        /// Further addresses whose texts are ours.
        also_ours: Vec<String> = Vec::new(),
        /// Further centres.
        centres: Vec<Further> = Vec::new(),
    }
}

centre_table! {
    /// A further SMS centre.
    Further {}
}

/// SMPP 3.4 section 5.2.1: a system id has 16 octets, the last of them zero.
const SYSTEM_ID_CHARS_MAX: usize = 15;
/// SMPP 3.4 section 5.2.2: a password has 9 octets, the last of them zero.
const PASSWORD_CHARS_MAX: usize = 8;
/// SMPP 3.4 section 5.2.3: a system type has 13 octets, the last of them zero.
const SYSTEM_TYPE_CHARS_MAX: usize = 12;
/// SMPP 3.4 section 5.2.8: an address has up to 20 digits; four stay free for the suffix.
const SENDER_DIGITS_MAX: usize = 16;
/// No centre grants as many to one account.
const BINDS_MAX: usize = 32;
/// Far beyond what any centre grants.
const WINDOW_MAX: u16 = 1_000;

impl Sms {
    /// What is wrong, as a key and a sentence.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let sender = &self.sender;
        let digits =
            (1..=SENDER_DIGITS_MAX).contains(&sender.len()) && sender.bytes().all(|b| b.is_ascii_digit());
        let address = |address: &String| is_ascii_of(address.trim_start_matches('+'), 1, 20);
        let further = || self.centres.iter().find_map(Further::centre_fault).map(|(_, what)| what);
        self.centre_fault()
            .or((!digits).then_some(("sms.sender", "it is not 1 to 16 digits")))
            .or((!self.also_ours.iter().all(address)).then_some(("sms.also_ours", "one is no address")))
            .or_else(|| further().map(|what| ("sms.centres", what)))
    }

    /// The links to all centres.
    ///
    /// # Errors
    /// A [`Failure`] when there are no certificates for TLS.
    pub(crate) fn links(&self, region: domain::Region) -> Result<SmsConfig, Failure> {
        let further = self.centres.iter().map(Further::centre);
        Ok(SmsConfig {
            centres: std::iter::once(self.centre()).chain(further).collect::<Result<_, _>>()?,
            sender: self.sender.clone(),
            also_ours: self.also_ours.clone(),
            region,
        })
    }
}

fn tls(authority: Option<&PathBuf>) -> Result<Tls, Failure> {
    let refused = |error: TlsError| {
        Failure::user("the SMS centre cannot be spoken to under TLS")
            .because(&error)
            .hint("Set sms.tls_authority to a PEM file with the certificate of the centre's authority.")
    };
    match authority {
        None => Tls::of_system().map_err(refused),
        Some(file) => {
            let pem = std::fs::read(file).map_err(|error| {
                Failure::user(format!("{} cannot be read", file.display()))
                    .because(&error)
                    .hint("Set sms.tls_authority to a PEM file that this process may read.")
            })?;
            Tls::of_pem(&pem).map_err(refused)
        }
    }
}
