//! Refusals and failures on their way out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use api::problem::{Code, FieldFault};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

/// Why a request gets no good answer: a code, a sentence that says what to do, the faulty fields.
///
/// As a response it is `application/problem+json`; [`crate::shell`] adds the request id and logs the
/// cause, which never leaves the server.
#[derive(Clone)]
pub struct Problem(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    detail: String,
    fields: Vec<FieldFault>,
    retry_after_s: Option<u64>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with a sentence that says what to do; it must hold no number, token or code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Box::new(Inner { code, detail, fields: Vec::new(), retry_after_s: None, cause: None }))
    }

    /// Nothing here, or nothing that the caller may see: the two are answered alike.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing at this address; check it.")
    }

    /// A fault of the server's own; the cause is logged and not told.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            Code::Internal,
            "The server has failed; try again, and tell the operator the request id if it stays.",
        )
        .because(cause)
    }

    /// Names a field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.fields.push(FieldFault { field: field.into(), detail: detail.into() });
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The cause and what lies beneath it, in one line for the log.
    pub(crate) fn cause_chain(&self) -> Option<String> {
        let cause = self.0.cause.as_ref()?;
        let mut chain = cause.to_string();
        let mut beneath = cause.source();
        while let Some(error) = beneath {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            beneath = error.source();
        }
        Some(chain)
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(&self, request_id: &str) -> Vec<u8> {
        let Inner { code, detail, fields, .. } = &*self.0;
        let shape = api::Problem {
            type_: code.type_reference(),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.word().to_owned(),
            detail: detail.clone(),
            request_id: request_id.to_owned(),
            fields: fields.clone(),
        };
        serde_json::to_vec(&shape).unwrap_or_default()
    }

    /// The response with the id of the request it answers.
    pub(crate) fn response(&self, request_id: &str) -> Response {
        let mut response = (self.status(), self.body(request_id)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(api::problem::MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // RFC 6750, section 3.
        let challenge = match self.0.code {
            Code::AuthMissing => Some("Bearer realm=\"hutong\""),
            Code::AuthInvalid => Some("Bearer realm=\"hutong\", error=\"invalid_token\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response("");
        // The shell finds it here, writes the body again with the request id, and logs the cause.
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem({}: {})", self.0.code.word(), self.0.detail)
    }
}
