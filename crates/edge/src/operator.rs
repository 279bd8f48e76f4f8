//! Who of the operator's people is calling, and what their token allows.

use std::sync::Arc;

use api::Code;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use subtle::{Choice, ConstantTimeEq};

use crate::Problem;
use crate::caller::bearer;

macro_rules! scopes {
    ($($(#[$doc:meta])* $scope:ident = $word:literal;)*) => {
        /// What a token allows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            $($(#[$doc])* $scope,)*
        }

        impl Scope {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$scope),*];

            /// The word in the configuration.
            pub fn word(self) -> &'static str {
                match self { $(Self::$scope => $word,)* }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|scope| scope.word() == word)
            }
        }
    };
}

scopes! {
    /// Read the catalogue.
    CatalogueRead = "catalogue:read";
    /// Designate providers and end designations; be told of changes of the catalogue.
    CatalogueWrite = "catalogue:write";
    /// Read orders, their histories, and products.
    OrdersRead = "orders:read";
    /// Place and cancel orders; be told of changes of orders and products.
    OrdersWrite = "orders:write";
    /// Read the texts that were sent, and their delivery.
    TextsRead = "texts:read";
    /// Have texts sent.
    TextsWrite = "texts:write";
    /// Read who the customers and the providers are, and the consents in force.
    PartiesRead = "parties:read";
    /// Have codes sent to numbers, and checked.
    CodesWrite = "codes:write";
    /// Seed the platform: catalogue, subscriptions, payers.
    SeedWrite = "seed:write";
    /// Give a number to a new owner.
    NumbersWrite = "numbers:write";
    /// Read bars and caps.
    BarsRead = "bars:read";
    /// Set and lift bars and caps.
    BarsWrite = "bars:write";
    /// Read dead letters.
    LettersRead = "letters:read";
    /// Retry and remove dead letters.
    LettersWrite = "letters:write";
    /// Exchange the master key.
    KeysWrite = "keys:write";
}

/// One of the operator's tokens.
#[derive(Clone)]
pub struct OperatorToken {
    /// Its name, which stands in the audit log; never the token itself.
    pub name: String,
    /// The token.
    pub token: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// Knows the operator's tokens, and admits who shows one.
#[derive(Clone, Default)]
pub struct Door {
    // Hashed, so that all have one length and can be compared in constant time.
    known: Arc<[([u8; 32], Operator)]>,
    /// One that changes while the servers run, with its name.
    changing: Option<(Operator, Changing)>,
    open: bool,
}

/// Gives a token as it is now.
pub type Changing = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Somebody who showed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    name: Arc<str>,
    scopes: Arc<[Scope]>,
}

impl Door {
    /// A door for these tokens; `open` lets everybody in who shows none, for listeners on loopback alone.
    pub fn new(tokens: Vec<OperatorToken>, open: bool) -> Self {
        let known = tokens.into_iter().map(|token| {
            let operator = Operator { name: token.name.into(), scopes: token.scopes.into() };
            (hash(&token.token), operator)
        });
        Self { known: known.collect(), changing: None, open }
    }

    /// The same door with one token more.
    #[must_use]
    pub fn with(&self, token: OperatorToken) -> Self {
        let more = Self::new(vec![token], self.open);
        let known = self.known.iter().chain(more.known.iter()).cloned().collect();
        Self { known, changing: self.changing.clone(), open: self.open }
    }

    /// The same door, and a token for everything that changes while the servers run: it is asked for at each call.
    #[must_use]
    pub fn with_changing(&self, name: &str, token: Changing) -> Self {
        let operator = Operator { name: name.into(), scopes: Scope::ALL.into() };
        Self { changing: Some((operator, token)), ..self.clone() }
    }

    /// Who shows a token.
    ///
    /// # Errors
    /// 401 without a token, or with one that nobody was given.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Operator, Problem> {
        let shown = match bearer(headers) {
            Err(_) if self.open => {
                return Ok(Operator { name: "loopback".into(), scopes: Scope::ALL.into() });
            }
            shown => shown.map_err(|problem| {
                let detail =
                    "Send one of the operator's tokens as the header Authorization: Bearer and the token.";
                Problem::new(problem.code(), detail)
            })?,
        };
        let shown = hash(shown);
        // Every token is compared, so that the time taken tells nothing about which one came near.
        let changing = self.changing.as_ref();
        let changing = changing.and_then(|(operator, token)| Some((hash(&token()?), operator.clone())));
        let found = self.known.iter().chain(&changing).fold(None, |found, (known, operator)| {
            let same: Choice = known.ct_eq(&shown);
            if bool::from(same) { Some(operator) } else { found }
        });
        let unknown = || {
            let detail = "The token is none of the operator's (platform.operator_tokens, operator.tokens).";
            Problem::new(Code::AuthInvalid, detail)
        };
        found.cloned().ok_or_else(unknown)
    }
}

impl Operator {
    /// The name of the token.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks that the token allows something.
    ///
    /// # Errors
    /// 403 that names the scope.
    pub fn need(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let word = scope.word();
        let detail =
            format!("This token has not the scope {word}: use one that has, or add it to its scopes.");
        Err(Problem::new(Code::AuthScopeMissing, detail))
    }
}

/// Put into the request by whoever admitted the caller.
impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| Problem::internal("no Door before this route"))
    }
}

fn hash(token: &str) -> [u8; 32] {
    blake3::hash(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    fn door(open: bool) -> Door {
        let token = |name: &str, token: &str, scopes: &[Scope]| OperatorToken {
            name: name.to_owned(),
            token: token.to_owned(),
            scopes: scopes.to_vec(),
        };
        let tokens =
            vec![token("all", "a-token-for-all", Scope::ALL), token("bars", "b", &[Scope::BarsRead])];
        Door::new(tokens, open)
    }

    #[test]
    fn a_token_is_known_by_name_and_allows_its_scopes_alone() {
        let all = door(false).admit(&headers("Bearer a-token-for-all")).unwrap();
        assert_eq!(all.name(), "all");
        assert!(Scope::ALL.iter().all(|scope| all.need(*scope).is_ok()));
        let bars = door(false).admit(&headers("bearer b")).unwrap();
        assert!(bars.need(Scope::BarsRead).is_ok());
        let refused = bars.need(Scope::BarsWrite).unwrap_err();
        assert_eq!(refused.code(), Code::AuthScopeMissing);
        assert!(refused.detail().contains("bars:write"));
    }

    #[test]
    fn no_token_is_missing_and_another_is_invalid() {
        assert_eq!(door(false).admit(&HeaderMap::new()).unwrap_err().code(), Code::AuthMissing);
        assert_eq!(door(false).admit(&headers("Bearer c")).unwrap_err().code(), Code::AuthInvalid);
        assert_eq!(door(true).admit(&HeaderMap::new()).unwrap().name(), "loopback");
        // Whoever shows a wrong token means to be somebody.
        assert_eq!(door(true).admit(&headers("Bearer c")).unwrap_err().code(), Code::AuthInvalid);
    }

    #[test]
    fn scopes_are_read_back() {
        assert!(Scope::ALL.iter().all(|scope| Scope::parse(scope.word()) == Some(*scope)));
        assert_eq!(Scope::parse("everything"), None);
    }
}
