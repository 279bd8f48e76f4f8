//! Who is calling.

use std::sync::Arc;

use api::Code;
use axum::extract::FromRequestParts;
use domain::ids::{SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::Locale;
use futures::future::BoxFuture;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::Problem;

/// The signed-in subscriber behind a request; taking it makes a handler refuse everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub subscriber: SubscriberId,
    /// The key of their number.
    pub key: ContactKey,
    /// On which device.
    pub session: SessionId,
    /// In which language to answer.
    pub locale: Locale,
}

/// Tells whose a token is; the contacts role does.
pub trait Authenticate: Send + Sync {
    /// The caller that the token stands for; `None` for a token that does not count.
    ///
    /// # Errors
    /// A problem when it cannot be told now.
    fn caller<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Problem>>;
}

/// Put on a router as `axum::Extension(Authenticator(…))`, it serves every [`Caller`] beneath.
#[derive(Clone)]
pub struct Authenticator(pub Arc<dyn Authenticate>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        let Some(Authenticator(authenticate)) = parts.extensions.get::<Authenticator>() else {
            return Err(Problem::internal("no Authenticator on this route"));
        };
        let invalid = || Problem::new(Code::AuthInvalid, "The token is not signed in here; sign in again.");
        authenticate.caller(token).await?.ok_or_else(invalid)
    }
}

// Far above our own tokens; longer ones are not worth a look into the store.
const TOKEN_CHARS_MAX: usize = 512;

pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || {
        Problem::new(Code::AuthMissing, "Sign in, and send the header Authorization: Bearer and the token.")
    };
    let header = headers.get(AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(missing());
    }
    if token.len() > TOKEN_CHARS_MAX {
        return Err(Problem::new(
            Code::AuthInvalid,
            "The token is too long to be one of ours; sign in again.",
        ));
    }
    Ok(token)
}
