//! What goes wrong, as `application/problem+json` (RFC 9457) with stable codes.

use serde::{Deserialize, Serialize};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal or failure: `{type,title,status,code,detail,request_id,fields?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A reference to the page that explains the code, relative to the server.
    #[serde(rename = "type")]
    pub type_: String,
    /// The code in a few words; the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code. A text here, since a newer server may know more of them: see [`Problem::known_code`].
    pub code: String,
    /// What to do, in a sentence.
    pub detail: String,
    /// Names this answer when asking the operator about it.
    pub request_id: String,
    /// The fields at fault, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
}

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldFault {
    /// Its path in the body, such as `numbers[3]`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// The code, if this version knows it.
    pub fn known_code(&self) -> Option<Code> {
        Code::parse(&self.code)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $title:literal;)*) => {
        /// The stable codes of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as written outside.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The HTTP status it comes with.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The code in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    RequestMalformed = "request/malformed", 400, "The request cannot be read";
    RequestInvalid = "request/invalid", 422, "The request does not fit the contract";
    RequestTooLarge = "request/too-large", 413, "The request is too large";
    RequestUnsupportedMedia = "request/unsupported-media", 415, "The body is of the wrong media type";
    RequestTimeout = "request/timeout", 503, "The request took too long";
    AuthMissing = "auth/missing", 401, "No token";
    AuthInvalid = "auth/invalid", 401, "The token does not count";
    AuthScopeMissing = "auth/scope-missing", 403, "The token does not allow this";
    RegistrationWrongCode = "registration/wrong-code", 403, "The code is wrong";
    RegistrationExpired = "registration/expired", 410, "The registration is over";
    RegistrationTooManyTries = "registration/too-many-tries", 429, "Too many wrong codes";
    RegistrationTooManyTexts = "registration/too-many-texts", 429, "Too many texts";
    RegistrationNumberNotServed = "registration/number-not-served", 422, "The number is not served here";
    RegistrationNumberUnreadable = "registration/number-unreadable", 422, "The number cannot be read";
    RegistrationNumberUnchecked = "registration/number-unchecked", 503, "The network does not say whose number it is now";
    RegistrationTextUnavailable = "registration/text-unavailable", 503, "No text can be sent now";
    BookVersionConflict = "book/version-conflict", 412, "The book has changed meanwhile";
    BookShrinkUnconfirmed = "book/shrink-unconfirmed", 409, "The book would shrink by more than half";
    BookTooLarge = "book/too-large", 422, "The book holds too many numbers";
    QuotaNewNumbers = "quota/new-numbers", 429, "Too many new numbers";
    ConsentUploadMissing = "consent/upload-missing", 403, "The consent to upload is missing";
    ConsentSubscriptionsMissing = "consent/subscriptions-missing", 403, "The consent to keep subscriptions is missing";
    ShareNotShareable = "share/not-shareable", 409, "The service cannot be shared";
    NotFound = "not-found", 404, "There is nothing here";
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here";
    IdempotencyKeyMissing = "idempotency/key-missing", 400, "The Idempotency-Key is missing";
    IdempotencyKeyInvalid = "idempotency/key-invalid", 400, "The Idempotency-Key cannot be used";
    IdempotencyBodyDiffers = "idempotency/body-differs", 422, "The Idempotency-Key was used for another request";
    IdempotencyRunning = "idempotency/running", 409, "The first request with this key is still running";
    OrderNotCancellable = "order/not-cancellable", 409, "The order can no longer be cancelled";
    OrderTooManyOpen = "order/too-many-open", 429, "Too many open orders";
    EventsTooManyStreams = "events/too-many-streams", 429, "Too many open event streams";
    OperatorNotPossible = "operator/not-possible", 409, "The state does not allow this";
    OperatorKeyFile = "operator/key-file", 503, "The key file cannot be used";
    OperatorKeysMeanwhile = "operator/keys-meanwhile", 409, "The master key is exchanged by another process";
    OperatorKeysUnfinished = "operator/keys-unfinished", 503, "The exchange of the master key is not finished";
    StoreUnavailable = "store/unavailable", 503, "The server cannot reach its store";
    PeerUnavailable = "peer/unavailable", 503, "The server that does this is away";
    Internal = "internal", 500, "The server has failed";
}

impl Code {
    /// Reads a code back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.word() == word)
    }

    /// The name of its page under `docs/errors/`, without `.md`.
    pub fn page(self) -> String {
        self.word().replace('/', "-")
    }

    /// The problem's `type`: a reference to its page, relative to the server.
    pub fn type_reference(self) -> String {
        format!("/errors/{}", self.page())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_kebab_case_and_read_back() {
        for code in Code::ALL {
            let well_formed = code.word().bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'/');
            assert!(well_formed, "{}", code.word());
            assert_eq!(Code::parse(code.word()), Some(*code));
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let mut wanted: Vec<_> = Code::ALL.iter().map(|code| format!("{}.md", code.page())).collect();
        let mut have: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        wanted.sort_unstable();
        have.sort_unstable();
        assert_eq!(have, wanted);
        for code in Code::ALL {
            let page = std::fs::read_to_string(format!("{folder}/{}.md", code.page())).unwrap();
            assert!(page.contains(&format!("`{}`", code.word())), "{}", code.word());
            assert!(page.contains(&code.status().to_string()), "{}", code.word());
            assert!(page.contains("What to do"), "{}", code.word());
        }
    }
}
